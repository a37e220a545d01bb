"""How far another way to compute ΔI agrees with ΔI: rank correlation, signs, and the extremes in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepradiomics.lens.result import Row

_EXTREMES = 20


@dataclass(frozen=True)
class Agreement:
    """Agreement of two columns over the features that have both.

    Args:
        rank_correlation: Spearman's; NaN where a column is constant.
        same_sign: share of the features that move at all in both, which move in the same direction; NaN for none.
        one_sign: whether all that move do so in one direction, in both columns: then signs tell nothing.
        extremes: how many features at each end were compared.
        shared_top, shared_bottom: how many of them both columns name.
    """

    rank_correlation: float
    same_sign: float
    one_sign: bool
    extremes: int
    shared_top: int
    shared_bottom: int


def agreement(rows: Sequence[Row], column: str, other: str = "delta_i") -> Agreement | None:
    """Compare a column of the shift table with ΔI; None where it was not computed."""
    pairs = np.array([(row[other], row[column]) for row in rows], float).reshape(-1, 2)
    pairs = pairs[np.isfinite(pairs).all(axis=1)]
    if len(pairs) < 2:
        return None
    both = pairs[(pairs != 0).all(axis=1)]
    count = min(_EXTREMES, len(pairs) // 2)
    first, second = (np.argsort(-pairs[:, i], kind="stable") for i in (0, 1))
    return Agreement(
        rank_correlation=spearman(pairs[:, 0], pairs[:, 1]),
        same_sign=float((np.sign(both[:, 0]) == np.sign(both[:, 1])).mean()) if len(both) else float("nan"),
        one_sign=bool(len(both)) and all(len({*np.sign(column).tolist()}) == 1 for column in both.T),
        extremes=count,
        shared_top=len({*first[:count]} & {*second[:count]}),
        shared_bottom=len({*first[-count:]} & {*second[-count:]}),
    )


def share_words(agreed: Agreement) -> str:
    """The share with the same sign in per cent, never rounded to all or none; left out where all have one sign."""
    if agreed.one_sign:
        return "– (all of one sign)" if agreed.same_sign else "0 % (all turned)"
    if not np.isfinite(agreed.same_sign):
        return "–"
    percent = 100 * agreed.same_sign
    digits = 0 if percent in (0, 100) or 1 <= percent <= 99 else 1
    return f"{min(percent, 99.9):.1f} %" if digits and percent > 99 else f"{max(percent, 0.1 * digits):.{digits}f} %"


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's rank correlation with mean ranks for ties; NaN where a column is constant.

    >>> float(spearman(np.array([1.0, 2.0, 3.0]), np.array([1.0, 4.0, 9.0])))
    1.0
    """
    from scipy.stats import rankdata

    ranks = [rankdata(values) for values in (a, b)]
    centred = [rank - rank.mean() for rank in ranks]
    size = float(np.sqrt((centred[0] ** 2).sum() * (centred[1] ** 2).sum()))
    return float(centred[0] @ centred[1]) / size if size else float("nan")
