"""The features' panel, simulated: its controls reach the parameters and back, and say what can run. Not in Slicer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from Testing.slicer.fake_child import FakeStart, HandTimer, write_features
from Testing.slicer.panel.conftest import ROOT
from Testing.slicer.panel.controls import IMAGE_TOOLS, bound_parameters, reaches_the_parameter_and_back
from Testing.slicer.panel_features.driving import applied, on_centre, on_segments, with_child

UI = ROOT / "RadiomicFeatures" / "Resources" / "UI" / "RadiomicFeatures.ui"


def test_every_parameter_has_a_control_or_is_kept_by_the_panel_itself(widget: Any) -> None:
    by_the_panel = {
        "skippedSegments", "featureSettings", "imageTypes", "featureClasses", "mapFeatures", "resultTable",
        "batchVolumes", "batchSegmentations", "batchSeries",
    }  # fmt: skip
    assert set(bound_parameters(UI, IMAGE_TOOLS).values()) | by_the_panel == set(widget.parameters.allParameters)


@pytest.mark.parametrize("control", bound_parameters(UI))
def test_a_control_reaches_the_parameter_node_and_back(
    widget: Any, simulated: Any, exam: Any, tmp_path: Path, control: str
) -> None:
    reaches_the_parameter_and_back(widget, simulated.mrmlScene, control, bound_parameters(UI)[control], tmp_path)


def test_segments_are_ticked_and_a_new_one_is_too(widget: Any, simulated: Any) -> None:
    import qt
    from RadiomicFeaturesLib.readiness import segment_ids

    p, shown = widget.parameters, widget.ui.segmentsList
    node = simulated.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "segments")
    node.GetSegmentation().AddEmptySegment("femur", "Femur")
    p.segmentation = node
    assert [shown.item(row).text() for row in range(shown.count)] == ["Femur"]
    node.GetSegmentation().AddEmptySegment("tibia", "Tibia")  # drawn while the panel is open
    assert shown.count == 2
    assert segment_ids(p) == ["femur", "tibia"]
    shown.item(0).setCheckState(qt.Qt.Unchecked)
    assert segment_ids(p) == ["tibia"]
    assert p.skippedSegments == ["femur"]
    p.skippedSegments = []
    assert shown.item(0).checkState() == qt.Qt.Checked
    node.GetSegmentation().GetSegment("femur").SetTag("TerminologyEntry", "x~a^b^Bone~c^d^Femur~^^~y~^^~^^|")
    widget.refresh()
    assert shown.item(0).toolTip() == "Bone / Femur"


def test_only_the_rows_that_matter_are_shown_and_hidden_ones_leave_no_gap(widget: Any) -> None:
    from PySide6 import QtWidgets
    from RadiomicFeaturesLib.choices import BatchSource, BinBy, Mode, RoiSource
    from RadiomicFeaturesLib.parameters import FILE, OWN

    hidable = (
        "segmentArea", "boxArea", "patchArea", "fileArea", "builderArea", "binWidthArea", "binCountArea",
        "normalizeScaleArea", "sigmasArea", "savedArea", "mapsArea", "batchFolderArea", "batchPairsArea", "opacityArea",
        "remarksArea", "batchScannerArea",
    )  # fmt: skip

    def shown() -> set[str]:
        return {name for name in hidable if not getattr(widget.ui, name).isHidden()}

    p = widget.parameters
    assert shown() == {"segmentArea", "binWidthArea", "batchFolderArea", "batchScannerArea"}
    p.roiSource, p.featureSettings, p.batchSource = RoiSource.BOX, OWN, BatchSource.SCENE
    p.imageTypes, p.binBy, p.normalize = "Original LoG", BinBy.COUNT, True
    assert shown() == {
        "boxArea", "patchArea", "builderArea", "binCountArea", "normalizeScaleArea", "sigmasArea", "batchPairsArea",
    }  # fmt: skip
    p.mode, p.featureSettings = Mode.MAPS, FILE
    assert shown() >= {"boxArea", "fileArea", "mapsArea"}
    assert not shown() & {"patchArea", "builderArea"}
    for name in hidable:  # the rows of a form would keep their spacing
        layout = QtWidgets.QWidget.layout(getattr(widget.ui, name).parentWidget())
        assert isinstance(layout, QtWidgets.QVBoxLayout), name


def test_the_only_volume_and_segmentation_are_chosen(widget: Any, simulated: Any, segmented: Any) -> None:
    widget.initializeParameterNode()
    p = widget.parameters
    assert p.volume is None  # three volumes: nothing is clearly meant
    for node in list(simulated.util.getNodesByClass("vtkMRMLScalarVolumeNode")):
        if node.GetID() != segmented[0].GetID():
            simulated.mrmlScene.RemoveNode(node)
    widget.initializeParameterNode()
    assert (p.volume.GetID(), p.segmentation.GetID()) == tuple(node.GetID() for node in segmented)
    assert widget.ui.applyButton.enabled


def test_apply_enables_only_when_it_can_run_and_says_why_not(
    widget: Any, simulated: Any, segmented: Any, tmp_path: Path
) -> None:
    from RadiomicFeaturesLib.choices import RoiSource
    from RadiomicFeaturesLib.parameters import FILE, OWN, SAVED

    p, button = widget.parameters, widget.ui.applyButton
    says: Callable[[], str] = lambda: widget.ui.estimateLabel.text  # noqa: E731
    assert not button.enabled
    assert says() == "Choose the volume."
    p.volume = simulated.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "nothing")
    assert says() == "Volume 'nothing' holds no image; load or choose another one."
    p.volume = segmented[0]
    assert says() == "Choose the segmentation."
    p.segmentation = simulated.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "none")
    assert says() == "The segmentation has no segment."
    p.segmentation = segmented[1]
    assert button.enabled
    assert says().startswith("Takes about")
    assert "memory" in says()
    p.skippedSegments = ["a", "b"]
    assert says() == "Tick at least one segment."
    p.roiSource = RoiSource.BOX
    assert says() == "Choose or create the ROI box."
    p.roiSource, p.featureSettings = RoiSource.CENTRE, FILE
    assert says() == "Choose the parameter file (JSON or YAML)."
    p.featureSettings, p.featureClasses = OWN, ""
    assert says() == "Tick at least one feature class."
    p.featureSettings = SAVED + "CT of another computer"
    assert "not saved on this computer" in says()
    assert not button.enabled
    assert widget.ui.featureSettingsSelector.currentText == "CT of another computer (not here)"
    p.featureSettings = "lens"
    assert button.enabled


def test_a_colour_volume_is_refused_in_words(widget: Any, simulated: Any) -> None:
    import vtk

    node = simulated.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "photograph")
    image = vtk.vtkImageData()
    image.SetDimensions(4, 4, 4)
    image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 3)
    node.SetAndObserveImageData(image)
    on_centre(widget, node)
    assert "3 numbers a voxel" in widget.ui.estimateLabel.text
    assert not widget.ui.applyButton.enabled


def test_a_new_box_lies_in_the_middle_of_the_volume_along_its_axes(widget: Any, simulated: Any, exam: Any) -> None:
    import numpy as np
    from RadiomicFeaturesLib.choices import RoiSource

    from deepradiomics.scene.nodes.placement import placement
    from deepradiomics.scene.nodes.regions import box_from_roi

    p = widget.parameters
    p.roiSource = RoiSource.BOX
    placed = simulated.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "mine")
    placed.SetCenter(1.0, 2.0, 3.0)
    placed.SetSize(4.0, 5.0, 6.0)
    p.roiNode = simulated.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "new")
    assert widget.ui.estimateLabel.text == "Choose the volume."
    p.volume = exam["coronal"]  # chosen after the box was made
    box, grid = box_from_roi(p.roiNode), placement(exam["coronal"]).geometry
    assert box.centre_mm == pytest.approx(tuple(grid.centre_mm), abs=1e-3)
    along = np.abs(np.array(box.axes).T @ np.array(grid.direction).reshape(3, 3))
    np.testing.assert_allclose(np.sort(along, axis=1), [[0, 0, 1]] * 3, atol=1e-5)
    half = sorted(size * spacing / 2 for size, spacing in zip(grid.size, grid.spacing_mm, strict=True))
    assert sorted(box.size_mm) == pytest.approx(half, rel=1e-5)
    assert widget.ui.applyButton.enabled
    p.roiNode = placed
    assert box_from_roi(placed).size_mm == pytest.approx((4, 5, 6))  # what the user drew stays
    placed.SetSize(0.0, 0.0, 0.0)
    widget.refresh()
    assert widget.ui.estimateLabel.text == "Draw the ROI box in a slice view."
    assert not widget.ui.applyButton.enabled


def test_a_box_that_was_moved_or_drawn_is_noticed_when_the_mouse_is_released(
    widget: Any, simulated: Any, exam: Any
) -> None:
    from RadiomicFeaturesLib.choices import RoiSource

    p = on_centre(widget, exam["axial"])
    p.roiSource = RoiSource.BOX
    p.roiNode = node = simulated.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "box")
    before = widget.ui.levelsLabel.text
    node.SetSize(*(length / 4 for length in node.GetSize()))
    assert before.startswith("Grey levels: ROI ")  # the mouse still moves
    assert widget.ui.levelsLabel.text == before
    node.InvokeEvent(node.PointEndInteractionEvent)
    assert widget.ui.levelsLabel.text.startswith("Grey levels: ROI ")
    assert widget.ui.levelsLabel.text != before
    p.roiNode = None
    node.InvokeEvent(node.PointEndInteractionEvent)  # no longer watched


def test_what_is_chosen_reaches_the_command_line(widget: Any, segmented: Any, errors: list[str]) -> None:
    import json

    from RadiomicFeaturesLib.choices import Device
    from RadiomicFeaturesLib.parameters import OWN

    p = on_segments(widget, segmented)
    p.skippedSegments, p.device, p.featureSettings, p.binWidth = ["a"], Device.CPU, OWN, 7.5
    params: list[Any] = []

    def write(words: list[str]) -> None:
        params.append(json.loads(Path(words[words.index("--params") + 1]).read_text(encoding="utf-8")))
        write_features(words)

    start = applied(widget, FakeStart(write))
    assert errors == []
    assert start.given("--device") == "cpu"
    assert params[0]["setting"] == {"binWidth": 7.5}
    assert [widget.ui.resultTable.item(row, 0).text() for row in range(widget.ui.resultTable.rowCount)] == ["b"]


def test_apply_becomes_cancel_and_back(widget: Any, segmented: Any, errors: list[str]) -> None:
    on_segments(widget, segmented)
    start, ui = with_child(widget, FakeStart(exit_code=None)), widget.ui
    ui.applyButton.click()
    HandTimer.made[-1].call()
    assert ui.applyButton.text == "Cancel"
    assert not ui.settingsSection.enabled
    assert not ui.batchButton.enabled
    ui.applyButton.click()
    assert start.child is not None
    assert start.child.killed
    assert errors == []
    assert ui.applyButton.text == "Apply"
    assert ui.applyButton.enabled
    assert ui.settingsSection.enabled


def test_entering_warms_the_engine_up_and_leaving_keeps_the_panel_bound(widget: Any) -> None:
    from RadiomicFeaturesLib.choices import Device

    started: list[None] = []
    widget.warmUp.start = lambda: started.append(None)
    widget.exit()
    widget.parameters.device = Device.CPU
    widget.enter()
    assert started
    assert widget.ui.deviceSelector.currentText == "CPU"
