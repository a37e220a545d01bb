"""What every statistic asks of its arrays before it counts: one place, so that the messages agree."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepradiomics.errors import InputError


def binary_labels(y: ArrayLike, name: str = "y") -> NDArray[np.bool_]:
    """Labels as a boolean vector (n,).

    Raises:
        InputError: not one-dimensional, empty, or with other values than 0 and 1.
    """
    labels = np.asarray(y)
    if labels.ndim != 1 or labels.size == 0:
        raise InputError(f"{name} must be a non-empty vector of 0 and 1, got shape {labels.shape}.")
    if labels.dtype == bool:
        return labels
    classes = np.unique(labels)
    if not np.isin(classes, (0, 1)).all():
        raise InputError(f"{name} must hold 0 and 1 only, found {classes[:6].tolist()}.")
    return labels.astype(bool)


def both_classes(y: ArrayLike, name: str = "y") -> NDArray[np.bool_]:
    """binary_labels() that also refuses a vector with one class only."""
    labels = binary_labels(y, name)
    if labels.all() or not labels.any():
        only = int(labels[0])
        raise InputError(f"{name} needs cases of both classes, but all {labels.size} cases are of class {only}.")
    return labels


def scores_for(labels: NDArray[np.bool_], scores: ArrayLike, name: str = "score") -> NDArray[np.float64]:
    """Scores as a finite float vector as long as the labels."""
    values = np.asarray(scores, dtype=np.float64)
    if values.shape != labels.shape:
        raise InputError(f"{name} must have one value per case: expected shape {labels.shape}, got {values.shape}.")
    if not np.isfinite(values).all():
        first = int(np.flatnonzero(~np.isfinite(values))[0])
        raise InputError(f"{name} must be finite, but case {first} (counted from 0) is {values[first]}.")
    return values


def class_labels(y: ArrayLike, n_classes: int | None = None, name: str = "y") -> NDArray[np.int64]:
    """Labels 0 … n_classes - 1 as an integer vector (n,)."""
    values = np.asarray(y)
    if values.ndim != 1 or values.size == 0:
        raise InputError(f"{name} must be a non-empty vector of class numbers, got shape {values.shape}.")
    labels = values.astype(np.int64)
    if not np.array_equal(labels, values) or labels.min() < 0:
        raise InputError(f"{name} must hold class numbers 0, 1, 2, …, found {np.unique(values)[:6].tolist()}.")
    if n_classes is not None and labels.max() >= n_classes:
        raise InputError(f"{name} holds class {int(labels.max())}, but there are only {n_classes} classes (0 first).")
    return labels
