"""Quadratic weighted kappa: agreement of two gradings, where a miss by two grades counts four times a miss by one.

Source: Cohen, Weighted kappa, Psychological Bulletin 70, 1968, with weights (i - j)².
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from deepradiomics.errors import InputError


def quadratic_weighted_kappa(truth: ArrayLike, predicted: ArrayLike) -> float:
    """1 - Σ (i - j)² observed / Σ (i - j)² expected by chance; 1 is perfect agreement, 0 is chance.

    Since the weights are squares of differences, both sums follow from means and variances and the classes need not be
    listed: mean (t - p)² over (var t + var p + (mean t - mean p)²).

    Args:
        truth: class numbers (cases,), whole and equally spaced in meaning (grades).
        predicted: class numbers (cases,).

    Returns:
        NaN where nothing can be said: all cases have one grade and it is predicted for all.

    Raises:
        InputError: lengths differ, no case, or a value is not a whole number.

    Example:
        >>> quadratic_weighted_kappa([0, 1, 2, 3], [0, 1, 2, 2])
        0.875
    """
    t, p = _grades(truth, "truth"), _grades(predicted, "predicted")
    if t.shape != p.shape:
        raise InputError(f"quadratic_weighted_kappa: truth has {t.size} cases, predicted {p.size}; give one of each.")
    observed = float(np.mean((t - p) ** 2))
    expected = float(t.var() + p.var() + (t.mean() - p.mean()) ** 2)
    return 1.0 - observed / expected if expected > 0 else float("nan")


def _grades(values: ArrayLike, name: str) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or array.size == 0:
        raise InputError(f"{name}: expected one grade per case, got shape {array.shape}.")
    if not np.isfinite(array).all() or (array != np.round(array)).any():
        raise InputError(f"{name}: grades must be whole numbers; some are not.")
    return array
