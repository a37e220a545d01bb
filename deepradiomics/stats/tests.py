"""Do two classifiers differ, and do many such answers hold together: McNemar's test and Holm's adjustment.

Sources: McNemar, Psychometrika 1947;12:153-157; Edwards, Psychometrika 1948;13:185-187 (continuity correction);
Fagerland, Lydersen & Laake, BMC Med Res Methodol 2013;13:91 (mid-p); Holm, Scand J Stat 1979;6:65-70.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr, chdtrc, gammaln

from deepradiomics.errors import InputError
from deepradiomics.stats.check import class_labels

McNemarMethod = Literal["exact", "mid-p", "corrected"]


@dataclass(frozen=True)
class McNemar:
    """The discordant cases, the two-sided p and the method that gave it.

    `statistic` is the smaller discordant count (exact, mid-p) or the continuity-corrected chi-square (corrected).
    """

    only_a_right: int
    only_b_right: int
    statistic: float
    p: float
    method: McNemarMethod


def mcnemar(y: ArrayLike, pred_a: ArrayLike, pred_b: ArrayLike, method: McNemarMethod = "exact") -> McNemar:
    """McNemar's test of equal accuracy of two classifiers on the same cases (binary or several classes).

    Args:
        y: true classes, shape (n,).
        pred_a, pred_b: predicted classes, shape (n,).
        method: `exact` binomial; `mid-p` (less conservative); `corrected`: chi-square (|b - c| - 1)² / (b + c).

    No discordant case: p = 1.
    """
    truth = class_labels(y)
    right_a, right_b = (_right(truth, p, name) for p, name in ((pred_a, "pred_a"), (pred_b, "pred_b")))
    only_a, only_b = int((right_a & ~right_b).sum()), int((~right_a & right_b).sum())
    smaller, total = min(only_a, only_b), only_a + only_b
    if method == "corrected":
        statistic = max(abs(only_a - only_b) - 1.0, 0.0) ** 2 / total if total else 0.0
        return McNemar(only_a, only_b, statistic, float(chdtrc(1, statistic)), method)
    if method not in ("exact", "mid-p"):
        raise InputError(f"mcnemar knows the methods exact, mid-p and corrected, got {method!r}.")
    if total == 0:
        return McNemar(0, 0, 0.0, 1.0, method)
    tail = 2.0 * float(bdtr(smaller, total, 0.5))
    if method == "mid-p":
        tail -= _binomial_half(smaller, total)
    return McNemar(only_a, only_b, float(smaller), min(1.0, tail), method)


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Holm's step-down adjusted p-values, in the order given: they control the family-wise error.

    Example:
        >>> holm([0.01, 0.04, 0.03]).tolist()
        [0.03, 0.06, 0.06]
    """
    values = np.asarray(p, dtype=np.float64)
    if values.ndim != 1:
        raise InputError(f"holm needs a vector of p-values, got shape {values.shape}.")
    if not ((values >= 0.0) & (values <= 1.0)).all():
        raise InputError(f"p-values lie between 0 and 1, got {values.tolist()}; leave out those that are not defined.")
    order = np.argsort(values, kind="stable")
    stepped = values[order] * np.arange(values.size, 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1.0)
    return adjusted


def _right(truth: NDArray[np.int64], predicted: ArrayLike, name: str) -> NDArray[np.bool_]:
    labels = class_labels(predicted, name=name)
    if labels.shape != truth.shape:
        raise InputError(f"{name} must have one class per case: expected {truth.size}, got {labels.size}.")
    return labels == truth


def _binomial_half(k: int, n: int) -> float:
    """Probability of k heads in n fair tosses."""
    return float(np.exp(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1) - n * np.log(2.0)))
