"""The case layout: a slice view for each modality side by side; below them a lens's table and chart, if there is one.

::

    +--------+--------+--------+
    |   t2   | highb  |  adc   |   one plane, one scale, one place; the map over its modality alone
    +--------+--------+--------+
    |   shift table   |  chart |
    +-----------------+--------+

Layout descriptions are not saved in a scene: `register_layouts` is called when the module is loaded, so that a scene
that was saved in this layout opens in it. There are two descriptions for each number of modalities, with and without
the lower row, so that no view is empty; the views are named and coloured by `arrange_case`, and those properties are
saved.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import numpy as np
import slicer
import slicer.util

from deepradiomics.scene.nodes.atomic import nodes_of_class, redraw_legends
from deepradiomics.scene.nodes.lens import CaseNodes, LensNodes
from deepradiomics.scene.nodes.outline import show_only_in
from deepradiomics.scene.nodes.placement import array_of, ijk_to_ras, matrix_of, placement, to_world
from deepradiomics.scene.nodes.plots import COLOURS
from deepradiomics.scene.views.overlay import FOREGROUND_OPACITY

MOST_VIEWS = 4
FIRST_LAYOUT = 5040  # ids above 500 are an extension's own; + the number of modalities
WITHOUT_LENS = 10  # added to the id of a layout that has no lower row
VIEW_GROUP = 5040  # linked among themselves, not with Slicer's own views
TABLE_VIEW, PLOT_VIEW = "TableView1", "PlotView1"  # Slicer's own
SLICERS_VIEWS = {  # Slicer's own layouts by number of modalities: one view, two side by side, two by two row by row
    1: ("SlicerLayoutOneUpRedSliceView", ("Red",)),
    2: ("SlicerLayoutSideBySideView", ("Red", "Yellow")),
    3: ("SlicerLayoutTwoOverTwoView", ("Red", "Slice4", "Green", "Yellow")),
    4: ("SlicerLayoutTwoOverTwoView", ("Red", "Slice4", "Green", "Yellow")),
}
FIELD_OF_VIEW = 2.4  # times the region's extent: the anatomy around it can be seen
LEAST_FIELD_MM = 60.0
LEGEND_SHARE = 0.33  # of a view's width, on its right, where the map's legend lies; the region lies left of it
LPS_RAS = np.array([-1.0, -1.0, 1.0])
ORIENTATIONS = ("Axial", "Sagittal", "Coronal")


def layout_id(views: int, *, lens: bool = True) -> int:
    """The number of the layout for 1 to 4 modalities, with or without a lens's table and chart below."""
    return FIRST_LAYOUT + views + (0 if lens else WITHOUT_LENS)


def view_name(index: int) -> str:
    """The layout name of the slice view at a place from the left, counted from 0."""
    return f"Lens{index + 1}"


def layout_description(views: int, *, lens: bool = True) -> str:
    """Slicer's XML of the layout for 1 to 4 modalities, with or without a lens's table and chart below."""
    slices = "".join(_item(_view("vtkMRMLSliceNode", view_name(index), str(index + 1))) for index in range(views))
    if not lens:
        return f'<layout type="horizontal">{slices}</layout>'
    below = _item(_view("vtkMRMLTableViewNode", TABLE_VIEW, "T")) + _item(_view("vtkMRMLPlotViewNode", PLOT_VIEW, "P"))
    return (
        '<layout type="vertical" split="true">'
        f'<item splitSize="600"><layout type="horizontal">{slices}</layout></item>'
        f'<item splitSize="400"><layout type="horizontal" split="true">{below}</layout></item>'
        "</layout>"
    )


def register_layouts(scene: Any) -> bool:
    """Make the case layouts known to the scene's layout node; False where there is none, as outside the application."""
    node = scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    if node is None:
        return False
    for views, lens in product(range(1, MOST_VIEWS + 1), (True, False)):
        number = layout_id(views, lens=lens)
        known = node.IsLayoutDescription(number)
        (node.SetLayoutDescription if known else node.AddLayoutDescription)(
            number, layout_description(views, lens=lens)
        )
    return True


def arrange_case(scene: Any, case: CaseNodes, lens: LensNodes | None = None) -> dict[str, Any]:
    """Switch to the case layout and show a case in it; returns the slice nodes by modality.

    The first four modalities are shown, the map's always. In the application the views are the layout's; in a scene
    without a layout their nodes are made here.
    """
    shown = shown_modalities(case)
    register_layouts(scene)
    _arrange(scene, layout_id(len(shown), lens=lens is not None))
    views = {modality: _view_node(scene, "vtkMRMLSliceNode", view_name(at)) for at, modality in enumerate(shown)}
    place_case(scene, case, views)
    if lens is not None:
        _put_below(scene, lens)
    return views


def show_tables(scene: Any, lens: LensNodes) -> None:
    """Show a lens's shift table and chart in the views of Slicer's own layout that has both."""
    show_table_and_chart(scene, lens.shift, lens.charts["explained"])


def show_table_and_chart(scene: Any, table: Any, chart: Any | None) -> None:
    """Show a table and a chart in one of Slicer's own layouts; without a chart in one that has no plot view."""
    layouts = slicer.vtkMRMLLayoutNode
    _arrange(scene, layouts.SlicerLayoutFourUpTableView if chart is None else layouts.SlicerLayoutFourUpPlotTableView)
    show_table(scene, table)
    if chart is not None:
        _select_chart(scene, chart)  # this layout has a plot view, also in scenes that are written without windows


def show_table(scene: Any, table: Any) -> None:
    """Show a table in the table views of the layout that is on."""
    _view_node(scene, "vtkMRMLTableViewNode", TABLE_VIEW).SetTableNodeID(table.GetID())
    logic = slicer.app.applicationLogic()
    if logic.GetSelectionNode() is not None:  # there is none in a scene that was closed outside the application
        logic.GetSelectionNode().SetActiveTableID(table.GetID())
        logic.PropagateTableSelection()


def show_chart(scene: Any, chart: Any) -> None:
    """Make a chart visible: the one way for all modules.

    A chart shows only in a plot view, and views that other layouts have made are still there, unseen. So where no plot
    view is mapped in the layout, the layout is switched first; then the chart is selected, then handed to the views.
    """
    views = nodes_of_class(scene, "vtkMRMLPlotViewNode")
    if not any(view.IsMappedInLayout() for view in views):
        _arrange(scene, slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalPlotView)
    _select_chart(scene, chart)


def _select_chart(scene: Any, chart: Any) -> None:
    """Select a chart, and hand it to the plot views."""
    _view_node(scene, "vtkMRMLPlotViewNode", PLOT_VIEW).SetPlotChartNodeID(chart.GetID())
    logic = slicer.app.applicationLogic()
    if logic.GetSelectionNode() is not None:
        logic.GetSelectionNode().SetActivePlotChartID(chart.GetID())
        logic.PropagatePlotChartSelection()


@contextlib.contextmanager
def scene_layouts(scene: Any) -> Iterator[None]:
    """A context in which a scene outside the application has a layout node, as the application makes it.

    Its views say whether the layout on show has them, which otherwise the application's widgets tell them.
    """
    logic = slicer.vtkMRMLLayoutLogic()
    logic.SetMRMLScene(scene)

    def mark_views(caller: Any, event: str) -> None:
        views = logic.GetViewNodes()
        shown = [views.GetItemAsObject(index) for index in range(views.GetNumberOfItems())]
        for view in nodes_of_class(scene, "vtkMRMLAbstractViewNode"):
            view.SetMappedInLayout(view in shown)

    logic.GetLayoutNode().AddObserver("ModifiedEvent", mark_views, -1.0)  # after the logic has made the views
    try:
        yield
    finally:
        logic.SetMRMLScene(None)  # it would hear of the end of a scene that is gone


def show_case_in_slicers_views(scene: Any, case: CaseNodes) -> dict[str, Any]:
    """Show a case in one of Slicer's own layouts, for those who lack the case layout; returns the slice nodes.

    A view that would be empty shows the map over its modality in a second plane.
    """
    shown = shown_modalities(case)
    layout, names = SLICERS_VIEWS[len(shown)]
    _arrange(scene, getattr(slicer.vtkMRMLLayoutNode, layout))
    nodes = [_view_node(scene, "vtkMRMLSliceNode", name) for name in names]
    views = dict(zip(shown, nodes, strict=False))
    place_case(scene, case, views)
    for node in nodes[len(shown) :]:
        _place_second_plane(scene, case, views[case.modality], node)
    return views


def shown_modalities(case: CaseNodes) -> tuple[str, ...]:
    """The modalities that get a view: the first four, with the map's in place of the fourth where it is not one."""
    first = tuple(case.volumes)[:MOST_VIEWS]
    if case.modality in first:
        return first
    return (*first[: MOST_VIEWS - 1], case.modality)  # its image may be found nowhere: then the map alone


def place_case(scene: Any, case: CaseNodes, views: Mapping[str, Any]) -> None:
    """Show a case in slice nodes, one a modality: the same plane, scale and place in all; linked with each other."""
    axes, centre, extent = _look(case, next(iter(views.values())))
    width, height = (min(view.GetDimensions()[axis] for view in views.values()) for axis in (0, 1))
    wanted = np.maximum(FIELD_OF_VIEW * extent, LEAST_FIELD_MM)
    mm_per_pixel = max(wanted[0] / max(width, 1), wanted[1] / max(height, 1))
    aside = LEGEND_SHARE / 2 * width * mm_per_pixel  # the same in all views, whichever of them has the legend
    for at, (modality, view) in enumerate(views.items()):
        modifying = view.StartModify()
        view.SetLayoutLabel(modality)
        view.SetLayoutColor(*COLOURS[at % len(COLOURS)])
        view.SetViewGroup(VIEW_GROUP)
        _look_at(view, axes, centre, mm_per_pixel, aside)
        view.EndModify(modifying)
        _show_layers(scene, case, modality, view, linked=True)
    others = [view for view in nodes_of_class(scene, "vtkMRMLSliceNode") if view not in views.values()]
    for modality, roi in case.rois.items():  # each outline on its own grid; the map's in Slicer's other views as well
        within = [views[modality]] if modality in views else []
        show_only_in(roi, within + (others if modality == case.modality else []))
        roi.GetDisplayNode().SetVisibility(modality in views)
    redraw_legends(scene)


def _look_at(view: Any, axes: np.ndarray, centre: np.ndarray, mm_per_pixel: float, aside: float) -> None:
    """Turn a view to a plane, with a world point (RAS) in its middle, or `aside` mm left of it."""
    to_ras = np.eye(4)
    to_ras[:3, :3], to_ras[:3, 3] = axes, centre
    view.GetSliceToRAS().DeepCopy(matrix_of(to_ras))
    pixels, field = view.GetDimensions(), view.GetFieldOfView()
    view.SetXYZOrigin(aside, 0.0, 0.0)
    view.SetFieldOfView(pixels[0] * mm_per_pixel, pixels[1] * mm_per_pixel, field[2])
    view.UpdateMatrices()


def _show_layers(scene: Any, case: CaseNodes, modality: str, view: Any, *, linked: bool) -> None:
    composite = _composite_of(scene, view)
    image = case.volumes.get(modality)
    composite.SetBackgroundVolumeID(None if image is None else image.GetID())
    composite.SetForegroundVolumeID(case.map.GetID() if modality == case.modality else None)
    composite.SetForegroundOpacity(FOREGROUND_OPACITY)
    composite.SetLabelVolumeID(None)
    composite.SetLinkedControl(linked)


def _place_second_plane(scene: Any, case: CaseNodes, first: Any, view: Any) -> None:
    """Show the map over its modality once more: upright on the plane of `first`, the slices one above the other."""
    axes = array_of(first.GetSliceToRAS())[:3, :3]
    centre = array_of(first.GetSliceToRAS())[:3, 3]
    right, up, towards = axes.T
    mm_per_pixel = first.GetFieldOfView()[0] / max(first.GetDimensions()[0], 1)
    modifying = view.StartModify()
    view.SetLayoutLabel(case.modality)
    view.SetLayoutColor(*first.GetLayoutColor())
    view.SetViewGroup(VIEW_GROUP + 1)
    _look_at(view, np.stack([-up, towards, -right], axis=-1), centre, mm_per_pixel, first.GetXYZOrigin()[0])
    view.EndModify(modifying)
    _show_layers(scene, case, case.modality, view, linked=False)


def plane_of(volume: Any, view: Any) -> np.ndarray:
    """(3, 3) axes of a slice in a volume's own plane: right of the screen, up, towards the viewer, as columns in RAS.

    The slice lies along the volume's stored slices and is seen as in the nearest standard orientation of the slice node
    `view`: exactly axial, sagittal or coronal where the volume is not oblique.
    """
    along = placement(volume).geometry.axes * LPS_RAS[:, None]  # columns: the volume's index axes x, y, z, in RAS
    presets = [_orientation(view, name) for name in ORIENTATIONS]
    preset = max(presets, key=lambda axes: abs(axes[:, 2] @ along[:, 2]))
    right = max((0, 1), key=lambda axis: abs(preset[:, 0] @ along[:, axis]))
    chosen = enumerate((right, 1 - right, 2))  # at the slice's axis: the volume's axis
    return np.stack([along[:, axis] * np.sign(preset[:, at] @ along[:, axis] or 1.0) for at, axis in chosen], axis=-1)


def _orientation(view: Any, name: str) -> np.ndarray:
    """(3, 3) axes of one of Slicer's orientations, as the slice node has it (users may have their own)."""
    matrix = view.GetSliceOrientationPreset(name)
    return np.array([[matrix.GetElement(row, column) for column in range(3)] for row in range(3)])


def _arrange(scene: Any, layout: int) -> None:
    """Switch layouts, where the scene has any."""
    node = scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    if node is not None:
        node.SetViewArrangement(layout)


def _put_below(scene: Any, lens: LensNodes) -> None:
    show_table(scene, lens.shift)
    _select_chart(scene, lens.charts["explained"])


def _look(case: CaseNodes, view: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Axes of the slice, the world point (RAS) in its middle, and the region's extent (mm) to the right and up.

    The slice goes through the middle of the map's voxels, at the level nearest to the region's middle that has some.
    """
    drawn = np.argwhere(np.isfinite(slicer.util.arrayFromVolume(case.map)))[:, ::-1]  # (n, 3) as x, y, z
    volume = case.volumes.get(case.modality) or case.map
    axes = plane_of(volume, view)
    if len(drawn) == 0:
        grid = placement(volume).geometry
        return axes, grid.index_to_physical((np.array(grid.size) - 1) / 2) * LPS_RAS, np.zeros(2)
    levels = np.unique(drawn[:, 2])
    level = levels[np.argmin(np.abs(levels - drawn[:, 2].mean()))]
    middle = np.array([*(drawn.min(axis=0) + drawn.max(axis=0))[:2] / 2, level])
    local = ijk_to_ras(case.map)
    world = to_world(case.map, np.vstack([middle[None], drawn]) @ local[:3, :3].T + local[:3, 3])
    across = world[1:] @ axes[:, :2]
    return axes, world[0], across.max(axis=0) - across.min(axis=0)


def _view_node(scene: Any, class_name: str, name: str) -> Any:
    """A view's node, made as the layout would make it where there is none."""
    node = scene.GetSingletonNode(name, class_name)
    if node is not None:
        return node
    node = scene.CreateNodeByClass(class_name)
    node.UnRegister(None)
    node.SetSingletonTag(name)
    node.SetName(name)
    node.SetLayoutName(name)
    return scene.AddNode(node)


def _composite_of(scene: Any, view: Any) -> Any:
    for composite in nodes_of_class(scene, "vtkMRMLSliceCompositeNode"):
        if composite.GetLayoutName() == view.GetLayoutName():
            return composite
    composite = scene.CreateNodeByClass("vtkMRMLSliceCompositeNode")
    composite.UnRegister(None)
    composite.SetSingletonTag(view.GetLayoutName())
    composite.SetLayoutName(view.GetLayoutName())
    composite.SetName(f"{view.GetLayoutName()} composite")
    return scene.AddNode(composite)


def _view(class_name: str, name: str, label: str) -> str:
    properties = f'<property name="viewlabel" action="default">{label}</property>'
    if class_name == "vtkMRMLSliceNode":
        properties = f'<property name="orientation" action="default">Axial</property>{properties}'
    return f'<view class="{class_name}" singletontag="{name}">{properties}</view>'


def _item(content: str) -> str:
    return f"<item>{content}</item>"
