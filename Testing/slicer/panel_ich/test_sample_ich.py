"""One click: a synthetic head, the sample model, a result; simulated panel, and once with the real child process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from Testing.slicer.fake_child import HandTimer
from Testing.slicer.panel.conftest import ROOT
from Testing.slicer.panel.driving import cut_off, pictured
from Testing.slicer.panel_ich.driving import texts, with_child, write_model
from Testing.slicer.panel_ich.test_end_to_end_ich import wait

SAMPLE = ROOT / "ICHLatentFeatures" / "Resources" / "Bundles" / "head-synthetic-tiny"


def volumes(scene: Any) -> list[str]:
    return [scene.GetNthNodeByClass(index, "vtkMRMLScalarVolumeNode").GetName()
            for index in range(scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode"))]  # fmt: skip


def test_the_sample_button_is_the_first_thing_in_the_panel(widget: Any) -> None:
    button = widget.ui.sampleButton
    assert button.text == "Try it with sample data"
    assert "SYNTHETIC" in button.toolTip
    layout = button.parentWidget().layout()
    assert layout.itemAt(0).widget() is button


def test_the_sample_is_chosen_and_apply_starts_the_sample_model(widget: Any, simulated: Any, errors: list[str]) -> None:
    from ICHLatentFeaturesLib.choices import BundleSource, Outline

    p, ui = widget.parameters, widget.ui
    p.bundleSource, p.outline, p.clinical = BundleSource.FOLDER, Outline.SEGMENT, "age=70"
    widget.load_sample()
    assert p.ct.GetName() == "Synthetic head CT"
    assert "SYNTHETIC" in p.ct.GetDescription()
    assert p.ct.GetID() == simulated.app.applicationLogic().GetSelectionNode().GetActiveVolumeID()
    assert "synthetic images" in ui.bundleSummary.text
    assert ui.bundleFolderArea.isHidden()
    assert ui.applyButton.enabled, ui.estimateLabel.text
    start = with_child(widget)
    ui.applyButton.click()
    assert start.words[:3] == ["ich", "apply", str(SAMPLE)]
    assert errors == []
    assert not {"--mask", "--segmenter", "--followup", "--clinical"} & set(start.words)
    assert start.given("--case-id") == "Synthetic head CT"


def test_a_second_try_takes_the_head_that_is_there(widget: Any, simulated: Any) -> None:
    widget.load_sample()
    before = volumes(simulated.mrmlScene)
    widget.load_sample()
    assert volumes(simulated.mrmlScene) == before
    assert len(before) == 2
    simulated.mrmlScene.RemoveNode(widget.parameters.ct)
    widget.load_sample()
    assert widget.parameters.ct is not None
    assert widget.ui.applyButton.enabled


def test_a_scene_saved_before_there_was_a_sample_keeps_its_model(widget: Any, simulated: Any, tmp_path: Path) -> None:
    from ICHLatentFeaturesLib.choices import BundleSource

    from deepradiomics.scene.panel.parameter_node import singleton

    assert widget.parameters.bundleSource is BundleSource.SAMPLE
    simulated.mrmlScene.Clear(True)
    widget.setParameterNode(None)  # else the controls write their values
    simulated.mrmlScene.RemoveNode(singleton(widget.moduleName))
    old = singleton(widget.moduleName)
    assert not old.GetParameterNames()
    old.SetParameter("bundleFolder", str(write_model(tmp_path / "bundle")))
    assert widget.make_parameters().bundleSource is BundleSource.FOLDER


def test_the_console_takes_the_sample_where_no_bundle_is_named(widget: Any, ct: Any) -> None:
    start = with_child(widget)
    widget.logic.start(ct)
    assert start.words[:3] == ["ich", "apply", str(SAMPLE)]
    widget.logic.cancel()


@pytest.mark.slow
def test_the_sample_runs_to_a_result_with_the_real_child(
    widget: Any, simulated: Any, errors: list[str], tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    from deepradiomics.scene.nodes.placement import placement
    from deepradiomics.scene.nodes.sample_nodes import sample_nodes
    from deepradiomics.scene.nodes.volumes import mask_from_segmentation
    from deepradiomics.scene.show.ich.case import nodes_of

    widget.logic._make_timer = HandTimer
    widget.load_sample()
    widget.ui.applyButton.click()
    wait(widget)
    assert errors == [], widget.ui.logText.toPlainText()
    p, head = widget.parameters, sample_nodes(simulated.mrmlScene, "head")
    nodes, grid = nodes_of(p.resultTable), placement(p.ct).geometry
    found = mask_from_segmentation(nodes.segmentation, grid, ["haematoma"]).labels > 0
    drawn = mask_from_segmentation(head["segmentation"], grid, ["haematoma"]).labels > 0
    assert 2 * (found & drawn).sum() / (found.sum() + drawn.sum()) > 0.6  # Dice of a head that it has not seen
    assert len(texts(widget.ui.riskTable)) == 4
    assert len(nodes.gradcam) == 4
    assert "SYNTHETIC" in widget.ui.summaryLabel.text.upper()
    pictured(widget, "ich_sample", tmp_path, 1080)
    assert cut_off(widget) == []
