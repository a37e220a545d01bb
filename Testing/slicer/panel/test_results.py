"""The panel, simulated: the result, its rows and maps; settings and scenes; looks. Not a test in Slicer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from Testing.slicer.fake_child import FakeStart, HandTimer
from Testing.slicer.panel.driving import (
    applied,
    cut_off,
    pictured,
    plain,
    ready,
    result_writer,
    unreadable,
    with_child,
)
from Testing.slicer.synthetic_result import make_result


def test_the_result_is_shown_with_its_warning(widget: Any, exam: Any, tmp_path: Path) -> None:
    applied(widget, exam, tmp_path)
    ui = widget.ui
    assert not ui.resultsSection.collapsed
    assert [ui.taskSelector.itemText(index) for index in range(ui.taskSelector.count)] == ["abnormality", "acl"]
    assert "<b>Acl</b>" in ui.predictionLabel.text
    assert "means nothing clinically" in ui.predictionLabel.text
    assert ui.fingerprintTable.rowCount > 10
    assert ui.fingerprintTable.columnCount == 5


def test_names_are_read_family_first_and_no_row_needs_scrolling_sideways(
    widget: Any, exam: Any, tmp_path: Path
) -> None:
    from deepradiomics.radiomics.catalogue.explain import explain

    applied(widget, exam, tmp_path)
    pictured(widget, "panel-520", tmp_path, 1400, width=520)
    table, shown = widget.parameters.resultTable, widget.ui.fingerprintTable
    for row in range(shown.rowCount):
        feature = table.GetTable().GetColumnByName("feature").GetValue(widget.results._rows[row])
        assert plain(shown.item(row, 0)) == explain(feature).label
        assert shown.item(row, 0).toolTip().startswith(f"{feature}\n")
    assert unreadable(shown, 0) == []
    assert sum(shown.columnWidth(column) for column in range(5)) <= shown.viewport().width()


def test_the_chart_is_shown_when_it_is_asked_for(
    widget: Any, exam: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from RadiomicFingerprintLib.work import CHART_ROLE

    from deepradiomics.scene.views import layouts

    assert not widget.ui.chartButton.enabled
    p, charts = applied(widget, exam, tmp_path), []
    monkeypatch.setattr(layouts, "show_chart", lambda scene, chart: charts.append(chart))
    p.task = "acl"
    widget.ui.chartButton.click()
    assert [chart.GetID() for chart in charts] == [p.resultTable.GetNodeReference(CHART_ROLE + "acl").GetID()]


def test_rows_stand_in_the_order_of_their_contribution_selected_first(widget: Any, exam: Any, tmp_path: Path) -> None:
    applied(widget, exam, tmp_path)
    from RadiomicFingerprintLib.result_rows import fingerprint_rows

    table = widget.parameters.resultTable
    rows, _, _ = fingerprint_rows(table, "acl")
    column = {name: table.GetTable().GetColumnByName(name) for name in ("task", "selected", "contribution")}
    keys = [(-column["selected"].GetValue(row), -abs(column["contribution"].GetValue(row))) for row in rows]
    assert keys == sorted(keys)
    assert {column["task"].GetValue(row) for row in rows} == {"acl"}


def test_choosing_a_row_moves_the_box_to_its_patch(widget: Any, simulated: Any, exam: Any, tmp_path: Path) -> None:
    applied(widget, exam, tmp_path)
    import numpy as np

    slices = simulated.mrmlScene.AddNewNodeByClass("vtkMRMLSliceNode", "Red")
    table, shown = widget.parameters.resultTable, widget.ui.fingerprintTable
    boxes = {}
    for row in range(12):
        shown.selectRow(row)
        roi = simulated.mrmlScene.GetFirstNodeByClass("vtkMRMLMarkupsROINode")
        centre = [0.0, 0.0, 0.0]
        roi.GetCenterWorld(centre)
        of_table = widget.results._rows[row]
        patch = table.GetTable().GetColumnByName("patch").GetValue(of_table)
        view = table.GetTable().GetColumnByName("view").GetValue(of_table)
        assert roi.GetName() == f"Patch {patch}, {view}"
        boxes[patch] = tuple(np.round(centre, 3))  # the same place in every view of these exams
        to_ras = slices.GetSliceToRAS()
        assert np.allclose([to_ras.GetElement(axis, 3) for axis in range(3)], centre, atol=1e-3)
    assert simulated.mrmlScene.GetNumberOfNodesByClass("vtkMRMLMarkupsROINode") == 1
    assert len(set(boxes.values())) == len(boxes) > 1


def test_contributions_are_bars_on_both_sides_of_the_middle(widget: Any, exam: Any, tmp_path: Path) -> None:
    from deepradiomics.scene.panel.bars import AGAINST, FOR, gradient

    p, shown = applied(widget, exam, tmp_path), widget.ui.fingerprintTable
    column = p.resultTable.GetTable().GetColumnByName("contribution")
    values = [column.GetValue(row) for row in widget.results._rows]
    reach = max(map(abs, values))
    assert min(values) < 0 < max(values)
    for row in (0, 5, len(values) - 1):
        cell = shown.cellWidget(row, 4)
        assert cell.text == f"{values[row]:+.3g}"
        assert gradient(values[row] / reach, True, FOR if values[row] >= 0 else AGAINST) in cell.styleSheet


def test_outside_the_training_cohort_no_class_is_given(widget: Any, exam: Any, tmp_path: Path) -> None:
    import json

    from deepradiomics.stats.outside import outside_fields

    def far(words: list[str]) -> None:
        result_writer(words)
        path = Path(words[words.index("-o") + 1]) / "prediction.json"
        about = json.loads(path.read_text(encoding="utf-8")) | outside_fields(0.49)
        path.write_text(json.dumps(about), encoding="utf-8")

    ready(widget, exam, tmp_path / "bundle")
    with_child(widget, FakeStart(far))
    widget.ui.applyButton.click()
    HandTimer.made[-1].wind()
    text = widget.ui.predictionLabel.text
    assert "Outside the training cohort (49 % of features beyond 3 SD)</b>: no class is given" in text
    assert ", over" not in text
    assert ", below" not in text
    assert "probability of" in text


def test_another_result_of_the_list_brings_its_own_image_map_rows_and_box(
    widget: Any, simulated: Any, exam: Any, tmp_path: Path, errors: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import qt

    from deepradiomics.scene.nodes.volumes import node_from_volume
    from deepradiomics.scene.show.fingerprint import anatomy_of

    scene = simulated.mrmlScene
    composite = scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode", "Red")
    p, ui = applied(widget, exam, tmp_path), widget.ui
    first = p.resultTable
    ui.fingerprintTable.selectRow(0)
    other = make_result(tmp_path / "other", patient=8, case_id="other knee")
    for view, volume in other.volumes.items():
        node_from_volume(volume, scene, f"other {view}")
    monkeypatch.setattr(qt.QFileDialog, "getExistingDirectory", lambda *_: str(other.folder))
    ui.openResultButton.click()
    second = p.resultTable
    assert errors == []
    assert second.GetID() != first.GetID()
    names = [ui.resultSelector.itemText(index) for index in range(ui.resultSelector.count)]
    assert names == ["case", "other knee"]
    assert ui.resultSelector.currentIndex == 1
    assert scene.GetNodeByID(composite.GetBackgroundVolumeID()).GetName() == "other sagittal"
    ui.fingerprintTable.selectRow(0)

    def boxes() -> list[int]:
        nodes = simulated.util.getNodesByClass("vtkMRMLMarkupsROINode")
        return [node.GetDisplayNode().GetVisibility() for node in nodes]

    assert boxes() == [0, 1]  # the first result's box is hidden with it
    ui.resultSelector.currentIndex = 0
    assert p.resultTable.GetID() == first.GetID()
    assert boxes() == [1, 0]
    assert composite.GetBackgroundVolumeID() == anatomy_of(first).GetID() == exam["sagittal"].GetID()
    foreground = scene.GetNodeByID(composite.GetForegroundVolumeID())
    assert foreground.GetAttribute("DeepRadiomics.result") == first.GetAttribute("DeepRadiomics.result")


def test_a_folder_of_another_module_is_refused_with_a_sentence(
    widget: Any, simulated: Any, tmp_path: Path, errors: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import qt

    (tmp_path / "lens.json").write_text("{}", encoding="utf-8")
    monkeypatch.setattr(qt.QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    widget.ui.openResultButton.click()
    assert len(errors) == 1
    assert "open it with the module that made it" in errors[0]


def test_the_longest_bar_ends_as_sharply_as_the_others(widget: Any) -> None:
    import re

    from deepradiomics.scene.panel.bars import gradient

    for share, signed in ((1.0, True), (1.0, False), (0.4, False), (-1.0, True)):
        stops = re.findall(r"stop:([0-9.]+) (transparent|rgba)", gradient(share, signed, (1, 2, 3)))
        filled = [float(at) for at, what in stops if what == "rgba"]
        after = [float(at) for at, what in stops if what == "transparent" and float(at) > filled[-1]]
        assert min(after) - filled[-1] <= 2e-4, (share, signed, stops)  # no fading to the edge of the cell


def test_another_task_shows_its_own_map_and_rows(widget: Any, simulated: Any, exam: Any, tmp_path: Path) -> None:
    from RadiomicFingerprintLib.choices import HeatMap

    composite = simulated.mrmlScene.AddNewNodeByClass("vtkMRMLSliceCompositeNode", "Red")
    p = applied(widget, exam, tmp_path)

    def foreground() -> str:
        return simulated.mrmlScene.GetNodeByID(composite.GetForegroundVolumeID()).GetName()

    assert p.task == "abnormality"
    assert foreground() == "abnormality relevance"
    before = widget.ui.fingerprintTable.cellWidget(0, 4).text
    widget.ui.taskSelector.currentText = "acl"
    assert p.task == "acl"
    assert foreground() == "acl relevance"
    assert widget.ui.fingerprintTable.cellWidget(0, 4).text != before
    p.heatMap = HeatMap.GRADCAM
    assert foreground() == "acl Grad-CAM"


def test_opacity_and_threshold_reach_the_overlay(widget: Any, simulated: Any, exam: Any, tmp_path: Path) -> None:
    from RadiomicFingerprintLib.work import RELEVANCE_ROLE

    composite = simulated.mrmlScene.AddNewNodeByClass("vtkMRMLSliceCompositeNode", "Red")
    p = applied(widget, exam, tmp_path)
    p.overlayOpacity, p.overlayThreshold = 0.8, 0.3
    display = p.resultTable.GetNodeReference(RELEVANCE_ROLE + "abnormality").GetDisplayNode()
    assert composite.GetForegroundOpacity() == 0.8
    assert display.GetApplyThreshold()
    assert display.GetLowerThreshold() == 0.3


def test_the_methods_text_is_copied(widget: Any, simulated: Any, exam: Any, tmp_path: Path) -> None:
    applied(widget, exam, tmp_path)
    assert widget.ui.copyMethodsButton.enabled
    widget.ui.copyMethodsButton.click()
    assert simulated.app.clipboard_texts == [widget.parameters.resultTable.GetAttribute("DeepRadiomics.methods_text")]


def test_the_report_can_be_opened_while_it_exists(widget: Any, exam: Any, tmp_path: Path) -> None:
    p = applied(widget, exam, tmp_path)
    assert not widget.ui.openReportButton.enabled  # this run wrote none
    folder = Path(p.resultTable.GetAttribute("DeepRadiomics.result_folder"))
    (folder / "report.html").write_text("<html></html>", encoding="utf-8")
    widget.refresh()
    assert widget.ui.openReportButton.enabled


def test_settings_come_back_from_their_file(widget: Any, tmp_path: Path) -> None:
    from RadiomicFingerprintLib.choices import Device, PatchGrid, RoiSource
    from RadiomicFingerprintLib.settings import SETTINGS, load_settings, save_settings

    p = widget.parameters
    p.device, p.patchGrid, p.roiSource = Device.CPU, PatchGrid.THREE, RoiSource.BOX
    p.overlayOpacity, p.trainTasks, p.bundleFolder = 0.35, "acl", str(tmp_path / "modèle")
    wanted = {name: getattr(p, name) for name in SETTINGS}
    save_settings(p, tmp_path / "settings.json")
    for name in SETTINGS:
        setattr(p, name, p.default(name).value)
    assert p.device is Device.AUTO
    assert p.trainTasks == ""
    load_settings(p, tmp_path / "settings.json")
    assert {name: getattr(p, name) for name in SETTINGS} == wanted
    assert widget.ui.deviceSelector.currentText == "CPU"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"format": "other"}', "expected settings of this module"),
        ('{"format": "deepradiomics-fingerprint-settings", "format_version": 1, "settings": {"colour": 1}}', "colour"),
        ('{"format": "deepradiomics-fingerprint-settings", "format_version": 1, "settings": {"device": "X"}}', "AUTO"),
        (
            '{"format": "deepradiomics-fingerprint-settings", "format_version": 1,'
            ' "settings": {"trainTasks": "acl", "overlayOpacity": 7}}',
            "a number from 0 to 1",
        ),
    ],
)
def test_a_wrong_settings_file_changes_nothing(widget: Any, tmp_path: Path, content: str, said: str) -> None:
    from RadiomicFingerprintLib.settings import load_settings

    from deepradiomics.errors import InputError

    (tmp_path / "s.json").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        load_settings(widget.parameters, tmp_path / "s.json")
    assert widget.parameters.trainTasks == ""


def test_a_saved_scene_restores_the_panel(
    widget: Any, simulated: Any, headless: Any, exam: Any, tmp_path: Path
) -> None:
    from RadiomicFingerprintLib.choices import Device, HeatMap, Registration

    p = applied(widget, exam, tmp_path)
    p.device, p.registration, p.overlayOpacity, p.heatMap = Device.CPU, Registration.OFF, 0.7, HeatMap.GRADCAM
    p.task, rows = "acl", widget.ui.fingerprintTable.rowCount
    headless.save_mrb(tmp_path / "panel.mrb")
    simulated.mrmlScene.Clear(False)
    assert widget.parameters.device is Device.AUTO
    assert widget.ui.fingerprintTable.rowCount == 0
    assert widget.ui.sagittalSelector.currentNode() is None
    assert widget.ui.resultsSection.collapsed
    headless.load_mrb(tmp_path / "panel.mrb")
    p, ui = widget.parameters, widget.ui
    assert (p.device, p.registration, p.overlayOpacity) == (Device.CPU, Registration.OFF, 0.7)
    assert ui.deviceSelector.currentText == "CPU"
    assert ui.opacitySlider.value == 0.7
    assert ui.sagittalSelector.currentNode().GetName() == "sagittal knee"
    assert p.task == "acl"
    assert ui.taskSelector.currentText == "acl"
    assert ui.heatMapSelector.currentText.startswith("Grad")
    assert ui.fingerprintTable.rowCount == rows
    assert not ui.resultsSection.collapsed
    ui.fingerprintTable.selectRow(3)
    assert simulated.mrmlScene.GetFirstNodeByClass("vtkMRMLMarkupsROINode") is not None


def test_closing_the_scene_ends_the_run(widget: Any, simulated: Any, exam: Any, tmp_path: Path) -> None:
    ready(widget, exam, tmp_path / "bundle")
    start = with_child(widget, FakeStart(exit_code=None))
    widget.ui.applyButton.click()
    simulated.mrmlScene.Clear(False)
    assert start.child is not None
    assert start.child.killed
    assert widget.ui.applyButton.text == "Apply"
    assert not widget.ui.applyButton.enabled


def test_leaving_and_entering_keeps_the_panel_bound(widget: Any) -> None:
    from RadiomicFingerprintLib.choices import Device

    widget.exit()
    widget.parameters.device = Device.CPU
    widget.enter()
    assert widget.ui.deviceSelector.currentText == "CPU"
    widget.ui.deviceSelector.currentIndex = 0
    assert widget.parameters.device is Device.AUTO


def test_no_label_is_cut_off_in_a_narrow_panel(widget: Any, exam: Any, tmp_path: Path) -> None:
    from RadiomicFingerprintLib.choices import BatchSource

    pictured(widget, "panel-empty", tmp_path, 700)
    assert cut_off(widget) == []
    p = applied(widget, exam, tmp_path)
    pictured(widget, "panel-result", tmp_path, 1100)
    assert cut_off(widget) == []
    for section in ("advancedSection", "batchSection", "trainSection"):
        getattr(widget.ui, section).collapsed = False
    p.batchSource = BatchSource.SCENE
    pictured(widget, "panel-all", tmp_path, 1750)
    assert cut_off(widget) == []
