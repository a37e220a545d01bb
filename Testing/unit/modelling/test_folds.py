"""Folds that all outcomes share."""

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.modelling.folds import experiment_folds

rng = np.random.default_rng(0)
IDS = tuple(f"c{i}" for i in range(60))
GROWTH = rng.normal(3, 5, 60)
OUTCOMES = {
    "poor": (rng.random(60) < 0.4).astype(float),
    "grown": (GROWTH > 3).astype(float),
    "much": (GROWTH > 7).astype(float),
}


def test_everybody_is_tested_once_and_the_held_out_are_a_fourth_of_the_training_part() -> None:
    folds = experiment_folds(IDS, IDS, OUTCOMES, 5, seed=0)
    assert sorted(np.concatenate([fold.test for fold in folds]).tolist()) == list(range(60))
    for fold in folds:
        assert not set(fold.train) & set(fold.test)
        assert len(fold.train) + len(fold.test) == 60
        assert set(fold.held_out) < set(fold.train)
        assert len(fold.held_out) == 12


def test_every_fold_has_its_share_of_each_outcome() -> None:
    folds = experiment_folds(IDS, IDS, OUTCOMES, 5, seed=0)
    for y in OUTCOMES.values():
        counts = [y[fold.test].sum() for fold in folds]
        assert max(counts) - min(counts) <= 2
        held = [y[fold.held_out].mean() for fold in folds]
        np.testing.assert_allclose(held, y.mean(), atol=0.18)


def test_scans_of_a_patient_stay_together() -> None:
    patients = tuple(f"p{i // 2}" for i in range(60))
    for fold in experiment_folds(IDS, patients, OUTCOMES, 5, seed=0):
        assert {patients[i] for i in fold.test}.isdisjoint(patients[i] for i in fold.train)
        fits = set(fold.train) - set(fold.held_out)
        assert {patients[i] for i in fold.held_out}.isdisjoint(patients[i] for i in fits)


def test_missing_outcomes_are_dealt_like_a_class_of_their_own() -> None:
    y = OUTCOMES["poor"].copy()
    y[:20] = np.nan
    for fold in experiment_folds(IDS, IDS, {"poor": y}, 5, seed=0):
        assert np.isnan(y[fold.test]).sum() == 4


def test_a_seed_gives_the_same_folds() -> None:
    first, again, other = (experiment_folds(IDS, IDS, OUTCOMES, 5, seed=seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a.test, b.test) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a.test, b.test) for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.full(60, np.nan), "Outcome grown: no patient has it"),
        (np.ones(60), "60 patients, of class 1 only"),
        (np.r_[np.ones(3), np.zeros(57)], "3 patients with it are too few for 5 folds"),
        (np.r_[np.zeros(1), np.ones(59)], "1 patient without it is too few for 5 folds"),
    ],
)
def test_an_outcome_that_cannot_be_judged_is_refused_by_name(y: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        experiment_folds(IDS, IDS, {"grown": y}, 5, seed=0)


def test_a_class_that_sits_in_one_patient_is_told_as_a_fold_with_one_class() -> None:
    """Eight positive scans of one patient: whoever tests them leaves none to learn from."""
    patients = ("same",) * 8 + IDS[8:]
    with pytest.raises(InputError, match=r"Outcome grown: .* has no case of class 1 .*A fold would have one class"):
        experiment_folds(IDS, patients, {"grown": np.r_[np.ones(8), np.zeros(52)]}, 5, seed=0)
