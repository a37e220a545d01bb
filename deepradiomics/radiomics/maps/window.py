"""Window: the cube of voxels around a voxel, as index tables that never change from voxel to voxel.

A window's K positions are numbered in (z, y, x) order. What a texture matrix counts inside it is a fixed list: pairs of
positions for each direction, lines of positions for runs, neighbours of each position for zones and dependences.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from deepradiomics.radiomics.counting.plan import offsets_at


@dataclass(frozen=True, eq=False)
class Ragged:
    """Rows of unequal length one behind the other: row r is ``items[start[r] : start[r + 1]]``."""

    items: np.ndarray
    start: np.ndarray

    @classmethod
    def of(cls, rows: Sequence[np.ndarray]) -> "Ragged":
        """Join rows, each (length,) or (length, columns)."""
        start = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
        return cls(np.concatenate(rows).astype(np.int64), start)

    def padded(self, fill: int) -> np.ndarray:
        """Return all rows in one array (rows, longest, ...), filled up with ``fill``."""
        lengths = np.diff(self.start)
        result = np.full((len(lengths), int(lengths.max(initial=0)), *self.items.shape[1:]), fill, np.int64)
        for row, begin, length in zip(result, self.start, lengths, strict=False):
            row[:length] = self.items[begin : begin + length]
        return result


@dataclass(frozen=True, eq=False)
class Window:
    """The window of a radius and what is counted in it.

    Args:
        radius: voxels on each side of the centre.
        flat_axis: numpy axis along which the window is one voxel thick (PyRadiomics' ``force2D``), or None.
        positions: (K, 3) offsets (dz, dy, dx) from the centre.
        offsets: (A, 3) directions of pairs, one of each opposite two.
        pairs: A rows of (i, j): positions i whose neighbour at the direction is j.
        neighbours: K rows: the positions at the distances set, on all sides.
        run_offsets: (D, 3) directions of runs.
        lines: rows of positions that follow each other along a direction.
        lines_of: (D + 1,) direction d holds the lines ``lines_of[d]`` to ``lines_of[d + 1]``.
        touching: K rows: the positions next to each, on all sides.
        following, leading: (D, K + 1) the next and the last position along a direction; K where there is none.
    """

    radius: int
    flat_axis: int | None
    positions: np.ndarray
    offsets: np.ndarray
    pairs: Ragged
    neighbours: Ragged
    run_offsets: np.ndarray
    lines: Ragged
    lines_of: np.ndarray
    touching: Ragged
    following: np.ndarray
    leading: np.ndarray

    @property
    def size(self) -> int:
        """K, the number of positions."""
        return len(self.positions)

    def steps(self, strides: Sequence[int]) -> np.ndarray:
        """Return the (K,) steps from a voxel to its window in a flat array with these strides (z, y, x)."""
        return self.positions @ np.array(strides, np.int64)


@cache
def window(radius: int, distances: tuple[int, ...] = (1,), flat_axis: int | None = None) -> Window:
    """Return the window of a radius, with neighbours at ``distances``."""
    reach = [0 if axis == flat_axis else radius for axis in range(3)]
    shape = [2 * r + 1 for r in reach]
    positions = np.stack(np.meshgrid(*(np.arange(-r, r + 1) for r in reach), indexing="ij"), axis=-1).reshape(-1, 3)
    numbers = np.arange(len(positions)).reshape(shape)
    offsets, run_offsets = offsets_at(distances, flat_axis), offsets_at((1,), flat_axis)
    lines = [_lines(numbers, step) for step in run_offsets]
    return Window(
        radius,
        flat_axis,
        positions,
        offsets,
        Ragged.of([_pairs(numbers, step) for step in offsets]),
        _neighbours(numbers, offsets),
        run_offsets,
        Ragged.of([line for group in lines for line in group]),
        np.concatenate([[0], np.cumsum([len(group) for group in lines])]).astype(np.int64),
        _neighbours(numbers, run_offsets),
        np.stack([_partner(numbers, step) for step in run_offsets]),
        np.stack([_partner(numbers, -step) for step in run_offsets]),
    )


def _pairs(numbers: np.ndarray, step: np.ndarray) -> np.ndarray:
    """(M, 2): each position that has another at ``step``, and that other."""
    here = tuple(slice(max(0, -s), max(0, n - max(0, s))) for n, s in zip(numbers.shape, step, strict=True))
    there = tuple(slice(max(0, s), max(0, n + min(0, s))) for n, s in zip(numbers.shape, step, strict=True))
    return np.stack([numbers[here].ravel(), numbers[there].ravel()], axis=1)


def _neighbours(numbers: np.ndarray, offsets: np.ndarray) -> Ragged:
    both = np.concatenate([_pairs(numbers, step) for step in (*offsets, *(-offsets))])
    both = both[np.lexsort((both[:, 1], both[:, 0]))]
    return Ragged(both[:, 1].copy(), np.searchsorted(both[:, 0], np.arange(numbers.size + 1)).astype(np.int64))


def _partner(numbers: np.ndarray, step: np.ndarray) -> np.ndarray:
    """(K + 1,): the position at ``step`` of each, or K."""
    partner = np.full(numbers.size + 1, numbers.size)
    here, there = _pairs(numbers, step).T
    partner[here] = there
    return partner


def _lines(numbers: np.ndarray, step: np.ndarray) -> list[np.ndarray]:
    """All lines through the window along a direction, each from its first position on."""
    following = dict(_pairs(numbers, step).tolist())
    lines = []
    for first in sorted(set(range(numbers.size)) - set(following.values())):
        line = [first]
        while line[-1] in following:
            line.append(following[line[-1]])
        lines.append(np.array(line))
    return lines
