"""The features' panel, simulated: a result goes out as DICOM where its volume came from the DICOM database."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from Testing.cli.run_cli import run_cli
from Testing.slicer.fake_child import FakeStart, HandTimer
from Testing.slicer.instance_database import InstanceDatabase
from Testing.slicer.logic.test_fingerprint_logic import add_segment
from Testing.slicer.panel.driving import cut_off, pictured
from Testing.slicer.panel_features.driving import applied, on_segments, with_child
from Testing.unit.dicom_out.series import phantom, write_series

hd = pytest.importorskip("highdicom", reason="highdicom is not installed: nothing writes DICOM")


def child(words: list[str]) -> dict[str, Any]:
    """Run the command line in this process, as the child does in its own."""
    done = run_cli([*words, "--json"])
    assert done.code == 0, done.out + done.err
    return {name: value for name, value in done.result.items() if name != "event"}


@pytest.fixture
def loaded(simulated: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    """A CT of the DICOM database in the scene, with the overlapping segments "a" and "b"."""
    from deepradiomics.images import read_volume
    from deepradiomics.scene.nodes.volumes import node_from_volume

    write_series(tmp_path / "ct", phantom((12, 24, 24)))
    database = InstanceDatabase(tmp_path / "ct")
    monkeypatch.setattr(simulated, "dicomDatabase", database, raising=False)
    volume = node_from_volume(read_volume(tmp_path / "ct"), simulated.mrmlScene, "CT")
    volume.SetAttribute("DICOM.instanceUIDs", " ".join(database.instances))
    segmentation, _ = add_segment(simulated.mrmlScene, volume, None, "a", (slice(2, 7), slice(3, 12), slice(4, 14)))
    add_segment(simulated.mrmlScene, volume, segmentation, "b", (slice(5, 10), slice(9, 18), slice(9, 20)))
    tag = "x~SCT^49755003^Morphologically Abnormal Structure~SCT^108369006^Neoplasm~^^~y~^^~^^|"
    segmentation.GetSegmentation().GetSegment("a").SetTag("TerminologyEntry", tag)
    return volume, segmentation


def computed(widget: Any, loaded: tuple[Any, Any]) -> None:
    on_segments(widget, loaded).featureSettings = "fingerprint-107"
    applied(widget, FakeStart(child))


def exported(widget: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import qt

    monkeypatch.setattr(qt.QFileDialog, "getExistingDirectory", staticmethod(lambda *_: str(folder)))
    with_child(widget, FakeStart(child))
    widget.ui.exportDicomButton.click()
    HandTimer.made[-1].wind()


def test_regions_and_values_of_the_table_go_out(
    widget: Any, loaded: Any, tmp_path: Path, errors: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from deepradiomics.scene.nodes.export import columns_of

    computed(widget, loaded)
    assert errors == []
    assert widget.ui.exportDicomButton.enabled
    exported(widget, tmp_path / "out", monkeypatch)
    assert errors == []
    assert widget.ui.exportDicomButton.text == "Export as DICOM…"
    [folder] = (tmp_path / "out").iterdir()
    assert str(folder) in widget.ui.logText.toPlainText()
    assert "MANUAL" in widget.ui.logText.toPlainText()
    segmentation = hd.seg.segread(folder / "segmentation.dcm")
    first, second = segmentation.SegmentSequence
    assert (first.SegmentLabel, second.SegmentLabel) == ("a", "b")
    assert segmentation.SegmentsOverlap == "YES"
    assert first.segmented_property_type.value == "108369006"
    assert "RecommendedDisplayCIELabValue" in first
    assert second.segmented_property_type.meaning == "Tissue"
    sums = [segmentation.get_volume(segment_numbers=[number]).array.sum() for number in (1, 2)]
    assert sums == [5 * 9 * 10, 5 * 9 * 11]
    columns = columns_of(widget.parameters.resultTable)
    groups = hd.sr.srread(folder / "measurements.dcm").content.get_volumetric_roi_measurement_groups()
    for group in groups:
        name = group.tracking_identifier
        ours = [value for region, value in zip(columns["region"], columns["value"], strict=True) if region == name]
        assert sorted(part.value for part in group.get_measurements()) == sorted(v for v in ours if v is not None)
    assert dcmread(folder / "measurements.dcm").PatientID == "ID-4711-SECRET"


def test_what_was_measured_goes_out_although_the_segment_was_edited_since(
    widget: Any, loaded: Any, tmp_path: Path, errors: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    computed(widget, loaded)
    loaded[1].GetSegmentation().RemoveSegment("a")
    exported(widget, tmp_path / "out", monkeypatch)
    assert errors == []
    [folder] = (tmp_path / "out").iterdir()
    assert hd.seg.segread(folder / "segmentation.dcm").get_volume(segment_numbers=[1]).array.sum() == 450


def test_a_volume_that_was_changed_since_it_was_loaded_is_refused(
    widget: Any, loaded: Any, simulated: Any, tmp_path: Path
) -> None:
    import slicer.util

    from deepradiomics.scene.runs.dicom_export import dicom_request

    slicer.util.arrayFromVolume(loaded[0])[3] += 1
    computed(widget, loaded)
    request = dicom_request(widget.parameters.resultTable, simulated.dicomDatabase, tmp_path).write(tmp_path)
    done = run_cli(["dicom", request, "-o", tmp_path / "out"])
    assert done.code == 2
    assert "1 of its 12 slices have other grey values than the DICOM files" in done.err
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_not_chosen_starts_nothing(
    widget: Any, loaded: Any, errors: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import qt

    computed(widget, loaded)
    monkeypatch.setattr(qt.QFileDialog, "getExistingDirectory", staticmethod(lambda *_: ""))
    start = with_child(widget, FakeStart(child))
    widget.ui.exportDicomButton.click()
    assert start.words == []
    assert errors == []
    assert widget.idle


@pytest.mark.parametrize(
    "why", ["no attribute", "unknown to the database", "file is gone", "no database", "no highdicom"]
)
def test_the_button_is_off_and_its_tip_says_why(
    widget: Any, loaded: Any, simulated: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    computed(widget, loaded)
    says = {
        "no attribute": "was not loaded from Slicer's DICOM database",
        "unknown to the database": "are not in Slicer's DICOM database",
        "file is gone": "are not in Slicer's DICOM database",
        "no database": "are not in Slicer's DICOM database",
        "no highdicom": "Slicer 5.12",
    }[why]
    if why == "no attribute":
        loaded[0].RemoveAttribute("DICOM.instanceUIDs")
    elif why == "unknown to the database":
        loaded[0].SetAttribute("DICOM.instanceUIDs", "1.2.3 1.2.4")
    elif why == "file is gone":
        for path in (tmp_path / "ct").iterdir():
            path.unlink()
    elif why == "no database":
        monkeypatch.setattr(simulated, "dicomDatabase", None)
    else:
        monkeypatch.setitem(sys.modules, "highdicom", None)
    widget.refresh()
    assert not widget.ui.exportDicomButton.enabled
    assert says in widget.ui.exportDicomButton.toolTip


def test_the_buttons_of_a_result_fit_into_the_panel(widget: Any, loaded: Any, tmp_path: Path) -> None:
    computed(widget, loaded)
    pictured(widget, "features-dicom", tmp_path, 1150, width=440)
    assert cut_off(widget) == []
    assert widget.ui.exportDicomButton.isVisible()
