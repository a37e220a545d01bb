"""The panel, simulated: its controls reach the parameter node and back, and say what can run. Not a test in Slicer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from Testing.slicer.fake_child import write_bundle
from Testing.slicer.panel.conftest import MODULE
from Testing.slicer.panel.controls import IMAGE_TOOLS, bound_parameters, reaches_the_parameter_and_back
from Testing.slicer.panel.driving import ready

UI = MODULE / "Resources" / "UI" / "RadiomicFingerprint.ui"


def test_every_parameter_has_a_control_or_is_kept_by_the_panel_itself(widget: Any) -> None:
    by_the_panel = {"segmentId", "resultTable", "task", "batchVolumes"}
    assert set(bound_parameters(UI, IMAGE_TOOLS).values()) | by_the_panel == set(widget.parameters.allParameters)


@pytest.mark.parametrize("control", bound_parameters(UI))
def test_a_control_reaches_the_parameter_node_and_back(
    widget: Any, simulated: Any, exam: Any, tmp_path: Path, control: str
) -> None:
    reaches_the_parameter_and_back(widget, simulated.mrmlScene, control, bound_parameters(UI)[control], tmp_path)


def test_the_segment_reaches_the_parameter_node_and_back(widget: Any, simulated: Any) -> None:
    from RadiomicFingerprintLib.choices import RoiSource

    p, combo = widget.parameters, widget.ui.segmentSelector
    node = simulated.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "segments")
    node.GetSegmentation().AddEmptySegment("femur", "Femur")
    p.roiSource, p.segmentation = RoiSource.SEGMENT, node
    assert [combo.itemText(index) for index in range(combo.count)] == ["Femur"]
    assert p.segmentId == "femur"
    node.GetSegmentation().AddEmptySegment("tibia", "Tibia")  # drawn while the panel is open
    combo.currentIndex = 1
    assert p.segmentId == "tibia"
    p.segmentId = "femur"
    assert combo.currentText == "Femur"
    assert [combo.itemText(index) for index in range(combo.count)] == ["Femur", "Tibia"]  # a model takes one segment


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


def test_only_the_rows_that_matter_are_shown_and_hidden_ones_leave_no_gap(widget: Any) -> None:
    from PySide6 import QtWidgets
    from RadiomicFingerprintLib.choices import BatchSource, BundleSource, RoiSource

    def shown() -> set[str]:
        areas = ("bundleFolderArea", "boxArea", "segmentArea", "batchFolderArea", "batchVolumesArea")
        return {name for name in areas if not getattr(widget.ui, name).isHidden()}

    p = widget.parameters
    assert shown() == {"batchFolderArea"}
    p.bundleSource, p.roiSource = BundleSource.FOLDER, RoiSource.BOX
    assert shown() == {"bundleFolderArea", "boxArea", "batchFolderArea"}
    p.roiSource, p.batchSource = RoiSource.SEGMENT, BatchSource.SCENE
    assert shown() == {"bundleFolderArea", "segmentArea", "batchVolumesArea"}
    # The rows of a form keep their spacing when they are hidden: containers lie in boxes, which close up.
    for name in shown():
        layout = QtWidgets.QWidget.layout(getattr(widget.ui, name).parentWidget())
        assert isinstance(layout, QtWidgets.QVBoxLayout), name


def test_the_case_is_called_as_its_volume_unless_the_user_says_otherwise(widget: Any, exam: Any) -> None:
    from RadiomicFingerprintLib.readiness import case_name

    p = widget.parameters
    p.coronal = exam["coronal"]
    assert case_name(p) == "coronal knee" == widget.ui.caseIdEdit.placeholderText
    p.caseId = " knee 7 "
    assert case_name(p) == "knee 7"


def test_a_new_box_lies_in_the_middle_of_the_volume_and_one_without_extent_is_told(
    widget: Any, simulated: Any, exam: Any, tmp_path: Path
) -> None:
    from RadiomicFingerprintLib.choices import RoiSource

    from deepradiomics.scene.nodes.placement import placement
    from deepradiomics.scene.nodes.regions import box_from_roi

    p = ready(widget, exam, tmp_path / "bundle")
    p.roiSource = RoiSource.BOX
    empty = simulated.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "drawn elsewhere")
    p.roiNode = empty
    assert widget.ui.applyButton.enabled  # chosen in the panel, it was laid into the volume
    box, grid = box_from_roi(empty), placement(exam["sagittal"]).geometry
    assert box.centre_mm == pytest.approx(tuple(grid.centre_mm), abs=1e-3)
    half = sorted(size * spacing / 2 for size, spacing in zip(grid.size, grid.spacing_mm, strict=True))
    assert sorted(box.size_mm) == pytest.approx(half, rel=1e-5)
    empty.SetSize(0.0, 0.0, 0.0)
    widget.refresh()
    assert widget.ui.estimateLabel.text == "Draw the ROI box in a slice view."


def test_the_sample_is_ready_to_be_applied(widget: Any, simulated: Any) -> None:
    pytest.importorskip("torch")
    from RadiomicFingerprintLib.bundles import SAMPLE_BUNDLE

    if not (SAMPLE_BUNDLE / "bundle.json").is_file():
        pytest.skip("no model has been trained in this checkout")
    widget.load_sample()
    p = widget.parameters
    assert [p.sagittal, p.coronal, p.axial].count(None) == 0
    assert "SYNTHETIC" in p.sagittal.GetDescription()
    assert widget.ui.applyButton.enabled


def test_the_shared_tools_lie_folded_below_everything(widget: Any) -> None:
    sections = (
        "inputsSection",
        "roiSection",
        "runArea",
        "resultsSection",
        "batchSection",
        "trainSection",
        "logSection",
    )
    layout = widget.ui.inputsSection.parentWidget().layout()
    tools = layout.indexOf(widget.ui.imageToolsArea)
    assert all(layout.indexOf(getattr(widget.ui, name)) < tools for name in sections)
    assert widget.ui.segmentSection.collapsed
    assert widget.ui.registerSection.collapsed


def test_volumes_are_chosen_by_their_names(widget: Any, exam: Any) -> None:
    widget.initializeParameterNode()
    p = widget.parameters
    assert {view: getattr(p, view).GetName() for view in exam} == {view: f"{view} knee" for view in exam}


def test_apply_enables_only_when_it_can_run_and_says_why_not(widget: Any, exam: Any, tmp_path: Path) -> None:
    from RadiomicFingerprintLib.choices import BundleSource, PatchGrid, RoiSource

    p, button = widget.parameters, widget.ui.applyButton
    says: Callable[[], str] = lambda: widget.ui.estimateLabel.text  # noqa: E731
    assert not button.enabled
    assert says() == "Choose a volume for at least one view."
    p.sagittal, p.bundleSource = exam["sagittal"], BundleSource.FOLDER
    assert not button.enabled
    assert says() == "Choose the model's folder."
    p.bundleFolder = str(tmp_path)
    assert not button.enabled
    assert "bundle.json" in says()
    p.bundleFolder = str(write_bundle(tmp_path / "bundle"))
    assert button.enabled
    assert says().startswith("Takes about")
    assert "memory" in says()
    p.patchGrid = PatchGrid.THREE
    assert not button.enabled
    assert "trained with 2 × 2 × 2 patches" in says()
    p.patchGrid, p.roiSource = PatchGrid.AS_TRAINED, RoiSource.BOX
    assert not button.enabled
    assert "ROI box" in says()
    p.roiSource = RoiSource.SEGMENT
    assert not button.enabled
    assert says() == "Choose the segmentation."


def test_batch_and_training_enable_when_they_can_run(widget: Any, exam: Any, tmp_path: Path) -> None:
    p = ready(widget, exam, tmp_path / "bundle")
    assert not widget.ui.batchButton.enabled
    assert not widget.ui.trainButton.enabled
    p.batchFolder, p.batchOutput = str(tmp_path), str(tmp_path / "out")
    assert widget.ui.batchButton.enabled
    (tmp_path / "manifest.csv").write_text("id\n", encoding="utf-8")
    p.trainManifest, p.trainOutput = str(tmp_path / "manifest.csv"), str(tmp_path / "run")
    assert widget.ui.trainButton.enabled
