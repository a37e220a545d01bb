"""Splits and folds deal patients: no patient's scans are ever apart, and cohorts of single scans split as they did."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from deepradiomics.cohort import Manifest, ManifestRow, check_patients, folds, with_splits
from deepradiomics.errors import InputError, ManifestError

NAMES = ("train", "validation", "test")
FROZEN_SPLITS = "alaaasaaaslaaaaasalaasasalaasasaaaaaaasa"  # the third letter of train, validation, test
FROZEN_FOLD = "asaaasaasallasaaaaaaaasaaasasasslaaalaas"


def cohort(patients: int, scans: int = 3, *, split=lambda i: None) -> Manifest:
    """Patient i has 1 + i % scans scans; its scans' grades differ, so that stratifying by case would tear it apart."""
    rows = [
        ManifestRow(f"c{i:03d}-{s}", {"t2": Path("x.nii")}, None, {"t": (i + s) % 2}, split(i), patient=f"p{i:03d}")
        for s in range(scans)
        for i in range(patients)
        if s <= i % scans
    ]
    return Manifest(tuple(rows), ("t2",), ("t",))


def splits_by_patient(manifest: Manifest) -> dict[str, set]:
    found = defaultdict(set)
    for row, patient in zip(manifest.rows, manifest.groups, strict=True):
        found[patient].add(row.split)
    return found


@pytest.mark.parametrize("seed", range(5))
def test_a_patients_scans_stay_together_and_patients_are_shared_out_as_asked(seed):
    found = splits_by_patient(with_splits(cohort(60), seed))
    assert all(len(splits) == 1 for splits in found.values())
    counts = Counter(next(iter(splits)) for splits in found.values())
    assert counts == {"train": 42, "validation": 6, "test": 12}


def test_every_fold_keeps_a_patients_scans_together_and_tests_each_patient_once():
    made = folds(cohort(30), 5, seed=1)
    tested = Counter()
    for fold in made:
        found = splits_by_patient(fold)
        assert all(len(splits) == 1 for splits in found.values())
        tested.update(patient for patient, splits in found.items() if splits == {"test"})
    assert tested == {f"p{i:03d}": 1 for i in range(30)}


def test_folds_are_counted_in_patients():
    with pytest.raises(InputError, match="needs 2 to 4 folds for these patients, got 5"):
        folds(cohort(4), 5, seed=0)


def test_naming_each_case_its_own_patient_changes_nothing():
    plain = cohort(40, 1)
    nameless = replace(plain, rows=tuple(replace(row, patient=None) for row in plain.rows))
    for seed in range(3):
        assert [r.split for r in with_splits(plain, seed).rows] == [r.split for r in with_splits(nameless, seed).rows]


def test_cohorts_of_single_scans_split_as_in_earlier_versions():
    """Frozen before patients were known: results of earlier runs stay reproducible by their seed."""
    rows = tuple(ManifestRow(f"c{i}", {"t2": Path("x")}, None, {"a": i % 2, "b": int(i % 5 == 0)}) for i in range(40))
    manifest = Manifest(rows, ("t2",), ("a", "b"))
    assert "".join(row.split[2] for row in with_splits(manifest, 3).rows) == FROZEN_SPLITS
    assert "".join(row.split[2] for row in folds(manifest, 4, 3)[1].rows) == FROZEN_FOLD


def test_given_splits_that_separate_a_patient_are_refused_naming_it_its_scans_and_the_splits():
    manifest = cohort(30)
    torn = replace(manifest, rows=tuple(replace(row, split=NAMES[n % 3]) for n, row in enumerate(manifest.rows)))
    one = replace(
        manifest,
        rows=tuple(replace(row, split="test" if row.id == "c001-1" else "train") for row in manifest.rows),
    )
    for use in (check_patients, lambda m: with_splits(m, 0)):
        with pytest.raises(ManifestError, match=r"scans of patient p001: c001-0 in train, c001-1 in test\."):
            use(one)
        with pytest.raises(ManifestError, match=r"more patients\)"):
            use(torn)
    check_patients(manifest)  # nothing is given, nothing is torn


def test_a_scan_without_a_split_follows_its_patient():
    manifest = cohort(30, split=lambda i: NAMES[i % 3])
    open_ = replace(
        manifest, rows=tuple(replace(row, split=None) if row.id.endswith("-1") else row for row in manifest.rows)
    )
    assert with_splits(open_, 0) == manifest


def test_a_free_patient_beside_three_given_splits_is_still_refused():
    manifest = cohort(30, split=lambda i: NAMES[i % 3] if i else None)
    with pytest.raises(ManifestError, match="case c000-0 has none, though all three are given"):
        with_splits(manifest, 0)
