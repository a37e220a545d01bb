"""The haemorrhage's panel, simulated: controls, what can run, runs, results, experiment. Not a test in Slicer."""

from __future__ import annotations

import importlib
import itertools
import json
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepradiomics.images import Volume, read_mask
from Testing.slicer.fake_child import FakeStart, HandTimer
from Testing.slicer.ich_result import OUTCOMES, TITLES, SyntheticIch, make_experiment, make_ich_case
from Testing.slicer.panel.conftest import ROOT
from Testing.slicer.panel.controls import IMAGE_TOOLS, bound_parameters, reaches_the_parameter_and_back
from Testing.slicer.panel.driving import cut_off, pictured, unreadable
from Testing.slicer.panel_ich.driving import (
    add_segment,
    applied,
    bars,
    ready,
    texts,
    with_child,
    write_model,
    write_segmenter,
)

UI = ROOT / "ICHLatentFeatures" / "Resources" / "UI" / "ICHLatentFeatures.ui"


# --- controls ----------------------------------------------------------------------------------------------------


def test_every_parameter_has_a_control_or_is_kept_by_the_panel_itself(widget: Any) -> None:
    by_the_panel = {"segmentId", "followupSegmentId", "resultTable", "outcome"}
    bound = set(bound_parameters(UI, IMAGE_TOOLS).values())
    assert bound | by_the_panel == set(widget.parameters.allParameters)
    assert not bound & by_the_panel


def test_each_control_reaches_the_parameter_node_and_back(widget: Any, simulated: Any, tmp_path: Path) -> None:
    for control, name in bound_parameters(UI, IMAGE_TOOLS).items():
        try:
            reaches_the_parameter_and_back(widget, simulated.mrmlScene, control, name, tmp_path)
        except AssertionError as error:
            raise AssertionError(f"{control} and {name}: {error}") from error


def test_apply_waits_for_a_ct_in_hu_a_model_and_an_outline(
    widget: Any, simulated: Any, ct: Any, followup: Any, made: SyntheticIch, tmp_path: Path
) -> None:
    from ICHLatentFeaturesLib.choices import BundleSource, Outline

    from deepradiomics.scene.nodes.volumes import node_from_volume

    p, ui = widget.parameters, widget.ui
    assert not ui.applyButton.enabled
    assert ui.estimateLabel.text == "Choose the head CT."
    picture = Volume(np.clip(made.ct.voxels, 0, 255).astype(np.uint8), made.ct.geometry)
    p.ct = node_from_volume(picture, simulated.mrmlScene, "picture")
    assert not ui.applyButton.enabled
    assert "cannot be HU" in ui.estimateLabel.text
    assert "#c0392b" in ui.huLabel.text
    p.ct = ct
    assert ui.applyButton.enabled  # the sample model is chosen
    assert "synthetic images" in ui.bundleSummary.text
    assert ui.bundleFolderArea.isHidden()
    p.bundleSource = BundleSource.FOLDER
    assert not ui.bundleFolderArea.isHidden()
    assert not ui.applyButton.enabled
    assert ui.estimateLabel.text == "Choose the model's folder."
    assert "cannot be HU" not in ui.huLabel.text
    p.bundleFolder = str(tmp_path)
    assert "predictor/" in ui.estimateLabel.text
    p.bundleFolder = str(write_model(tmp_path / "no network", segments=False))
    assert ui.estimateLabel.text.startswith("This model has no network that outlines")
    assert "Poor outcome (mRS > 3)" in ui.bundleSummary.text
    assert "means nothing clinically" in ui.bundleSummary.text
    p.outline = Outline.NETWORK
    assert ui.estimateLabel.text == "Choose the network's folder."
    assert not ui.segmenterFolderArea.isHidden()
    p.outline = Outline.SEGMENT
    assert ui.estimateLabel.text == "Choose the segmentation of the haematoma."
    assert ui.segmenterFolderArea.isHidden()
    p.segmentation, segment = add_segment(simulated.mrmlScene, ct, made.labels == 1)
    assert p.segmentId == segment
    assert ui.applyButton.enabled
    assert ui.estimateLabel.text.startswith("Takes very roughly")
    p.followup = followup
    assert "'blood" not in ui.estimateLabel.text  # this model cannot outline it
    assert not ui.applyButton.enabled
    p.bundleFolder = str(write_model(tmp_path / "experiment" / "bundle").parent)  # the experiment's folder
    assert ui.applyButton.enabled
    p.followup = ct
    assert ui.estimateLabel.text == "The follow-up is the same volume as the CT."


def test_the_expansion_alone_needs_a_followup_and_no_model(
    widget: Any, simulated: Any, ct: Any, followup: Any, made: SyntheticIch, tmp_path: Path
) -> None:
    from ICHLatentFeaturesLib.choices import BundleSource, Outline

    p, button = widget.parameters, widget.ui.expansionButton
    p.bundleSource = BundleSource.FOLDER
    p.ct = ct
    assert button.toolTip == "Choose the follow-up CT."
    p.followup = followup
    assert button.toolTip == "Choose a model that outlines, another network, or segments."
    p.outline = Outline.SEGMENT
    p.segmentation, _ = add_segment(simulated.mrmlScene, ct, made.labels == 1)
    assert button.toolTip == "Choose the segmentation of the follow-up."
    p.followupSegmentation, _ = add_segment(simulated.mrmlScene, followup, made.change == 2, "later")
    assert button.enabled
    start = with_child(widget)
    button.click()
    assert np.array_equal(read_mask(start.given("--followup-mask")).labels == 1, made.change == 2)
    HandTimer.made[-1].wind()
    assert start.words[:2] == ["ich", "expansion"]
    assert "--segmenter" not in start.words
    assert "mL: " in widget.ui.logText.toPlainText()


# --- runs --------------------------------------------------------------------------------------------------------


def test_apply_becomes_cancel_and_back(widget: Any, ct: Any, tmp_path: Path, errors: list[str]) -> None:
    ready(widget, ct, tmp_path)
    start = with_child(widget, FakeStart(exit_code=None))
    ui = widget.ui
    ui.applyButton.click()
    HandTimer.made[-1].call()
    assert ui.applyButton.text == "Cancel"
    assert ui.progressBar.value == 40
    assert ui.statusLabel.text == "half way"
    locked = (ui.inputsSection, ui.experimentButton, ui.segmentButton, ui.registerButton, ui.expansionButton)
    assert not any(each.enabled for each in locked)
    ui.applyButton.click()
    assert start.child is not None
    assert start.child.killed
    assert ui.applyButton.text == "Apply"
    assert ui.applyButton.enabled
    assert ui.inputsSection.enabled
    assert errors == []


def test_a_failing_child_is_told_and_the_panel_is_ready_again(
    widget: Any, ct: Any, tmp_path: Path, errors: list[str]
) -> None:
    ready(widget, ct, tmp_path)
    with_child(widget, FakeStart(exit_code=2, error="the haematoma is empty"))
    widget.ui.applyButton.click()
    HandTimer.made[-1].wind()
    assert errors == ["the haematoma is empty"]
    assert widget.ui.applyButton.enabled


def test_what_the_panel_is_set_to_reaches_the_command_line(widget: Any, ct: Any, followup: Any, tmp_path: Path) -> None:
    from ICHLatentFeaturesLib.choices import Device, Lesions, Outline

    p = ready(widget, ct, tmp_path)
    p.outline, p.segmenterFolder, p.flips, p.largest = Outline.NETWORK, str(write_segmenter(tmp_path)), True, True
    p.lesions, p.clinical, p.caseId, p.device = Lesions.LARGEST, "age=70,sex=F", "head 7", Device.CPU
    p.followup = followup
    start = with_child(widget)
    widget.ui.applyButton.click()
    given = {name: start.given(f"--{name}") for name in ("segmenter", "lesions", "clinical", "case-id", "device")}
    assert given == {
        "segmenter": str(tmp_path),
        "lesions": "largest",
        "clinical": "age=70,sex=F",
        "case-id": "head 7",
        "device": "cpu",
    }
    assert start.words[:3] == ["ich", "apply", str(tmp_path / "bundle")]
    assert {"--flips", "--largest", "--followup", "--no-scene"} <= set(start.words)
    assert "--mask" not in start.words
    widget.ui.applyButton.click()


# --- results -----------------------------------------------------------------------------------------------------


def test_a_patient_is_shown_with_volumes_risks_shares_and_features(
    widget: Any, simulated: Any, ct: Any, followup: Any, tmp_path: Path, errors: list[str]
) -> None:
    p, ui = applied(widget, ct, tmp_path, followup=followup), widget.ui
    assert errors == []
    assert not ui.resultsSection.collapsed
    assert "Haematoma" in ui.summaryLabel.text
    assert " mL (ABC/2 of the largest 16.1 mL), 2 parts" in ui.summaryLabel.text
    assert "SYNTHETIC" in ui.summaryLabel.text
    assert "#c0392b" in ui.summaryLabel.text
    assert texts(ui.riskTable) == list(TITLES)
    assert p.outcome == OUTCOMES[0]
    assert bars(ui.riskTable) == [f"{risk:.2f} (from 0.35)" for risk in (0.672, 0.552, 0.432, 0.312)]
    assert texts(ui.riskTable, 2) == ["+", "+", "+", "−"]
    assert "so had 69% of the 40 with a similar probability." in ui.riskTable.item(0, 0).toolTip()
    assert texts(ui.sharesTable)[:3] == ["Encoder latents, in all", "Radiomics, in all", "VAE-GAN latents, in all"]
    shap = sorted(_column(p.resultTable, "shap", OUTCOMES[0]), key=lambda share: -abs(share))
    assert ui.sharesTable.rowCount == 3 + 18
    assert bars(ui.sharesTable)[3:] == [f"{share:+.3f}" for share in shap]
    assert float(bars(ui.sharesTable)[0]) == pytest.approx(sum(_column(p.resultTable, "shap", OUTCOMES[0], "encoder")))
    assert texts(ui.featuresTable)[0] == "Volume of the haematoma"
    assert ui.featureCountLabel.text == "6 features"
    p.featureFilter = "glcm"
    assert texts(ui.featuresTable) == ["GLCM Contrast, LoG 2.0 mm"]
    assert ui.featuresTable.item(0, 0).toolTip().startswith("log-sigma-2-0-mm-3D_glcm_Contrast\n")
    ui.riskTable.selectRow(2)
    assert p.outcome == OUTCOMES[2]
    assert bars(ui.sharesTable)[3] == "-0.070"
    assert ui.copyMethodsButton.enabled  # this child wrote none
    assert not ui.openReportButton.enabled
    ui.copyMethodsButton.click()
    assert "outlined" in simulated.app.clipboard_texts[0]


def _column(risk: Any, name: str, outcome: str, group: str = "") -> list[float]:
    """A column of a result's table of shares, of one outcome and feature group."""
    from deepradiomics.scene.nodes.export import columns_of
    from deepradiomics.scene.show.ich.case import nodes_of

    columns = columns_of(nodes_of(risk).shap)
    rows = zip(columns[name], columns["outcome"], columns["group"], strict=True)
    return [value for value, of, within in rows if of == outcome and group in ("", within)]


def test_bars_have_the_colour_of_their_group_and_risks_are_never_red(widget: Any, ct: Any, tmp_path: Path) -> None:
    from deepradiomics.scene.panel.bars import gradient

    applied(widget, ct, tmp_path)
    risks, shares = widget.ui.riskTable, widget.ui.sharesTable
    assert gradient(0.672, False, (0, 114, 178)) in risks.cellWidget(0, 1).styleSheet  # blue, of a whole that is 1
    assert (
        gradient(1.0, True, (230, 159, 0)) in shares.cellWidget(0, 1).styleSheet
    )  # the encoder's orange, as in reports
    assert shares.item(0, 0).font().bold()
    assert not shares.item(3, 0).font().bold()


def test_outside_the_training_cohort_there_is_no_call_and_no_red(
    widget: Any, ct: Any, tmp_path: Path, errors: list[str]
) -> None:
    from deepradiomics.scene.panel.bars import gradient
    from deepradiomics.stats.outside import outside_fields
    from Testing.slicer.panel_ich.driving import child

    def far(words: list[str]) -> None:
        child(words)
        path = Path(words[words.index("-o") + 1]) / "ich.json"
        about = json.loads(path.read_text(encoding="utf-8")) | outside_fields(0.37)
        path.write_text(json.dumps(about | {"synthetic_model": False}), encoding="utf-8")

    ready(widget, ct, tmp_path)
    with_child(widget, far)
    widget.ui.applyButton.click()
    HandTimer.made[-1].wind()
    ui = widget.ui
    assert errors == []
    assert "Outside the training cohort (37 % of features beyond 3 SD)" in ui.summaryLabel.text
    assert "#c0392b" not in ui.summaryLabel.text  # it is no warning about the data
    assert texts(ui.riskTable, 2) == [""] * 4
    assert texts(ui.riskTable, 3) == ["–"] * 4
    assert gradient(0.672, False, (140, 140, 140)) in ui.riskTable.cellWidget(0, 1).styleSheet  # grey
    assert "no class is given" in ui.riskTable.item(0, 0).toolTip()


def test_the_case_is_called_after_its_ct_unless_it_has_a_name(widget: Any, ct: Any, tmp_path: Path) -> None:
    p = ready(widget, ct, tmp_path)
    assert p.caseId == ""
    assert widget.ui.caseIdEdit.placeholderText == "as the CT"
    for name, given in ((" ", "head"), ("seven ", "seven")):
        p.caseId = name
        start = with_child(widget)
        widget.ui.applyButton.click()
        assert start.given("--case-id") == given
        widget.ui.applyButton.click()


@pytest.mark.parametrize("width", [440, 520])
def test_names_of_features_and_outcomes_are_read_without_scrolling(
    widget: Any, ct: Any, tmp_path: Path, width: int
) -> None:
    from deepradiomics.scene.panel.feature_names import label_and_tip

    applied(widget, ct, tmp_path)
    for tab, tables in enumerate((("riskTable", "sharesTable"), ("featuresTable",))):
        widget.ui.resultTabs.currentIndex = tab
        pictured(widget, f"ich_lists_{tab}_{width}", tmp_path, 1500, width=width)
        for name in tables:
            table = getattr(widget.ui, name)
            columns = [table.columnWidth(column) for column in range(table.columnCount)]
            assert sum(columns) <= table.viewport().width(), name
            assert unreadable(table, 0) == [], name
    assert texts(widget.ui.featuresTable)[-1] == label_and_tip("log-sigma-2-0-mm-3D_glcm_Contrast")[0]


def test_hidden_rows_leave_no_gaps(widget: Any, ct: Any, tmp_path: Path) -> None:
    from ICHLatentFeaturesLib.choices import Outline
    from PySide6 import QtWidgets

    p, ui = ready(widget, ct, tmp_path), widget.ui
    ui.optionsSection.collapsed = False
    heights = {}
    for outline in (Outline.MODEL, Outline.NETWORK, Outline.SEGMENT):
        p.outline = outline
        pictured(widget, f"ich_rows_{outline.value}", tmp_path, 1500, width=520)
        for section in (ui.inputsSection, ui.optionsSection):
            rows = [each for each in section.children() if isinstance(each, QtWidgets.QWidget) and each.isVisible()]
            places = sorted((place.top(), place.bottom()) for place in map(QtWidgets.QWidget.geometry, rows))
            gaps = [below[0] - above[1] - 1 for above, below in itertools.pairwise(places)]
            assert set(gaps) == {section.layout().spacing()}, (outline, section.name, gaps)
        heights[outline] = QtWidgets.QWidget.height(ui.optionsSection)
    assert heights[Outline.SEGMENT] < heights[Outline.MODEL]  # a segment needs no options of a network


def test_the_shared_tools_lie_folded_below_everything_else(widget: Any) -> None:
    ui = widget.ui
    layout = ui.imageToolsArea.parentWidget().layout()
    names = ("resultsSection", "experimentSection", "logSection", "imageToolsArea")
    places = [layout.indexOf(getattr(ui, name)) for name in names]
    assert places == sorted(places)  # below it only what takes the free room
    assert places[-1] == layout.count() - 2
    assert ui.experimentSection.collapsed
    assert ui.segmentSection.collapsed
    assert ui.registerSection.collapsed


def test_gradcam_ring_and_expansion_follow_the_controls(
    widget: Any, simulated: Any, ct: Any, followup: Any, tmp_path: Path
) -> None:
    from deepradiomics.scene.show.ich.case import nodes_of

    composite = simulated.mrmlScene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
    p = applied(widget, ct, tmp_path, followup=followup)
    nodes = nodes_of(p.resultTable)
    assert composite.GetBackgroundVolumeID() == ct.GetID()
    assert composite.GetForegroundVolumeID() == nodes.gradcam[OUTCOMES[0]].GetID()
    widget.ui.riskTable.selectRow(1)
    assert composite.GetForegroundVolumeID() == nodes.gradcam[OUTCOMES[1]].GetID()
    p.overlayOpacity, p.overlayThreshold = 0.8, 0.5
    display = nodes.gradcam[OUTCOMES[1]].GetDisplayNode()
    assert composite.GetForegroundOpacity() == 0.8
    assert display.GetLowerThreshold() == pytest.approx(0.5 * display.GetWindowLevelMax())
    p.showRing = False
    segments = nodes.segmentation.GetDisplayNode()
    ring = nodes.segmentation.GetSegmentation().GetSegmentIdBySegmentName("ring")
    assert not segments.GetSegmentVisibility(ring)
    p.showExpansion = True
    assert nodes.expansion is not None
    assert nodes.expansion.change.GetDisplayNode().GetVisibility()
    assert not segments.GetVisibility()
    assert composite.GetForegroundOpacity() == 0.0
    p.showExpansion = False
    assert segments.GetVisibility()
    assert composite.GetForegroundOpacity() == 0.8
    widget.ui.calibrationChartButton.click()
    chart = simulated.app.applicationLogic().GetSelectionNode().GetActivePlotChartID()
    assert chart == nodes.charts[OUTCOMES[1]]["calibration"].GetID()


def test_a_saved_scene_restores_panel_and_result(
    widget: Any, headless: Any, ct: Any, tmp_path: Path, errors: list[str]
) -> None:
    from ICHLatentFeaturesLib.choices import Lesions

    p = applied(widget, ct, tmp_path, lesions=Lesions.LARGEST, caseId="seven", outcome="")
    widget.ui.riskTable.selectRow(3)
    headless.save_mrb(tmp_path / "scene.mrb")
    p.caseId = "eight"
    headless.scene.Clear(False)
    assert widget.ui.resultsSection.collapsed or widget.ui.riskTable.rowCount == 0
    headless.load_mrb(tmp_path / "scene.mrb")
    widget.initializeParameterNode()
    p = widget.parameters
    assert (p.caseId, p.lesions, p.outcome) == ("seven", Lesions.LARGEST, OUTCOMES[3])
    assert p.ct.GetName() == "head"
    assert texts(widget.ui.riskTable) == list(TITLES)
    assert widget.ui.riskTable.currentRow() == 3
    assert not widget.ui.resultsSection.collapsed
    widget.ui.groupsChartButton.click()
    assert errors == []


def test_a_folder_is_opened_and_a_damaged_one_is_told(
    widget: Any, made: SyntheticIch, tmp_path: Path, errors: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import qt

    plain = make_ich_case(tmp_path / "plain", followup=False, latents=False)
    chosen = [str(plain.folder), str(tmp_path)]
    monkeypatch.setattr(qt.QFileDialog, "getExistingDirectory", lambda *_: chosen.pop(0))
    widget.ui.openResultButton.click()
    assert texts(widget.ui.riskTable) == list(TITLES)
    assert widget.ui.gradcamArea.isHidden()
    assert not widget.ui.showExpansionCheck.enabled
    widget.ui.openResultButton.click()
    assert len(errors) == 1
    assert "ich.json" in errors[0]


# --- experiment --------------------------------------------------------------------------------------------------


def test_an_experiment_shows_its_tables_opens_its_report_and_chooses_its_model(
    widget: Any, simulated: Any, tmp_path: Path, errors: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import qt
    from ICHLatentFeaturesLib.choices import Preset, Search

    opened: list[str] = []
    monkeypatch.setattr(qt.QDesktopServices, "openUrl", lambda url: opened.append(url.toString()))
    p, ui = widget.parameters, widget.ui
    assert ui.experimentButton.toolTip == "Choose the manifest (CSV)."
    manifest = tmp_path / "m.csv"
    manifest.write_text("id\n", encoding="utf-8")
    p.manifest, p.external = str(manifest), str(tmp_path / "none.csv")
    assert ui.experimentButton.toolTip == "The external manifest is not there."
    p.external = str(manifest)
    p.preset, p.search, p.covariates, p.seed, p.workers = Preset.TINY, Search.NESTED, "age, sex", 4, 2
    p.allowLeakage, p.experimentOutput = True, str(tmp_path / "out")
    start = with_child(widget)
    ui.experimentButton.click()
    HandTimer.made[-1].wind()
    assert errors == []
    given = {
        name: start.given(f"--{name}") for name in ("preset", "search", "covariates", "seed", "workers", "external")
    }
    assert given == {
        "preset": "tiny", "search": "nested", "covariates": "age,sex", "seed": "4", "workers": "2",
        "external": str(manifest),
    }  # fmt: skip
    assert "--allow-leakage" in start.words
    assert "--resume" in start.words
    assert opened == [(tmp_path / "out" / "report.html").as_uri()]
    assert ui.experimentReportButton.enabled
    assert p.bundleFolder == str(tmp_path / "out" / "bundle")
    assert p.bundleSource.name == "FOLDER"
    assert "2 tables and 8 charts" in ui.experimentStatusLabel.text
    assert "SYNTHETIC" in ui.experimentStatusLabel.text
    table = simulated.mrmlScene.GetFirstNodeByName("Experiment: AUC")
    assert table.GetNumberOfRows() == 168


# --- segment and register ----------------------------------------------------------------------------------------


def test_a_segment_made_here_becomes_the_haematoma(
    widget: Any, ct: Any, made: SyntheticIch, tmp_path: Path, errors: list[str]
) -> None:
    from ICHLatentFeaturesLib.choices import Outline

    p, ui = widget.parameters, widget.ui
    p.ct, p.toolVolume = ct, ct
    assert not ui.segmentButton.enabled
    assert ui.segmentButton.toolTip == "Choose the network's folder."
    p.toolModel = str(write_segmenter(tmp_path))
    start = with_child(widget)
    ui.segmentButton.click()
    HandTimer.made[-1].wind()
    assert errors == []
    assert start.words[0] == "segment"
    assert "17.5 mL (ABC/2 16.0 mL)" in ui.segmentStatusLabel.text
    assert ui.segmentButton.text == "Segment"
    assert (p.outline, p.segmentId) == (Outline.SEGMENT, "haematoma")
    assert p.segmentation is not None


@pytest.mark.parametrize(
    ("module", "maker"), [("RadiomicFingerprint", "RadiomicFingerprint"), ("RadiomicLens", "RadiomicLens")]
)
def test_the_other_panels_segment_and_register_too(
    simulated: Any, ct: Any, followup: Any, tmp_path: Path, errors: list[str], module: str, maker: str
) -> None:
    import qt

    from Testing.slicer.panel_ich.driving import child
    from Testing.slicer.runs.test_image_tools import write_registration

    loaded = importlib.import_module(module)
    parent = simulated.qMRMLWidget()
    parent.setLayout(qt.QVBoxLayout())
    panel = getattr(loaded, f"{maker}Widget")(parent)
    if panel.warmUp is not None:
        panel.warmUp.start = lambda: None
    panel.setup()
    logic = type(panel.logic)
    p = panel.parameters
    p.toolVolume, p.toolModel, p.toolFixed, p.toolMoving = ct, str(write_segmenter(tmp_path)), ct, followup
    HandTimer.made.clear()
    panel.logic = logic(FakeStart(child), HandTimer)
    panel.ui.segmentButton.click()
    HandTimer.made[-1].wind()
    assert simulated.mrmlScene.GetFirstNodeByName("head haematoma") is not None
    start = FakeStart(write_registration)
    panel.logic = logic(start, HandTimer)
    panel.ui.registerButton.click()
    HandTimer.made[-1].wind()
    assert errors == []
    assert start.given("--transform") == "rigid"
    assert start.given("--backend") == "auto"
    assert simulated.mrmlScene.GetFirstNodeByName("head later registered") is not None
    assert "mi 0.750" in panel.ui.registerStatusLabel.text
    assert panel.ui.registerButton.text == "Register"
    panel.cleanup()


# --- the module file, and how it looks ---------------------------------------------------------------------------


def test_the_module_describes_itself_and_offers_a_sample(simulated: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    connected: list[tuple[str, Any]] = []
    simulated.app.connect = lambda signal, slot: connected.append((signal, slot))
    parent = types.SimpleNamespace(path=str(ROOT / "ICHLatentFeatures" / "ICHLatentFeatures.py"))
    module = importlib.import_module("ICHLatentFeatures")
    module.ICHLatentFeatures(parent)
    assert parent.title == "ICH Latent Features"
    assert parent.categories == ["Quantification"]
    assert not parent.icon.isNull()
    assert "not a medical device" in parent.helpText
    assert connected == [("startupCompleted()", module.register_sample_data)]
    offered: list[dict[str, Any]] = []
    logic = types.SimpleNamespace(registerCustomSampleDataSource=lambda **about: offered.append(about))
    monkeypatch.setitem(sys.modules, "SampleData", types.SimpleNamespace(SampleDataLogic=logic))
    module.register_sample_data()
    [node] = offered[0]["customDownloader"](None)
    assert Path(offered[0]["thumbnailFileName"]).is_file()
    assert "SYNTHETIC" in node.GetDescription()
    assert simulated.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 2


def test_no_label_is_cut_off(
    widget: Any, simulated: Any, ct: Any, followup: Any, made: SyntheticIch, tmp_path: Path
) -> None:
    from ICHLatentFeaturesLib.choices import Outline

    segmentation, _ = add_segment(simulated.mrmlScene, ct, made.labels == 1)
    p = applied(widget, ct, tmp_path, followup=followup, outline=Outline.SEGMENT, segmentation=segmentation)
    ui = widget.ui
    pictured(widget, "ich_panel", tmp_path, 1080)
    assert cut_off(widget) == []
    p.outline = Outline.NETWORK
    make_experiment(tmp_path / "out")
    p.experimentOutput = str(tmp_path / "out")
    for name in ("inputs", "results"):
        getattr(ui, f"{name}Section").collapsed = True
    for name in ("options", "experiment", "segment", "register", "log"):
        getattr(ui, f"{name}Section").collapsed = False
    pictured(widget, "ich_panel_more", tmp_path, 1300)
    assert cut_off(widget) == []
