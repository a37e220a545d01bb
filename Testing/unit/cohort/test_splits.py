"""Splits and folds: shares, stratification, determinism, respect for what is given, clear refusals."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.cohort import Manifest, ManifestRow, folds, with_splits
from deepradiomics.errors import InputError, ManifestError


def cohort(n: int, rates: dict[str, float], seed: int = 0, split=lambda i: None) -> Manifest:
    rng = np.random.default_rng(seed)
    rows = tuple(
        ManifestRow(
            f"c{i:03d}",
            {"axial": Path(f"{i}.nii")},
            None,
            {t: int(rng.random() < r) for t, r in rates.items()},
            split(i),
        )
        for i in range(n)
    )
    return Manifest(rows, ("axial",), tuple(rates))


RATES = {"abnormality": 0.7, "acl": 0.35, "meniscus": 0.3}


def test_shares_are_those_asked_for_to_within_one_case():
    counts = Counter(row.split for row in with_splits(cohort(100, RATES), seed=1).rows)
    for split, share in (("train", 70), ("validation", 10), ("test", 20)):
        assert abs(counts[split] - share) <= 1


def test_every_split_has_each_class_in_nearly_the_cohorts_proportion():
    manifest = with_splits(cohort(200, RATES), seed=3)
    for task in manifest.tasks:
        overall = np.mean(manifest.labels(task))
        for split in ("train", "validation", "test"):
            part = manifest.subset(split)
            assert abs(np.mean(part.labels(task)) - overall) < 0.12
            assert len(part.class_counts(task)) == 2


def test_the_seed_decides_and_order_and_ids_stay():
    manifest = cohort(60, RATES)
    first, again, other = (with_splits(manifest, seed=s) for s in (0, 0, 1))
    assert first == again != other
    assert first.ids == manifest.ids
    assert [row.labels for row in other.rows] == [row.labels for row in manifest.rows]


def test_given_splits_stay_and_a_given_test_split_gets_no_more_cases():
    manifest = cohort(120, RATES, split=lambda i: "test" if i >= 100 else None)
    made = with_splits(manifest, seed=0)
    counts = Counter(row.split for row in made.rows)
    assert all(row.split == "test" for row in made.rows[100:])
    assert counts["test"] == 20  # 100 / 8
    assert counts["validation"] in (12, 13)


def test_all_given_splits_are_only_checked():
    names = ("train", "validation", "test")
    manifest = cohort(60, {"t": 0.5}, split=lambda i: names[i % 3])
    assert with_splits(manifest, seed=0) == manifest
    lacking = cohort(60, {"t": 0.5}, split=lambda i: names[i % 2])
    with pytest.raises(ManifestError, match=r"label_t: the test split has no case of class 0"):
        with_splits(lacking, seed=0)
    partly = cohort(60, {"t": 0.5}, split=lambda i: names[i % 3] if i else None)
    with pytest.raises(ManifestError, match=r"case c000 has none"):
        with_splits(partly, seed=0)


def test_a_rare_class_still_reaches_each_split_when_it_can():
    rows = cohort(40, {"t": 0.0}).rows
    rare = tuple(ManifestRow(r.id, r.views, None, {"t": int(i < 3)}) for i, r in enumerate(rows))
    made = with_splits(Manifest(rare, ("axial",), ("t",)), seed=0)
    assert {row.split for row in made.rows if row.labels["t"] == 1} == {"train", "validation", "test"}


def test_a_small_cohort_still_has_both_classes_in_each_split():
    rows = tuple(
        ManifestRow(r.id, r.views, None, {"acl": i % 2, "meniscus": int(i % 3 == 0)})
        for i, r in enumerate(cohort(12, {"acl": 0.5}).rows)
    )
    for seed in range(5):
        made = with_splits(Manifest(rows, ("axial",), ("acl", "meniscus")), seed=seed)
        for split in ("train", "validation", "test"):
            assert all(len(made.subset(split).class_counts(task)) == 2 for task in made.tasks)
        assert len(made.subset("train")) >= 6


def test_a_class_with_two_cases_cannot_be_in_three_splits():
    rows = cohort(40, {"t": 0.0}).rows
    rare = tuple(ManifestRow(r.id, r.views, None, {"t": int(i < 2)}) for i, r in enumerate(rows))
    with pytest.raises(ManifestError, match=r"label_t: the \w+ split has no case of class 1 \(2 cases in all\)"):
        with_splits(Manifest(rare, ("axial",), ("t",)), seed=0)


def test_folds_test_every_case_once_and_share_classes_evenly():
    manifest = cohort(50, RATES)
    made = folds(manifest, 5, seed=2)
    tested = [row.id for fold in made for row in fold.subset("test").rows]
    assert sorted(tested) == sorted(manifest.ids)
    for fold in made:
        assert len(fold.subset("test")) == 10
        assert len(fold.subset("validation")) == 5
        for task in manifest.tasks:
            share = np.mean(fold.subset("test").labels(task)) - np.mean(manifest.labels(task))
            assert abs(share) <= 0.2
    assert folds(manifest, 5, seed=2) == made


@pytest.mark.parametrize("k", [1, 51])
def test_an_impossible_number_of_folds_is_refused(k):
    with pytest.raises(InputError, match=f"got {k}"):
        folds(cohort(50, RATES), k, seed=0)


@pytest.mark.parametrize("fractions", [(0.7, 0.3, 0.0), (0.7, 0.1, 0.1), (0.5, 0.5)])
def test_impossible_fractions_are_refused(fractions):
    with pytest.raises(InputError, match="fractions"):
        with_splits(cohort(50, RATES), seed=0, fractions=fractions)
