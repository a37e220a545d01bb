"""Batched sums over entries that share a key: what a matrix cell is, without the matrix.

A texture matrix of a window is a list of entries with weights. Sorting the entries by their cell puts equal ones side
by side, and the weight of a cell is a difference of running sums.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from deepradiomics.radiomics.maps.arrays import Arrays


@dataclass(frozen=True, eq=False)
class Groups:
    """Entries (..., E) in the order of their key.

    Args:
        order: index of each entry in the order given.
        weight: its weight.
        mass: the sum of the weights of all entries with the same key.
        first: whether it is the first of its key.
    """

    order: Any
    weight: Any
    mass: Any
    first: Any


def grouped(a: Arrays, key: Any, weight: Any) -> Groups:
    """Group entries by key (..., E), whole numbers; an entry of weight 0 counts for nothing."""
    order = a.order(key)
    key, weight = a.take(key, order), a.take(weight, order)
    place = a.of(np.arange(key.shape[-1])) + 0 * key
    edge = key[..., :1] == key[..., :1]
    first = a.join([edge, key[..., 1:] != key[..., :-1]])
    last = a.join([first[..., 1:], edge])
    begin = a.running_max(a.where(first, place, 0 * place))
    end = -a.flipped(a.running_max(a.flipped(a.where(last, -place, 0 * place - key.shape[-1]))))
    total = a.running_sum(weight)
    mass = a.take(total, end) - a.take(total, begin) + a.take(weight, begin)
    return Groups(order, weight, mass, first)


def entropy(a: Arrays, key: Any, weight: Any) -> Any:
    """Return the entropy (bits) over keys of weights (..., E) that sum to one."""
    groups = grouped(a, key, weight)
    counts = groups.weight > 0
    return -a.where(
        counts, groups.weight * a.log2(a.where(counts, groups.mass, 1 + 0 * groups.mass)), 0 * groups.mass
    ).sum(axis=-1)


def mean_over_directions(a: Arrays, values: Any, present: Any) -> Any:
    """Average (n, D) over the directions that are present; NaN where none is."""
    number = a.like_float(present).sum(axis=-1)
    total = a.where(present, values, 0 * values).sum(axis=-1)
    return a.where(number > 0, total / a.where(number > 0, number, 1 + 0 * number), float("nan") + 0 * total)


def local_levels(a: Arrays, levels: Any) -> tuple[Any, int]:
    """Number the levels that occur in each window from 0; return the numbers and how many the richest window has."""
    order = a.order(levels)
    ascending = a.take(levels, order)
    new = a.join([ascending[:, :1] > 0, (ascending[:, 1:] > 0) & (ascending[:, 1:] != ascending[:, :-1])])
    number = a.running_sum(a.index(new)) - 1
    number = a.where(number > 0, number, 0 * number)
    return a.take(number, a.order(order)), int(number.max()) + 1
