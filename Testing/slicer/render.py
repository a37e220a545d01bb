"""Pictures of a Slicer scene without the application: slice views with the overlay, and a 3D view, as PNG.

    python Testing/slicer/render.py SCENE.mrb OUTDIR [--size 512] [--row 6]

Needs slicer-core and software OpenGL (Debian and Ubuntu: apt-get install libegl1 libgl1-mesa-dri).
For pictures in the repository use synthetic or PROSTATEx images only.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

SLICE_MANAGERS = (
    "vtkMRMLSegmentationsDisplayableManager2D",
    "vtkMRMLMarkupsDisplayableManager",
    "vtkMRMLModelSliceDisplayableManager",
    "vtkMRMLColorLegendDisplayableManager",
    "vtkMRMLRulerDisplayableManager",
)
THREE_D_MANAGERS = (
    "vtkMRMLVolumeRenderingDisplayableManager",
    "vtkMRMLCameraDisplayableManager",
    "vtkMRMLViewDisplayableManager",
    "vtkMRMLModelDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager3D",
    "vtkMRMLMarkupsDisplayableManager",
)


def has_opengl() -> bool:
    """Whether an offscreen window can be drawn here (asked in a child: a failing driver may abort)."""
    import subprocess

    code = (
        "import vtk; w = vtk.vtkRenderWindow(); w.SetOffScreenRendering(1); w.SetShowWindow(False); w.SetSize(8, 8); "
        "w.AddRenderer(vtk.vtkRenderer()); w.Render(); "
        "raise SystemExit(0 if w.SupportsOpenGL() and 'OSOpenGL' not in w.GetClassName() else 1)"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=120, check=False).returncode == 0


class SliceView:
    """One slice view of a scene, drawn offscreen as Slicer draws it.

    orientation: "Axial", "Sagittal", "Coronal", or a volume node whose own plane nearest to axial is taken.
    """

    def __init__(self, headless: Any, name: str, orientation: Any, size: tuple[int, int] = (400, 400)) -> None:
        import slicer
        import vtk

        self._size = size
        self._window, renderer = _offscreen(size)
        renderer.GetActiveCamera().ParallelProjectionOn()
        self._logic = slicer.vtkMRMLSliceLogic()
        self._logic.SetMRMLApplicationLogic(headless.application_logic)
        headless.application_logic.GetSliceLogics().AddItem(self._logic)
        self._logic.SetMRMLScene(headless.scene)
        self.slice_node = self._logic.AddSliceNode(name)
        if isinstance(orientation, str):
            self.slice_node.SetOrientation(orientation)
        else:
            self.slice_node.RotateToVolumePlane(orientation)
        self.composite = self._logic.GetSliceCompositeNode()
        factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory
        self._group = _group(headless, factory, SLICE_MANAGERS, renderer, self.slice_node)
        self._mapper = vtk.vtkImageMapper()
        self._mapper.SetColorWindow(255)
        self._mapper.SetColorLevel(127.5)
        actor = vtk.vtkActor2D()
        actor.SetMapper(self._mapper)
        actor.GetProperty().SetDisplayLocationToBackground()
        renderer.AddViewProp(actor)

    def show(self, background: Any, foreground: Any | None, opacity: float = 0.5) -> None:
        """Set the layers, and fit the view to the background, beside a legend as `overlay.show_over` does it.

        A legend that is older than the view is not drawn.
        """
        from deepradiomics.scene.views.legend_room import has_legend, leave_room

        self.composite.SetBackgroundVolumeID(background.GetID())
        self.composite.SetForegroundVolumeID(foreground.GetID() if foreground is not None else None)
        self.composite.SetForegroundOpacity(opacity)
        self._logic.ResizeSliceNode(*self._size)
        self._logic.FitSliceToBackground()
        if has_legend(foreground):
            leave_room(self.slice_node.GetScene(), background)

    def picture(self) -> np.ndarray:
        """(height, width, 3) uint8, first row on top."""
        from deepradiomics.scene.nodes.atomic import nodes_of_class

        self._mapper.SetInputConnection(self._logic.GetImageDataConnection())  # changes with the layers
        for legend in nodes_of_class(self.slice_node.GetScene(), "vtkMRMLColorLegendDisplayNode"):
            legend.Modified()  # its visibility depends on the layers
        self._window.Render()
        return _pixels(self._window)

    def pixel_of(self, world_ras: np.ndarray) -> tuple[int, int]:
        """Row and column of `picture` at which a world point is drawn, by the slice node's own matrix."""
        import vtk

        to_view = vtk.vtkMatrix4x4()
        vtk.vtkMatrix4x4.Invert(self.slice_node.GetXYToRAS(), to_view)
        x, y = to_view.MultiplyPoint((*map(float, world_ras), 1.0))[:2]
        return self._size[1] - 1 - round(y), round(x)


class ThreeDView:
    """A 3D view of a scene, drawn offscreen; volumes are shown by volume rendering if they have it."""

    def __init__(self, headless: Any, size: tuple[int, int] = (400, 400)) -> None:
        import slicer

        self._window, self._renderer = _offscreen(size)
        self._logic = slicer.vtkMRMLViewLogic()
        self._logic.SetMRMLApplicationLogic(headless.application_logic)
        headless.application_logic.GetViewLogics().AddItem(self._logic)
        self._logic.SetMRMLScene(headless.scene)
        node = self._logic.AddViewNode("1")
        node.SetBackgroundColor(1, 1, 1)
        node.SetBackgroundColor2(1, 1, 1)
        node.SetAxisLabelsVisible(False)
        node.SetBoxVisible(False)
        factory = slicer.vtkMRMLThreeDViewDisplayableManagerFactory
        self._group = _group(headless, factory, THREE_D_MANAGERS, self._renderer, node)

    def picture(self, *, as_set: bool = False) -> np.ndarray:
        """(height, width, 3) uint8, first row on top; `as_set`: from where the scene's camera node stands."""
        if as_set:
            self._renderer.ResetCameraClippingRange()
            self._window.Render()
            return _pixels(self._window)
        camera = self._renderer.GetActiveCamera()
        camera.SetPosition(-0.6, 1.0, 0.5)  # from the patient's front left, a little above: RAS directions
        camera.SetFocalPoint(0, 0, 0)
        camera.SetViewUp(0, 0, 1)
        self._renderer.ResetCamera()
        self._window.Render()
        return _pixels(self._window)


def write_png(picture: np.ndarray, path: Path) -> None:
    """Write (height, width, 3) uint8 as PNG."""
    import vtk
    from vtk.util.numpy_support import numpy_to_vtk

    image = vtk.vtkImageData()
    image.SetDimensions(picture.shape[1], picture.shape[0], 1)
    image.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(picture[::-1].reshape(-1, 3)), deep=True))
    writer = vtk.vtkPNGWriter()
    writer.SetFileName(str(path))
    writer.SetInputData(image)
    writer.Write()


def _offscreen(size: tuple[int, int]) -> tuple[Any, Any]:
    import vtk

    window = vtk.vtkRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetShowWindow(False)
    window.SetSize(*size)
    renderer = vtk.vtkRenderer()
    window.AddRenderer(renderer)
    interactor = vtk.vtkRenderWindowInteractor()
    interactor.SetRenderWindow(window)
    interactor.Initialize()
    return window, renderer


def _group(headless: Any, factory_class: Any, names: Sequence[str], renderer: Any, node: Any) -> Any:
    import slicer

    factory = factory_class.GetInstance()
    factory.SetMRMLApplicationLogic(headless.application_logic)
    for name in names:
        if not factory.IsDisplayableManagerRegistered(name):
            factory.RegisterDisplayableManager(name)
    group = slicer.vtkMRMLDisplayableManagerGroup()
    group.SetRenderer(renderer)
    group.Initialize(factory, renderer)
    group.SetMRMLDisplayableNode(node)
    return group


def _pixels(window: Any) -> np.ndarray:
    import vtk
    from vtk.util.numpy_support import vtk_to_numpy

    grab = vtk.vtkWindowToImageFilter()
    grab.SetInput(window)
    grab.ReadFrontBufferOff()
    grab.Update()
    image = grab.GetOutput()
    width, height, _ = image.GetDimensions()
    return np.array(vtk_to_numpy(image.GetPointData().GetScalars())).reshape(height, width, -1)[::-1, :, :3]


def render_scene(scene_path: Path, folder: Path, size: int, row: int | None) -> list[Path]:
    """Draw the relevance map over its volume in three slice views and in 3D; return the files written."""
    import slicer

    from deepradiomics.scene.job.headless import headless_slicer
    from deepradiomics.scene.nodes.atomic import nodes_of_class
    from deepradiomics.scene.show.patch_boxes import show_patch
    from deepradiomics.scene.tree.folder import referenced_inputs
    from deepradiomics.scene.tree.provenance import read_stamp

    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with tempfile.TemporaryDirectory() as temporary, headless_slicer(Path(temporary)) as headless:
        headless.load_mrb(scene_path)
        scene = headless.scene
        volumes = nodes_of_class(scene, "vtkMRMLScalarVolumeNode")
        relevance = next(node for node in volumes if node.GetName().endswith(" relevance"))
        anatomy = referenced_inputs(relevance)[read_stamp(relevance)["reference_view"]]
        roi = None
        if row is not None:
            roi = show_patch(slicer.util.getNode("Fingerprint"), row)
        for name, orientation in (("A", "Axial"), ("S", "Sagittal"), ("C", "Coronal")):
            view = SliceView(headless, f"Picture{name}", orientation, (size, size))
            _renew_legend(scene, relevance)
            view.show(anatomy, relevance)
            view.slice_node.JumpSliceByOffsetting(*_middle(relevance, roi))
            path = folder / f"slice_{orientation.lower()}.png"
            write_png(view.picture(), path)
            written.append(path)
        _render_volume(relevance, opacity=0.6, nearest=True)
        path = folder / "view_3d.png"
        write_png(ThreeDView(headless, (size, size)).picture(), path)
        written.append(path)
    return written


def _render_volume(node: Any, opacity: float, nearest: bool) -> None:
    """Volume rendering with the node's own colours: clear below its threshold, `opacity` above."""
    import slicer

    display = node.GetDisplayNode()
    rendering = slicer.modules.volumerendering.logic().CreateDefaultVolumeRenderingNodes(node)
    slicer.modules.volumerendering.logic().CopyDisplayToVolumeRenderingDisplayNode(rendering, display)
    properties = rendering.GetVolumePropertyNode().GetVolumeProperty()
    properties.ShadeOff()
    if nearest:
        properties.SetInterpolationTypeToNearest()
    threshold = display.GetLowerThreshold()
    curve = properties.GetScalarOpacity()
    curve.RemoveAllPoints()
    for value, amount in ((threshold * 0.98, 0.0), (threshold, opacity), (display.GetUpperThreshold(), opacity)):
        curve.AddPoint(value, amount)
    rendering.SetVisibility(True)


def _renew_legend(scene: Any, volume: Any) -> None:
    """Make the legend anew: a view draws only those that are added after it."""
    import slicer

    from deepradiomics.scene.nodes.colours import add_legend

    legend = slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(volume)
    if legend is not None:
        title = legend.GetTitleText()
        scene.RemoveNode(legend)
        add_legend(volume, title)


def _middle(relevance: Any, roi: Any | None) -> np.ndarray:
    """World RAS of the ROI's centre, or of the middle of what the map paints."""
    import slicer

    from deepradiomics.scene.nodes.placement import placement

    if roi is not None:
        centre = [0.0, 0.0, 0.0]
        roi.GetCenterWorld(centre)
        return np.array(centre)
    k, j, i = np.nonzero(slicer.util.arrayFromVolume(relevance))
    return placement(relevance).geometry.index_to_physical([i.mean(), j.mean(), k.mean()]) * (-1, -1, 1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Draw a DeepRadiomics scene to PNG files.")
    parser.add_argument("scene", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--row", type=int, help="row of the fingerprint table whose patch is boxed")
    options = parser.parse_args()
    for each in render_scene(options.scene, options.folder, options.size, options.row):
        print(each)
