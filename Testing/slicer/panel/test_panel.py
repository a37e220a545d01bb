"""The RadiomicFingerprint panel, simulated: its controls, its buttons, its results. Not a test in Slicer."""

from __future__ import annotations

import enum
import os
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from Testing.slicer.fake_child import FakeStart, HandTimer, write_bundle, write_features
from Testing.slicer.panel.conftest import MODULE
from Testing.slicer.synthetic_result import make_result

UI = MODULE / "Resources" / "UI" / "RadiomicFingerprint.ui"


def bound_parameters() -> dict[str, str]:
    """Control → parameter, as the .ui file says."""
    found = {}
    for widget in ElementTree.parse(UI).iter("widget"):
        for each in widget.findall("property"):
            if each.get("name") == "SlicerParameterName":
                found[widget.get("name", "")] = each.findtext("string", "")
    return found


def result_writer(words: list[str]) -> None:
    make_result(Path(words[words.index("-o") + 1]))


def with_child(widget: Any, start: FakeStart) -> FakeStart:
    """Let the panel start this child."""
    from RadiomicFingerprintLib.logic import RadiomicFingerprintLogic

    HandTimer.made.clear()
    widget.logic = RadiomicFingerprintLogic(start, HandTimer)
    return start


def ready(widget: Any, exam: Any, bundle: Path) -> Any:
    """Set the panel up for a fingerprint that can run."""
    from RadiomicFingerprintLib.choices import BundleSource

    p = widget.parameters
    p.sagittal, p.coronal, p.axial = exam["sagittal"], exam["coronal"], exam["axial"]
    p.bundleFolder, p.bundleSource = str(write_bundle(bundle)), BundleSource.FOLDER
    return p


def applied(widget: Any, exam: Any, folder: Path) -> Any:
    """Run a fingerprint to its end."""
    p = ready(widget, exam, folder / "bundle")
    with_child(widget, FakeStart(result_writer))
    widget.ui.applyButton.click()
    HandTimer.made[-1].wind()
    return p


# --- controls and parameters -----------------------------------------------------------------------------------------


def test_every_parameter_has_a_control_or_is_kept_by_the_panel_itself(widget: Any) -> None:
    by_the_panel = {"segmentId", "resultTable", "task", "batchVolumes"}
    assert set(bound_parameters().values()) | by_the_panel == set(widget.parameters.allParameters)


@pytest.mark.parametrize("control", bound_parameters())
def test_a_control_reaches_the_parameter_node_and_back(
    widget: Any, simulated: Any, exam: Any, tmp_path: Path, control: str
) -> None:
    name = bound_parameters()[control]
    field, p = getattr(widget.ui, control), widget.parameters
    default = getattr(p, name)
    if isinstance(default, enum.Enum):
        other = list(type(default))[-1] if list(type(default))[-1] is not default else next(iter(type(default)))
        field.currentIndex = list(type(default)).index(other)
        assert getattr(p, name) is other
        setattr(p, name, default)
        assert field.currentText == default.label()
    elif isinstance(default, float):
        field.value = 0.25
        assert getattr(p, name) == 0.25
        setattr(p, name, 0.75)
        assert field.value == 0.75
    elif isinstance(default, str):
        attribute = "currentPath" if hasattr(type(field), "currentPath") else "text"
        setattr(field, attribute, str(tmp_path))
        assert getattr(p, name) == str(tmp_path)
        setattr(p, name, "")
        assert getattr(field, attribute) == ""
    else:
        scene = simulated.mrmlScene
        first, second = (scene.AddNewNodeByClass(field.nodeTypes[0], text) for text in ("first", "second"))
        field.setCurrentNode(first)
        assert getattr(p, name).GetID() == first.GetID()
        setattr(p, name, second)
        assert field.currentNode().GetID() == second.GetID()


def test_the_segment_reaches_the_parameter_node_and_back(widget: Any, simulated: Any) -> None:
    from RadiomicFingerprintLib.choices import Mode, RoiSource

    p, combo = widget.parameters, widget.ui.segmentSelector
    node = simulated.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "segments")
    node.GetSegmentation().AddEmptySegment("femur", "Femur")
    p.mode, p.roiSource, p.segmentation = Mode.FEATURES, RoiSource.SEGMENT, node
    assert [combo.itemText(index) for index in range(combo.count)] == ["All segments", "Femur"]
    node.GetSegmentation().AddEmptySegment("tibia", "Tibia")  # drawn while the panel is open
    combo.currentIndex = 2
    assert p.segmentId == "tibia"
    p.segmentId = "femur"
    assert combo.currentText == "Femur"
    p.mode = Mode.FINGERPRINT  # a model takes one segment
    assert [combo.itemText(index) for index in range(combo.count)] == ["Femur", "Tibia"]


def test_the_volumes_of_a_batch_reach_the_parameter_node_and_back(widget: Any, exam: Any) -> None:
    import qt
    from RadiomicFingerprintLib.choices import BatchSource

    p, shown = widget.parameters, widget.ui.batchVolumesList
    p.batchSource = BatchSource.SCENE
    assert shown.count == 3
    shown.item(1).setCheckState(qt.Qt.Checked)
    assert [node.GetName() for node in p.batchVolumes] == ["coronal knee"]
    p.batchVolumes = [exam["axial"]]
    assert [shown.item(row).checkState() == qt.Qt.Checked for row in range(3)] == [True, False, False]


def test_only_the_rows_that_matter_are_shown(widget: Any) -> None:
    from RadiomicFingerprintLib.choices import BundleSource, FeatureSet, Mode, RoiSource

    def shown(name: str) -> bool:
        return not getattr(widget.ui, name).isHidden()

    p = widget.parameters
    assert shown("sagittalSelector") and not shown("featureVolumeSelector") and not shown("bundleFolderEdit")
    p.bundleSource = BundleSource.FOLDER
    assert shown("bundleFolderEdit") and shown("bundleFolderLabel")
    p.mode, p.featureSet = Mode.FEATURES, FeatureSet.FILE
    assert shown("featureVolumeSelector") and shown("parameterFileEdit") and not shown("sagittalLabel")
    assert not shown("roiNodeSelector")
    p.roiSource = RoiSource.BOX
    assert shown("roiNodeSelector") and not shown("segmentSelector")


def test_volumes_are_chosen_by_their_names(widget: Any, exam: Any) -> None:
    widget.initializeParameterNode()
    p = widget.parameters
    assert {view: getattr(p, view).GetName() for view in exam} == {view: f"{view} knee" for view in exam}


# --- when Apply can run ----------------------------------------------------------------------------------------------


def test_apply_enables_only_when_it_can_run_and_says_why_not(widget: Any, exam: Any, tmp_path: Path) -> None:
    from RadiomicFingerprintLib.choices import BundleSource, PatchGrid, RoiSource

    p, button = widget.parameters, widget.ui.applyButton
    says: Callable[[], str] = lambda: widget.ui.estimateLabel.text  # noqa: E731
    assert not button.enabled and says() == "Choose a volume for at least one view."
    p.sagittal, p.bundleSource = exam["sagittal"], BundleSource.FOLDER
    assert not button.enabled and says() == "Choose the model's folder."
    p.bundleFolder = str(tmp_path)
    assert not button.enabled and "bundle.json" in says()
    p.bundleFolder = str(write_bundle(tmp_path / "bundle"))
    assert button.enabled and says().startswith("Takes about") and "memory" in says()
    p.patchGrid = PatchGrid.THREE
    assert not button.enabled and "trained with 2 × 2 × 2 patches" in says()
    p.patchGrid, p.roiSource = PatchGrid.AS_TRAINED, RoiSource.BOX
    assert not button.enabled and "ROI box" in says()
    p.roiSource = RoiSource.SEGMENT
    assert not button.enabled and says() == "Choose the segmentation."


def test_features_need_a_volume_and_no_model(widget: Any, exam: Any) -> None:
    from RadiomicFingerprintLib.choices import FeatureSet, Mode

    p = widget.parameters
    p.mode = Mode.FEATURES
    assert widget.ui.estimateLabel.text == "Choose the volume."
    p.featureVolume = exam["axial"]
    assert widget.ui.applyButton.enabled
    p.featureSet = FeatureSet.FILE
    assert not widget.ui.applyButton.enabled


def test_batch_and_training_enable_when_they_can_run(widget: Any, exam: Any, tmp_path: Path) -> None:
    p = ready(widget, exam, tmp_path / "bundle")
    assert not widget.ui.batchButton.enabled and not widget.ui.trainButton.enabled
    p.batchFolder, p.batchOutput = str(tmp_path), str(tmp_path / "out")
    assert widget.ui.batchButton.enabled
    (tmp_path / "manifest.csv").write_text("id\n", encoding="utf-8")
    p.trainManifest, p.trainOutput = str(tmp_path / "manifest.csv"), str(tmp_path / "run")
    assert widget.ui.trainButton.enabled


# --- running ---------------------------------------------------------------------------------------------------------


def test_apply_becomes_cancel_and_back(widget: Any, exam: Any, tmp_path: Path, errors: list[str]) -> None:
    ready(widget, exam, tmp_path / "bundle")
    start = with_child(widget, FakeStart(exit_code=None))
    ui = widget.ui
    ui.applyButton.click()
    HandTimer.made[-1].call()
    assert ui.applyButton.text == "Cancel" and ui.applyButton.enabled
    assert ui.progressBar.value == 40 and ui.statusLabel.text == "half way" and not ui.progressBar.isHidden()
    assert not ui.inputsSection.enabled and not ui.trainButton.enabled
    ui.applyButton.click()
    assert start.child is not None and start.child.killed
    assert ui.applyButton.text == "Apply" and ui.applyButton.enabled and ui.inputsSection.enabled
    assert ui.progressBar.isHidden() and "Cancelled" in ui.logText.toPlainText() and errors == []


def test_a_failing_child_is_told_and_the_panel_is_ready_again(
    widget: Any, exam: Any, tmp_path: Path, errors: list[str]
) -> None:
    ready(widget, exam, tmp_path / "bundle")
    with_child(widget, FakeStart(exit_code=2, error="the volume holds NaN"))
    widget.ui.applyButton.click()
    HandTimer.made[-1].wind()
    assert errors == ["the volume holds NaN"]
    assert widget.ui.applyButton.text == "Apply" and widget.ui.applyButton.enabled


def test_a_missing_package_is_told_before_anything_starts(
    widget: Any, exam: Any, tmp_path: Path, errors: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from deepradiomics.errors import MissingDependencyError
    from deepradiomics.scene import dependencies

    def declined(feature: str, **_: Any) -> None:
        raise MissingDependencyError(f"{feature} needs torch; the installation was declined")

    monkeypatch.setattr(dependencies, "ensure", declined)
    ready(widget, exam, tmp_path / "bundle")
    start = with_child(widget, FakeStart(result_writer))
    widget.ui.applyButton.click()
    assert errors == ["apply needs torch; the installation was declined"] and start.child is None
    assert widget.ui.applyButton.text == "Apply"


def test_what_the_panel_is_set_to_reaches_the_command_line(widget: Any, exam: Any, tmp_path: Path) -> None:
    from RadiomicFingerprintLib.choices import Device, Inference, Registration

    p = ready(widget, exam, tmp_path / "bundle")
    p.registration, p.inference, p.device, p.caseId = Registration.CPU, Inference.SOFT, Device.CPU, "knee 7"
    start = with_child(widget, FakeStart(result_writer))
    widget.ui.applyButton.click()
    given = {option: start.given(option) for option in ("--registration", "--backend", "--inference", "--device")}
    assert given == {"--registration": "reference", "--backend": "cpu", "--inference": "soft", "--device": "cpu"}
    assert start.given("--case-id") == "knee 7" and start.given("--bundle") == str(tmp_path / "bundle")
    widget.ui.applyButton.click()


def test_training_draws_the_loss_and_chooses_the_new_model(
    widget: Any, simulated: Any, tmp_path: Path, errors: list[str]
) -> None:
    from RadiomicFingerprintLib.choices import BundleSource

    out = tmp_path / "run"

    def train(words: list[str]) -> dict[str, Any]:
        out.mkdir()
        (out / "history.csv").write_text("epoch,train_loss,val_loss\n1,0.7,0.8\n2,0.5,0.6\n", encoding="utf-8")
        return {"bundle": str(write_bundle(out / "bundle"))}

    p = widget.parameters
    (tmp_path / "m.csv").write_text("id\n", encoding="utf-8")
    p.trainManifest, p.trainOutput, p.trainTasks = str(tmp_path / "m.csv"), str(out), "acl, meniscus"
    start = with_child(widget, FakeStart(train))
    widget.ui.trainButton.click()
    HandTimer.made[-1].wind()
    assert errors == []
    assert start.given("--tasks") == "acl,meniscus"
    assert (p.bundleSource, p.bundleFolder) == (BundleSource.FOLDER, str(out / "bundle"))
    chart = simulated.mrmlScene.GetFirstNodeByClass("vtkMRMLPlotChartNode")
    assert chart.GetNumberOfPlotSeriesNodes() == 2
    assert widget.ui.trainButton.text == "Train"


# --- results ---------------------------------------------------------------------------------------------------------


def test_the_result_is_shown_with_its_warning(widget: Any, exam: Any, tmp_path: Path) -> None:
    applied(widget, exam, tmp_path)
    ui = widget.ui
    assert not ui.resultsSection.collapsed
    assert [ui.taskSelector.itemText(index) for index in range(ui.taskSelector.count)] == ["abnormality", "acl"]
    assert "acl" in ui.predictionLabel.text and "means nothing clinically" in ui.predictionLabel.text
    assert ui.fingerprintTable.rowCount > 10 and ui.fingerprintTable.columnCount == 5


def test_rows_stand_in_the_order_of_their_contribution_selected_first(widget: Any, exam: Any, tmp_path: Path) -> None:
    applied(widget, exam, tmp_path)
    from RadiomicFingerprintLib.results import fingerprint_rows

    table = widget.parameters.resultTable
    rows, _ = fingerprint_rows(table, "acl")
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


def test_another_task_shows_its_own_map_and_rows(widget: Any, simulated: Any, exam: Any, tmp_path: Path) -> None:
    from RadiomicFingerprintLib.choices import HeatMap

    composite = simulated.mrmlScene.AddNewNodeByClass("vtkMRMLSliceCompositeNode", "Red")
    p = applied(widget, exam, tmp_path)

    def foreground() -> str:
        return simulated.mrmlScene.GetNodeByID(composite.GetForegroundVolumeID()).GetName()

    assert p.task == "abnormality" and foreground() == "abnormality relevance"
    before = widget.ui.fingerprintTable.item(0, 4).text()
    widget.ui.taskSelector.currentText = "acl"
    assert p.task == "acl" and foreground() == "acl relevance"
    assert widget.ui.fingerprintTable.item(0, 4).text() != before
    p.heatMap = HeatMap.GRADCAM
    assert foreground() == "acl Grad-CAM"


def test_opacity_and_threshold_reach_the_overlay(widget: Any, simulated: Any, exam: Any, tmp_path: Path) -> None:
    from RadiomicFingerprintLib.work import RELEVANCE_ROLE

    composite = simulated.mrmlScene.AddNewNodeByClass("vtkMRMLSliceCompositeNode", "Red")
    p = applied(widget, exam, tmp_path)
    p.overlayOpacity, p.overlayThreshold = 0.8, 0.3
    display = p.resultTable.GetNodeReference(RELEVANCE_ROLE + "abnormality").GetDisplayNode()
    assert composite.GetForegroundOpacity() == 0.8
    assert display.GetApplyThreshold() and display.GetLowerThreshold() == 0.3


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


def test_features_are_listed(widget: Any, exam: Any, errors: list[str]) -> None:
    from RadiomicFingerprintLib.choices import Mode, PatchGrid

    p = widget.parameters
    p.mode, p.featureVolume, p.patchGrid = Mode.FEATURES, exam["axial"], PatchGrid.TWO
    with_child(widget, FakeStart(write_features))
    widget.ui.applyButton.click()
    HandTimer.made[-1].wind()
    assert errors == []
    assert (
        widget.ui.fingerprintTable.rowCount == 8 and widget.ui.fingerprintTable.item(0, 1).text() == "shape_VoxelVolume"
    )
    assert widget.ui.taskSelector.isHidden()


# --- settings and scenes ---------------------------------------------------------------------------------------------


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
    assert p.device is Device.AUTO and p.trainTasks == ""
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
    assert widget.parameters.device is Device.AUTO and widget.ui.fingerprintTable.rowCount == 0
    assert widget.ui.sagittalSelector.currentNode() is None and widget.ui.resultsSection.collapsed
    headless.load_mrb(tmp_path / "panel.mrb")
    p, ui = widget.parameters, widget.ui
    assert (p.device, p.registration, p.overlayOpacity) == (Device.CPU, Registration.OFF, 0.7)
    assert ui.deviceSelector.currentText == "CPU" and ui.opacitySlider.value == 0.7
    assert ui.sagittalSelector.currentNode().GetName() == "sagittal knee"
    assert (
        p.task == "acl" and ui.taskSelector.currentText == "acl" and ui.heatMapSelector.currentText.startswith("Grad")
    )
    assert ui.fingerprintTable.rowCount == rows and not ui.resultsSection.collapsed
    ui.fingerprintTable.selectRow(3)
    assert simulated.mrmlScene.GetFirstNodeByClass("vtkMRMLMarkupsROINode") is not None


def test_closing_the_scene_ends_the_run(widget: Any, simulated: Any, exam: Any, tmp_path: Path) -> None:
    ready(widget, exam, tmp_path / "bundle")
    start = with_child(widget, FakeStart(exit_code=None))
    widget.ui.applyButton.click()
    simulated.mrmlScene.Clear(False)
    assert start.child is not None and start.child.killed
    assert widget.ui.applyButton.text == "Apply" and not widget.ui.applyButton.enabled


def test_leaving_and_entering_keeps_the_panel_bound(widget: Any) -> None:
    from RadiomicFingerprintLib.choices import Device

    widget.exit()
    widget.parameters.device = Device.CPU
    widget.enter()
    assert widget.ui.deviceSelector.currentText == "CPU"
    widget.ui.deviceSelector.currentIndex = 0
    assert widget.parameters.device is Device.AUTO


# --- looks -----------------------------------------------------------------------------------------------------------


def pictured(widget: Any, name: str, tmp_path: Path, height: int) -> Any:
    """A picture of the panel; kept in the folder that DEEPRADIOMICS_PICTURES names."""
    import qt

    widget.parent.resize(440, height)
    widget.parent.show()
    for _ in range(3):  # labels that wrap settle their height
        qt.QApplication.instance().processEvents()
    picture = widget.parent.grab()
    picture.save(str(Path(os.environ.get("DEEPRADIOMICS_PICTURES") or tmp_path) / f"{name}.png"))
    return picture


def cut_off(widget: Any) -> list[str]:
    """Labels, buttons and combo boxes that are narrower than their text."""
    from PySide6 import QtWidgets

    fields = [each for each in widget.parent.findChildren(QtWidgets.QWidget) if hasattr(each, "name")]
    texts = [each for each in fields if type(each).__name__ in ("QLabel", "QPushButton", "QComboBox")]
    named = [each for each in texts if each.isVisible() and each.name and not each.property("wordWrap")]
    return [each.name for each in named if QtWidgets.QWidget.width(each) < each.minimumSizeHint().width()]


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


def test_no_label_is_cut_off_in_features_only(widget: Any, exam: Any, tmp_path: Path) -> None:
    from RadiomicFingerprintLib.choices import FeatureSet, Mode, RoiSource

    p = widget.parameters
    p.mode, p.featureSet, p.roiSource, p.featureVolume = (
        Mode.FEATURES,
        FeatureSet.FILE,
        RoiSource.SEGMENT,
        exam["axial"],
    )
    pictured(widget, "panel-features", tmp_path, 700)
    assert cut_off(widget) == []
