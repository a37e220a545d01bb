"""The module file, simulated: what Slicer asks of it, and its *Reload and Test* with the real child process."""

from __future__ import annotations

import importlib
import time
import types
from pathlib import Path
from typing import Any

import pytest

from Testing.slicer.fake_child import HandTimer
from Testing.slicer.panel.conftest import ROOT
from Testing.slicer.panel.driving import cut_off, pictured


def test_the_module_describes_itself(simulated: Any) -> None:
    parent = types.SimpleNamespace(path=str(ROOT / "RadiomicFeatures" / "RadiomicFeatures.py"))
    importlib.import_module("RadiomicFeatures").RadiomicFeatures(parent)
    assert parent.title == "Radiomic Features"
    assert parent.categories == ["Quantification"]
    assert not parent.icon.isNull()
    assert "not a medical device" in parent.helpText
    assert "Names and values are PyRadiomics'" in parent.helpText


def test_the_self_test_passes_with_the_real_child(simulated: Any) -> None:
    said: list[str] = []
    test = importlib.import_module("RadiomicFeatures").RadiomicFeaturesTest()
    test.delayDisplay = lambda text, *a, **k: said.append(text)
    test.runTest()
    assert said[-1] == "A mistake was reported"
    assert "The map is in the scene" in said


def test_the_self_test_leaves_out_what_cannot_run_and_says_why(simulated: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from deepradiomics.scene.job import dependencies

    said: list[str] = []
    absent = dependencies.Dependency("PyWavelets", "pywt", "1.7")
    monkeypatch.setattr(dependencies, "missing", lambda feature: (absent,))
    test = importlib.import_module("RadiomicFeatures").RadiomicFeaturesTest()
    test.delayDisplay = lambda text, *a, **k: said.append(text)
    test.runTest()
    assert said[:2] == ["Left out: not installed: PyWavelets"] * 2


def test_the_sample_runs_from_one_click_to_its_result(
    widget: Any, simulated: Any, errors: list[str], tmp_path: Path
) -> None:
    """Gland and lesion of a synthetic prostate, which overlap, through the real child."""
    composite = simulated.mrmlScene.AddNewNodeByClass("vtkMRMLSliceCompositeNode", "Red")
    widget.logic._make_timer = HandTimer
    widget.ui.sampleButton.click()
    p = widget.parameters
    assert composite.GetBackgroundVolumeID() == p.volume.GetID()
    assert "SYNTHETIC" in p.volume.GetDescription()
    assert widget.ui.levelsLabel.text.startswith("Grey levels: gland ")
    assert widget.ui.applyButton.text == "Cancel"
    deadline = time.monotonic() + 240
    while widget.logic.running:
        HandTimer.made[-1].call()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert errors == [], widget.ui.logText.toPlainText()
    rows = widget.ui.resultTable
    assert rows.rowCount == 2 * 107
    assert rows.item(107, 0).text() == "lesion"
    assert "Anatomical Structure / Prostate" in rows.item(0, 0).toolTip()
    table = p.resultTable.GetTable()
    volumes = {
        table.GetColumnByName("region").GetValue(row): table.GetColumnByName("value").GetValue(row)
        for row in range(table.GetNumberOfRows())
        if table.GetColumnByName("feature").GetValue(row) == "original_shape_VoxelVolume"
    }
    from RadiomicFeaturesLib.samples import GRADE, SEED

    from deepradiomics.phantoms.prostate.cohort import prostate_exam

    for region, mask in prostate_exam(SEED, GRADE).masks.items():  # the gland's volume holds the lesion's
        voxel = mask.geometry.spacing_mm[0] * mask.geometry.spacing_mm[1] * mask.geometry.spacing_mm[2]
        assert volumes[region] == pytest.approx(float((mask.labels > 0).sum()) * voxel, rel=1e-6)
    pictured(widget, "panel-features", tmp_path, 1000, width=520)
    assert cut_off(widget) == []
