"""Do several treatments differ when each block ranks them: Friedman's test.

Source: Friedman, J Am Stat Assoc 1937;32:675-701; tie correction: Conover, Practical Nonparametric Statistics, 5.8.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc
from scipy.stats import rankdata

from deepradiomics.errors import InputError


@dataclass(frozen=True)
class Friedman:
    """Chi-square statistic (corrected for ties), its degrees of freedom, p, and the mean rank of each treatment.

    The largest value of a block has the largest rank.
    """

    statistic: float
    df: int
    p: float
    blocks: int
    treatments: int
    mean_ranks: tuple[float, ...]


def friedman(values: ArrayLike) -> Friedman:
    """Friedman's test of equal treatments.

    Args:
        values: (blocks, treatments), such as AUCs of classifiers × inputs; at least two blocks, three treatments.

    Every block tied throughout: p = 1.

    Raises:
        InputError: too few, or values that are not finite.

    Example:
        >>> friedman([[1, 2, 3], [1, 2, 3], [1, 2, 3]]).statistic
        6.0
    """
    table: NDArray[np.float64] = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or table.shape[0] < 2 or table.shape[1] < 3:
        raise InputError(
            f"friedman needs a table of at least two blocks and three treatments (blocks, treatments), got shape "
            f"{table.shape}. Two treatments are what wilcoxon_signed_rank compares."
        )
    if not np.isfinite(table).all():
        i, j = np.argwhere(~np.isfinite(table))[0]
        raise InputError(f"friedman: block {i}, treatment {j} (from 0) is not finite: leave such blocks out.")
    n, k = table.shape
    ranks = rankdata(table, axis=1)
    # with ties the ranks vary less than 1 … k do; without, the spread is n k (k+1) (k-1) / 12
    spread = float(((ranks - (k + 1) / 2.0) ** 2).sum())
    between = float(((ranks.mean(axis=0) - (k + 1) / 2.0) ** 2).sum()) * n
    statistic = n * (k - 1) * between / spread if spread > 0 else 0.0
    means = tuple(float(value) for value in ranks.mean(axis=0))
    return Friedman(statistic, k - 1, float(chdtrc(k - 1, statistic)), n, k, means)
