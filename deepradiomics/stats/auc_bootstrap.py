"""The paired bootstrap of AUCs: patients are redrawn, all their scores go with them.

A resample gives each patient a weight (how often they were drawn). With w the weights of the positives, v those of the
negatives and K(i, j) = 1, ½ or 0 as positive i is ranked above, beside or below negative j, the AUC is wᵀ K v / (m n),
the Mann-Whitney probability in the resample. The classes keep their numbers m and n in every resample.

Source: Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapters 13 and 16; LeDell et al., Electron J Stat
2015;9:1583-1607 (weights instead of copies).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepradiomics.errors import InputError
from deepradiomics.stats.check import both_classes, scores_for
from deepradiomics.stats.interval import check_level

_BLOCK = 256  # resamples multiplied at once


@dataclass(frozen=True)
class BootstrapDifference:
    """AUC of a minus AUC of b on the same patients, its percentile interval and two-sided p (:func:`bootstrap_p`)."""

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
    resampled = bootstrap_aucs(y, (a, b), n, seed)
    differences = resampled[:, 0] - resampled[:, 1]
    low, high = np.quantile(differences, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    labels = both_classes(y)
    area_a, area_b = (float(_pairs(labels, scores_for(labels, score, "score")).mean()) for score in (a, b))
    return BootstrapDifference(area_a, area_b, area_a - area_b, float(low), float(high), bootstrap_p(differences), n)


def bootstrap_aucs(y: ArrayLike, scores: Sequence[ArrayLike], n: int = 2000, seed: int = 0) -> NDArray[np.float64]:
    """AUCs of every score in every resample, (n, number of scores); the resamples are the same for all scores.

    Args:
        y: labels 0 and 1, (patients,).
        scores: each (patients,).
        n: number of resamples.
        seed: equal seeds give equal resamples.

    Raises:
        InputError: shapes differ, one class only, or n < 1.
    """
    if n < 1:
        raise InputError(f"The bootstrap of AUCs needs at least one resample, got n={n}.")
    labels = both_classes(y)
    tables = [scores_for(labels, score, f"score {number}") for number, score in enumerate(scores, start=1)]
    positives, negatives = int(labels.sum()), int((~labels).sum())
    generator = np.random.default_rng(seed)
    drawn = [
        generator.multinomial(count, np.full(count, 1.0 / count), size=n).astype(np.float32)
        for count in (positives, negatives)
    ]
    aucs = np.empty((n, len(tables)))
    for column, values in enumerate(tables):
        kernel = _pairs(labels, values).astype(np.float32)
        for start in range(0, n, _BLOCK):
            part = slice(start, start + _BLOCK)
            aucs[part, column] = np.einsum("bj,bj->b", drawn[0][part] @ kernel, drawn[1][part], dtype=np.float64)
    return aucs / (positives * negatives)


def bootstrap_p(differences: ArrayLike) -> float:
    """Two-sided p of a difference of 0 from resampled differences: twice the smaller tail, no less than 1/(n + 1).

    Ties count to both tails, and one is added to each, so that p is never zero.
    """
    values = np.asarray(differences, np.float64)
    if values.ndim != 1 or not values.size:
        raise InputError(f"bootstrap_p needs a vector of differences, got shape {values.shape}.")
    tail = min(int((values <= 0).sum()), int((values >= 0).sum()))
    return float(min(1.0, 2.0 * (tail + 1) / (values.size + 1)))


def _pairs(labels: NDArray[np.bool_], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Kernel of each pair, (positives, negatives)."""
    return (np.sign(values[labels][:, None] - values[~labels]) + 1.0) / 2.0
