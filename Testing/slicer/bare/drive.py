"""Drives every panel in a process as bare as a Slicer, and reports what was driven and everything that was raised.

Usage: python -m Testing.slicer.bare.drive {5.10,5.12} SCENES REPORT      (SLICER_SOURCE_DIR names a Slicer checkout)

SCENES is a folder of `Testing.slicer.bare.scenes`. A simulated panel: PySide6 acts Qt. REPORT is a JSON file::

    {"release",
     "panels": {module: {"loaded", "choices": {situation: [value]}, "scenes", "shown", "buttons", "declined"}},
     "raised": [{"where", "traceback"}], "messages": [text of an error box],
     "refused": {module that was asked for in vain: file that asked}}
"""

from __future__ import annotations

import sys

if __name__ == "__main__":  # before anything of the product is imported
    from Testing.slicer.bare.blocker import Blocker
    from Testing.slicer.bare.bundled import read_release

    BLOCKER = Blocker(read_release(sys.argv[1])).install()

import contextlib
import enum
import json
import os
import subprocess
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# The kinds of results that a module shows, by the module that comes first of those that exist.
SHOWN_BY = {
    "fingerprint": ("RadiomicFingerprint",),
    "features": ("RadiomicFeatures", "RadiomicFingerprint"),
    "maps": ("RadiomicFeatures", "RadiomicFingerprint"),
    "lens": ("RadiomicLens",),
    "lens-case": ("RadiomicLens",),
    "ich-case": ("ICHLatentFeatures",),
}
# Paths that a run would need, below the inputs of SCENES.
PATHS = {
    "bundleFolder": {"RadiomicFingerprint": "fingerprint-bundle", "ICHLatentFeatures": "ich-model"},
    "manifest": {"RadiomicLens": "manifest.csv", "ICHLatentFeatures": "manifest.csv"},
    "finetuneFolder": {"RadiomicLens": "finetuning"},
    "trainManifest": {"RadiomicFingerprint": "manifest.csv"},
    "parameterFile": {"": "parameters.yaml"},
}


_POPEN = subprocess.Popen


class Report:
    """What was driven and what was raised, by the place where it was."""

    def __init__(self) -> None:
        self.panels: dict[str, dict[str, Any]] = {}
        self.raised: list[dict[str, str]] = []
        self.messages: list[str] = []
        self.where = ""
        sys.excepthook = lambda kind, error, trace: self.add(error)  # slots and observers end here
        sys.unraisablehook = lambda about: self.add(about.exc_value)

    def add(self, error: BaseException | None) -> None:
        """Note an exception."""
        text = "".join(traceback.format_exception(error)) if error is not None else "unknown"
        self.raised.append({"where": self.where, "traceback": text})

    @contextlib.contextmanager
    def at(self, where: str) -> Iterator[None]:
        """A step; what it raises is noted, and the next step follows."""
        self.where = where
        try:
            yield
        except Exception as error:
            self.add(error)


class Driver:
    """Drives one module's panel."""

    def __init__(self, slicer: Any, headless: Any, report: Report, module: str, scenes: Path) -> None:
        self.slicer, self.headless, self.report, self.module, self.scenes = slicer, headless, report, module, scenes
        self.done: dict[str, Any] = {
            "loaded": False, "choices": {}, "scenes": [], "shown": [], "buttons": {}, "declined": [],
        }  # fmt: skip
        report.panels[module] = self.done

    def drive(self) -> None:
        """Load, setup, enter, every choice on an empty and on a filled scene, every scene, exit, cleanup."""
        from Testing.slicer.panel.simulated import make_panel

        self.slicer.mrmlScene.Clear(False)
        at = self.report.at
        with at(f"{self.module}: loading"):
            self.panel = make_panel(self.slicer, self.module)
            self.done["loaded"] = True
        if not self.done["loaded"]:
            return
        with at(f"{self.module}: setup"):
            self.panel.setup()
        with at(f"{self.module}: enter"):
            self.panel.enter()
        with at(f"{self.module}: empty scene"):
            self._choices("empty scene")
        with at(f"{self.module}: filling the scene"):
            self._fill()
        with at(f"{self.module}: filled scene"):
            self._choices("filled scene")
        with at(f"{self.module}: declining the installation"):
            self._decline()
        with at(f"{self.module}: exit and enter"):
            self.panel.exit()
            self.panel.enter()
        tables = json.loads((self.scenes / "scenes.json").read_text(encoding="utf-8"))
        for kind, table in tables.items():
            self._scene(kind, table)
        with at(f"{self.module}: exit"):
            self.panel.exit()
        with at(f"{self.module}: cleanup"):
            self.panel.cleanup()

    def _choices(self, scene: str) -> None:
        """Every value of every choice once, under each mode; back to where it was after each."""
        names = [name for name in names_of(self.panel.parameters) if isinstance(self._value(name), enum.Enum)]
        modes = list(type(self._value("mode"))) if "mode" in names else [None]
        for mode in modes:
            if mode is not None:
                self._choose(scene, "mode", mode)
                self._note_button(f"{scene}, {mode.name}")
            for name in names:
                if name == "mode":
                    continue
                before = self._value(name)
                for value in type(before):
                    self._choose(scene, name, value)
                self._choose(scene, name, before)
        if modes[0] is None:
            self._note_button(scene)

    def _choose(self, scene: str, name: str, value: enum.Enum) -> None:
        with self.report.at(f"{self.module}: {scene}: {name} = {value.name}"):
            setattr(self.panel.parameters, name, value)
            self.panel.refresh()
            self.done["choices"].setdefault(scene, []).append(f"{type(value).__name__}.{value.name}")

    def _value(self, name: str) -> Any:
        return getattr(self.panel.parameters, name)

    def _note_button(self, situation: str) -> None:
        button = self.panel.ui.applyButton
        self.done["buttons"][situation] = {"text": button.text, "enabled": button.enabled, "tip": button.toolTip}

    def _decline(self) -> None:
        """Press the button and decline the installation."""
        before = len(self.report.messages)
        self.panel.ui.applyButton.click()
        self.done["declined"] = self.report.messages[before:]
        del self.report.messages[before:]
        if not self.panel.idle:
            raise AssertionError("the panel believes that a run is under way")

    def _fill(self) -> None:
        """Nodes for every parameter that takes one, and the paths that a run needs."""
        nodes = filled_scene(self.slicer)
        for name in names_of(self.panel.parameters):
            wanted = str(self.panel.parameters.dataType(name))
            for class_name, node in nodes.items():
                if name != "resultTable" and class_name in wanted and "[" not in wanted.partition(class_name)[0]:
                    setattr(self.panel.parameters, name, node)
            if name == "mapFeatures":
                self.panel.parameters.mapFeatures = ["original_glcm_Contrast"]
            if name in PATHS:
                inputs = PATHS[name]
                chosen = inputs.get(self.module, inputs.get("", ""))
                setattr(self.panel.parameters, name, str(self.scenes / "inputs" / chosen) if chosen else "")

    def _scene(self, kind: str, table: str) -> None:
        """Load a saved scene; where it holds a result of this module, show it, save, load it again, choose in it."""
        with self.report.at(f"{self.module}: scene of {kind}"):
            self.headless.load_mrb(self.scenes / f"{kind}.mrb")
            self.panel.refresh()
            if self._shows(kind):
                self.panel.parameters.resultTable = self.slicer.util.getNode(table)
                self.panel.refresh()
                path = self.headless.folder / f"{self.module}-{kind}.mrb"
                self.headless.save_mrb(path)
                self.headless.load_mrb(path)
                restored = self.panel.parameters.resultTable
                if restored is None or restored.GetName() != table:
                    raise AssertionError(f"the panel does not show {table!r} after the scene was loaded")
                self.panel.refresh()
                self._look_around()
                self.done["shown"].append(kind)
            self.done["scenes"].append(kind)

    def _shows(self, kind: str) -> bool:
        from Testing.slicer.panel.simulated import MODULES

        modules = [name for name in SHOWN_BY.get(kind, ()) if name in MODULES]
        return bool(modules) and modules[0] == self.module

    def _look_around(self) -> None:
        """Choose rows of each list of the results; ask for each chart."""
        from PySide6 import QtWidgets

        section = self.panel.ui.resultsSection
        for rows in section.findChildren(QtWidgets.QTableWidget):
            for row in (0, 1):
                if row < rows.rowCount:
                    rows.selectRow(row)
        for button in section.findChildren(QtWidgets.QPushButton):
            if "Chart" in button.name:
                button.click()


def _no_child(command: Any, *arguments: Any, **options: Any) -> Any:
    """Starts what others start (NumPy asks lscpu when it loads), and none of our own runs."""
    if "deepradiomics" in str(command):
        raise AssertionError(f"a child was started: {command}")
    return _POPEN(command, *arguments, **options)


def _declined(*_: Any, **__: Any) -> None:
    raise RuntimeError("the user declined")


def names_of(parameters: Any) -> list[str]:
    """The names of a parameter node's parameters."""
    return list(parameters.allParameters)


def filled_scene(slicer: Any) -> dict[str, Any]:
    """A volume, a segmentation with one segment and an ROI box, by class name."""
    import numpy as np

    from deepradiomics.images import Geometry, Volume
    from deepradiomics.scene.nodes.volumes import node_from_volume

    scene = slicer.mrmlScene
    geometry = Geometry((16, 14, 12), (1.0, 1.1, 2.0), (-8.0, -7.0, -12.0))
    voxels = np.random.default_rng(1).integers(-900, 200, geometry.shape).astype(np.int16)
    volume = node_from_volume(Volume(voxels, geometry), scene, "image")
    segmentation = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "outline")
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    segment = segmentation.GetSegmentation().AddEmptySegment("region", "region")
    inside = np.zeros(geometry.shape, np.uint8)
    inside[3:9, 3:11, 3:13] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(inside, segmentation, segment, volume)
    roi = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "box")
    roi.SetCenter(0, 0, 0)
    roi.SetSize(8, 8, 8)
    return {
        "vtkMRMLScalarVolumeNode": volume, "vtkMRMLSegmentationNode": segmentation, "vtkMRMLMarkupsROINode": roi,
    }  # fmt: skip


def main(release: str, scenes: Path, path: Path) -> None:
    """Drive all panels and write the report."""
    import tempfile

    report = Report()
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    sources = Path(os.environ["SLICER_SOURCE_DIR"]) / "Base" / "Python" / "slicer"
    from deepradiomics.scene.job.headless import headless_slicer
    from Testing.slicer.panel.simulated import MODULES, simulated_slicer

    with (
        tempfile.TemporaryDirectory() as folder,
        headless_slicer(Path(folder)) as headless,
        simulated_slicer(sources) as slicer,
    ):
        slicer.util.errorDisplay = lambda text, **_: report.messages.append(f"{report.where}: {text}")
        subprocess.Popen = _no_child
        slicer.util.confirmOkCancelDisplay = lambda *_, **__: False  # declines
        from deepradiomics.scene.job import dependencies

        dependencies.SlicerInstaller.install = _declined
        dependencies.SlicerInstaller.install_torch = _declined
        for module in MODULES:
            Driver(slicer, headless, report, module, scenes).drive()
    content = {
        "release": release, "panels": report.panels, "raised": report.raised, "messages": report.messages,
        "refused": dict(BLOCKER.refused),
    }  # fmt: skip
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")


if __name__ == "__main__":
    try:
        main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
    except BaseException:  # the report's excepthook would keep it to itself
        traceback.print_exc()
        sys.exit(1)
