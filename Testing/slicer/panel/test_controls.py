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
    by_the_panel = {"segmentId", "resultTable", "task", "batchVolumes", "mapFeatures"}
    assert set(bound_parameters(UI, IMAGE_TOOLS).values()) | by_the_panel == set(widget.parameters.allParameters)


@pytest.mark.parametrize("control", bound_parameters(UI))
def test_a_control_reaches_the_parameter_node_and_back(
    widget: Any, simulated: Any, exam: Any, tmp_path: Path, control: str
) -> None:
    reaches_the_parameter_and_back(widget, simulated.mrmlScene, control, bound_parameters(UI)[control], tmp_path)


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
