"""The lens's panel, simulated: its controls reach the parameters and back; what can run. Not a test in Slicer."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from Testing.slicer.panel.conftest import ROOT
from Testing.slicer.panel.controls import IMAGE_TOOLS, bound_parameters, reaches_the_parameter_and_back
from Testing.slicer.panel_lens.conftest import write_encoder
from Testing.slicer.panel_lens.driving import ready

UI = ROOT / "RadiomicLens" / "Resources" / "UI" / "RadiomicLens.ui"


def test_every_parameter_has_a_control_or_is_kept_by_the_panel_itself(widget: Any) -> None:
    by_the_panel = {
        "modalities", "roi", "resultTable", "sortColumn", "sortDescending", "chosenModality", "chosenFeature", "caseId",
        "caseVolumes", "caseSegmentId",
    }  # fmt: skip
    assert set(bound_parameters(UI, IMAGE_TOOLS).values()) | by_the_panel == set(widget.parameters.allParameters)
    assert not set(bound_parameters(UI).values()) & by_the_panel


@pytest.mark.parametrize("control", bound_parameters(UI))
def test_a_control_reaches_the_parameter_node_and_back(
    widget: Any, simulated: Any, tmp_path: Path, control: str
) -> None:
    reaches_the_parameter_and_back(widget, simulated.mrmlScene, control, bound_parameters(UI)[control], tmp_path)


def ticks(widget: Any) -> dict[str, bool]:
    import qt

    items = [widget.ui.modalitiesList.item(row) for row in range(widget.ui.modalitiesList.count)]
    return {item.text(): item.checkState() == qt.Qt.Checked for item in items}


def test_a_manifests_modalities_are_ticked_and_its_rois_chosen(widget: Any, manifest: Path) -> None:
    import qt

    p, ui = widget.parameters, widget.ui
    p.manifest = str(manifest)
    assert ticks(widget) == {"t2": True, "adc": True}
    assert p.modalities == []
    assert "Cases: 3" in ui.cohortLabel.text
    ui.modalitiesList.item(0).setCheckState(qt.Qt.Unchecked)
    assert p.modalities == ["adc"]
    ui.modalitiesList.item(1).setCheckState(qt.Qt.Unchecked)  # none means all
    assert ticks(widget) == {"t2": True, "adc": True}
    assert p.modalities == []
    p.modalities = ["t2"]
    assert ticks(widget) == {"t2": True, "adc": False}
    shown = [ui.roiSelector.itemText(index) for index in range(ui.roiSelector.count)]
    assert shown == ["gland", "lesion", "ellipsoid (not a reader's contour)"]
    assert p.roi == "gland"
    ui.roiSelector.currentIndex = 2
    assert p.roi == "ellipsoid"
    p.roi = "lesion"
    assert ui.roiSelector.currentText == "lesion"


def test_a_roi_that_the_cohort_lacks_gives_way_to_one_it_has(widget: Any, tmp_path: Path) -> None:
    (tmp_path / "a.nrrd").touch()
    (tmp_path / "m.csv").write_text("id,view_t2,mask_prostate\na,a.nrrd,a.nrrd\n", encoding="utf-8")
    widget.parameters.manifest = str(tmp_path / "m.csv")
    assert widget.parameters.roi == "prostate"
    assert widget.ui.roiSelector.currentText == "prostate"


def test_a_manifest_that_changed_is_read_again(widget: Any, manifest: Path) -> None:
    import os

    widget.parameters.manifest = str(manifest)
    manifest.write_text("id,view_t2,mask_gland\na,a_t2.nrrd,a_gland.nrrd\n", encoding="utf-8")
    os.utime(manifest, (1e9, 1e9))
    widget.refresh()
    assert list(ticks(widget)) == ["t2"]


def test_cases_of_the_scene_are_found_as_they_come(widget: Any, simulated: Any) -> None:
    from RadiomicLensLib.choices import CasesSource
    from RadiomicLensLib.samples import load_synthetic_prostate

    p = widget.parameters
    p.casesSource = CasesSource.SCENE
    assert "No case in the scene" in widget.ui.estimateLabel.text
    load_synthetic_prostate()
    widget.refresh()
    assert list(ticks(widget)) == ["t2", "highb", "adc"]
    assert p.roi == "gland"
    assert widget.ui.manifestArea.isHidden()
    assert "Cases: 1" in widget.ui.cohortLabel.text


def test_only_the_rows_that_matter_are_shown_and_hidden_ones_leave_no_gap(widget: Any) -> None:
    from PySide6 import QtWidgets
    from RadiomicLensLib.choices import CaseSource, CasesSource, EncoderSource, FeatureSet

    def shown(name: str) -> bool:
        return getattr(widget.ui, name).isVisibleTo(widget.parent)

    for section in ("inputsSection", "encodersSection", "caseSection"):
        getattr(widget.ui, section).collapsed = False
    p = widget.parameters
    assert p.encoderSource is EncoderSource.SAMPLE
    assert shown("manifestEdit")
    assert not shown("finetuneFolderEdit")
    assert not shown("preEncoderEdit")
    p.encoderSource = EncoderSource.RUN
    assert shown("finetuneFolderEdit")
    assert not shown("preEncoderEdit")
    assert not shown("parameterFileEdit")
    assert not shown("progressBar")
    p.casesSource, p.encoderSource, p.featureSet = CasesSource.SCENE, EncoderSource.EACH, FeatureSet.FILE
    assert not shown("manifestLabel")
    assert not shown("finetuneFolderLabel")
    assert shown("preEncoderEdit")
    assert shown("ftEncoderLabel")
    assert shown("parameterFileEdit")
    assert shown("caseSelector")
    assert not shown("caseSegmentSelector")
    p.caseSource = CaseSource.SCENE
    assert not shown("caseSelector")
    assert shown("caseSegmentSelector")
    assert shown("caseVolumesArea")
    # The rows of a form keep their spacing when they are hidden: containers lie in boxes, which close up.
    for name in ("manifest", "parameterFile", "finetuneFolder", "eachEncoder", "caseOfLens", "caseOfScene"):
        section = getattr(widget.ui, f"{name}Area").parentWidget()
        assert isinstance(section.layout(), QtWidgets.QVBoxLayout), name


def test_the_shared_tools_lie_folded_below_everything(widget: Any) -> None:
    sections = ("inputsSection", "encodersSection", "optionsSection", "runArea", "resultsSection", "caseSection")
    layout = widget.ui.inputsSection.parentWidget().layout()
    tools = layout.indexOf(widget.ui.imageToolsArea)
    assert all(layout.indexOf(getattr(widget.ui, name)) < tools for name in (*sections, "logSection"))
    assert widget.ui.segmentSection.collapsed
    assert widget.ui.registerSection.collapsed


def test_apply_enables_only_when_it_can_run_and_says_why_not(
    widget: Any, manifest: Path, finetuning: Path, tmp_path: Path
) -> None:
    from RadiomicLensLib.choices import EncoderSource, FeatureSet

    p, button = widget.parameters, widget.ui.applyButton
    says: Callable[[], str] = lambda: widget.ui.estimateLabel.text  # noqa: E731
    assert not button.enabled
    assert says() == "Choose the manifest (CSV)."
    (tmp_path / "bad.csv").write_text("case\na\n", encoding="utf-8")
    p.manifest = str(tmp_path / "bad.csv")
    assert not button.enabled
    assert "unknown column 'case'" in says()
    p.manifest = str(manifest)
    assert not button.enabled  # the sample's encoders are chosen
    assert says() == "Choose a folder for the results."
    p.encoderSource = EncoderSource.RUN
    assert not button.enabled
    assert says() == "Choose the fine-tuning's folder."
    p.finetuneFolder = str(tmp_path)
    assert not button.enabled
    assert "no finished fine-tuning" in says()
    p.finetuneFolder = str(finetuning)
    assert not button.enabled
    assert says() == "Choose a folder for the results."
    p.outputFolder = str(tmp_path / "out")
    assert button.enabled
    assert says().startswith("Takes very roughly")
    p.featureSet = FeatureSet.FILE
    assert not button.enabled
    assert "parameter file" in says()
    p.featureSet, p.encoderSource = FeatureSet.LENS, EncoderSource.EACH
    assert not button.enabled
    assert says() == "Choose the encoder before fine-tuning."
    p.preEncoder = "package.module:make"
    assert says() == "Choose the encoder after fine-tuning."
    p.ftEncoder = str(tmp_path)
    assert "expected an encoder's folder" in says()
    p.ftEncoder = str(write_encoder(tmp_path / "other", kind="fingerprint"))
    assert "'fingerprint', not 'encoder'" in says()
    (tmp_path / "embeddings.csv").touch()
    p.ftEncoder = str(tmp_path / "embeddings.csv")
    assert button.enabled


def test_cases_that_lack_a_modality_are_told_before_the_run(
    widget: Any, manifest: Path, finetuning: Path, tmp_path: Path
) -> None:
    from RadiomicLensLib.choices import Missing

    text = manifest.read_text(encoding="utf-8").replace("b_adc.nrrd", "")
    manifest.write_text(text, encoding="utf-8")
    p = ready(widget, manifest, finetuning, tmp_path / "out")
    assert "Without a modality or the region: 1 (b)" in widget.ui.cohortLabel.text
    assert not widget.ui.applyButton.enabled
    assert "Case b lacks" in widget.ui.estimateLabel.text
    p.modalities = ["t2"]
    assert widget.ui.applyButton.enabled
    p.modalities, p.missing = [], Missing.DROP
    assert widget.ui.applyButton.enabled
    manifest.write_text(re.sub("._lesion.nrrd", "", text), encoding="utf-8")
    p.manifest = ""
    p.manifest, p.roi = str(manifest), "lesion"
    assert widget.ui.estimateLabel.text == "No case has all these modalities and the region."


def test_the_estimate_grows_with_the_work(widget: Any, manifest: Path, finetuning: Path, tmp_path: Path) -> None:
    from RadiomicLensLib.choices import Preset
    from RadiomicLensLib.cohorts import Cohort
    from RadiomicLensLib.costs import seconds, text

    p = widget.parameters
    small, large = (
        Cohort(names, views={str(case): frozenset(names) for case in range(count)})
        for count, names in ((10, ("t2",)), (1000, ("t2", "adc")))
    )
    assert seconds(p, large) > 50 * seconds(p, small) / 10
    before = seconds(p, small)
    p.preset = Preset.TINY
    assert seconds(p, small) < before
    assert "30 s" in text(31)
    assert "10 min" in text(610)
    assert "2.0 h" in text(7200)
