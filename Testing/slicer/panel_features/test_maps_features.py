"""The panel, simulated: choosing features to draw, their maps over the anatomy, export. Not a test in Slicer."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from Testing.slicer.fake_child import FakeStart, HandTimer, named_features, write_features, write_maps
from Testing.slicer.panel.driving import cut_off, pictured
from Testing.slicer.panel_features.driving import on_centre, with_child

CONTRAST, ENTROPY = "original_glcm_Contrast", "original_firstorder_Entropy"


def maps_mode(widget: Any, exam: Any, *features: str) -> Any:
    """Set the panel up for maps of these features."""
    from RadiomicFeaturesLib.choices import Mode

    p = on_centre(widget, exam["sagittal"])
    p.mode, p.mapFeatures = Mode.MAPS, list(features)
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
    p = maps_mode(widget, exam)
    assert widget.ui.mapFeaturesList.count == 93
    assert "GLCM Contrast" in visible(widget)
    assert not [text for text in visible(widget) if "Shape" in text]
    p.featureSettings = "lens"
    assert widget.ui.mapFeaturesList.count == 837
    assert "GLCM Contrast, wavelet LLH" in visible(widget)


def test_the_search_looks_at_names_and_meanings(widget: Any, exam: Any) -> None:
    maps_mode(widget, exam)
    widget.ui.mapSearchEdit.text = "glcm rough"
    assert "GLCM Contrast" in visible(widget)
    assert len(visible(widget)) < 10
    assert all(text.startswith("GLCM") for text in visible(widget))
    widget.ui.mapSearchEdit.text = ""
    assert len(visible(widget)) == 93


def test_each_entry_explains_its_feature(widget: Any, exam: Any) -> None:
    from deepradiomics.radiomics.catalogue.pyradiomics import entries

    maps_mode(widget, exam)
    rows = widget.ui.mapFeaturesList
    for row, key in enumerate(widget.mapFeatures.list.keys):
        _image, family, name = key.split("_", 2)
        assert rows.item(row).toolTip().startswith(f"{key}. {entries()[family][name].sentence}")


def test_ticks_reach_the_parameters_and_those_of_another_set_stay(widget: Any, exam: Any) -> None:
    import qt
    from RadiomicFeaturesLib.map_features import chosen

    p = maps_mode(widget, exam, CONTRAST)
    assert widget.ui.applyButton.enabled
    p.featureSettings = "lens"
    place = widget.mapFeatures.list.keys.index("wavelet-HHH_glcm_Idm")
    widget.ui.mapFeaturesList.item(place).setCheckState(qt.Qt.Checked)
    assert set(p.mapFeatures) == {CONTRAST, "wavelet-HHH_glcm_Idm"}
    p.featureSettings = "fingerprint-107"
    assert chosen(p) == [CONTRAST]
    widget.mapFeatures.list.items[0].setCheckState(qt.Qt.Checked)
    assert "wavelet-HHH_glcm_Idm" in p.mapFeatures
    assert len(p.mapFeatures) == 3


def test_apply_waits_for_a_feature_and_a_readable_file(widget: Any, exam: Any, tmp_path: Path) -> None:
    p = maps_mode(widget, exam)
    assert not widget.ui.applyButton.enabled
    assert widget.ui.estimateLabel.text == "Tick at least one feature to draw."
    (tmp_path / "p.yaml").write_text("setting:\n  binWith: 5\n", encoding="utf-8")
    p.featureSettings, p.parameterFile = "file", str(tmp_path / "p.yaml")
    assert "binWith" in widget.ui.estimateLabel.text
    assert "binWidth" in widget.ui.estimateLabel.text


def test_what_is_chosen_reaches_the_command_line(widget: Any, exam: Any) -> None:
    p = maps_mode(widget, exam, CONTRAST, ENTROPY)
    p.kernelRadius = 2
    start = with_child(widget, FakeStart(write_maps))
    widget.ui.applyButton.click()
    assert start.words[0] == "maps"
    assert start.given("--kernel-radius") == "2"
    assert named_features(start.words) == [ENTROPY, CONTRAST]
    assert start.given("--params") == "fingerprint-107"
    widget.ui.applyButton.click()
    assert start.child is not None
    assert start.child.killed


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

    assert [ui.resultTable.item(row, 0).text() for row in range(2)] == ["First order Entropy", "GLCM Contrast"]
    assert foreground() == ENTROPY
    assert composite.GetBackgroundVolumeID() == exam["sagittal"].GetID()
    ui.resultTable.selectRow(1)
    assert foreground() == CONTRAST
    assert "rough texture" in ui.resultTable.item(1, 0).toolTip()
    p.overlayOpacity = 0.9
    assert composite.GetForegroundOpacity() == 0.9
    assert not ui.opacityArea.isHidden()
    assert ui.remarksArea.isHidden()
    bounds = [0.0] * 6
    simulated.mrmlScene.GetNodeByID(composite.GetForegroundVolumeID()).GetRASBounds(bounds)
    to_ras = slices.GetSliceToRAS()
    at = [to_ras.GetElement(axis, 3) for axis in range(3)]
    assert all(bounds[2 * axis] < at[axis] < bounds[2 * axis + 1] for axis in range(3))  # the view jumped there


def test_a_saved_scene_shows_its_maps_again(
    widget: Any, simulated: Any, headless: Any, exam: Any, tmp_path: Path
) -> None:
    from deepradiomics.scene.show.maps import maps_of

    p = drawn(widget, exam, CONTRAST, ENTROPY)
    before = {key: simulated.util.arrayFromVolume(node).copy() for key, node in maps_of(p.resultTable).items()}
    headless.save_mrb(tmp_path / "maps.mrb")
    simulated.mrmlScene.Clear(False)
    headless.load_mrb(tmp_path / "maps.mrb")
    p = widget.parameters
    assert p.mapFeatures == [CONTRAST, ENTROPY]
    assert widget.ui.mapFeaturesList.count == 93
    assert widget.ui.resultTable.rowCount == 2
    after = {key: simulated.util.arrayFromVolume(node) for key, node in maps_of(p.resultTable).items()}
    assert before.keys() == after.keys() == {CONTRAST, ENTROPY}
    for key, values in before.items():
        np.testing.assert_array_equal(after[key], values)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_the_table_on_show_is_exported(
    widget: Any, exam: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, errors: list[str], ending: str
) -> None:
    import qt
    from RadiomicFeaturesLib.choices import PatchGrid

    if ending == "parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / f"features.{ending}"
    monkeypatch.setattr(qt.QFileDialog, "getSaveFileName", lambda *_: str(path))
    assert not widget.ui.exportButton.enabled
    p = on_centre(widget, exam["axial"])
    p.patchGrid = PatchGrid.TWO
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
    from RadiomicFeaturesLib.costs import features_cost, maps_cost

    p = maps_mode(widget, exam, CONTRAST)
    assert widget.ui.estimateLabel.text.startswith("Takes about")
    small, large = (maps_cost(1e6, 3e4, [CONTRAST, ENTROPY], radius)[0] for radius in (1, 2))
    assert large > 2 * small
    assert maps_cost(1e6, 3e4, [CONTRAST, "original_glcm_Idm"], 1)[0] == maps_cost(1e6, 3e4, [CONTRAST], 1)[0]
    assert features_cost(1e6, 5e5, 18)[0] > features_cost(1e6, 5e5)[0]
    p.mapFeatures = []
    assert "Tick" in widget.ui.estimateLabel.text


def test_a_map_lies_over_its_own_volume_and_over_no_other(
    widget: Any, simulated: Any, exam: Any, errors: list[str]
) -> None:
    composite = simulated.mrmlScene.AddNewNodeByClass("vtkMRMLSliceCompositeNode", "Red")
    drawn(widget, exam, CONTRAST, ENTROPY)
    own, other = exam["sagittal"], exam["axial"]
    composite.SetBackgroundVolumeID(other.GetID())  # the user looks at another volume
    widget.ui.resultTable.selectRow(1)
    assert composite.GetBackgroundVolumeID() == own.GetID()
    composite.SetBackgroundVolumeID(other.GetID())
    simulated.mrmlScene.RemoveNode(own)
    widget.ui.resultTable.selectRow(0)
    assert composite.GetBackgroundVolumeID() is None
    assert errors == []
    assert widget.ui.resultLabel.text == "The volume of this map is not in the scene: the map is shown alone."
