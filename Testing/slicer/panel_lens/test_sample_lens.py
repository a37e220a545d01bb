"""One click: the sample lens, a synthetic prostate, the map of the top row; simulated panel, real child process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepradiomics.radiomics.catalogue.explain import explain
from Testing.slicer.fake_child import FakeStart, HandTimer
from Testing.slicer.panel.conftest import ROOT
from Testing.slicer.panel.driving import cut_off, pictured
from Testing.slicer.panel_lens.driving import shown_features, with_child
from Testing.slicer.panel_lens.test_end_to_end_lens import wait_for

SAMPLE = ROOT / "RadiomicLens" / "Resources" / "Bundles" / "prostate-synthetic-tiny"


def test_the_sample_button_is_the_first_thing_in_the_panel(widget: Any) -> None:
    button = widget.ui.sampleButton
    assert button.text == "Try it with sample data"
    assert "SYNTHETIC" in button.toolTip
    assert button.parentWidget().layout().itemAt(0).widget() is button
    assert widget.sample_button() is widget.ui.showCaseButton


def test_the_sample_lens_is_opened_with_a_prostate_and_the_top_row(
    widget: Any, simulated: Any, errors: list[str]
) -> None:
    widget.load_sample()
    p, ui = widget.parameters, widget.ui
    assert "SYNTHETIC" in ui.summaryLabel.text
    assert ui.shiftTable.currentRow() == 0
    assert explain(p.chosenFeature).label == shown_features(widget)[0]
    assert list(p.caseVolumes) == ["t2", "highb", "adc"]
    assert "SYNTHETIC" in p.caseVolumes["t2"].GetDescription()
    active = simulated.app.applicationLogic().GetSelectionNode().GetActiveVolumeID()
    assert active == p.caseVolumes["t2"].GetID()
    assert widget.sample_button().enabled, ui.caseStatusLabel.text
    start = with_child(widget, FakeStart(exit_code=None))
    widget.sample_button().click()
    assert start.words[:3] == ["lens", "case", str(SAMPLE / "lens")]
    assert errors == []
    assert start.given("--feature") == p.chosenFeature
    assert "--mask" in start.words


def test_the_cases_that_the_sample_was_fitted_on_are_not_offered(widget: Any) -> None:
    from RadiomicLensLib.choices import CaseSource

    widget.load_sample()
    widget.parameters.caseSource = CaseSource.RESULT
    assert widget.ui.caseSelector.count == 0
    assert not widget.ui.showCaseButton.enabled
    assert widget.ui.caseStatusLabel.text == "This lens came without its cases: choose the images of the scene."


def test_a_second_try_takes_the_lens_and_the_prostate_that_are_there(widget: Any, simulated: Any) -> None:
    scene = simulated.mrmlScene
    widget.load_sample()
    before = scene.GetNumberOfNodes()
    widget.load_sample()
    assert scene.GetNumberOfNodes() == before
    scene.RemoveNode(widget.parameters.caseVolumes["adc"])
    widget.load_sample()
    assert widget.sample_button().enabled, widget.ui.caseStatusLabel.text


def test_the_encoders_of_the_sample_can_be_asked_about_the_users_cohort(
    widget: Any, manifest: Path, tmp_path: Path, errors: list[str]
) -> None:
    p = widget.parameters
    p.manifest, p.outputFolder = str(manifest), str(tmp_path / "out")
    start = with_child(widget, FakeStart(exit_code=None))
    assert widget.ui.applyButton.enabled, widget.ui.estimateLabel.text
    widget.ui.applyButton.click()
    assert start.given("--pre") == str(SAMPLE / "frozen" / "encoder")
    assert errors == []
    assert start.given("--ft") == str(SAMPLE / "tuned" / "encoder")
    assert "--finetune" not in start.words


@pytest.mark.slow
def test_the_top_row_of_the_sample_is_mapped_by_the_real_child(
    widget: Any, simulated: Any, errors: list[str], tmp_path: Path
) -> None:
    import slicer

    from deepradiomics.scene.show.lens.case import case_shown

    widget.logic._make_timer = HandTimer
    widget.load_sample()
    p, ui = widget.parameters, widget.ui
    widget.sample_button().click()
    wait_for(widget)
    assert errors == [], ui.logText.toPlainText()
    shown = case_shown(simulated.mrmlScene)
    assert shown is not None
    assert (shown.modality, shown.feature) == (p.chosenModality, p.chosenFeature)
    assert list(shown.volumes) == ["t2", "highb", "adc"]
    values = slicer.util.arrayFromVolume(shown.map)
    assert np.isfinite(values).any()
    assert np.unique(values).size > 100
    ui.caseSection.collapsed = False
    pictured(widget, "lens_sample", tmp_path, 1450)
    assert cut_off(widget) == []
