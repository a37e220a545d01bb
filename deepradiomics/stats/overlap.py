"""How much selections agree: the Jaccard and Dice overlap of two, and the mean Jaccard over all pairs of several."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepradiomics.errors import InputError


def jaccard(a: ArrayLike, b: ArrayLike) -> float:
    """|a and b| / |a or b| of two selections given as booleans of equal shape. Two empty selections agree: 1.

    Example:
        >>> jaccard([1, 1, 0, 0], [0, 1, 1, 0])
        0.3333333333333333
    """
    first, second = _selection(a, "a"), _selection(b, "b")
    if first.shape != second.shape:
        raise InputError(f"Two selections must have one shape, got {first.shape} and {second.shape}.")
    either = int((first | second).sum())
    return float((first & second).sum() / either) if either else 1.0


def dice(a: ArrayLike, b: ArrayLike) -> float:
    """2 |a and b| / (|a| + |b|) of two selections, such as two masks on one grid. Two empty selections agree: 1.

    Source: Dice, Measures of the amount of ecologic association between species, Ecology 26, 1945.

    Example:
        >>> dice([1, 1, 0, 0], [0, 1, 1, 0])
        0.5
    """
    first, second = _selection(a, "a"), _selection(b, "b")
    if first.shape != second.shape:
        raise InputError(f"Two selections must have one shape, got {first.shape} and {second.shape}.")
    sizes = int(first.sum()) + int(second.sum())
    return float(2 * (first & second).sum() / sizes) if sizes else 1.0


def mean_pairwise_jaccard(selections: ArrayLike) -> float:
    """Mean Jaccard overlap over all pairs of rows, shape (selections, features): e.g. one row per seed or a patient."""
    rows = _selection(selections, "selections")
    if rows.ndim != 2 or rows.shape[0] < 2:
        raise InputError(f"mean_pairwise_jaccard needs at least two rows, got shape {rows.shape}.")
    counts = rows.astype(np.float64)
    both = counts @ counts.T  # (selections, selections)
    sizes = counts.sum(axis=1)
    either = sizes[:, None] + sizes[None, :] - both
    overlap = np.divide(both, either, out=np.ones_like(both), where=either > 0)
    return float(overlap[np.triu_indices(len(rows), k=1)].mean())


def _selection(values: ArrayLike, name: str) -> NDArray[np.bool_]:
    array = np.asarray(values)
    if array.dtype != bool and not np.isin(array, (0, 1)).all():
        raise InputError(f"{name} must be a selection of True and False (or 1 and 0).")
    return array.astype(bool)
