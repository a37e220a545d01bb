"""Local binary patterns within slices: how a voxel compares with points on a circle around it.

T. Ojala, M. Pietikäinen and T. Mäenpää, IEEE TPAMI 24 (2002) 971. The circle is sampled by bilinear interpolation and
outside the slice the grey value is 0, as scikit-image does, with its roundings (a flat area's pattern hangs on them).
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

import numpy as np

from deepradiomics import kernels as compiled
from deepradiomics.errors import InputError
from deepradiomics.radiomics.filters.boundary import Box
from deepradiomics.radiomics.filters.wavelet import parts
from deepradiomics.threads import map_threads

Method = Literal["default", "ror", "uniform", "var"]
MOST_SAMPLES = 30  # the codes of more samples do not fit into 32 bits


def lbp2d_image(
    voxels: np.ndarray,
    radius: float = 1,
    samples: int = 8,
    method: Method = "uniform",
    axis: int = 0,
    *,
    box: Box | None = None,
    threads: int = 1,
) -> np.ndarray:
    """Return the patterns of each slice, float64 (z, y, x) of the box's shape.

    Args:
        voxels: (z, y, x), finite.
        radius: of the circle, in voxels.
        samples: points on the circle, P.
        method: ``default`` (the bits as a number), ``ror`` (the least of its rotations), ``uniform`` (the number of
            ones where bits change at most twice from the first to the last, else P + 1) or ``var`` (the variance of
            the samples; NaN where it is zero).
        axis: the numpy axis along which the slices are stacked.
        box: the part wanted; None for all.
        threads: how many to use; the numbers do not depend on it.

    Raises:
        InputError: too many samples for a code, or an unknown method.
    """
    if method not in ("default", "ror", "uniform", "var"):
        raise InputError(f"lbp2DMethod: expected default, ror, uniform or var, got {method!r}.")
    if samples > MOST_SAMPLES and method in ("default", "ror"):
        raise InputError(
            f"lbp2DSamples {samples}: method {method} makes a number of {samples} bits; at most {MOST_SAMPLES} are "
            "possible. Take fewer samples, or method uniform."
        )
    stack = voxels.swapaxes(0, axis)  # as PyRadiomics does: the slice of axis 1 is (z, x), of axis 2 (y, z)
    sides = list(box or (slice(None),) * 3)
    sides[0], sides[axis] = sides[axis], sides[0]
    spans = [side.indices(size)[:2] for side, size in zip(sides, stack.shape, strict=True)]
    angles = 2 * np.pi * np.arange(samples, dtype=np.float64) / samples
    rows = _Line.along(np.round(-radius * np.sin(angles), 5), stack.shape[1], spans[1])
    columns = _Line.along(np.round(radius * np.cos(angles), 5), stack.shape[2], spans[2])
    result = np.empty([high - low for low, high in spans])
    numbers = range(*spans[0])

    def do(part: tuple[int, int]) -> None:
        for k in range(*part):
            plane = rows.framed(columns.framed(stack[numbers[k]].astype(np.float64).T).T)
            _patterns(plane, rows, columns, method, result[k])

    map_threads(do, parts(len(numbers), threads), threads)
    return result.swapaxes(0, axis)


class _Line:
    """The sampled positions along one axis of the slice, in the frame of those voxels that they touch.

    Attributes:
        centre: (n,) where each voxel wanted lies in the frame.
        low, high: (samples, n) the voxels before and after each sample.
        part: (samples, n) how far a sample lies from the former towards the latter, 0 to 1.
    """

    def __init__(self, positions: np.ndarray, size: int, span: tuple[int, int]) -> None:
        low, high = np.floor(positions), np.ceil(positions)
        first, last = int(min(low.min(), span[0])), int(max(high.max(), span[1] - 1))
        self.frame = (first, last + 1)
        self.size = size
        self.centre = np.arange(*span) - first
        self.low, self.high = low.astype(np.int64) - first, high.astype(np.int64) - first
        self.part = positions - low

    @classmethod
    def along(cls, offsets: np.ndarray, size: int, span: tuple[int, int]) -> "_Line":
        """Place samples at ``offsets`` (samples,) from each voxel of the span."""
        return cls(np.arange(*span) + offsets[:, None], size, span)

    def framed(self, lines: np.ndarray) -> np.ndarray:
        """Return the frame's part of the first axis, with zeros outside the slice."""
        first, last = self.frame
        inside = lines[max(first, 0) : max(min(last, self.size), 0)]
        around = ((max(-first, 0), max(last - self.size, 0)), (0, 0))
        return np.pad(inside, around)


def _patterns(plane: np.ndarray, rows: _Line, columns: _Line, method: Method, out: np.ndarray) -> None:
    if compiled.available():
        from deepradiomics.radiomics.filters.compiled import lbp2d as lbp2d_cpu

        code = ("default", "ror", "uniform", "var").index(method)
        lines = (rows.centre, rows.low, rows.high, rows.part)
        lbp2d_cpu.patterns(
            np.ascontiguousarray(plane), *lines, columns.centre, columns.low, columns.high, columns.part, code, out
        )
    else:
        out[...] = patterns_reference(plane, rows, columns, method)


def patterns_reference(plane: np.ndarray, rows: _Line, columns: _Line, method: Method) -> np.ndarray:
    """Return the patterns of one slice in plain numpy."""
    count = len(rows.low)
    values = _samples(plane, rows, columns)
    if method == "var":
        total, squares = np.zeros(()), np.zeros(())
        for value in values:
            total, squares = total + value, squares + value * value
        variance = (squares - total * total / count) / count
        return np.where(variance != 0, variance, np.nan)
    centre = plane[np.ix_(rows.centre, columns.centre)]
    bits = [value - centre >= 0 for value in values]
    if method == "uniform":
        changes = sum((a != b).astype(np.int64) for a, b in pairwise(bits))
        return np.where(changes <= 2, sum(bit.astype(np.int64) for bit in bits), count + 1).astype(np.float64)
    code = sum(bit.astype(np.int64) << k for k, bit in enumerate(bits))
    if method == "ror":
        least = code
        for _ in range(count - 1):
            code = (code >> 1) | ((code & 1) << (count - 1))
            least = np.minimum(least, code)
        code = least
    return np.asarray(code, np.float64)


def _samples(plane: np.ndarray, rows: _Line, columns: _Line) -> Iterator[np.ndarray]:
    """Yield the interpolated grey values of each point of the circle, (rows, columns)."""
    for k in range(len(rows.low)):
        before, after = plane[rows.low[k]], plane[rows.high[k]]
        down, across = rows.part[k][:, None], columns.part[k]
        top = (1 - across) * before[:, columns.low[k]] + across * before[:, columns.high[k]]
        bottom = (1 - across) * after[:, columns.low[k]] + across * after[:, columns.high[k]]
        yield (1 - down) * top + down * bottom
