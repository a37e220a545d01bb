"""The lens's module file, simulated: what Slicer asks of it, and its *Reload and Test* with the real child process."""

from __future__ import annotations

import importlib
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from Testing.slicer.panel.conftest import ROOT


def test_the_module_describes_itself(simulated: Any) -> None:
    connected: list[tuple[str, Any]] = []
    simulated.app.connect = lambda signal, slot: connected.append((signal, slot))
    parent = types.SimpleNamespace(path=str(ROOT / "RadiomicLens" / "RadiomicLens.py"))
    module = importlib.import_module("RadiomicLens")
    module.RadiomicLens(parent)
    assert parent.title == "Radiomic Lens"
    assert parent.categories == ["Quantification"]
    assert not parent.icon.isNull()
    assert "not a medical device" in parent.helpText
    assert connected == [("startupCompleted()", module.register)]


def test_the_layouts_are_known_and_the_synthetic_prostate_is_offered_when_slicer_has_started(
    simulated: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deepradiomics.scene.views.layouts import layout_id

    offered: list[dict[str, Any]] = []
    logic = types.SimpleNamespace(registerCustomSampleDataSource=lambda **about: offered.append(about))
    monkeypatch.setitem(sys.modules, "SampleData", types.SimpleNamespace(SampleDataLogic=logic))
    layouts = simulated.mrmlScene.AddNewNodeByClass("vtkMRMLLayoutNode")
    importlib.import_module("RadiomicLens").register()
    assert layouts.IsLayoutDescription(layout_id(3))
    assert Path(offered[0]["thumbnailFileName"]).is_file()
    nodes = offered[0]["customDownloader"](None)
    assert len(nodes) == 3
    assert all("SYNTHETIC" in node.GetDescription() for node in nodes)


def test_the_synthetic_prostate_is_a_case_of_the_scene(simulated: Any) -> None:
    importlib.import_module("RadiomicLens")
    from RadiomicLensLib.samples import load_synthetic_prostate

    from deepradiomics.scene.runs.scene_cohort import cases_of_scene

    load_synthetic_prostate()
    (case,) = cases_of_scene(simulated.mrmlScene)
    assert set(case.volumes) == {"t2", "highb", "adc"}
    assert set(case.rois) == {"gland", "lesion"}


def test_the_self_test_passes_with_the_real_child(simulated: Any) -> None:
    module = importlib.import_module("RadiomicLens")
    test = module.RadiomicLensTest()
    test.delayDisplay = lambda *a, **k: None
    test.runTest()


def test_both_modules_live_in_one_slicer(widget: Any, simulated: Any, lens_folder: Path) -> None:
    import qt

    from Testing.slicer.panel_lens.driving import opened

    parent = simulated.qMRMLWidget()
    parent.setLayout(qt.QVBoxLayout())
    other = importlib.import_module("RadiomicFingerprint").RadiomicFingerprintWidget(parent)
    other.warmUp.start = lambda: None
    other.setup()
    try:
        opened(widget, lens_folder)
        assert other.parameters.resultTable is None
        assert widget.parameters.resultTable is not None
        widget.ui.outputFolderEdit.currentPath = "lens"
        other.ui.outputFolderEdit.currentPath = "fingerprint"
        assert (widget.parameters.outputFolder, other.parameters.outputFolder) == ("lens", "fingerprint")
        simulated.mrmlScene.Clear(False)
        assert (widget.parameters.outputFolder, other.parameters.outputFolder) == ("", "")
    finally:
        other.cleanup()
