"""``ich apply`` and ``segment`` with ``--dicom-out``: the haematoma as SEG, its features as report."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

pytest.importorskip("torch")
pytest.importorskip("monai")
pytest.importorskip("sklearn")

from deepradiomics.ich.predictor import save_predictor
from deepradiomics.images import Geometry, Mask, Volume, read_mask, write_mask
from deepradiomics.phantoms.ich.cohort import ich_exam
from Testing.cli.ich import ich_material
from Testing.cli.run_cli import run_cli
from Testing.unit.dicom_out.series import write_volume_as_series
from Testing.unit.ich.tiny_predictor import random_predictor

hd = pytest.importorskip("highdicom", reason="highdicom is not installed: nothing writes DICOM")


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ct/ (a DICOM series), mask.nii.gz and the model shape/ in one folder."""
    folder = tmp_path_factory.mktemp("patient")
    exam = ich_exam(3, followup=False)
    own = exam.baseline.geometry
    voxels, labels = (np.ascontiguousarray(part[::2, ::2, ::2]) for part in (exam.baseline.voxels, exam.mask.labels))
    spacing = tuple(2 * side for side in own.spacing_mm)
    grid = Geometry(voxels.shape[::-1], spacing, own.origin_mm, own.direction)
    write_volume_as_series(folder / "ct", voxels, grid.affine)
    write_mask(Mask(labels, grid), folder / "mask.nii.gz")
    save_predictor(folder / "shape", random_predictor(input="shape"))
    return folder


def test_a_patients_haematoma_and_features_go_out_as_they_are_in_the_folder(patient: Path, tmp_path: Path) -> None:
    words = [
        "ich",
        "apply",
        patient / "shape",
        patient / "ct",
        "-o",
        tmp_path / "out",
        "--mask",
        patient / "mask.nii.gz",
    ]
    done = run_cli([*words, "--dicom-out", tmp_path / "dcm", "--no-scene", "--device", "cpu", "--json"])
    assert done.code == 0, done.out + done.err
    assert [Path(file).name for file in done.result["files"]][-2:] == ["segmentation.dcm", "measurements.dcm"]
    segmentation = hd.seg.segread(tmp_path / "dcm" / "segmentation.dcm")
    first, second = segmentation.SegmentSequence
    assert (first.SegmentLabel, second.SegmentLabel) == ("haematoma", "ring")
    assert first.segmented_property_type.value == "35566002"
    assert first.SegmentAlgorithmType == "MANUAL"
    assert (second.SegmentAlgorithmType, second.SegmentAlgorithmName) == ("SEMIAUTOMATIC", "DeepRadiomics ring")
    ours = read_mask(tmp_path / "out" / "segmentation.nii.gz")
    for label in (1, 2):
        assert segmentation.get_volume(segment_numbers=[label]).array.sum() == ours.region(label).sum()
    with open(tmp_path / "out" / "features.csv", encoding="utf-8", newline="") as stream:
        values = sorted(float(row["value"]) for row in csv.DictReader(stream))
    [group] = hd.sr.srread(tmp_path / "dcm" / "measurements.dcm").content.get_volumetric_roi_measurement_groups()
    reported = sorted(measurement.value for measurement in group.get_measurements())
    np.testing.assert_allclose(reported, values, rtol=1e-8)  # features.csv of a patient keeps nine digits
    record = json.loads((tmp_path / "out" / "ich.json").read_text(encoding="utf-8"))
    assert any("MANUAL" in note for note in record["notes"])
    assert record["notes"] == done.result["case"]["notes"]
    for path in (tmp_path / "out").rglob("*"):
        assert b"ID-4711-SECRET" not in path.read_bytes()
        assert "Müller".encode() not in path.read_bytes()


def test_what_a_network_segments_goes_out_with_the_networks_name(tmp_path: Path) -> None:
    volume, _ = ich_material.head()
    write_volume_as_series(tmp_path / "ct", np.rint(volume.voxels), volume.geometry.affine)
    model = ich_material.network("segmenter")
    words = [
        "segment",
        tmp_path / "ct",
        "-o",
        tmp_path / "mask.nii.gz",
        "--segmenter",
        model,
        "--device",
        "cpu",
        "--json",
    ]
    done = run_cli([*words, "--dicom-out", tmp_path / "dcm"])
    assert done.code == 0, done.out + done.err
    mask = read_mask(tmp_path / "mask.nii.gz")
    if not mask.labels_present():  # an untrained network may find nothing
        assert done.result["dicom"] == []
        assert any("No DICOM SEG" in note for note in done.result["notes"])
        return
    assert [Path(file).name for file in done.result["dicom"]] == ["segmentation.dcm"]
    [segment] = dcmread(tmp_path / "dcm" / "segmentation.dcm").SegmentSequence
    assert segment.SegmentAlgorithmType == "AUTOMATIC"
    assert segment.SegmentAlgorithmName == done.result["model"]["name"]
    identified = segment.SegmentationAlgorithmIdentificationSequence[0]
    assert identified.AlgorithmVersion == done.result["model"]["sha256"][:16]
    assert hd.seg.segread(tmp_path / "dcm" / "segmentation.dcm").get_volume().array.sum() == mask.union().sum()


@pytest.mark.parametrize("command", ["segment", "ich apply"])
def test_a_ct_that_is_no_dicom_is_refused_before_anything_is_computed(tmp_path: Path, command: str) -> None:
    from deepradiomics.images import write_volume

    volume, _ = ich_material.head()
    write_volume(Volume(volume.voxels, volume.geometry), tmp_path / "ct.nii.gz")
    network = ich_material.network("segmenter")
    words = {
        "segment": ["segment", tmp_path / "ct.nii.gz", "-o", tmp_path / "m.nii.gz", "--segmenter", network],
        "ich apply": ["ich", "apply", ich_material.bundle(), tmp_path / "ct.nii.gz", "-o", tmp_path / "out"],
    }[command]  # fmt: skip
    done = run_cli([*words, "--dicom-out", tmp_path / "dcm", "--device", "cpu"])
    assert done.code == 2
    assert "--dicom-out:" in done.err
    assert "no DICOM" in done.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ct.nii.gz"]
