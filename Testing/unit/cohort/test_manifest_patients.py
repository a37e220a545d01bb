"""Patients, named regions and values in a manifest: read, written back, and refused where they make no sense."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from deepradiomics.cohort import Manifest, ManifestRow, read_manifest, write_manifest
from deepradiomics.errors import ManifestError

HEADER = "id,patient,view_t2,view_adc,mask_gland,mask_lesion,label_pirads,value_volume_ml\n"
GOOD = HEADER + "a,p1,t.nii,d.nii,g.nii,,0,41.5\nb,p1,t.nii,d.nii,g.nii,l.nii,2,42\nc,,t.nii,,g.nii,l.nii,1,\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("t", "d", "g", "l"):
        (tmp_path / f"{name}.nii").write_bytes(b"")
    return tmp_path


def write(folder: Path, text: str) -> Path:
    path = folder / "manifest.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_patients_regions_and_values_are_read_and_empty_cells_stay_empty(folder):
    manifest = read_manifest(write(folder, GOOD), need_labels=False)
    assert manifest.views == ("t2", "adc")
    assert manifest.tasks == ("pirads",)
    assert manifest.rois == ("gland", "lesion")
    assert manifest.value_names == ("volume_ml",)
    a, b, c = manifest.rows
    assert (a.patient, b.patient, c.patient) == ("p1", "p1", None)
    assert manifest.groups == ("p1", "p1", "c")  # a row without a patient is its own
    assert dict(a.masks) == {"gland": folder / "g.nii"}
    assert set(b.masks) == {"gland", "lesion"}
    assert dict(a.values) == {"volume_ml": 41.5}
    assert dict(c.values) == {}
    assert a.mask is None  # a named region is not the column mask


def test_a_manifest_without_any_label_is_enough_where_labels_are_not_needed(folder):
    manifest = read_manifest(write(folder, "id,view_t2,mask_gland\na,t.nii,g.nii\n"), need_labels=False)
    assert manifest.tasks == ()
    assert manifest.rois == ("gland",)
    assert manifest.groups == ("a",)


def test_patients_regions_and_values_round_trip_with_relative_paths(folder):
    first = read_manifest(write(folder, GOOD), need_labels=False)
    rows = (*first.rows[:2], replace(first.rows[2], split="test", values={"volume_ml": 0.1 + 0.2}))
    path = write_manifest(replace(first, rows=rows), folder / "again.csv")
    text = path.read_text(encoding="utf-8")
    assert text.splitlines()[0] == (
        "id,patient,view_t2,view_adc,mask_gland,mask_lesion,split,label_pirads,value_volume_ml"
    )
    assert str(folder) not in text
    again = read_manifest(path, need_labels=False)
    assert again == replace(first, rows=rows, path=path)  # 0.30000000000000004 included


def test_values_are_given_for_every_case_or_the_missing_are_named(folder):
    manifest = read_manifest(write(folder, GOOD), need_labels=False)
    with pytest.raises(ManifestError, match="Column value_volume_ml: no value for case c"):
        manifest.values("volume_ml")
    with pytest.raises(ManifestError, match="no column value_age; its values are: volume_ml"):
        manifest.values("age")
    assert replace(manifest, rows=manifest.rows[:2]).values("volume_ml") == [41.5, 42.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD.replace("patient", "patient_id"), r"unknown column 'patient_id'; did you mean 'patient'\?"),
        (GOOD.replace("mask_gland", "gland"), r"unknown column 'gland'; .*mask_<roi>, .* and value_<name>"),
        (GOOD.replace("mask_gland", "mask_"), r"column 'mask_' lacks a name"),
        (GOOD.replace("mask_gland", "mask_ellipsoid"), r"'mask_ellipsoid' cannot be used"),
        (GOOD.replace("mask_gland", "mask_mask"), r"'mask_mask' cannot be used"),
        (GOOD.replace("41.5", "41,5"), r"line 2: expected 8 cells, got 9"),
        (GOOD.replace("41.5", "large"), r"Case a, column value_volume_ml: expected a number .* got 'large'"),
        (GOOD.replace("41.5", "inf"), r"Case a, column value_volume_ml: expected a number .* got 'inf'"),
        (GOOD.replace("g.nii,l.nii", "g.nii,gone.nii"), r"2 files do not exist:\n  case b, column mask_lesion: .*gone"),
        (GOOD.replace("b,p1", "b,P1"), r"Column patient: 'p1' and 'P1' differ by capitals only"),
    ],
)
def test_bad_cells_are_refused_naming_case_and_column(folder, text, message):
    with pytest.raises(ManifestError, match=message):
        read_manifest(write(folder, text), need_labels=False)


def test_a_region_or_value_that_the_manifest_would_lose_is_refused():
    row = ManifestRow("a", {"t2": Path("t.nii")}, masks={"gland": Path("g.nii")}, values={"age": 60.0})
    with pytest.raises(ManifestError, match="Case a: the manifest has no column mask_gland"):
        Manifest((row,), ("t2",), (), value_names=("age",))
    with pytest.raises(ManifestError, match="Case a: the manifest has no column value_age"):
        Manifest((row,), ("t2",), (), rois=("gland",))
