"""The paired bootstrap of a difference of AUCs: patients are redrawn, both scores go with them.

An AUC is the mean over pairs (positive, negative) of a kernel, 1, ½ or 0; a redrawn cohort only counts each patient
otherwise. So all resamples come from one small matrix of pairs and two matrices of counts.

Source: Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapters 13 and 16.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepradiomics.errors import InputError
from deepradiomics.stats.check import both_classes, scores_for
from deepradiomics.stats.interval import check_level


@dataclass(frozen=True)
class BootstrapDifference:
    """AUC of a minus AUC of b on the same patients, its percentile interval and two-sided p.

    p is twice the smaller share of resamples on either side of zero (ties count to both, one added to each count, so
    that p is never zero).
    """

    auc_a: float
    auc_b: float
    difference: float
    low: float
    high: float
    p: float
    resamples: int


def bootstrap_auc_difference(
    y: ArrayLike, a: ArrayLike, b: ArrayLike, *, n: int = 2000, seed: int = 0, level: float = 0.95
) -> BootstrapDifference:
    """Stratified paired bootstrap of AUC(a) - AUC(b).

    Args:
        y: labels 0 and 1, shape (cases,); each class keeps its number of cases in every resample.
        a, b: scores of the same cases.
        n: resamples.
        seed: of numpy's default generator.

    Raises:
        InputError: shapes differ, one class only, or n < 1.
    """
    check_level(level)
    if n < 1:
        raise InputError(f"bootstrap_auc_difference needs at least one resample, got n={n}.")
    labels = both_classes(y)
    first, second = (_pairs(labels, scores_for(labels, s, f"score {name}")) for s, name in ((a, "a"), (b, "b")))
    generator = np.random.default_rng(seed)
    positives, negatives = first.shape
    drawn_positive = generator.multinomial(positives, np.full(positives, 1.0 / positives), size=n)
    drawn_negative = generator.multinomial(negatives, np.full(negatives, 1.0 / negatives), size=n)
    differences = np.einsum("ij,ij->i", drawn_positive @ (first - second), drawn_negative) / (positives * negatives)
    low, high = np.quantile(differences, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    tail = min(int((differences <= 0).sum()), int((differences >= 0).sum()))
    area_a, area_b = float(first.mean()), float(second.mean())
    p = min(1.0, 2.0 * (tail + 1) / (n + 1))
    return BootstrapDifference(area_a, area_b, area_a - area_b, float(low), float(high), p, n)


def _pairs(labels: NDArray[np.bool_], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Kernel of each pair, (positives, negatives)."""
    return (np.sign(values[labels][:, None] - values[~labels]) + 1.0) / 2.0
