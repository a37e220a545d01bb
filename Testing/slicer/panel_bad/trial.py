"""One bad input tried on one kind of run: what the panel says of it, and that nothing is left of it."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepradiomics.scene.job import dependencies
from Testing.slicer.fake_child import FakeStart, HandTimer
from Testing.slicer.panel_bad.desks import Desk, Material
from Testing.slicer.scene.test_fingerprint_scene import snapshot


class Host:
    """A module's panel in its Slicer.

    Attributes
    ----------
    sound
        The last trial went as it should; otherwise the panel is made anew.
    ready
        The desk whose good input is still in the scene and chosen, and the values of the parameters.
    """

    def __init__(self, module: str, slicer: Any, material: Material) -> None:
        self.module, self.slicer, self.material = module, slicer, material
        self.errors: list[str] = []
        self.panel: Any = None
        self.sound = False
        self.ready: tuple[Desk, dict[str, Any]] | None = None

    def open(self) -> None:
        """Make the panel, as Slicer does it, and enter it."""
        from Testing.slicer.panel.simulated import make_panel

        panel = make_panel(self.slicer, self.module)
        if panel.warmUp is not None:
            panel.warmUp.start = lambda: None
        panel.setup()
        panel.enter()
        self.panel = panel

    def clear(self) -> None:
        """Empty the scene, and forget what the panel was set to."""
        self.ready = None
        if not self.sound:
            self.close()
        elif self.panel is not None:
            node = self.panel.parameters.parameterNode if self.panel.parameters is not None else None
            self.slicer.mrmlScene.Clear(False)
            self.panel.setParameterNode(None)
            if node is not None and self.slicer.mrmlScene.IsNodePresent(node):
                self.slicer.mrmlScene.RemoveNode(node)
            self.panel.initializeParameterNode()
        if self.panel is None:
            self.slicer.mrmlScene.Clear(False)
            self.open()

    def close(self) -> None:
        if self.panel is not None:
            self.panel.cleanup()
        self.panel = None


class Trial:
    """A panel that is set up for a run, its scene, and what must be true when something has gone wrong.

    Parameters
    ----------
    temporary
        Where temporary folders are made.
    """

    def __init__(self, desk: Desk, host: Host, folder: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.desk, self.host, self.folder, self.temporary, self.monkeypatch = desk, host, folder, temporary, monkeypatch
        self.slicer, self.errors, self._count = host.slicer, host.errors, 0
        self.errors.clear()
        self.start = FakeStart()
        for feature in dependencies.NEEDS:  # what a run needs to be installed is tested elsewhere
            monkeypatch.setitem(dependencies.NEEDS, feature, ())
        self._kept_before = self._kept()
        ready, host.ready = host.ready, None
        if host.sound and ready is not None and ready[0] is desk:
            self._good = ready[1]
            self.let(FakeStart(desk.write))
        else:
            host.clear()
            self.panel.enter()
            self.set_up()
        host.sound = False

    # --- setting up --------------------------------------------------------------------------------------------------

    def set_up(self) -> None:
        """Set the panel up on good input, new in the scene."""
        self._count += 1
        inputs = self.folder / f"inputs {self._count}"
        inputs.mkdir()
        self.desk.prepare(self.panel, self.scene, self.host.material, inputs)
        self.panel.onParametersModified()
        assert self.button.enabled, f"the desk is not ready: {self.sentence}"
        self._good = {name: getattr(self.p, name) for name in self.p.allParameters}
        self.let(FakeStart(self.desk.write))

    def restore(self) -> None:
        """Set the panel to the good input that is still in the scene."""
        for name, value in self._good.items():
            setattr(self.p, name, value)
        self.panel.onParametersModified()
        assert self.button.enabled, f"the panel is not usable: {self.sentence}"
        self.host.ready = (self.desk, self._good)

    def let(self, start: FakeStart) -> None:
        """Let the panel start this child."""
        library = importlib.import_module(f"{self.desk.module}Lib.logic")
        HandTimer.made.clear()
        self.start = start
        self.panel.logic = getattr(library, f"{self.desk.module}Logic")(start, HandTimer)

    @property
    def panel(self) -> Any:
        return self.host.panel

    @property
    def scene(self) -> Any:
        return self.slicer.mrmlScene

    @property
    def p(self) -> Any:
        return self.panel.parameters

    @property
    def button(self) -> Any:
        return getattr(self.panel.ui, self.desk.button)

    @property
    def sentence(self) -> str:
        """Why the button cannot be pressed."""
        return str(getattr(self.panel.ui, self.desk.label).text if self.desk.label else self.button.toolTip)

    @property
    def log(self) -> str:
        return str(self.panel.ui.logText.toPlainText())

    @property
    def volume(self) -> Any:
        value = getattr(self.p, self.desk.volume)
        return value["t2"] if self.desk.volume == "caseVolumes" else value

    @volume.setter
    def volume(self, node: Any) -> None:
        if self.desk.volume == "caseVolumes":
            others = {name: each for name, each in self.p.caseVolumes.items() if name != "t2"}
            self.p.caseVolumes = others | ({"t2": node} if node is not None else {})
            return
        if self.desk.volume == "sagittal" and node is None:
            self.p.coronal = self.p.axial = None
        setattr(self.p, self.desk.volume, node)

    @property
    def segmentation(self) -> Any:
        return getattr(self.p, self.desk.segmentation)

    def choose(self, segmentation: Any, segment: str = "") -> None:
        """Choose a segmentation, and a segment where the panel asks for one."""
        setattr(self.p, self.desk.segmentation, segmentation)
        for name in ("segmentId", "caseSegmentId"):
            if hasattr(self.p, name):
                setattr(self.p, name, segment)
        self.panel.onParametersModified()

    def add_volume(self, voxels: np.ndarray, name: str, class_name: str = "vtkMRMLScalarVolumeNode") -> Any:
        """A volume node of (z, y, x) voxels, or (z, y, x, components)."""
        import vtk
        from vtk.util.numpy_support import numpy_to_vtk

        node = self.scene.AddNewNodeByClass(class_name, name)
        image = vtk.vtkImageData()
        image.SetDimensions(*voxels.shape[2::-1])
        components = voxels.shape[3] if voxels.ndim == 4 else 1
        image.GetPointData().SetScalars(numpy_to_vtk(voxels.reshape(-1, components), deep=True))
        node.SetAndObserveImageData(image)
        return node

    # --- running -----------------------------------------------------------------------------------------------------

    def press(self) -> None:
        self.button.click()

    def wind(self) -> None:
        """Let the run go on to its end."""
        for timer in list(HandTimer.made):
            timer.wind()

    # --- what must be true -------------------------------------------------------------------------------------------

    def is_refused(self, *words: str, again: bool = False) -> None:
        """The run does not start: beside the button, or when it is pressed, a sentence says why.

        `again`: the good input is gone.
        """
        before = snapshot(self.scene)
        if self.button.enabled:
            self.press()
            self.wind()
            assert len(self.errors) == 1, self.errors
            told = self.errors.pop()
        else:
            told = self.sentence
        self.says(told, *words)
        assert self.start.child is None, "a child was started"
        assert snapshot(self.scene) == before, "the scene has changed"
        self.is_clean()
        if again:
            self.set_up()
        else:
            self.restore()

    def fails(self, before: Any, *words: str, again: bool = False) -> None:
        """The run that was started ends with one message, and the scene is as before.

        `again`: the input is gone, and good input is put into the scene anew.
        """
        self.wind()
        assert len(self.errors) == 1, self.errors
        self.says(self.errors.pop(), *words)
        assert snapshot(self.scene) == before, "the scene has changed"
        self.is_usable(again=again)

    def says(self, told: str, *words: str) -> None:
        """A sentence for people: these words, no traceback, and an end."""
        missing = [word for word in words if word not in told]
        assert not missing, f"{missing} not in: {told}"
        assert told[:1], told
        assert "Traceback" not in told, told
        assert "NoneType" not in told, told

    def is_usable(self, *, again: bool = False) -> None:
        """Nothing is left of the run, and the next one starts."""
        self.is_clean()
        if again:
            self.set_up()
        else:
            self.restore()
            self.let(FakeStart(self.desk.write))
        self.press()
        assert self.errors == [], self.errors or self.sentence
        assert self.start.child is not None, self.errors or self.sentence
        assert self.button.text == "Cancel"
        self.press()
        self.is_clean()

    def _kept(self) -> set[Path]:
        """The results in the folder of this session."""
        return set(Path(self.slicer.app.temporaryPath).glob("DeepRadiomics/session-*/*"))

    def is_clean(self) -> None:
        """No temporary folder, no child; the panel is idle."""
        assert list(self.temporary.iterdir()) == [], "a temporary folder is left"
        assert self._kept() == self._kept_before, "a result is left"
        child = self.start.child
        assert child is None or child.killed, "a child is left"
        assert self.panel.idle
        assert not self.panel.logic.running
        assert self.button.text != "Cancel"
        assert self.panel.ui.progressBar.isHidden()
        assert self.panel.ui.sampleButton.enabled
        assert all(each.enabled for each in self.panel.locked_sections())
        assert not [timer for timer in HandTimer.made if timer.running], "a timer is left"
