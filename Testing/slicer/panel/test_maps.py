"""The panel, simulated: choosing features to draw, their maps over the anatomy, export. Not a test in Slicer."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from Testing.slicer.fake_child import FakeStart, HandTimer, named_features, write_features, write_maps
from Testing.slicer.panel.driving import cut_off, pictured, with_child

CONTRAST, ENTROPY = "original_glcm_Contrast", "original_firstorder_Entropy"


def maps_mode(widget: Any, exam: Any, *features: str) -> Any:
    """Set the panel up for maps of these features."""
    from RadiomicFingerprintLib.choices import Mode

    p = widget.parameters
    p.mode, p.featureVolume, p.mapFeatures = Mode.MAPS, exam["sagittal"], list(features)
    return p


def drawn(widget: Any, exam: Any, *features: str) -> Any:
    """Run maps to their end with a child that only writes them."""
    p = maps_mode(widget, exam, *features)
    with_child(widget, FakeStart(write_maps))
    widget.ui.applyButton.click()
    HandTimer.made[-1].wind()
    return p


def visible(widget: Any) -> list[str]:
    rows = widget.ui.mapFeaturesList
    return [rows.item(row).text() for row in range(rows.count) if not rows.item(row).isHidden()]


def test_the_list_offers_the_features_of_the_set_without_shape(widget: Any, exam: Any) -> None:
    from RadiomicFingerprintLib.choices import FeatureSet

    p = maps_mode(widget, exam)
    assert widget.ui.mapFeaturesList.count == 93 and "glcm_Contrast" in visible(widget)
    assert not [text for text in visible(widget) if "shape" in text]
    p.featureSet = FeatureSet.LENS
    assert widget.ui.mapFeaturesList.count == 837 and "wavelet-LLH_glcm_Contrast" in visible(widget)


def test_the_search_looks_at_names_and_meanings(widget: Any, exam: Any) -> None:
    maps_mode(widget, exam)
    widget.ui.mapSearchEdit.text = "glcm rough"
    assert "glcm_Contrast" in visible(widget) and len(visible(widget)) < 10
    assert all(text.startswith("glcm") for text in visible(widget))
    widget.ui.mapSearchEdit.text = ""
    assert len(visible(widget)) == 93


def test_each_entry_explains_its_feature(widget: Any, exam: Any) -> None:
    from deepradiomics.radiomics.catalogue import entries

    maps_mode(widget, exam)
    rows = widget.ui.mapFeaturesList
    for row in range(rows.count):
        family, name = rows.item(row).text().split("_", 1)
        assert entries()[family][name].sentence in rows.item(row).toolTip()


def test_ticks_reach_the_parameters_and_those_of_another_set_stay(widget: Any, exam: Any) -> None:
    import qt
    from RadiomicFingerprintLib.choices import FeatureSet
    from RadiomicFingerprintLib.map_features import chosen

    p = maps_mode(widget, exam, CONTRAST)
    assert widget.ui.applyButton.enabled
    p.featureSet = FeatureSet.LENS
    rows = widget.ui.mapFeaturesList
    texts = [rows.item(row).text() for row in range(rows.count)]
    rows.item(texts.index("wavelet-HHH_glcm_Idm")).setCheckState(qt.Qt.Checked)
    assert set(p.mapFeatures) == {CONTRAST, "wavelet-HHH_glcm_Idm"}
    p.featureSet = FeatureSet.FINGERPRINT_107
    assert chosen(p) == [CONTRAST]
    widget.mapFeatures._items[0].setCheckState(qt.Qt.Checked)
    assert "wavelet-HHH_glcm_Idm" in p.mapFeatures and len(p.mapFeatures) == 3


def test_apply_waits_for_a_feature_and_a_readable_file(widget: Any, exam: Any, tmp_path: Path) -> None:
    from RadiomicFingerprintLib.choices import FeatureSet

    p = maps_mode(widget, exam)
    assert not widget.ui.applyButton.enabled and widget.ui.estimateLabel.text == "Tick at least one feature to draw."
    (tmp_path / "p.yaml").write_text("setting:\n  binWith: 5\n", encoding="utf-8")
    p.featureSet, p.parameterFile = FeatureSet.FILE, str(tmp_path / "p.yaml")
    assert "binWith" in widget.ui.estimateLabel.text and "binWidth" in widget.ui.estimateLabel.text


def test_what_is_chosen_reaches_the_command_line(widget: Any, exam: Any) -> None:
    p = maps_mode(widget, exam, CONTRAST, ENTROPY)
    p.kernelRadius = 2
    start = with_child(widget, FakeStart(write_maps))
    widget.ui.applyButton.click()
    assert start.words[0] == "maps" and start.given("--kernel-radius") == "2"
    assert named_features(start.words) == [ENTROPY, CONTRAST] and start.given("--params") == "fingerprint-107"
    widget.ui.applyButton.click()
    assert start.child is not None and start.child.killed


def test_maps_are_listed_and_the_chosen_one_lies_over_its_volume(
    widget: Any, simulated: Any, exam: Any, errors: list[str]
) -> None:
    composite = simulated.mrmlScene.AddNewNodeByClass("vtkMRMLSliceCompositeNode", "Red")
    slices = simulated.mrmlScene.AddNewNodeByClass("vtkMRMLSliceNode", "Red")
    p = drawn(widget, exam, CONTRAST, ENTROPY)
    assert errors == []
    ui = widget.ui

    def foreground() -> str:
        return simulated.mrmlScene.GetNodeByID(composite.GetForegroundVolumeID()).GetName()

    assert [ui.fingerprintTable.item(row, 0).text() for row in range(2)] == ["firstorder_Entropy", "glcm_Contrast"]
    assert foreground() == ENTROPY and composite.GetBackgroundVolumeID() == exam["sagittal"].GetID()
    ui.fingerprintTable.selectRow(1)
    assert foreground() == CONTRAST
    assert "rough texture" in ui.fingerprintTable.item(1, 0).toolTip()
    p.overlayOpacity = 0.9
    assert composite.GetForegroundOpacity() == 0.9
    assert ui.thresholdSlider.isHidden() and ui.taskSelector.isHidden() and not ui.opacitySlider.isHidden()
    bounds = [0.0] * 6
    simulated.mrmlScene.GetNodeByID(composite.GetForegroundVolumeID()).GetRASBounds(bounds)
    to_ras = slices.GetSliceToRAS()
    at = [to_ras.GetElement(axis, 3) for axis in range(3)]
    assert all(bounds[2 * axis] < at[axis] < bounds[2 * axis + 1] for axis in range(3))  # the view jumped there


def test_a_saved_scene_shows_its_maps_again(
    widget: Any, simulated: Any, headless: Any, exam: Any, tmp_path: Path
) -> None:
    from deepradiomics.scene.maps import maps_of

    p = drawn(widget, exam, CONTRAST, ENTROPY)
    before = {key: simulated.util.arrayFromVolume(node).copy() for key, node in maps_of(p.resultTable).items()}
    headless.save_mrb(tmp_path / "maps.mrb")
    simulated.mrmlScene.Clear(False)
    headless.load_mrb(tmp_path / "maps.mrb")
    p = widget.parameters
    assert p.mapFeatures == [CONTRAST, ENTROPY] and widget.ui.mapFeaturesList.count == 93
    assert widget.ui.fingerprintTable.rowCount == 2
    after = {key: simulated.util.arrayFromVolume(node) for key, node in maps_of(p.resultTable).items()}
    assert before.keys() == after.keys() == {CONTRAST, ENTROPY}
    for key, values in before.items():
        np.testing.assert_array_equal(after[key], values)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_table_on_show_is_exported(
    widget: Any, exam: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, errors: list[str], ending: str
) -> None:
    import qt
    from RadiomicFingerprintLib.choices import Mode, PatchGrid

    if ending == "parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / f"features.{ending}"
    monkeypatch.setattr(qt.QFileDialog, "getSaveFileName", lambda *_: str(path))
    p = widget.parameters
    assert not widget.ui.exportButton.enabled
    p.mode, p.featureVolume, p.patchGrid = Mode.FEATURES, exam["axial"], PatchGrid.TWO
    with_child(widget, FakeStart(write_features))
    widget.ui.applyButton.click()
    HandTimer.made[-1].wind()
    widget.ui.exportButton.click()
    assert errors == []
    if ending == "csv":
        with open(path, encoding="utf-8", newline="") as stream:
            values = [float(row["value"]) for row in csv.DictReader(stream)]
    else:
        from pyarrow import parquet

        values = parquet.read_table(path).to_pydict()["value"]
    column = p.resultTable.GetTable().GetColumnByName("value")
    assert values == [column.GetValue(row) for row in range(8)]


def test_no_label_is_cut_off_with_maps(widget: Any, exam: Any, tmp_path: Path) -> None:
    drawn(widget, exam, CONTRAST, ENTROPY, "original_glszm_LargeAreaLowGrayLevelEmphasis")
    pictured(widget, "panel-maps", tmp_path, 1150)
    assert cut_off(widget) == []


def test_what_a_run_costs_is_said_and_grows_with_the_kernel(widget: Any, exam: Any) -> None:
    from RadiomicFingerprintLib.costs import features_cost, maps_cost

    p = maps_mode(widget, exam, CONTRAST)
    assert widget.ui.estimateLabel.text.startswith("Takes about")
    small, large = (maps_cost(1e6, 3e4, [CONTRAST, ENTROPY], radius)[0] for radius in (1, 2))
    assert large > 2 * small
    assert maps_cost(1e6, 3e4, [CONTRAST, "original_glcm_Idm"], 1)[0] == maps_cost(1e6, 3e4, [CONTRAST], 1)[0]
    assert features_cost(1e6, 5e5, 18)[0] > features_cost(1e6, 5e5)[0]
    p.mapFeatures = []
    assert "Tick" in widget.ui.estimateLabel.text


def test_the_rows_of_segments_carry_their_names_and_explanations(
    widget: Any, simulated: Any, exam: Any, tmp_path: Path, errors: list[str]
) -> None:
    from RadiomicFingerprintLib.choices import Mode, RoiSource

    from Testing.slicer.test_fingerprint_logic import add_segment

    segmentation, _ = add_segment(simulated.mrmlScene, exam["sagittal"])
    add_segment(simulated.mrmlScene, exam["sagittal"], segmentation, "b", (slice(8, 10), slice(10, 13), slice(12, 16)))
    p = widget.parameters
    p.mode, p.featureVolume = Mode.FEATURES, exam["sagittal"]
    p.roiSource, p.segmentation = RoiSource.SEGMENT, segmentation
    with_child(widget, FakeStart(write_features))
    widget.ui.applyButton.click()
    HandTimer.made[-1].wind()
    assert errors == []
    rows = widget.ui.fingerprintTable
    assert [rows.item(row, 0).text() for row in range(2)] == ["a", "b"]
    assert rows.item(0, 2).text() == "120 mm³" and "volume of one voxel" in rows.item(0, 1).toolTip()
    assert "1 features of each of 2 regions" in widget.ui.predictionLabel.text
    pictured(widget, "panel-segments", tmp_path, 1000)
    assert cut_off(widget) == []
