"""Quadratic weighted kappa against the table of its definition, scikit-learn and values worked by hand."""

import math

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.stats import quadratic_weighted_kappa


def by_definition(truth: np.ndarray, predicted: np.ndarray, classes: int) -> float:
    """1 - Σ w O / Σ w E, with the tables written out (Cohen 1968)."""
    observed = np.zeros((classes, classes))
    for t, p in zip(truth, predicted, strict=True):
        observed[t, p] += 1
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0)) / len(truth)
    weights = (np.arange(classes)[:, None] - np.arange(classes)[None, :]) ** 2
    return 1 - float((weights * observed).sum() / (weights * expected).sum())


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_definition_and_what_scikit_learn_gives(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 4, 60)
    predicted = np.clip(truth + rng.integers(-2, 3, 60), 0, 3)
    kappa = quadratic_weighted_kappa(truth, predicted)
    assert kappa == pytest.approx(by_definition(truth, predicted, 4), abs=1e-12)
    metrics = pytest.importorskip("sklearn.metrics")
    assert kappa == pytest.approx(metrics.cohen_kappa_score(truth, predicted, weights="quadratic"), abs=1e-12)


def test_perfect_opposite_and_constant_gradings() -> None:
    assert quadratic_weighted_kappa([0, 1, 2], [0, 1, 2]) == 1.0
    assert quadratic_weighted_kappa([0, 3], [3, 0]) == -1.0
    assert quadratic_weighted_kappa([0, 1, 2, 3], [1, 1, 1, 1]) == 0.0
    assert math.isnan(quadratic_weighted_kappa([2, 2], [2, 2]))


def test_a_far_miss_costs_more_than_a_near_one() -> None:
    truth = [0, 0, 1, 2, 3, 3]
    assert quadratic_weighted_kappa(truth, [1, 0, 1, 2, 3, 3]) > quadratic_weighted_kappa(truth, [3, 0, 1, 2, 3, 3])


@pytest.mark.parametrize(
    ("truth", "predicted", "message"),
    [([0, 1], [0], "truth has 2 cases, predicted 1"), ([], [], "one grade per case"), ([0.5], [1], "whole numbers")],
)
def test_what_is_no_grading_is_refused(truth: list[float], predicted: list[float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        quadratic_weighted_kappa(truth, predicted)
