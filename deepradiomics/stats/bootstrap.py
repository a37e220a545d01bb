"""The percentile bootstrap over patients, stratified where a statistic needs every class in every resample.

Source: Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepradiomics.errors import InputError
from deepradiomics.stats.interval import Interval, check_level


def bootstrap_ci(
    fn: Callable[..., float],
    *arrays: ArrayLike,
    n: int = 2000,
    seed: int = 0,
    stratify: ArrayLike | None = None,
    level: float = 0.95,
) -> Interval:
    """Percentile interval of fn(*arrays) when the cases (first axis of every array) are drawn with replacement.

    Args:
        fn: takes the resampled arrays, returns a number.
        arrays: one row per case; all equally long.
        n: number of resamples.
        seed: of numpy's default generator; the same seed gives the same interval.
        stratify: a class for each case, shape (cases,); each class keeps its number of cases in every resample.

    Raises:
        InputError: lengths differ, or fn is not finite for a resample (then stratify by the label).

    Example:
        >>> print(bootstrap_ci(np.mean, [1.0, 2.0, 3.0, 4.0, 5.0], n=500))
        3.000 (2.000-4.200)
    """
    check_level(level)
    rows = [np.asarray(array) for array in arrays]
    if not rows or rows[0].ndim == 0 or any(row.ndim == 0 or len(row) != len(rows[0]) for row in rows):
        raise InputError(f"bootstrap_ci needs arrays of equal length, got shapes {[row.shape for row in rows]}.")
    if n < 1 or len(rows[0]) == 0:
        raise InputError(f"bootstrap_ci needs cases and resamples, got {len(rows[0])} cases and n={n}.")
    strata = _strata(len(rows[0]), stratify)
    generator = np.random.default_rng(seed)
    values = np.empty(n)
    for i in range(n):
        drawn = np.concatenate([stratum[generator.integers(0, stratum.size, stratum.size)] for stratum in strata])
        values[i] = fn(*(row[drawn] for row in rows))
    if not np.isfinite(values).all():
        raise InputError(
            f"The statistic is not defined for {int((~np.isfinite(values)).sum())} of {n} resamples: "
            "pass stratify=labels, so that every resample holds every class."
        )
    low, high = np.quantile(values, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    method = f"percentile bootstrap, {n} resamples" + ("" if stratify is None else ", stratified")
    return Interval(float(fn(*rows)), float(low), float(high), level, method)


def _strata(count: int, stratify: ArrayLike | None) -> list[NDArray[np.intp]]:
    if stratify is None:
        return [np.arange(count)]
    labels = np.asarray(stratify)
    if labels.shape != (count,):
        raise InputError(f"stratify must give one class per case: expected shape ({count},), got {labels.shape}.")
    return [np.flatnonzero(labels == value) for value in np.unique(labels)]
