"""How well predictions fit many targets at once: R² of each column, and of all columns together."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepradiomics.errors import InputError


def r2_per_column(truth: ArrayLike, predicted: ArrayLike) -> NDArray[np.float64]:
    """R² = 1 - Σ (y - ŷ)² / Σ (y - ȳ)² of each column of two (n, K) arrays; ȳ is the mean of these n rows.

    NaN where the column of the truth is constant: there is nothing to explain.

    Example:
        >>> r2_per_column([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0]], [[1.0, 5.0], [2.0, 5.0], [2.0, 5.0]]).tolist()
        [0.5, nan]
    """
    residual, total = _squares(truth, predicted)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total > 0, 1.0 - residual / total, np.nan)


def r2_pooled(truth: ArrayLike, predicted: ArrayLike) -> float:
    """R² of all columns together: 1 - ΣΣ (y - ŷ)² / ΣΣ (y - ȳ)², each column about its own mean.

    Columns weigh as much as they vary, so a few columns without spread cannot dominate as they can in the mean R².
    NaN where no column varies.
    """
    residual, total = _squares(truth, predicted)
    return float(1.0 - residual.sum() / total.sum()) if total.sum() > 0 else float("nan")


def _squares(truth: ArrayLike, predicted: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    y, fitted = np.asarray(truth, np.float64), np.asarray(predicted, np.float64)
    if y.ndim != 2 or y.shape != fitted.shape or not len(y):
        raise InputError(f"R² needs two arrays of one shape (patients, targets), got {y.shape} and {fitted.shape}.")
    constant = (y == y[:1]).all(0)  # the mean of equal numbers may differ from them in the last digit
    return ((y - fitted) ** 2).sum(0), np.where(constant, 0.0, ((y - y.mean(0)) ** 2).sum(0))
