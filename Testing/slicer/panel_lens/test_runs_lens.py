"""The lens's panel, simulated: Apply, Cancel, the case view; what is told when a run fails. Not a test in Slicer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from Testing.slicer.fake_child import FakeStart, HandTimer
from Testing.slicer.panel_lens.driving import case_writer, lens_writer, opened, ready, with_child
from Testing.unit.reports.fake_lens import CASE_FEATURE, CASE_ID, write_fake_lens


def test_a_fit_shows_its_lens(
    widget: Any, simulated: Any, manifest: Path, finetuning: Path, tmp_path: Path, errors: list[str]
) -> None:
    p = ready(widget, manifest, finetuning, tmp_path / "out")
    start = with_child(widget, lens_writer)
    widget.ui.applyButton.click()
    assert widget.ui.applyButton.text == "Cancel"
    HandTimer.made[-1].wind()
    assert errors == []
    assert start.words[:3] == ["lens", "fit", str(manifest)]
    assert p.resultTable is not None
    assert not widget.ui.resultsSection.collapsed
    assert widget.ui.shiftTable.rowCount == 500
    assert widget.ui.familyTable.rowCount == 12
    log = widget.ui.logText.toPlainText()
    assert "84 training patients for 256 hidden units" in log  # what the fit says of its numbers
    assert widget.ui.applyButton.text == "Apply"
    assert widget.ui.applyButton.enabled


def test_apply_becomes_cancel_and_back(
    widget: Any, manifest: Path, finetuning: Path, tmp_path: Path, errors: list[str]
) -> None:
    ready(widget, manifest, finetuning, tmp_path / "out")
    start = with_child(widget, FakeStart(exit_code=None))
    ui = widget.ui
    ui.applyButton.click()
    HandTimer.made[-1].call()
    assert ui.applyButton.text == "Cancel"
    assert ui.applyButton.enabled
    assert ui.progressBar.value == 40
    assert ui.statusLabel.text == "half way"
    assert not ui.progressBar.isHidden()
    assert not ui.inputsSection.enabled
    assert not ui.encodersSection.enabled
    assert not ui.showCaseButton.enabled
    ui.applyButton.click()
    assert start.child is not None
    assert start.child.killed
    assert ui.applyButton.text == "Apply"
    assert ui.applyButton.enabled
    assert ui.inputsSection.enabled
    assert ui.progressBar.isHidden()
    assert "Cancelled" in ui.logText.toPlainText()
    assert errors == []


def test_a_failing_child_is_told_and_the_panel_is_ready_again(
    widget: Any, manifest: Path, finetuning: Path, tmp_path: Path, errors: list[str]
) -> None:
    ready(widget, manifest, finetuning, tmp_path / "out")
    with_child(widget, FakeStart(exit_code=2, error="pre and ft: the embeddings have 320 and 768 dimensions"))
    widget.ui.applyButton.click()
    HandTimer.made[-1].wind()
    assert errors == ["pre and ft: the embeddings have 320 and 768 dimensions"]
    assert widget.ui.applyButton.text == "Apply"
    assert widget.ui.applyButton.enabled
    assert widget.parameters.resultTable is None


def test_what_the_panel_is_set_to_reaches_the_command_line(
    widget: Any, manifest: Path, finetuning: Path, tmp_path: Path
) -> None:
    from RadiomicLensLib.choices import Device, EncoderSource, FeatureSet, FitOn, Missing, Preset

    seen: dict[str, Any] = {}

    def look(words: list[str]) -> dict[str, Any]:
        seen.update(json.loads(Path(words[words.index("--config") + 1]).read_text(encoding="utf-8")))
        return lens_writer(words)

    p = ready(widget, manifest, finetuning, tmp_path / "out")
    p.preset, p.modalities, p.roi, p.featureSet = Preset.TINY, ["adc"], "lesion", FeatureSet.PYRADIOMICS_DEFAULT
    p.sweep, p.fitOn, p.permutations, p.bootstraps, p.missing = True, FitOn.BOTH, 200, 50, Missing.DROP
    p.hidden, p.device, p.seed, p.layer, p.startOver = 64, Device.CPU, 5, "stages.2", True
    p.taskName = "Volume REG"
    start = with_child(widget, look)
    widget.ui.applyButton.click()
    wanted = {
        "preset": "tiny", "modalities": ["adc"], "roi": "lesion", "params": "pyradiomics-default", "sweep": True,
        "fit_on": "both", "permutations": 200, "bootstraps": 50, "missing": "drop", "hidden": 64,
    }  # fmt: skip
    assert {name: seen[name] for name in wanted} == wanted
    given = {
        option: start.given(option) for option in ("--device", "--seed", "--layer", "--finetune", "--task-name", "-o")
    }
    assert given == {
        "--device": "cpu", "--seed": "5", "--layer": "stages.2", "--finetune": str(finetuning),
        "-o": str(tmp_path / "out"), "--task-name": "Volume REG",
    }  # fmt: skip
    assert "--no-resume" in start.words
    assert start.given("--pre").endswith("encoder")
    HandTimer.made[-1].wind()
    p.encoderSource, p.hidden = EncoderSource.EACH, 0
    p.preEncoder, p.ftEncoder = "package:pre", "package:ft"
    widget.ui.applyButton.click()
    assert (start.given("--pre"), start.given("--ft")) == ("package:pre", "package:ft")
    assert "--finetune" not in start.words  # the preset's
    assert seen["hidden"] == 32
    widget.ui.applyButton.click()


def test_cases_of_the_scene_are_fitted(
    widget: Any, simulated: Any, finetuning: Path, tmp_path: Path, errors: list[str]
) -> None:
    from RadiomicLensLib.choices import CasesSource, EncoderSource
    from RadiomicLensLib.samples import load_synthetic_prostate

    load_synthetic_prostate()
    p = widget.parameters
    p.casesSource, p.outputFolder = CasesSource.SCENE, str(tmp_path / "out")
    p.encoderSource, p.finetuneFolder = EncoderSource.RUN, str(finetuning)
    start = with_child(widget, FakeStart(exit_code=None))
    widget.ui.applyButton.click()
    assert errors == []
    text = Path(start.words[2]).read_text(encoding="utf-8")
    assert text.splitlines()[0] == "id,patient,view_t2,view_highb,view_adc,mask_gland"
    widget.ui.applyButton.click()


# --- the case view ---------------------------------------------------------------------------------------------------


def chosen(widget: Any, lens_folder: Path) -> Any:
    """A lens on show, with a feature and a case chosen."""
    p = opened(widget, lens_folder)
    p.chosenModality, p.chosenFeature = CASE_FEATURE
    p.caseId = CASE_ID
    return p


def test_the_chosen_row_is_shown_in_the_chosen_case(
    widget: Any, simulated: Any, lens_folder: Path, errors: list[str]
) -> None:
    from deepradiomics.scene.show.lens.case import case_shown

    p = opened(widget, lens_folder)
    ui = widget.ui
    assert not ui.showCaseButton.enabled
    assert ui.caseStatusLabel.text == "Choose a row of the table of features."
    ui.shiftFilterEdit.text = "t2 original glcm correlation"
    ui.shiftTable.selectRow(0)
    assert (p.chosenModality, p.chosenFeature) == CASE_FEATURE
    assert ui.caseStatusLabel.text == "Choose the case."
    shown = [ui.caseSelector.itemText(index) for index in range(ui.caseSelector.count)]
    assert shown[:2] == ["synthetic-001 (test)", "synthetic-002 (test)"]
    assert len(shown) == 8
    ui.caseSelector.currentIndex = 0
    assert p.caseId == CASE_ID
    assert ui.showCaseButton.enabled
    assert ui.caseStatusLabel.text == "GLCM Correlation · t2"
    start = with_child(widget, case_writer)
    ui.showCaseButton.click()
    HandTimer.made[-1].wind()
    assert errors == []
    assert start.given("--case-id") == CASE_ID
    nodes = case_shown(simulated.mrmlScene)
    assert nodes is not None
    assert set(nodes.volumes) == {"t2", "highb", "adc"}
    assert ui.showCaseButton.text == "Show in the case"
    assert "synthetic contour" in ui.logText.toPlainText()


def test_a_double_click_shows_a_row_and_another_takes_its_place(
    widget: Any, simulated: Any, lens_folder: Path, errors: list[str]
) -> None:
    from deepradiomics.scene.show.lens.case import case_shown

    p = chosen(widget, lens_folder)
    with_child(widget, case_writer)
    for row in (3, 7):
        widget.ui.shiftTable.selectRow(row)
        widget.ui.shiftTable.cellDoubleClicked.emit(row, 0)
        HandTimer.made[-1].wind()
        nodes = case_shown(simulated.mrmlScene)
        assert nodes is not None
        assert (nodes.modality, nodes.feature) == (p.chosenModality, p.chosenFeature)
    assert errors == []


def test_the_case_view_can_be_cancelled_and_its_failure_is_told(
    widget: Any, simulated: Any, lens_folder: Path, errors: list[str]
) -> None:
    from deepradiomics.scene.show.lens.case import case_shown

    chosen(widget, lens_folder)
    start = with_child(widget, FakeStart(exit_code=None))
    widget.ui.showCaseButton.click()
    assert widget.ui.showCaseButton.text == "Cancel"
    assert not widget.ui.applyButton.enabled
    widget.ui.showCaseButton.click()
    assert start.child is not None
    assert start.child.killed
    assert errors == []
    with_child(widget, FakeStart(exit_code=2, error="Case synthetic-001: were the images moved?"))
    widget.ui.showCaseButton.click()
    HandTimer.made[-1].wind()
    assert errors == ["Case synthetic-001: were the images moved?"]
    assert case_shown(simulated.mrmlScene) is None
    assert widget.ui.showCaseButton.enabled


def test_images_of_the_scene_are_chosen_for_the_user_and_by_the_user(
    widget: Any, simulated: Any, lens_folder: Path, errors: list[str]
) -> None:
    from RadiomicLensLib.choices import CaseSource
    from RadiomicLensLib.samples import load_synthetic_prostate

    from deepradiomics.scene.nodes.atomic import nodes_of_class
    from deepradiomics.scene.show.lens.case import remove_case

    prostate = load_synthetic_prostate()
    p, ui, section = chosen(widget, lens_folder), widget.ui, widget.caseView
    p.caseSource = CaseSource.SCENE
    assert {each: node.GetID() for each, node in p.caseVolumes.items()} == {
        each: node.GetID() for each, node in prostate.volumes.items()
    }
    assert p.caseSegmentation.GetID() == prostate.rois["gland"][0].GetID()
    assert ui.showCaseButton.enabled
    adc = section.selectors["adc"]
    adc.setCurrentNode(None)
    assert set(p.caseVolumes) == {"t2", "highb"}
    assert ui.caseStatusLabel.text == "Choose the volume of adc."
    adc.setCurrentNode(prostate.volumes["adc"])
    assert p.caseVolumes["adc"].GetID() == prostate.volumes["adc"].GetID()
    start = with_child(widget, case_writer)
    ui.showCaseButton.click()
    HandTimer.made[-1].wind()
    assert errors == []
    assert [word.split("=")[0] for word in start.words if word.startswith(("t2=", "highb=", "adc="))] == [
        "t2", "highb", "adc",
    ]  # fmt: skip
    assert "--mask" in start.words
    assert start.given("--case-id") == prostate.volumes["t2"].GetName()
    drawn = [
        node.GetName()
        for node in nodes_of_class(simulated.mrmlScene, "vtkMRMLSegmentationNode")
        if node.GetDisplayNode().GetVisibility()
    ]
    assert len(drawn) == 3  # and not the gland that was chosen
    assert all(" on " in name for name in drawn)
    remove_case(simulated.mrmlScene)
    assert p.caseSegmentation.GetDisplayNode().GetVisibility()
    p.caseSegmentation = None
    assert ui.caseStatusLabel.text == "Choose the segmentation of the region."


def test_a_lens_of_the_ellipsoid_needs_no_segmentation(
    widget: Any, simulated: Any, tmp_path: Path, errors: list[str]
) -> None:
    from RadiomicLensLib.choices import CaseSource
    from RadiomicLensLib.samples import load_synthetic_prostate

    folder = write_fake_lens(tmp_path / "lens")
    about = json.loads((folder / "lens.json").read_text(encoding="utf-8"))
    (folder / "lens.json").write_text(json.dumps(about | {"roi": "ellipsoid"}), encoding="utf-8")
    prostate = load_synthetic_prostate()
    p = chosen(widget, folder)
    p.caseSource = CaseSource.SCENE
    assert p.caseSegmentation is None
    assert set(p.caseVolumes) == set(prostate.volumes)
    start = with_child(widget, case_writer)
    widget.ui.showCaseButton.click()
    HandTimer.made[-1].wind()
    assert errors == []
    assert start.given("--roi") == "ellipsoid"
    assert "--mask" not in start.words


def test_a_volume_that_is_deleted_is_asked_for_again(widget: Any, simulated: Any, lens_folder: Path) -> None:
    from RadiomicLensLib.choices import CaseSource
    from RadiomicLensLib.samples import load_synthetic_prostate

    prostate = load_synthetic_prostate()
    p = chosen(widget, lens_folder)
    p.caseSource = CaseSource.SCENE
    simulated.mrmlScene.RemoveNode(prostate.volumes["highb"])
    widget.refresh()
    assert widget.ui.caseStatusLabel.text == "Choose the volume of highb."


def test_a_lens_whose_folder_went_says_so(widget: Any, lens_folder: Path) -> None:
    from deepradiomics.scene.job.runner import FOLDER_ATTRIBUTE

    p = chosen(widget, lens_folder)
    p.resultTable.SetAttribute(FOLDER_ATTRIBUTE, "/nowhere")
    widget.refresh()
    assert not widget.ui.showCaseButton.enabled
    assert "not where it was" in widget.ui.caseStatusLabel.text
