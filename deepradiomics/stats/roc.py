"""How well a score ranks the diseased above the healthy: AUC, its DeLong interval, the paired test, Youden's cut.

The AUC is the Mann-Whitney probability P(X > Y) + ½ P(X = Y) of a positive's score X and a negative's score Y.
DeLong's variance comes from the structural components V10 (one value per positive) and V01 (one per negative), here
computed from midranks in O(n log n).

Sources: DeLong, DeLong & Clarke-Pearson, Biometrics 1988;44:837-845; Sun & Xu, IEEE Signal Process Lett
2014;21:1389-1393; Youden, Cancer 1950;3:32-35.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit, ndtr

from deepradiomics.stats.check import both_classes, scores_for
from deepradiomics.stats.interval import Interval, normal_quantile

_NO_ERROR = 1e-12  # standard errors below are rounding of a variance of zero
_POINT = "DeLong: its variance is zero here, so that the interval is a point and says nothing"


def auc(y: ArrayLike, score: ArrayLike) -> float:
    """Area under the ROC curve; ties count one half.

    Args:
        y: labels 0 and 1, shape (n,).
        score: any real score, larger for class 1, shape (n,).

    Raises:
        InputError: shapes differ, a score is not finite, or one class is missing.

    Example:
        >>> auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
        0.75
    """
    labels = both_classes(y)
    v10, _ = _structural_components(labels, scores_for(labels, score))
    return float(v10.mean())


def delong_ci(
    y: ArrayLike, score: ArrayLike, level: float = 0.95, method: Literal["logit", "wald"] = "logit"
) -> Interval:
    """AUC with DeLong's confidence interval, built on the logit scale.

    ``logit`` takes DeLong's standard error through the delta method, logit(AUC) ± z·SE / (AUC (1 - AUC)), and turns the
    limits back into areas: they never leave (0, 1), and lie further below a high AUC than above it. ``wald`` is
    AUC ± z·SE, clipped to [0, 1]; with few cases of a class and a high AUC it covers too seldom: 87 % instead of 95 %
    at an AUC of 0.92 with 15 positives among 100, where the logit scale has 93 % (docs/results/auc_coverage.csv).

    Args:
        y: labels 0 and 1, shape (n,).
        score: any real score, larger for class 1, shape (n,).
        level: of confidence.
        method: ``logit``, or the textbooks' ``wald``.

    Returns:
        The interval. Where DeLong's variance is zero (an AUC of 0 or 1, all scores equal, one case of each class) both
        limits equal the AUC and :attr:`Interval.method` says so: that is the method's limit, not certainty.

    Raises:
        InputError: shapes differ, a score is not finite, or one class is missing.

    Source: Pepe, The Statistical Evaluation of Medical Tests for Classification and Prediction, 2003, section 5.2.

    Example:
        >>> print(delong_ci([0, 0, 0, 1, 1, 1], [1, 2, 4, 3, 5, 6]))
        0.889 (0.261-0.995)
        >>> delong_ci([0, 0, 1, 1], [1, 2, 3, 4]).method
        'DeLong: its variance is zero here, so that the interval is a point and says nothing'
    """
    labels = both_classes(y)
    v10, v01 = _structural_components(labels, scores_for(labels, score))
    area = float(v10.mean())
    error = math.sqrt(_variance(v10) + _variance(v01))
    half = normal_quantile(level) * error
    if error < _NO_ERROR:
        return Interval(area, area, area, level, _POINT)
    if method == "wald":
        low, high = max(0.0, area - half), min(1.0, area + half)
    else:
        low, high = (float(expit(logit(area) + sign * half / (area * (1.0 - area)))) for sign in (-1.0, 1.0))
    return Interval(area, low, high, level, f"DeLong ({method})")


@dataclass(frozen=True)
class DeLongTest:
    """Two AUCs, of the same cases or of different ones: their difference a - b, its interval, z and two-sided p."""

    auc_a: float
    auc_b: float
    difference: float
    low: float
    high: float
    z: float
    p: float


def delong_test(y: ArrayLike, a: ArrayLike, b: ArrayLike, level: float = 0.95) -> DeLongTest:
    """Paired DeLong test of equal AUCs of two scores on the same cases.

    Where the variance of the difference is zero: p = 1 when the areas are equal (z = 0), else z is infinite and p = 0.
    """
    labels = both_classes(y)
    a10, a01 = _structural_components(labels, scores_for(labels, a, "score a"))
    b10, b01 = _structural_components(labels, scores_for(labels, b, "score b"))
    area_a, area_b = float(a10.mean()), float(b10.mean())
    return _difference(area_a, area_b, _variance(a10 - b10) + _variance(a01 - b01), level)


def delong_unpaired(
    y_a: ArrayLike, score_a: ArrayLike, y_b: ArrayLike, score_b: ArrayLike, level: float = 0.95
) -> DeLongTest:
    """DeLong test of equal AUCs in two groups of different cases, such as women and men.

    The areas are independent, so that their variances add.

    Args:
        y_a, score_a: labels and scores of the first group.
        y_b, score_b: of the second; the groups may differ in size.

    Raises:
        InputError: a group has one class only, or its shapes differ.
    """
    areas, variance = [], 0.0
    for y, score, group in ((y_a, score_a, "a"), (y_b, score_b, "b")):
        labels = both_classes(y, f"y_{group}")
        v10, v01 = _structural_components(labels, scores_for(labels, score, f"score_{group}"))
        areas.append(float(v10.mean()))
        variance += _variance(v10) + _variance(v01)
    return _difference(areas[0], areas[1], variance, level)


def _difference(area_a: float, area_b: float, variance: float, level: float) -> DeLongTest:
    difference, error = area_a - area_b, math.sqrt(variance)
    if error > _NO_ERROR:
        z = difference / error
    else:
        error, z = 0.0, 0.0 if abs(difference) < 1e-12 else math.copysign(math.inf, difference)
    half = normal_quantile(level) * error
    p = float(2.0 * ndtr(-abs(z)))
    return DeLongTest(area_a, area_b, difference, difference - half, difference + half, z, p)


def roc_curve(y: ArrayLike, score: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """False positive rate, true positive rate and threshold of each step of the ROC curve.

    A case is positive when its score >= threshold. The first threshold is infinite (nobody positive), the others are
    the distinct scores, falling. All three have shape (distinct scores + 1,).
    """
    labels = both_classes(y)
    values = scores_for(labels, score)
    thresholds, place = np.unique(-values, return_inverse=True)
    positives = np.bincount(place[labels], minlength=thresholds.size)
    negatives = np.bincount(place[~labels], minlength=thresholds.size)
    true_rate = np.concatenate([[0.0], np.cumsum(positives) / labels.sum()])
    false_rate = np.concatenate([[0.0], np.cumsum(negatives) / (~labels).sum()])
    return false_rate, true_rate, np.concatenate([[np.inf], -thresholds])


def youden(y: ArrayLike, score: ArrayLike) -> float:
    """Threshold t that maximises sensitivity + specificity - 1 of the rule `score >= t`.

    t lies halfway between the two neighbouring scores, so that it does not hug a training case. Of equal maxima the
    most sensitive is taken; where no threshold beats chance that is the smallest score (everybody positive).
    """
    false_rate, true_rate, thresholds = roc_curve(y, score)
    index = true_rate - false_rate
    best = int(np.flatnonzero(index >= index.max() - 1e-12)[-1])
    if best == thresholds.size - 1:
        return float(thresholds[best])
    halfway = (thresholds[best] + thresholds[best + 1]) / 2.0
    return float(halfway if halfway > thresholds[best + 1] else thresholds[best])


def _structural_components(
    labels: NDArray[np.bool_], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """V10 (positives,) and V01 (negatives,): each case's share of right pairs. The mean of either is the AUC."""
    positive, negative = values[labels], values[~labels]
    among_all = _midranks(np.concatenate([positive, negative]))
    m, n = positive.size, negative.size
    v10 = (among_all[:m] - _midranks(positive)) / n
    v01 = 1.0 - (among_all[m:] - _midranks(negative)) / m
    return v10, v01


def _midranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from 1; ties share their mean rank."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    middle: NDArray[np.float64] = last - (counts - 1) / 2.0
    return middle[place]


def _variance(components: NDArray[np.float64]) -> float:
    """Variance of the mean of the components; a single case has none that could be estimated, counted as zero."""
    return float(components.var(ddof=1)) / components.size if components.size > 1 else 0.0
