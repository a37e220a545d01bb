"""From the panel's Apply to the result with the real child, tiny networks and a synthetic head: simulated panel."""

from __future__ import annotations

import importlib
import time
from pathlib import Path
from typing import Any

import pytest

from Testing.slicer.fake_child import HandTimer
from Testing.slicer.panel.driving import cut_off, pictured
from Testing.slicer.panel_ich.driving import texts


def wait(widget: Any) -> None:
    deadline = time.monotonic() + 400
    while widget.logic.running:
        HandTimer.made[-1].call()
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.slow
def test_a_synthetic_head_is_segmented_registered_and_explained(
    widget: Any, simulated: Any, errors: list[str], tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    from ICHLatentFeaturesLib.choices import BundleSource, Outline
    from ICHLatentFeaturesLib.samples import load_synthetic_head

    from deepradiomics.scene.nodes.placement import placement
    from deepradiomics.scene.nodes.volumes import mask_from_segmentation
    from deepradiomics.scene.show.ich.case import nodes_of
    from Testing.unit.ich.tiny_predictor import tiny_bundle, tiny_segmenter

    head = load_synthetic_head()
    widget.logic._make_timer = HandTimer
    p, ui = widget.parameters, widget.ui
    p.ct, p.followup, p.outline = head.ct, head.followup, Outline.SEGMENT
    p.segmentation, p.followupSegmentation = head.segmentation, head.followup_segmentation
    p.bundleSource = BundleSource.FOLDER
    p.bundleFolder, p.outputFolder = str(tiny_bundle(tmp_path / "bundle")), str(tmp_path / "kept")
    assert ui.applyButton.enabled, ui.estimateLabel.text
    assert "plausible" in ui.huLabel.text or "#b9770e" in ui.huLabel.text
    ui.applyButton.click()
    wait(widget)
    assert errors == [], ui.logText.toPlainText()
    nodes = nodes_of(p.resultTable)
    grid = placement(head.ct).geometry
    drawn = mask_from_segmentation(head.segmentation, grid, ["haematoma"]).labels
    found = mask_from_segmentation(nodes.segmentation, grid, ["haematoma"]).labels
    assert (drawn == found).all()
    assert set(nodes.gradcam) == {"poor_outcome", "expansion_6ml"}
    assert nodes.expansion is not None
    assert ui.openReportButton.enabled
    assert ui.copyMethodsButton.enabled
    assert texts(ui.riskTable) == ["poor outcome", "expansion 6ml"]
    assert ui.featuresTable.rowCount > 20
    pictured(widget, "ich_panel_real", tmp_path, 1080)
    assert cut_off(widget) == []
    # a network that calls everything blood, and the two scans of the patient
    p.toolVolume, p.toolModel = head.ct, str(tiny_segmenter(tmp_path / "all blood", bias=5.0))
    p.toolFixed, p.toolMoving = head.ct, head.followup
    ui.segmentButton.click()
    wait(widget)
    assert errors == []
    assert "mL" in ui.segmentStatusLabel.text
    ui.registerButton.click()
    wait(widget)
    assert errors == []
    assert "lies over the fixed volume" in ui.registerStatusLabel.text


@pytest.mark.slow
def test_the_self_test_passes_with_the_real_child(simulated: Any) -> None:
    module = importlib.import_module("ICHLatentFeatures")
    test = module.ICHLatentFeaturesTest()
    test.delayDisplay = lambda *a, **k: None
    test.runTest()
