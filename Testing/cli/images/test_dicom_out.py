"""``--dicom-out``: what is written as DICOM equals the table, refers to the series, and keeps the patient to itself."""

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread

from deepradiomics.dicom_out import LEARNED, Drawn, read_source, write_segmentation
from deepradiomics.dicom_out.concepts import concept_of
from deepradiomics.dicom_out.decimal_string import decimal_string
from deepradiomics.dicom_out.units import HOUNSFIELD
from deepradiomics.images import Mask, Segment, read_volume, write_mask
from deepradiomics.radiomics import Settings
from Testing.cli import material
from Testing.cli.run_cli import Finished, run_cli
from Testing.unit.dicom_out.conftest import mask_on
from Testing.unit.dicom_out.series import PATIENT, phantom, write_series

hd = pytest.importorskip("highdicom", reason="highdicom is not installed: nothing writes DICOM")

FAMILIES = {"firstorder": ["Mean", "Energy", "Kurtosis"], "glcm": ["Contrast"], "shape": None}
SETTINGS = {"imageType": {"Original": {}, "Wavelet": {}}, "featureClass": FAMILIES}
SECRETS = (*PATIENT.values(), "Müller", "Haus", "19500203")


@pytest.fixture
def case(tmp_path: Path) -> tuple[Path, Path]:
    """A CT series and a mask of two segments, Kern and rim."""
    voxels = phantom()
    write_series(tmp_path / "ct", voxels)
    volume = read_volume(tmp_path / "ct")
    mask = mask_on(volume)
    plain = Mask(mask.labels, volume.geometry, segments={1: Segment("Kern"), 2: Segment("rim")})
    write_mask(plain, tmp_path / "mask.seg.nrrd")
    (tmp_path / "params.json").write_text(json.dumps(SETTINGS), encoding="utf-8")
    return tmp_path / "ct", tmp_path / "mask.seg.nrrd"


def extract(case: tuple[Path, Path], output: Path, *options: object) -> Finished:
    params = case[1].parent / "params.json"
    return run_cli(["extract", *case, "-o", output, "--params", params, *options, "--json"])


def reported(path: Path) -> dict[str, dict[tuple[str, ...], tuple[str, str, float]]]:
    """By region and by code and filter: decimal string, unit and exact value, as pydicom reads them."""
    found = {}
    for group in (item for item in _items(dcmread(path)) if _name(item) == "125007"):
        region = next(item.TextValue for item in group.ContentSequence if _name(item) == "112039")
        found[region] = {}
        for item in (part for part in group.ContentSequence if part.ValueType == "NUM"):
            filters = [part.ConceptCodeSequence[0].CodeValue for part in item.get("ContentSequence", ())]
            value = item.MeasuredValueSequence[0]
            unit = value.MeasurementUnitsCodeSequence[0].CodeValue
            text = value.NumericValue.original_string
            found[region][(_name(item), *filters)] = (text, unit, value.FloatingPointValue)
    return found


def test_every_value_of_the_table_is_in_the_report_by_code_region_and_unit(
    case: tuple[Path, Path], tmp_path: Path
) -> None:
    done = extract(case, tmp_path / "f.csv", "--all-labels", "--dicom-out", tmp_path / "dcm")
    assert done.code == 0, done.out
    report, settings = reported(tmp_path / "dcm" / "measurements.dcm"), Settings.from_params(SETTINGS)
    with open(tmp_path / "f.csv", encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == sum(map(len, report.values()))
    assert set(report) == {"Kern", "rim"}
    for row in rows:
        concept = concept_of(row["feature"], HOUNSFIELD, settings)
        key = (concept.code.value, *(term.value for _, term in concept.modifiers))
        text, unit, exact = report[{"1": "Kern", "2": "rim"}[row["label"]]][key]
        assert (exact, unit, text) == (float(row["value"]), concept.unit.value, decimal_string(float(row["value"])))
    segments = hd.seg.segread(tmp_path / "dcm" / "segmentation.dcm").SegmentSequence
    assert [segment.SegmentLabel for segment in segments] == ["Kern", "rim"]


def test_the_patient_stands_in_the_dicom_files_and_nowhere_else(case: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = extract(case, out / "f.csv", "--all-labels", "--dicom-out", out / "dcm")
    manifest = material.manifest(
        tmp_path, [{"id": "a", "image": "ct", "mask": "mask.seg.nrrd"}], ["id", "image", "mask"]
    )
    more = run_cli(
        ["extract", "--manifest", manifest, "-o", out / "m.csv", "--all-labels", "--dicom-out", out / "many"]
    )
    assert done.code == more.code == 0, more.err
    texts = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    dicom = {path for path in texts if path.suffix == ".dcm"}
    assert len(dicom) == 4
    assert len(texts) > 8
    uids = [
        str(dcmread(path)[word].value) for path in [*dicom, next((tmp_path / "ct").iterdir())]
        for word in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID")
        if word in dcmread(path)
    ]  # fmt: skip
    for path, content in texts.items():
        if path in dicom:
            assert "Müller^Änne".encode() in content
            assert PATIENT["PatientID"].encode() in content
        else:
            told = content.decode("utf-8")
            assert not [secret for secret in (*SECRETS, *uids) if secret in told], path
    for text in (done.out, done.err, more.out, more.err):
        assert not [secret for secret in (*SECRETS, *uids) if secret in text]


def test_what_was_assumed_is_noted_on_screen_and_in_the_json(case: tuple[Path, Path], tmp_path: Path) -> None:
    done = extract(case, tmp_path / "f.csv", "--label", 2, "--dicom-out", tmp_path / "dcm")
    notes = json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))["notes"]
    for told in (notes, done.result["notes"]):
        assert any("Label 2 (rim)" in note and "'Tissue'" in note for note in told)
        assert any("MANUAL" in note for note in told)
    assert list(reported(tmp_path / "dcm" / "measurements.dcm")) == ["rim"]


def test_a_segment_of_a_dicom_seg_keeps_its_name_and_who_drew_it(case: tuple[Path, Path], tmp_path: Path) -> None:

    volume = read_volume(case[0])
    drawn = Drawn("AUTOMATIC", "Other's network", "3", LEARNED)
    given = tmp_path / "given.dcm"
    write_segmentation(mask_on(volume), read_source(case[0], volume), given, drawn={2: drawn})
    done = extract((case[0], given), tmp_path / "f.csv", "--segment", "rim", "--dicom-out", tmp_path / "d")
    assert done.code == 0, done.out
    [segment] = hd.seg.segread(tmp_path / "d" / "segmentation.dcm").SegmentSequence
    assert (segment.SegmentLabel, segment.SegmentAlgorithmType) == ("rim", "AUTOMATIC")
    assert segment.SegmentAlgorithmName == "Other's network"


def test_files_that_are_there_are_not_replaced(case: tuple[Path, Path], tmp_path: Path) -> None:
    assert extract(case, tmp_path / "f.csv", "--label", 1, "--dicom-out", tmp_path / "dcm").code == 0
    before = (tmp_path / "dcm" / "measurements.dcm").read_bytes()
    again = extract(case, tmp_path / "g.csv", "--label", 1, "--dicom-out", tmp_path / "dcm")
    assert again.code == 2
    assert "are not replaced" in again.out
    assert (tmp_path / "dcm" / "measurements.dcm").read_bytes() == before
    assert not (tmp_path / "g.csv").exists()


def test_an_image_that_is_no_dicom_is_refused_before_anything_is_computed(tmp_path: Path) -> None:
    image, mask = material.image(tmp_path / "a.nrrd"), material.mask(tmp_path / "m.nrrd", "box")
    done = run_cli(["extract", image, mask, "-o", tmp_path / "f.csv", "--dicom-out", tmp_path / "dcm"])
    assert done.code == 2
    assert "--dicom-out: image: no DICOM" in done.err
    manifest = material.manifest(tmp_path, [{"id": "k7", "image": "a.nrrd", "mask": "m.nrrd"}], ["id", "image", "mask"])
    done = run_cli(["extract", "--manifest", manifest, "-o", tmp_path / "f.csv", "--dicom-out", tmp_path / "dcm"])
    assert done.code == 2
    assert "case k7: no DICOM" in done.err
    assert not (tmp_path / "dcm").exists()
    assert not (tmp_path / "f.csv").exists()


def test_the_series_own_folder_is_no_place_for_what_is_written(case: tuple[Path, Path], tmp_path: Path) -> None:
    before = sorted(path.name for path in case[0].iterdir())
    done = extract(case, tmp_path / "f.csv", "--label", 1, "--dicom-out", case[0])
    assert done.code == 2
    assert "the folder of the image" in done.out
    assert sorted(path.name for path in case[0].iterdir()) == before


def test_without_highdicom_the_command_says_what_to_do(
    case: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "highdicom", None)
    done = extract(case, tmp_path / "f.csv", "--label", 1, "--dicom-out", tmp_path / "dcm")
    assert done.code == 2
    assert "Slicer 5.12" in done.out
    assert not (tmp_path / "f.csv").exists()


def test_a_mask_on_another_grid_is_refused_before_anything_is_computed(case: tuple[Path, Path], tmp_path: Path) -> None:
    volume = read_volume(case[0])
    finer = volume.geometry.resized((48, 20, 12))
    labels = np.repeat(mask_on(volume).labels, 2, axis=2)
    write_mask(Mask((labels == 1).astype(np.uint8), finer), case[1].parent / "finer.nrrd")
    done = extract((case[0], case[1].parent / "finer.nrrd"), tmp_path / "f.csv", "--dicom-out", tmp_path / "dcm")
    assert done.code == 2
    assert "another grid than the DICOM series" in done.out
    assert not (tmp_path / "dcm").exists()
    assert not (tmp_path / "f.csv").exists()


def test_a_manifest_writes_a_folder_a_case_and_a_second_run_keeps_it(tmp_path: Path, case: tuple[Path, Path]) -> None:
    rows = [
        {"id": name, "image": "ct", "mask": "mask.seg.nrrd", "label": label} for name, label in (("a", 1), ("b", 2))
    ]
    manifest = material.manifest(tmp_path, rows, ["id", "image", "mask", "label"])
    command = ["extract", "--manifest", manifest, "-o", tmp_path / "f.csv", "--params", tmp_path / "params.json",
               "--dicom-out", tmp_path / "dcm", "--json"]  # fmt: skip
    first = run_cli(command)
    assert first.code == 0, first.out
    files = {path: path.read_bytes() for path in (tmp_path / "dcm").rglob("*.dcm")}
    assert {str(path.relative_to(tmp_path / "dcm")) for path in files} == {
        f"{case_id}/{name}.dcm" for case_id in "ab" for name in ("segmentation", "measurements")
    }
    assert list(reported(tmp_path / "dcm" / "b" / "measurements.dcm")) == ["rim"]
    second = run_cli(command)
    assert second.code == 0
    assert second.result["computed"] == 0
    assert all(path.read_bytes() == content for path, content in files.items())
    (tmp_path / "dcm" / "a" / "measurements.dcm").unlink()  # as after a kill: ours, of the same content
    third = run_cli(command)
    assert third.code == 0
    assert (tmp_path / "dcm" / "a" / "measurements.dcm").exists()
    other = run_cli([*command, "--standard", "ibsi"])
    assert other.code == 2
    assert "are not replaced" in other.out


def _items(dataset: Dataset) -> list[Dataset]:
    below = list(dataset.get("ContentSequence", ()))
    return below + [item for part in below for item in _items(part)]


def _name(item: Dataset) -> str:
    sequence = item.get("ConceptNameCodeSequence")
    return str(sequence[0].CodeValue) if sequence else ""
