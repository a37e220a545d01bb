"""Do two measurements of the same patients differ: Wilcoxon's signed-rank test.

Source: Wilcoxon, Biometrics Bulletin 1945;1:80-83.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from deepradiomics.errors import InputError

_EXACT_UP_TO = 50  # pairs; beyond, the normal approximation is as good


@dataclass(frozen=True)
class SignedRank:
    """Outcome of the test.

    `statistic` is the smaller of the two rank sums; `pairs` counts the non-zero differences; `p` is two-sided.
    """

    statistic: float
    pairs: int
    p: float
    method: Literal["exact", "normal", "no difference"]


def wilcoxon_signed_rank(a: ArrayLike, b: ArrayLike) -> SignedRank:
    """Two-sided Wilcoxon signed-rank test of paired values a and b, shape (n,).

    Zero differences are left out (Wilcoxon's way). Exact up to 50 pairs without ties, else the normal approximation
    with tie correction. No difference at all: p = 1.

    Raises:
        InputError: lengths differ, no values, or values that are not finite.

    Example:
        >>> wilcoxon_signed_rank([1.0, 2.0, 3.0, 4.0, 5.0], [0.0, 0.5, 1.0, 1.5, 2.0]).p
        0.0625
    """
    first, second = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if first.ndim != 1 or first.shape != second.shape or not first.size:
        raise InputError(
            f"wilcoxon_signed_rank needs two vectors of equal length, got shapes {first.shape} and {second.shape}."
        )
    difference = first - second
    if not np.isfinite(difference).all():
        raise InputError(
            f"wilcoxon_signed_rank: pair {int(np.flatnonzero(~np.isfinite(difference))[0])} (from 0) is not finite: "
            "leave such pairs out."
        )
    difference = difference[difference != 0]
    if not difference.size:
        return SignedRank(0.0, 0, 1.0, "no difference")
    from scipy.stats import rankdata, wilcoxon

    ranks = rankdata(np.abs(difference))
    statistic = float(min(ranks[difference > 0].sum(), ranks[difference < 0].sum()))
    tied = len(np.unique(ranks)) < len(ranks)
    if difference.size <= _EXACT_UP_TO and not tied:
        return SignedRank(statistic, difference.size, float(wilcoxon(difference, method="exact").pvalue), "exact")
    p = _normal_p(ranks, statistic)
    return SignedRank(statistic, difference.size, p, "normal")


def _normal_p(ranks: np.ndarray, statistic: float) -> float:
    """Σ ranks is n(n+1)/2; with signs by fair coins the rank sum has mean half of it and variance Σ ranks² / 4."""
    from scipy.special import ndtr

    spread = np.sqrt(np.sum(ranks**2) / 4.0)
    return float(min(1.0, 2.0 * ndtr((statistic - ranks.sum() / 2.0) / spread)))
