"""What a stored classifier must be before it is used: arrays of the right kind, size and range, and trees that end.

A bundle may be damaged or made to harm. Compiled code follows a tree's numbers without looking: a child beyond the
nodes reads foreign memory, a circle never ends, and a node shared by two parents doubles the work at every level.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deepradiomics.errors import BundleError

DEEPEST = 511
"""Decisions about different columns on one path; the compiled passes keep places for as many."""


def refuse(kind: str, what: str) -> BundleError:
    """The error for a model of a kind that cannot be used."""
    return BundleError(f"model of kind {kind!r}: {what}. Copy the bundle again, or fit the model anew.")


def column_count(kind: str, info: Mapping[str, Any]) -> int:
    """The number of columns that a model's description names."""
    number = info["n_columns"]
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= 10**7:
        raise refuse(kind, f"n_columns: expected a whole number from 1, got {str(number)[:40]}")
    return number


def decimals(kind: str, arrays: Mapping[str, np.ndarray], name: str, shape: tuple[int | None, ...]) -> np.ndarray:
    """An array of finite decimals of a shape, in which None stands for any length above 0."""
    array = np.asarray(arrays[name])
    if array.dtype.kind != "f":
        raise refuse(kind, f"{name}: expected decimals, got {array.dtype}")
    _check_shape(kind, name, array, shape)
    if not np.isfinite(array).all():
        raise refuse(kind, f"{name}: some values are NaN or infinite")
    return array


def positive(kind: str, arrays: Mapping[str, np.ndarray], name: str, shape: tuple[int | None, ...]) -> np.ndarray:
    """Decimals above 0."""
    array = decimals(kind, arrays, name, shape)
    if not (array > 0).all():
        raise refuse(kind, f"{name}: expected numbers above 0")
    return array


def whole_numbers(kind: str, arrays: Mapping[str, np.ndarray], name: str, shape: tuple[int | None, ...]) -> np.ndarray:
    """An array of whole numbers of a shape."""
    array = np.asarray(arrays[name])
    if array.dtype.kind not in "iu":
        raise refuse(kind, f"{name}: expected whole numbers, got {array.dtype}")
    _check_shape(kind, name, array, shape)
    return array


def check_trees(
    kind: str,
    roots: np.ndarray,
    left: np.ndarray,
    right: np.ndarray,
    feature: np.ndarray,
    threshold: np.ndarray,
    n_columns: int,
) -> None:
    """Check that trees, one after the other in the same arrays, can be followed.

    Args:
        kind: of the model, for the message.
        roots: (trees,) first node of each tree, ascending from 0.
        left, right: (nodes,) children; -1 at a leaf.
        feature: (nodes,) column looked at; at a leaf anything within the columns.
        threshold: (nodes,).
        n_columns: of the rows.

    Raises:
        BundleError: a child is not behind its parent within its tree, has two parents, or is alone; a column is beyond
            the rows; a threshold is not finite; or a path decides about more columns than can be followed.
    """
    roots, left, right = (np.asarray(part, np.int64) for part in (roots, left, right))
    nodes = len(left)
    if roots[0] != 0 or (np.diff(roots) <= 0).any() or roots[-1] >= nodes:
        raise refuse(kind, "the trees' first nodes do not ascend within the nodes")
    leaf = left < 0
    if (leaf != (right < 0)).any() or (left[leaf] != -1).any() or (right[leaf] != -1).any():
        raise refuse(kind, "a node has one child alone")
    inner = np.flatnonzero(~leaf)
    ends = np.append(roots[1:], nodes)[np.searchsorted(roots, inner, side="right") - 1]
    for children in (left[inner], right[inner]):
        if (children <= inner).any() or (children >= ends).any():
            raise refuse(kind, "a child lies before its parent or outside its tree")
    children = np.concatenate([left[inner], right[inner]])
    if len(np.unique(children)) != len(children):
        raise refuse(kind, "a node is the child of two others")
    if ((feature < 0) | (feature >= n_columns)).any():
        raise refuse(kind, f"a node looks at a column outside the {n_columns} of the rows")
    if not np.isfinite(threshold).all():
        raise refuse(kind, "a threshold is NaN or infinite")
    if n_columns > DEEPEST and _depth(roots, left, right) > DEEPEST:
        raise refuse(kind, f"a tree is more than {DEEPEST} decisions deep")


def _depth(roots: np.ndarray, left: np.ndarray, right: np.ndarray) -> int:
    """Decisions on the longest path; the nodes have been checked, so it ends."""
    level, depth = roots, -1
    while level.size:
        depth += 1
        inner = level[left[level] >= 0]
        level = np.concatenate([left[inner], right[inner]])
    return depth


def _check_shape(kind: str, name: str, array: np.ndarray, shape: tuple[int | None, ...]) -> None:
    fits = array.ndim == len(shape) and all(
        got > 0 if wanted is None else got == wanted for got, wanted in zip(array.shape, shape, strict=True)
    )
    if not fits:
        wanted = ", ".join("n" if length is None else str(length) for length in shape)
        raise refuse(kind, f"{name}: expected the shape ({wanted}), got {array.shape}")
