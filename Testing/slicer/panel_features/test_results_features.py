"""The features' panel, simulated: results are read, restored, exported; batches with their remarks. Not in Slicer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from Testing.slicer.fake_child import FakeStart, HandTimer, write_features
from Testing.slicer.panel.driving import cut_off, pictured, plain, unreadable
from Testing.slicer.panel_features.driving import applied, on_centre, on_segments, with_child


def write_preset(words: list[str], preset: str = "lens") -> None:
    """What `extract` writes of all features of a preset."""
    from deepradiomics.images import read_mask
    from deepradiomics.radiomics.settings.feature_names import feature_names
    from deepradiomics.radiomics.settings.settings import Settings

    out = Path(words[words.index("-o") + 1])
    labels = read_mask(words[2]).labels_present()
    lines = ["label,feature,family,value"]
    for label in labels:
        for place, feature in enumerate(feature_names(Settings.from_params(preset))):
            lines.append(f"{label},{feature},{feature.split('_')[1]},{1234.5678 * (place + 1)}")
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    about = {"kind": "features", "labels": {str(label): {"name": ""} for label in labels}, "methods_text": "So it was."}
    out.with_suffix(".json").write_text(json.dumps(about), encoding="utf-8")


def write_cohort(words: list[str]) -> dict[str, Any]:
    """What `extract --manifest` writes where one of three cases failed."""
    out = Path(words[words.index("-o") + 1])
    out.write_text(
        "id,view,label,name,case,region,original_glcm_Contrast,original_shape_VoxelVolume\n"
        "a lesion,image,1,lesion,a,lesion,2.5,120\nb lesion,image,1,lesion,b,lesion,3.5,\n",
        encoding="utf-8",
    )
    cases = [
        {"id": "a lesion", "view": "image", "status": "kept", "message": "", "warnings": []},
        {"id": "b lesion", "view": "image", "status": "done", "message": "", "warnings": ["label 1 has 5 grey levels"]},
        {"id": "c lesion", "view": "image", "status": "failed", "message": "the mask is empty", "warnings": []},
    ]
    about = {"kind": "features", "software": "deepradiomics", "cases": cases, "methods_text": "Of a cohort."}
    out.with_suffix(".json").write_text(json.dumps(about), encoding="utf-8")
    return {"computed": 1, "failed": {"c lesion": "the mask is empty"}}


def test_rows_of_a_case_with_several_images_and_regions_are_told_apart(widget: Any, simulated: Any) -> None:
    from RadiomicFeaturesLib.result_rows import batch_rows, remark_rows

    from deepradiomics.scene.nodes.tables import add_table

    def table_node(columns: dict[str, list[Any]]) -> Any:
        types = {name: type(values[0]) for name, values in columns.items()}
        return add_table(simulated.mrmlScene, "table", columns, types, dict.fromkeys(columns, ""))

    table = {
        "id": ["p7"] * 3, "view": ["t2", "adc", "image"], "region": ["gland", "gland", "core"],
        "name": ["", "core", "core"], "original_glcm_Contrast": [1.0, 2.0, 3.0],
    }  # fmt: skip
    rows = batch_rows(table_node(table))[1]
    assert [texts[0] for texts in rows] == ["p7 t2 gland", "p7 adc gland core", "p7 core"]
    remarks = {"case": ["p7"] * 2, "image": ["adc", "image"], "status": ["failed"] * 2, "remark": ["empty"] * 2}
    assert [row[0] for row in remark_rows(table_node({**remarks, "region": ["gland", ""]}))[1]] == [
        "p7 adc gland",
        "p7",
    ]
    assert [row[0] for row in remark_rows(table_node(remarks))[1]] == ["p7 adc", "p7"]  # of an older scene


def test_features_are_listed(widget: Any, exam: Any, errors: list[str]) -> None:
    from RadiomicFeaturesLib.choices import PatchGrid

    on_centre(widget, exam["axial"]).patchGrid = PatchGrid.TWO
    applied(widget, FakeStart(write_features))
    assert errors == []
    assert not widget.ui.resultsSection.collapsed
    assert widget.ui.resultTable.rowCount == 8
    assert plain(widget.ui.resultTable.item(0, 1)) == "Shape VoxelVolume"
    assert widget.ui.opacityArea.isHidden()
    assert widget.ui.remarksArea.isHidden()


@pytest.mark.parametrize("width", [440, 520])
def test_every_name_of_a_wavelet_set_can_be_read_without_scrolling_sideways(
    widget: Any, segmented: Any, tmp_path: Path, width: int
) -> None:
    p = on_segments(widget, segmented)
    p.featureSettings = "lens"
    applied(widget, FakeStart(write_preset))
    pictured(widget, f"features-lens-{width}", tmp_path, 1150, width=width)
    shown = widget.ui.resultTable
    assert shown.rowCount == 2 * 837
    assert not shown.horizontalScrollBar().isVisible()
    assert sum(shown.columnWidth(column) for column in range(3)) <= shown.viewport().width()
    texts = [plain(shown.item(row, 1)) for row in range(837)]
    assert "GLCM Contrast, wavelet LLH" in texts
    assert "GLSZM LargeAreaLowGrayLevelEmphasis, wavelet HHH" in texts
    assert unreadable(shown, 1) == []
    assert unreadable(shown, 2) == []
    assert len({text[:28] for text in texts}) >= 93  # family and name come first
    assert shown.item(93, 1).toolTip().startswith("wavelet-")
    assert cut_off(widget) == []


def test_the_rows_of_segments_carry_their_names_and_explanations(
    widget: Any, simulated: Any, segmented: Any, tmp_path: Path, errors: list[str]
) -> None:
    tag = "x~a^b^Tissue~c^d^Muscle~^^~y~^^~^^|"
    segmented[1].GetSegmentation().GetSegment("a").SetTag("TerminologyEntry", tag)
    on_segments(widget, segmented)
    applied(widget, FakeStart(write_features))
    assert errors == []
    rows = widget.ui.resultTable
    assert [rows.item(row, 0).text() for row in range(2)] == ["a", "b"]
    assert rows.item(0, 2).text() == "120 mm³"
    assert "volume of one voxel" in rows.item(0, 1).toolTip()
    assert "a: Tissue / Muscle" in rows.item(0, 0).toolTip()
    assert "1 features of each of 2 regions" in widget.ui.resultLabel.text


def test_a_long_name_of_a_region_leaves_room_for_the_features(
    widget: Any, simulated: Any, segmented: Any, tmp_path: Path
) -> None:
    from RadiomicFeaturesLib.results import WIDEST_NAME

    segmented[1].GetSegmentation().GetSegment("a").SetName("left anterior hippocampus, second reader, revised")
    on_segments(widget, segmented)
    applied(widget, FakeStart(write_features))
    pictured(widget, "features-long-name", tmp_path, 1100, width=520)
    assert widget.ui.resultTable.columnWidth(0) == WIDEST_NAME < widget.ui.resultTable.columnWidth(1)


def test_a_saved_scene_shows_its_features_and_settings_again(
    widget: Any, simulated: Any, headless: Any, segmented: Any, tmp_path: Path
) -> None:
    p = on_segments(widget, segmented)
    p.skippedSegments, p.featureSettings, p.binWidth = ["b"], "own", 4.5
    applied(widget, FakeStart(write_features))
    texts = [widget.ui.resultTable.item(0, column).text() for column in range(3)]
    headless.save_mrb(tmp_path / "features.mrb")
    simulated.mrmlScene.Clear(False)
    assert widget.ui.resultTable.rowCount == 0
    assert widget.ui.resultsSection.collapsed
    headless.load_mrb(tmp_path / "features.mrb")
    p = widget.parameters
    assert (p.skippedSegments, p.featureSettings, p.binWidth) == (["b"], "own", 4.5)
    assert [widget.ui.resultTable.item(0, column).text() for column in range(3)] == texts
    assert p.volume.GetName() == "sagittal knee"
    assert not widget.ui.resultsSection.collapsed


def test_the_methods_text_is_copied(widget: Any, simulated: Any, segmented: Any) -> None:
    on_segments(widget, segmented)
    applied(widget, FakeStart(write_preset))
    widget.ui.copyMethodsButton.click()
    assert simulated.app.clipboard_texts == ["So it was."]


# --- batch -----------------------------------------------------------------------------------------------------------


def test_the_batch_enables_when_it_can_run(widget: Any, segmented: Any, tmp_path: Path) -> None:
    from RadiomicFeaturesLib.choices import BatchSource

    p, button = widget.parameters, widget.ui.batchButton
    assert not button.enabled
    assert button.toolTip == "Choose the folder of cases."
    p.batchFolder = str(tmp_path)
    assert button.toolTip == "Choose a folder for the results."
    p.batchOutput = str(tmp_path / "out")
    assert button.enabled
    p.batchSource = BatchSource.SCENE
    assert not button.enabled
    assert "Tick at least one volume" in button.toolTip


def test_each_segmentation_is_offered_with_its_volume(widget: Any, simulated: Any, segmented: Any) -> None:
    import qt
    from RadiomicFeaturesLib.batch.section import pairs_of_scene
    from RadiomicFeaturesLib.choices import BatchSource

    p, shown = widget.parameters, widget.ui.batchPairsList
    p.batchSource = BatchSource.SCENE
    assert [shown.item(row).text() for row in range(shown.count)] == ["sagittal knee  (segments)"]
    shown.item(0).setCheckState(qt.Qt.Checked)
    assert [node.GetID() for node in p.batchVolumes] == [segmented[0].GetID()]
    assert [node.GetID() for node in p.batchSegmentations] == [segmented[1].GetID()]
    hierarchy = simulated.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(simulated.mrmlScene)
    folder = hierarchy.CreateFolderItem(hierarchy.GetSceneItemID(), "patient")
    axial = next(
        node for node in simulated.util.getNodesByClass("vtkMRMLScalarVolumeNode") if "axial" in node.GetName()
    )
    loose = simulated.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "loaded from a file")
    assert all(segmentation is not loose for _volume, segmentation in pairs_of_scene(simulated.mrmlScene))
    for node in (axial, loose):
        hierarchy.CreateItem(folder, node)
    pairs = [(volume.GetName(), node.GetName()) for volume, node in pairs_of_scene(simulated.mrmlScene)]
    assert pairs == [("sagittal knee", "segments"), ("axial knee", "loaded from a file")]
    simulated.mrmlScene.RemoveNode(segmented[0])
    widget.refresh()  # a ticked volume is gone: neither it nor the panel stumbles
    assert not widget.ui.batchButton.enabled


def test_a_batch_shows_its_table_and_its_remarks_also_after_reload(
    widget: Any, simulated: Any, headless: Any, tmp_path: Path, errors: list[str]
) -> None:
    p = widget.parameters
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "manifest.csv").write_text("id,image,mask\na,a.nrrd,m.nrrd\n", encoding="utf-8")
    p.batchFolder, p.batchOutput = str(tmp_path / "cases"), str(tmp_path / "out")
    start = with_child(widget, FakeStart(write_cohort))
    widget.ui.batchButton.click()
    HandTimer.made[-1].wind()
    assert errors == []
    assert "--allow-failures" in start.words
    assert start.given("-o") == str(tmp_path / "out/features.csv")
    assert start.given("--manifest") == str(tmp_path / "cases" / "manifest.csv")

    def check() -> None:
        rows, remarks = widget.ui.resultTable, widget.ui.remarksTable
        assert [rows.item(row, 0).text() for row in range(4)] == ["a lesion"] * 2 + ["b lesion"] * 2
        assert [rows.item(0, column).text() for column in (1, 2)] == ["GLCM Contrast", "2.5"]
        assert rows.item(1, 2).text() == "120 mm³"
        assert rows.item(3, 2).text() == "–"
        assert not widget.ui.remarksArea.isHidden()
        assert [remarks.item(0, column).text() for column in range(3)] == ["c lesion", "failed", "the mask is empty"]
        assert remarks.item(1, 2).text() == "label 1 has 5 grey levels"
        text = "3 cases, 1 of them from an earlier run; 1 failed (not in the table)."
        assert widget.ui.remarksLabel.text == text

    check()
    assert "3 cases, 1 computed now, 1 failed" in widget.ui.logText.toPlainText()
    pictured(widget, "features-batch", tmp_path, 1250, width=520)
    assert cut_off(widget) == []
    headless.save_mrb(tmp_path / "batch.mrb")
    simulated.mrmlScene.Clear(False)
    assert widget.ui.remarksArea.isHidden()
    headless.load_mrb(tmp_path / "batch.mrb")
    check()


@pytest.mark.parametrize("width", [440, 520])
def test_no_label_is_cut_off_whatever_is_open(widget: Any, segmented: Any, tmp_path: Path, width: int) -> None:
    from RadiomicFeaturesLib.choices import BatchSource, Mode, RoiSource

    pictured(widget, f"features-empty-{width}", tmp_path, 900, width=width)
    assert cut_off(widget) == []
    p = on_segments(widget, segmented)
    p.featureSettings, p.imageTypes, p.normalize = "own", "Original LoG", True
    for section in ("advancedSection", "batchSection", "resultsSection"):
        getattr(widget.ui, section).collapsed = False
    p.batchSource = BatchSource.SCENE
    pictured(widget, f"features-own-{width}", tmp_path, 1750, width=width)
    assert cut_off(widget) == []
    p.mode, p.roiSource, p.featureSettings = Mode.MAPS, RoiSource.BOX, "file"
    pictured(widget, f"features-file-{width}", tmp_path, 1650, width=width)
    assert cut_off(widget) == []
