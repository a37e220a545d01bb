"""Cubic B-spline resampling between grids with the same axes, axis by axis: ITK's values in a fraction of its time.

A line of grey values is turned into spline coefficients by one pass forwards and one backwards (Unser, IEEE Signal
Process Mag 16 (1999) 22), started as ITK starts it, and is then sampled with four weights a point. The axes follow one
another, so that a voxel costs 12 products where ITK takes 64; and only that part of the image is worked on which the
new grid needs, for what lies 40 voxels away changes nothing in double precision. Import it only where numba is there
(:func:`deepradiomics.kernels.available`).
"""

import numpy as np

from deepradiomics.kernels import njit
from deepradiomics.threads import map_threads

POLE = np.sqrt(3.0) - 2.0
HORIZON = 18  # terms of ITK's starting sum: its tolerance of 1e-10
REACH = 40  # voxels after which the pole's influence is below the last bit: |POLE| ** 40 = 1e-23
WHOLE_MARGIN = 1e-8  # ITK cuts a value to a whole number: so close to one it may cut to either side
FACE_MARGIN = 1e-6  # voxels: so close to the image's outer face a point may be inside or outside
BLOCK = 256  # columns that one pass takes together


def resample_axes(
    voxels: np.ndarray, first: np.ndarray, step: np.ndarray, size: np.ndarray, threads: int | None = 1
) -> np.ndarray | None:
    """Return the image at the points of a new grid, or None where ITK's own values cannot be promised.

    Args:
        voxels: (z, y, x) finite grey values.
        first: (3,) place (z, y, x) of the new grid's first point, in voxels of the image.
        step: (3,) distance of its points, in voxels of the image.
        size: (3,) number of its points.
        threads: how many to use; the numbers do not depend on it.

    Returns:
        (size) in the image's number type; points beyond the image's outer faces are 0, as in ITK. None when a point
        lies on such a face, or the type is a whole number and a value lies within a hair of one: rounding noise decides
        there.
    """
    shape = np.array(voxels.shape)
    places = [first[axis] + step[axis] * np.arange(size[axis]) for axis in range(3)]
    inside = []
    for axis, where in enumerate(places):
        faces = np.minimum(np.abs(where + 0.5), np.abs(where - shape[axis] + 0.5))
        if (faces < FACE_MARGIN).any():
            return None
        inside.append((where > -0.5) & (where < shape[axis] - 0.5))
    if not all(there.any() for there in inside):
        return np.zeros(tuple(size), voxels.dtype)
    usable = [where[there] for where, there in zip(places, inside, strict=True)]
    starts = [max(int(where[0]) - REACH, 0) for where in usable]
    stops = [min(int(where[-1]) + REACH + 2, n) for where, n in zip(usable, shape, strict=True)]
    data = voxels[tuple(slice(a, b) for a, b in zip(starts, stops, strict=True))].astype(np.float64, order="C")
    gains = [len(where) / n for where, n in zip(usable, data.shape, strict=True)]
    for axis in np.argsort(gains):  # the axis that shrinks the image most comes first
        data = _along(data, int(axis), usable[axis] - starts[axis], threads)
    if voxels.dtype.kind in "iu":
        if (np.abs(data - np.rint(data)) < WHOLE_MARGIN).any():
            return None
        limits = np.iinfo(voxels.dtype)
        data = np.clip(np.trunc(data), limits.min, limits.max)
    result = np.zeros(tuple(size), voxels.dtype)
    result[np.ix_(*inside)] = data
    return result


def _along(data: np.ndarray, axis: int, places: np.ndarray, threads: int | None) -> np.ndarray:
    """Resample one axis of (z, y, x) doubles at some places (P,), in voxels."""
    n = data.shape[axis]
    outer, inner = int(np.prod(data.shape[:axis])), int(np.prod(data.shape[axis + 1 :]))
    floor = np.floor(places)
    index = floor.astype(np.int64)[:, None] + np.arange(-1, 3)  # (P, 4)
    index = np.where(index < 0, -index, index)
    index = np.where(index > n - 1, 2 * (n - 1) - index, index)
    w = places - floor
    last = w**3 / 6
    before = 1 / 6 + w * (w - 1) / 2 - last
    after = w + before - 2 * last
    weights = np.stack([before, 1 - before - after - last, after, last], axis=1)  # (P, 4)
    result = np.empty((outer, len(places), inner))
    lines = data.reshape(outer, n, inner)
    rows = max(1, BLOCK // inner)
    jobs = [(o, i) for o in range(0, outer, rows) for i in range(0, inner, BLOCK)]
    share = max(1, len(jobs) // 64)
    parts = [jobs[k : k + share] for k in range(0, len(jobs), share)]

    def work(part: list[tuple[int, int]]) -> None:
        for o, i in part:
            _pass(lines[o : o + rows, :, i : i + BLOCK], index, weights, result[o : o + rows, :, i : i + BLOCK])

    map_threads(work, parts, threads)
    return result.reshape(*data.shape[:axis], len(places), *data.shape[axis + 1 :])


@njit
def _pass(lines: np.ndarray, index: np.ndarray, weights: np.ndarray, result: np.ndarray) -> None:
    """Filter and sample (outer, n, inner) along the middle axis into (outer, P, inner)."""
    outer, n, inner = lines.shape
    c = np.empty((n, inner))
    for o in range(outer):
        for k in range(n):
            for i in range(inner):
                c[k, i] = 6.0 * lines[o, k, i]
        for i in range(inner):
            c[0, i] = _start(c, i)
        for k in range(1, n):
            for i in range(inner):
                c[k, i] += POLE * c[k - 1, i]
        for i in range(inner):
            c[n - 1, i] = POLE / (POLE * POLE - 1.0) * (POLE * c[n - 2, i] + c[n - 1, i])
        for k in range(n - 2, -1, -1):
            for i in range(inner):
                c[k, i] = POLE * (c[k + 1, i] - c[k, i])
        for p in range(len(index)):
            a, b, d, e = index[p, 0], index[p, 1], index[p, 2], index[p, 3]
            for i in range(inner):
                left = weights[p, 0] * c[a, i] + weights[p, 1] * c[b, i]
                result[o, p, i] = left + weights[p, 2] * c[d, i] + weights[p, 3] * c[e, i]


@njit
def _start(c: np.ndarray, i: int) -> float:
    """First coefficient of the forward pass of column i: the line is mirrored at its ends."""
    n = len(c)
    z = POLE
    total = c[0, i]
    if n > HORIZON:
        for k in range(1, HORIZON):
            total += z * c[k, i]
            z *= POLE
        return total
    back = POLE ** (n - 1)
    total += back * c[n - 1, i]
    back = back * back / POLE
    for k in range(1, n - 1):
        total += (z + back) * c[k, i]
        z *= POLE
        back /= POLE
    return total / (1.0 - z * z)
