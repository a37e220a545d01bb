"""The lens's panel, simulated: tables, charts, texts; scenes; looks. Not a test in Slicer."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from deepradiomics.radiomics.catalogue.explain import explain
from Testing.slicer.fake_child import FakeStart, HandTimer
from Testing.slicer.panel.driving import cut_off, pictured, unreadable
from Testing.slicer.panel_lens.driving import (
    case_writer,
    opened,
    ready,
    shown_column,
    shown_features,
    with_child,
)
from Testing.unit.reports.fake_lens import CASE_FEATURE, CASE_ID, write_fake_lens

MODALITY, EXPLAINED, Q, R2_FT, SHIFT, RANK = 1, 2, 3, 5, 6, 12  # columns of the list


def rows_of(folder: Path) -> list[dict[str, str]]:
    with open(folder / "shift.csv", encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def click_header(widget: Any, column: int) -> None:
    widget.ui.shiftTable.horizontalHeader().sectionClicked.emit(column)


def test_the_lens_is_told_in_words_with_its_warnings(widget: Any, lens_folder: Path) -> None:
    opened(widget, lens_folder)
    text = widget.ui.summaryLabel.text
    assert "PIRADS CLS" in text
    assert "ROI gland" in text
    assert "84 training, 12 validation, 24 test" in text
    assert "SYNTHETIC data: means nothing clinically." in text
    assert "part of the pre-training cohort" in text
    importance, explained = (
        sum(float(row[name]) < 0.05 for row in rows_of(lens_folder)) for name in ("q_null", "q_explained")
    )
    assert f"{explained} ΔE and {importance} ΔI of 837 differ between the two encoders" in text


def test_a_doubt_about_the_shift_of_importance_is_told_in_red(widget: Any, tmp_path: Path) -> None:
    folder = write_fake_lens(tmp_path / "lens", case=False, synthetic=False)
    about = json.loads((folder / "lens.json").read_text(encoding="utf-8"))
    opened(widget, folder)
    assert "color" not in widget.ui.summaryLabel.text
    about["summary"]["doubt"] = "Read the explained spread, ΔE, instead."
    (folder / "lens.json").write_text(json.dumps(about), encoding="utf-8")
    opened(widget, folder)
    assert "Read the explained spread" in widget.ui.summaryLabel.text
    assert "color" in widget.ui.summaryLabel.text


def test_test_cases_that_the_encoder_has_seen_are_told_in_red(widget: Any, tmp_path: Path) -> None:
    folder = write_fake_lens(tmp_path / "lens", case=False)
    about = json.loads((folder / "lens.json").read_text(encoding="utf-8"))
    for text, red in (("Pre-training: unknown whether", False), ("LEAKAGE: the encoder has seen", True)):
        (folder / "lens.json").write_text(json.dumps(about | {"leakage": text, "synthetic": False}), encoding="utf-8")
        opened(widget, folder)
        assert text in widget.ui.summaryLabel.text
        assert ("color" in widget.ui.summaryLabel.text) is red


def test_without_permutations_that_is_said(widget: Any, tmp_path: Path) -> None:
    opened(widget, write_fake_lens(tmp_path / "lens", permutations=0, case=False))
    assert "differ between the encoders is not known" in widget.ui.summaryLabel.text
    assert set(shown_column(widget, Q)) == {"–"}


def test_the_largest_shift_comes_first(widget: Any, lens_folder: Path) -> None:
    opened(widget, lens_folder)
    first = min(rows_of(lens_folder), key=lambda row: int(row["rank_explained"]))
    assert shown_features(widget)[0] == explain(first["feature"]).label
    assert shown_column(widget, EXPLAINED)[0] == f"{float(first['delta_explained']):+.3f}"
    assert shown_column(widget, RANK)[:3] == ["1", "2", "3"]
    assert widget.ui.shiftCountLabel.text == "500 of 837 rows; sort or search to see others"


def test_a_header_sorts_and_sorts_the_other_way_and_the_table_node_follows(widget: Any, lens_folder: Path) -> None:
    import qt

    p, header = opened(widget, lens_folder), widget.ui.shiftTable.horizontalHeader()
    assert header.sortIndicatorSection() == EXPLAINED
    assert header.sortIndicatorOrder() == qt.Qt.DescendingOrder
    click_header(widget, EXPLAINED)
    numbers = [float(text) for text in shown_column(widget, EXPLAINED)]
    assert numbers == sorted(numbers)
    assert shown_column(widget, RANK)[0] == "837"
    click_header(widget, R2_FT)
    numbers = [float(text) for text in shown_column(widget, R2_FT)]
    assert numbers == sorted(numbers, reverse=True)
    click_header(widget, SHIFT)
    numbers = [float(text) for text in shown_column(widget, SHIFT)]
    assert numbers == sorted(numbers, reverse=True)
    assert p.sortColumn == "delta_i"
    assert numbers[0] == pytest.approx(max(float(row["delta_i"]) for row in rows_of(lens_folder)), abs=6e-4)
    click_header(widget, R2_FT)
    column = p.resultTable.GetTable().GetColumnByName("r2_ft")
    assert column.GetValue(0) == max(float(row["r2_ft"]) for row in rows_of(lens_folder))
    click_header(widget, MODALITY)
    assert shown_column(widget, MODALITY)[0] == "adc"
    assert p.sortColumn == "modality"
    assert not p.sortDescending
    assert header.sortIndicatorSection() == MODALITY
    assert header.sortIndicatorOrder() == qt.Qt.AscendingOrder


def test_a_search_finds_name_family_image_type_and_modality(widget: Any, lens_folder: Path) -> None:
    p, ui = opened(widget, lens_folder), widget.ui
    everything = rows_of(lens_folder)
    ui.shiftFilterEdit.text = "GLRLM adc"
    wanted = sum(row["family"] == "glrlm" and row["modality"] == "adc" for row in everything)
    assert ui.shiftTable.rowCount == wanted
    assert ui.shiftCountLabel.text == f"{wanted} of 837 rows"
    assert set(shown_column(widget, MODALITY)) == {"adc"}
    assert all(name.startswith("GLRLM") for name in shown_features(widget))
    ui.shiftFilterEdit.text = "original contrast t2"
    assert set(shown_features(widget)) == {"GLCM Contrast", "NGTDM Contrast"}
    ui.shiftFilterEdit.text = "nothing of the kind"
    assert ui.shiftTable.rowCount == 0
    p.shiftFilter = ""
    assert ui.shiftFilterEdit.text == ""
    assert ui.shiftTable.rowCount == 500


def test_the_chosen_row_stays_chosen_when_the_table_is_sorted(widget: Any, lens_folder: Path) -> None:
    p, ui = opened(widget, lens_folder), widget.ui
    ui.shiftTable.selectRow(4)
    key = (p.chosenModality, p.chosenFeature)
    click_header(widget, R2_FT)
    ui.shiftFilterEdit.text = f"{key[1]} {key[0]}"
    row = ui.shiftTable.currentRow()
    assert (p.chosenModality, p.chosenFeature) == key
    assert (shown_column(widget, MODALITY)[row], shown_features(widget)[row]) == (
        key[0], explain(key[1]).label,
    )  # fmt: skip


def test_a_tooltip_explains_a_feature_and_its_interval(widget: Any, lens_folder: Path) -> None:
    opened(widget, lens_folder)
    tip = widget.ui.shiftTable.item(0, 0).toolTip()
    first = min(rows_of(lens_folder), key=lambda row: int(row["rank_explained"]))
    assert first["feature"] in tip
    assert f"95 % interval {float(first['delta_i_low']):.3f} to" in tip
    assert "Shift: importance after minus before" in widget.ui.shiftTable.horizontalHeaderItem(SHIFT).toolTip()


def test_families_are_listed_with_their_p(widget: Any, lens_folder: Path) -> None:
    opened(widget, lens_folder)
    table = widget.ui.familyTable
    groups = [table.item(row, 0).text() for row in range(table.rowCount)]
    assert groups[:2] == ["First order", "GLCM"]
    assert groups[-1] == "All"
    assert table.item(0, 4).text().endswith("***")
    bars = [[table.cellWidget(row, column).styleSheet for row in range(table.rowCount)] for column in (2, 3)]
    with open(lens_folder / "table1.csv", encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    greatest = max(float(row[name]) for row in rows for name in ("r2_pre", "r2_ft"))
    for column, name in enumerate(("r2_pre", "r2_ft")):  # one scale for both, so that they can be compared
        assert shown_column(widget, 2 + column, "familyTable") == [f"{float(row[name]):.3f}" for row in rows]
        for sheet, row in zip(bars[column], rows, strict=True):
            assert f"stop:{min(float(row[name]) / greatest, 0.9998):.4f} rgba" in sheet


def test_a_shift_is_a_bar_to_the_right_or_to_the_left(widget: Any, lens_folder: Path) -> None:
    opened(widget, lens_folder)
    table = widget.ui.shiftTable
    shifts = [float(text) for text in shown_column(widget, EXPLAINED)]
    assert shifts[0] > 0
    assert min(shifts) < 0
    sheet = table.cellWidget(0, EXPLAINED).styleSheet
    assert "stop:0.5000 transparent" in sheet  # the greatest: to the end
    assert "stop:0.9998 rgba(213, 94, 0" in sheet
    lowest = shifts.index(min(shifts))
    assert "stop:0.5000 rgba(0, 114, 178" in table.cellWidget(lowest, EXPLAINED).styleSheet


def test_the_main_columns_are_seen_without_scrolling_and_every_name_can_be_read(
    widget: Any, lens_folder: Path, tmp_path: Path
) -> None:
    opened(widget, lens_folder)
    pictured(widget, "lens-list", tmp_path, 1450, 520)
    table = widget.ui.shiftTable
    header = table.horizontalHeader()
    heads = [table.horizontalHeaderItem(column).text().replace("\n", " ") for column in range(table.columnCount)]
    assert heads[:6] == ["Feature", "Mod.", "ΔE", "q ΔE", "R² before", "R² after"]
    assert header.sectionViewportPosition(5) + header.sectionSize(5) <= table.viewport().width()
    assert unreadable(table, 0) == []
    widget.ui.resultTabs.currentIndex = 1
    pictured(widget, "lens-families", tmp_path, 1450, 440)
    families = widget.ui.familyTable
    assert families.horizontalHeader().length() <= families.viewport().width()
    assert unreadable(families, 0) == []


def test_charts_come_into_the_plot_view(widget: Any, simulated: Any, lens_folder: Path, errors: list[str]) -> None:
    from deepradiomics.scene.show.lens.result import nodes_of

    p = opened(widget, lens_folder)
    selection = simulated.app.applicationLogic().GetSelectionNode()
    for button, name in (("r2Chart", "r2"), ("shiftChart", "shift"), ("explainedChart", "explained")):
        getattr(widget.ui, f"{button}Button").click()
        assert selection.GetActivePlotChartID() == nodes_of(p.resultTable).charts[name].GetID()
    assert errors == []


def test_the_methods_text_is_copied_and_the_report_opens_where_there_is_one(
    widget: Any, simulated: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import qt

    p = opened(widget, write_fake_lens(tmp_path / "lens", case=False))
    widget.ui.copyMethodsButton.click()
    assert simulated.app.clipboard_texts == [p.resultTable.GetAttribute("DeepRadiomics.methods_text")]
    assert not widget.ui.openReportButton.enabled
    (tmp_path / "lens" / "report.html").write_text("<html></html>", encoding="utf-8")
    widget.refresh()
    opened_urls: list[Any] = []
    monkeypatch.setattr(qt.QDesktopServices, "openUrl", lambda url: opened_urls.append(url))
    widget.ui.openReportButton.click()
    assert opened_urls[0].toLocalFile() == str(tmp_path / "lens" / "report.html")


@pytest.mark.parametrize(("tab", "rows", "column"), [(0, 837, "delta_i"), (1, 12, "p_holm")])
def test_the_table_on_show_is_exported(
    widget: Any, lens_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tab: int, rows: int, column: str
) -> None:
    import qt

    opened(widget, lens_folder)
    widget.ui.shiftFilterEdit.text = "glcm"  # a search does not shorten what is exported
    widget.ui.resultTabs.currentIndex = tab
    monkeypatch.setattr(qt.QFileDialog, "getSaveFileName", lambda *_: str(tmp_path / "t.csv"))
    widget.ui.exportButton.click()
    with open(tmp_path / "t.csv", encoding="utf-8", newline="") as stream:
        written = list(csv.DictReader(stream))
    assert len(written) == rows
    assert column in written[0]


def test_a_result_folder_is_opened_and_a_wrong_one_is_told(
    widget: Any, simulated: Any, lens_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, errors: list[str]
) -> None:
    import qt

    folders = [str(tmp_path), "", str(lens_folder)]
    monkeypatch.setattr(qt.QFileDialog, "getExistingDirectory", lambda *_: folders.pop(0))
    widget.ui.openResultButton.click()
    assert len(errors) == 1
    assert "lens.json" in errors[0]
    widget.ui.openResultButton.click()  # the user thought better of it
    assert widget.parameters.resultTable is None
    assert widget.ui.resultsSection.collapsed
    start = with_child(widget, FakeStart())
    widget.ui.openResultButton.click()
    assert widget.ui.shiftTable.rowCount == 500
    assert start.child is None
    assert len(errors) == 1


def test_one_of_several_lenses_is_chosen(widget: Any, simulated: Any, lens_folder: Path, tmp_path: Path) -> None:
    opened(widget, lens_folder)
    p = opened(widget, write_fake_lens(tmp_path / "volume", task="Volume REG", modalities=("t2",), case=False))
    selector = widget.ui.resultSelector
    assert [selector.itemText(index) for index in range(selector.count)] == ["PIRADS CLS", "Volume REG"]
    assert selector.currentText == "Volume REG"
    assert "Volume REG" in widget.ui.summaryLabel.text
    selector.currentIndex = 0
    assert "PIRADS CLS" in widget.ui.summaryLabel.text
    assert list(widget.caseView.selectors) == ["t2", "highb", "adc"]
    p.chosenModality, p.chosenFeature, p.caseId = "adc", CASE_FEATURE[1], CASE_ID
    assert widget.ui.showCaseButton.enabled
    selector.currentIndex = 1  # that lens has T2 alone
    assert not widget.ui.showCaseButton.enabled
    assert "Choose a row" in widget.ui.caseStatusLabel.text


def test_nodes_of_a_lens_that_the_user_removes_are_not_missed(
    widget: Any, simulated: Any, lens_folder: Path, errors: list[str]
) -> None:
    from deepradiomics.scene.show.lens.result import nodes_of

    p = opened(widget, lens_folder)
    nodes = nodes_of(p.resultTable)
    simulated.mrmlScene.RemoveNode(nodes.family)
    widget.refresh()
    assert widget.ui.shiftTable.rowCount == 500
    widget.ui.r2ChartButton.click()
    assert len(errors) == 1
    assert "family not in the scene" in errors[0]
    simulated.mrmlScene.RemoveNode(nodes.shift)
    widget.refresh()
    assert p.resultTable is None
    assert widget.ui.shiftTable.rowCount == 0
    assert not widget.ui.r2ChartButton.enabled


# --- scenes ---------------------------------------------------------------------------------------------------------


def test_a_saved_scene_restores_the_panel(
    widget: Any, simulated: Any, headless: Any, lens_folder: Path, manifest: Path, finetuning: Path, tmp_path: Path,
    errors: list[str],
) -> None:  # fmt: skip
    from RadiomicLensLib.choices import CaseSource, CasesSource, Device, FitOn
    from RadiomicLensLib.samples import load_synthetic_prostate

    from deepradiomics.scene.show.lens.case import case_shown

    prostate = load_synthetic_prostate()
    p = ready(widget, manifest, finetuning, tmp_path / "out")
    p = opened(widget, lens_folder)
    p.device, p.fitOn, p.permutations, p.sweep, p.modalities, p.roi = (
        Device.CPU,
        FitOn.BOTH,
        100,
        True,
        ["adc"],
        "lesion",
    )
    click_header(widget, R2_FT)
    p.shiftFilter = "glcm"
    p.chosenModality, p.chosenFeature, p.caseId = *CASE_FEATURE, CASE_ID
    features = shown_features(widget)
    with_child(widget, case_writer)
    widget.ui.showCaseButton.click()
    HandTimer.made[-1].wind()
    p.caseSource = CaseSource.SCENE
    headless.save_mrb(tmp_path / "panel.mrb")
    simulated.mrmlScene.Clear(False)
    assert widget.parameters.device is Device.AUTO
    assert widget.ui.shiftTable.rowCount == 0
    assert widget.ui.resultsSection.collapsed
    assert widget.caseView.selectors == {}
    headless.load_mrb(tmp_path / "panel.mrb")
    p, ui = widget.parameters, widget.ui
    assert (p.device, p.fitOn, p.permutations, p.sweep) == (Device.CPU, FitOn.BOTH, 100, True)
    assert (p.casesSource, p.modalities, p.roi) == (CasesSource.MANIFEST, ["adc"], "lesion")
    assert ui.deviceSelector.currentText == "CPU"
    assert ui.manifestEdit.currentPath == str(manifest)
    assert ui.roiSelector.currentText == "lesion"
    assert ui.sweepCheck.checked
    assert not ui.resultsSection.collapsed
    assert shown_features(widget) == features
    assert ui.shiftTable.horizontalHeader().sortIndicatorSection() == R2_FT
    assert (p.chosenModality, p.chosenFeature, p.caseId) == (*CASE_FEATURE, CASE_ID)
    assert {each: node.GetName() for each, node in p.caseVolumes.items()} == {
        each: node.GetName() for each, node in prostate.volumes.items()
    }
    assert p.caseSegmentId
    assert ui.showCaseButton.enabled
    shown = case_shown(simulated.mrmlScene)
    assert shown is not None
    assert (shown.modality, shown.feature) == CASE_FEATURE
    p.caseSource = CaseSource.RESULT
    ui.showCaseButton.click()
    HandTimer.made[-1].wind()
    assert errors == []
    assert case_shown(simulated.mrmlScene) is not None


def test_closing_the_scene_ends_the_run(
    widget: Any, simulated: Any, manifest: Path, finetuning: Path, tmp_path: Path
) -> None:
    ready(widget, manifest, finetuning, tmp_path / "out")
    start = with_child(widget, FakeStart(exit_code=None))
    widget.ui.applyButton.click()
    simulated.mrmlScene.Clear(False)
    assert start.child is not None
    assert start.child.killed
    assert widget.ui.applyButton.text == "Apply"
    assert not widget.ui.applyButton.enabled


def test_leaving_and_entering_keeps_the_panel_bound_and_closing_it_ends_the_run(
    widget: Any, manifest: Path, finetuning: Path, tmp_path: Path
) -> None:
    from RadiomicLensLib.choices import Device

    ready(widget, manifest, finetuning, tmp_path / "out")
    start = with_child(widget, FakeStart(exit_code=None))
    widget.ui.applyButton.click()
    widget.exit()
    assert start.child is not None  # it goes on in the background
    assert not start.child.killed
    widget.parameters.device = Device.CPU
    widget.enter()
    assert widget.ui.deviceSelector.currentText == "CPU"
    widget.ui.deviceSelector.currentIndex = 0
    assert widget.parameters.device is Device.AUTO
    widget.cleanup()
    assert start.child.killed


# --- looks ------------------------------------------------------------------------------------------------------------


def test_no_label_is_cut_off_in_a_narrow_panel(
    widget: Any, simulated: Any, lens_folder: Path, manifest: Path, finetuning: Path, tmp_path: Path
) -> None:
    from RadiomicLensLib.choices import CaseSource, CasesSource, EncoderSource, FeatureSet
    from RadiomicLensLib.samples import load_synthetic_prostate

    pictured(widget, "lens-empty", tmp_path, 700)
    assert cut_off(widget) == []
    p = ready(widget, manifest, finetuning, tmp_path / "out")
    opened(widget, lens_folder)
    p.chosenModality, p.chosenFeature = CASE_FEATURE
    p.caseId = CASE_ID
    widget.ui.caseSection.collapsed = False
    pictured(widget, "lens-result", tmp_path, 1450)
    assert cut_off(widget) == []
    load_synthetic_prostate()
    p.casesSource, p.encoderSource, p.featureSet = CasesSource.SCENE, EncoderSource.EACH, FeatureSet.FILE
    p.caseSource = CaseSource.SCENE
    widget.ui.resultTabs.currentIndex = 1
    for section in ("optionsSection", "logSection"):
        getattr(widget.ui, section).collapsed = False
    pictured(widget, "lens-all", tmp_path, 1950)
    assert cut_off(widget) == []
