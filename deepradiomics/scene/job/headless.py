"""The real MRML scene without the Slicer application: what `python -m deepradiomics.scene` and the tests stand on.

slicer-core (`pip install slicer-core`) brings Slicer's own nodes, logics and `slicer.util`, but no running
application. `headless_slicer` puts together what the application would: a scene, an application logic, the module
logics, and the names `slicer.mrmlScene`, `slicer.app` and `slicer.modules`, which `slicer.util` looks up; all are
taken back at the end.
"""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepradiomics.errors import InputError, MissingDependencyError

# Where the application registers a logic, and the class of it. Those absent from a build are passed over.
_MODULE_LOGICS = {
    "Colors": "vtkSlicerColorLogic",
    "Volumes": "vtkSlicerVolumesLogic",
    "Segmentations": "vtkSlicerSegmentationsModuleLogic",
    "Markups": "vtkSlicerMarkupsLogic",
    "Models": "vtkSlicerModelsLogic",
    "Tables": "vtkSlicerTablesLogic",
    "Plots": "vtkSlicerPlotsLogic",
    "SubjectHierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "CropVolume": "vtkSlicerCropVolumeLogic",
    "VolumeRendering": "vtkSlicerVolumeRenderingLogic",
}


@dataclass(frozen=True, eq=False)
class HeadlessSlicer:
    """A scene and the application logic that serves it; `held` are the objects that VTK only points to."""

    scene: Any
    application_logic: Any
    folder: Path
    held: tuple[Any, ...] = ()

    def save_mrb(self, path: Path) -> None:
        """Write the scene as one .mrb file. Raises InputError if it cannot be written."""
        if not self.scene.WriteToMRB(str(path)) or not Path(path).is_file():
            raise InputError(f"the scene could not be written to {path}: check the folder and the space on the disk")

    def load_mrb(self, path: Path) -> None:
        """Replace the scene's content by that of a .mrb file. Raises InputError if it cannot be read."""
        self.scene.Clear(False)  # singletons stay, the colour tables among them
        if not Path(path).is_file() or not self.scene.ReadFromMRB(str(path)):
            raise InputError(f"{path} could not be read as a Slicer scene (.mrb)")


@contextlib.contextmanager
def headless_slicer(folder: Path) -> Iterator[HeadlessSlicer]:
    """Bring up a scene for the `with` block; `folder` takes Slicer's temporary files.

    Raises MissingDependencyError without slicer-core; InputError inside the Slicer application (it has its own scene).
    """
    if importlib.util.find_spec("slicer") is None or importlib.util.find_spec("vtk") is None:
        raise MissingDependencyError(
            "writing a Slicer scene outside Slicer needs slicer-core: pip install slicer-core (Python 3.11 or 3.12)"
        )
    import slicer
    import vtk

    if hasattr(slicer, "app") and not isinstance(slicer.app, types.SimpleNamespace):
        raise InputError("inside the Slicer application use slicer.mrmlScene; a second scene is not brought up")
    if not hasattr(slicer, "vtkSlicerColorLogic"):  # PythonSlicer as a terminal: Slicer's modules are not loaded there
        raise MissingDependencyError(
            "this Python has Slicer's core without its modules (PythonSlicer); a scene is written inside the Slicer "
            "application, or by a Python with slicer-core (pip install slicer-core, Python 3.11 or 3.12)"
        )
    with _empty_modules("qt", "ctk"):
        import slicer.util  # looks for qt and ctk, which exist in the application alone
    with _quiet(vtk):
        headless = _assemble(slicer, vtk, Path(folder))
        names = {
            "mrmlScene": headless.scene,
            "app": _application(headless),
            "modules": types.SimpleNamespace(
                **{
                    name.lower(): types.SimpleNamespace(
                        logic=lambda name=name: headless.application_logic.GetModuleLogic(name)
                    )
                    for name in _MODULE_LOGICS
                }
            ),
        }
    before = {name: getattr(slicer, name, None) for name in names}
    try:
        for name, value in names.items():
            setattr(slicer, name, value)
        yield headless
    finally:
        with _quiet(vtk):
            headless.scene.Clear(True)
        for name, value in before.items():
            if value is None:
                delattr(slicer, name)
            else:
                setattr(slicer, name, value)


def _assemble(slicer: Any, vtk: Any, folder: Path) -> HeadlessSlicer:
    scene = slicer.vtkMRMLScene()
    scene.SetRootDirectory(str(folder))
    crosshair = slicer.vtkMRMLCrosshairNode()
    crosshair.SetCrosshairName("default")
    scene.AddNode(crosshair)
    application_logic = slicer.vtkSlicerApplicationLogic()
    application_logic.SetMRMLScene(scene)
    application_logic.SetTemporaryPath(str(folder))
    application_logic.SetSliceLogics(vtk.vtkCollection())
    application_logic.SetViewLogics(vtk.vtkCollection())
    colours = application_logic.GetColorLogic()
    colours.SetMRMLScene(scene)
    colours.AddDefaultColorNodes()
    held: list[Any] = [crosshair, colours]
    for name, class_name in _MODULE_LOGICS.items():
        if hasattr(slicer, class_name):
            logic = getattr(slicer, class_name)()
            logic.SetMRMLApplicationLogic(application_logic)
            logic.SetMRMLScene(scene)
            application_logic.SetModuleLogic(name, logic)
            held.append(logic)
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)
    # Reading a .mrb goes through the data-transfer machinery, even for local files.
    remote = slicer.vtkMRMLRemoteIOLogic()
    remote.SetMRMLScene(scene)
    remote.GetCacheManager().SetRemoteCacheDirectory(str(folder))
    remote.AddDataIOToScene()
    data_io = slicer.vtkDataIOManagerLogic()
    data_io.SetMRMLApplicationLogic(application_logic)
    data_io.SetAndObserveDataIOManager(remote.GetDataIOManager())
    return HeadlessSlicer(scene, application_logic, folder, (*held, remote, data_io))


def _application(headless: HeadlessSlicer) -> types.SimpleNamespace:
    def nothing(*_arguments: Any) -> None:
        """What only a window could do."""

    answers: dict[str, Callable[..., Any]] = {
        "mrmlScene": lambda: headless.scene,
        "applicationLogic": lambda: headless.application_logic,
        "testingEnabled": lambda: True,
        "layoutManager": nothing,
        "processEvents": nothing,
        "pauseRender": nothing,
        "resumeRender": nothing,
        "translate": lambda _context, text: text,
    }
    return types.SimpleNamespace(**answers, applicationName="Slicer", temporaryPath=str(headless.folder))


@contextlib.contextmanager
def _empty_modules(*names: str) -> Iterator[None]:
    """Let `import qt` succeed while `slicer.util` loads; modules that exist are left alone."""
    added = [name for name in names if name not in sys.modules and importlib.util.find_spec(name) is None]
    for name in added:
        sys.modules[name] = types.ModuleType(name)
    try:
        yield
    finally:
        for name in added:
            sys.modules.pop(name, None)


@contextlib.contextmanager
def _quiet(vtk: Any) -> Iterator[None]:
    """Hide the complaints about colour and terminology files, which only an installed Slicer has."""
    verbosity = vtk.vtkLogger.GetCurrentVerbosityCutoff()
    vtk.vtkLogger.SetStderrVerbosity(vtk.vtkLogger.VERBOSITY_OFF)
    try:
        yield
    finally:
        vtk.vtkLogger.SetStderrVerbosity(verbosity)
