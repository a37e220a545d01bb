"""Compiled cubic spline samples on a sphere around each voxel, in SciPy's order of operations, so that bits agree."""

import math

import numpy as np

from deepradiomics.kernels import njit


@njit
def sphere_samples(spline, places, vertices, out):  # type: ignore[no-untyped-def]
    """Fill out (N, V) with the samples at places + vertices, 0 outside the image.

    Args:
        spline: float64 (z, y, x), the coefficients that ``scipy.ndimage.spline_filter`` gives.
        places: int (N, 3), voxels.
        vertices: float64 (V, 3), added to a voxel's indices.
        out: float64 (N, V).
    """
    count = len(vertices)
    flat = spline.ravel()
    strides = (spline.shape[1] * spline.shape[2], spline.shape[2], 1)
    weights = np.zeros((3, 4, count))
    base = np.zeros(count, np.uint64)  # unsigned: no check for indices from the end
    state = np.zeros(count, np.int8)  # 0 inside, 1 at the border, 2 outside
    sums = np.zeros(count)
    for n in range(len(places)):
        borders = False
        for v in range(count):
            first = 0
            state[v] = 0
            for axis in range(3):
                size = spline.shape[axis]
                x = places[n, axis] + vertices[v, axis]
                if x < 0 or x > size - 1:
                    state[v] = 2
                    continue
                start = math.floor(x) - 1
                if (start < 0 or start + 3 >= size) and state[v] == 0:
                    state[v] = 1
                first += strides[axis] * start
                y = x - math.floor(x)
                z = 1.0 - y
                weights[axis, 1, v] = (y * y * (y - 2.0) * 3.0 + 4.0) / 6.0
                weights[axis, 2, v] = (z * z * (z - 2.0) * 3.0 + 4.0) / 6.0
                weights[axis, 0, v] = z * z * z / 6.0
                weights[axis, 3, v] = 1.0 - weights[axis, 0, v] - weights[axis, 1, v] - weights[axis, 2, v]
            if state[v]:
                borders = True
                first = 0
            base[v] = first
        sums[:] = 0
        for i in range(4):
            w0 = weights[0, i]
            for j in range(4):
                w1 = weights[1, j]
                for k in range(4):
                    offset = i * strides[0] + j * strides[1] + k
                    if offset >= len(flat):
                        continue  # a very small image has no voxel that lies inside
                    around = flat[offset:]
                    for v in range(count):
                        value = around[base[v]]
                        sums[v] += value * w0[v] * w1[v] * weights[2, k, v]
        for v in range(count):
            out[n, v] = sums[v]
        if borders:
            for v in range(count):
                if state[v] == 2:
                    out[n, v] = 0.0
                elif state[v] == 1:
                    out[n, v] = _at_border(spline, places[n], vertices[v], weights[:, :, v])


@njit
def _at_border(spline, place, vertex, weights):  # type: ignore[no-untyped-def]
    """Return a sample whose taps reach over the border, where the coefficients are mirrored about the last voxel."""
    index = np.zeros((3, 4), np.int64)
    for axis in range(3):
        size = spline.shape[axis]
        start = math.floor(place[axis] + vertex[axis]) - 1
        for k in range(4):
            at = start + k
            if size == 1:
                at = 0
            else:
                at = abs(at) % (2 * size - 2)
                if at >= size:
                    at = 2 * size - 2 - at
            index[axis, k] = at
    total = 0.0
    for i in range(4):
        for j in range(4):
            for k in range(4):
                value = spline[index[0, i], index[1, j], index[2, k]]
                total += value * weights[0, i] * weights[1, j] * weights[2, k]
    return total
