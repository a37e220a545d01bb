"""A cohort of synthetic prostates on disk: manifest, masks, truth, patients with two scans, the command."""

from __future__ import annotations

import csv
from collections import Counter

import numpy as np
import pytest
import SimpleITK as sitk
from typer.testing import CliRunner

from deepradiomics.cli.main import app
from deepradiomics.cohort import load_case, read_manifest, roi_mask, with_splits
from deepradiomics.errors import InputError
from deepradiomics.phantoms import prostate_exam, write_prostate_cohort
from deepradiomics.phantoms.prostate.cohort import draw_patients
from deepradiomics.phantoms.prostate.truth import DRIVERS

CASES = 20


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return write_prostate_cohort(tmp_path_factory.mktemp("prostates"), CASES, 5)


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_manifest_reads_back_with_images_regions_grade_and_volume(cohort):
    manifest = read_manifest(cohort)
    assert manifest.views == ("t2", "highb", "adc")
    assert manifest.rois == ("gland", "lesion")
    assert manifest.tasks == ("pirads",)
    assert manifest.value_names == ("volume_ml",)
    for row in manifest.rows:
        case = load_case(row)
        gland = roi_mask(row, "gland", case.views["t2"])
        assert gland.geometry.is_close(case.views["t2"].geometry)
        volume = gland.labels.sum() * np.prod(gland.geometry.spacing_mm) / 1000
        assert row.values["volume_ml"] == pytest.approx(volume, abs=1e-3)
        assert ("lesion" in row.masks) == (row.labels["pirads"] > 0)


def test_the_files_hold_the_voxels_of_the_exam_and_say_that_they_are_synthetic(cohort):
    truth = rows_of(cohort.parent / "truth.csv")[3]
    number = int(truth["patient"].removeprefix("man"))
    exam = prostate_exam((5, number), int(truth["grade"]), scan=int(truth["scan"]))
    for name, volume in exam.views.items():
        image = sitk.ReadImage(str(cohort.parent / "cases" / truth["id"] / f"{name}.nii.gz"))
        np.testing.assert_array_equal(sitk.GetArrayFromImage(image), volume.voxels)
        assert "SYNTHETIC" in image.GetMetaData("descrip")
        np.testing.assert_allclose(image.GetOrigin(), volume.geometry.origin_mm, atol=1e-3)
    assert (cohort.parent / "README.txt").read_text(encoding="utf-8").startswith("SYNTHETIC")


def test_some_men_have_two_scans_which_splits_keep_together(cohort):
    manifest = read_manifest(cohort)
    counts = Counter(manifest.groups)
    assert Counter(counts.values()) == {1: CASES - 2, 2: 1}
    made = with_splits(read_manifest(cohort, tasks=[], need_labels=False), 0)
    splits = {patient: set() for patient in counts}
    for row, patient in zip(made.rows, made.groups, strict=True):
        splits[patient].add(row.split)
    assert all(len(found) == 1 for found in splits.values())


def test_grades_have_the_shares_that_were_promised():
    grades = Counter(grade for _, scan, grade in draw_patients(420, 0) if scan == 0)
    shares = [grades[grade] / sum(grades.values()) for grade in range(4)]
    np.testing.assert_allclose(shares, (0.35, 0.25, 0.20, 0.20), atol=0.005)
    assert sum(scan for _, scan, _ in draw_patients(420, 0)) == 21


def test_the_truth_has_a_line_a_scan_and_a_line_a_claim(cohort):
    truth, manifest = rows_of(cohort.parent / "truth.csv"), read_manifest(cohort)
    assert [row["id"] for row in truth] == list(manifest.ids)
    assert [int(row["grade"]) for row in truth] == manifest.labels("pirads")
    assert [float(row["volume_ml"]) for row in truth] == manifest.values("volume_ml")
    claims = rows_of(cohort.parent / "truth_drivers.csv")
    assert [(c["label"], c["modality"], c["feature"]) for c in claims] == [
        (d.label, d.modality, d.feature) for d in DRIVERS
    ]
    assert {c["column"] for c in claims} <= set(truth[0])
    assert {c["label"] for c in claims} == {"label_pirads", "value_volume_ml"}


def test_an_interrupted_cohort_has_no_manifest(tmp_path, cohort):
    write_prostate_cohort(tmp_path, 1, 0)

    def stop(done: float, _text: str) -> None:
        if done > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_prostate_cohort(tmp_path, 2, 0, progress=stop)
    assert not (tmp_path / "manifest.csv").exists()


def test_no_cases_are_refused(tmp_path):
    with pytest.raises(InputError, match="at least one case, got 0"):
        write_prostate_cohort(tmp_path, 0, 0)


def test_the_command_writes_the_same_cohort(tmp_path):
    run = CliRunner().invoke(app, ["phantom", "prostate", "-o", str(tmp_path / "out"), "--cases", "2", "--seed", "3"])
    assert run.exit_code == 0, run.output
    again = write_prostate_cohort(tmp_path / "again", 2, 3)
    assert (tmp_path / "out" / "manifest.csv").read_bytes() == again.read_bytes()
    assert (tmp_path / "out" / "truth.csv").read_bytes() == (again.parent / "truth.csv").read_bytes()
