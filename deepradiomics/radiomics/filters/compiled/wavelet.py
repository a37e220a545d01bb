"""Compiled passes of a wavelet filter pair along one axis; the sums run in PyWavelets' order, so that bits agree."""

import numpy as np

from deepradiomics.kernels import njit

BLOCK = 512


@njit
def along_columns(data, low, high, low_taps, high_taps, order, index, start, stop):  # type: ignore[no-untyped-def]
    """Filter (A, n, B) along its middle axis into two (A, m, B), for B in [start, stop).

    order, index: (m, taps), which tap meets which voxel, in the order of summation.
    """
    taps = order.shape[1]
    sum_low, sum_high = np.empty(BLOCK, data.dtype), np.empty(BLOCK, data.dtype)
    for a in range(data.shape[0]):
        for first in range(start, stop, BLOCK):
            width = min(BLOCK, stop - first)
            for o in range(order.shape[0]):
                sum_low[:] = 0
                sum_high[:] = 0
                for j in range(taps):
                    f_low, f_high = low_taps[order[o, j]], high_taps[order[o, j]]
                    row = data[a, index[o, j], first : first + width]
                    for b in range(width):
                        sum_low[b] += f_low * row[b]
                        sum_high[b] += f_high * row[b]
                for b in range(width):
                    low[a, o, first + b] = sum_low[b]
                    high[a, o, first + b] = sum_high[b]


@njit
def along_rows(data, low, high, low_taps, high_taps, order, index, first, last, start, stop):  # type: ignore[no-untyped-def]
    """Filter (rows, n) along each row into two (rows, m), for the rows in [start, stop).

    first, last: the outputs between them take their taps in plain order from neighbouring voxels.
    """
    taps = order.shape[1]
    count = order.shape[0]
    sum_low, sum_high = np.empty(count, data.dtype), np.empty(count, data.dtype)
    for r in range(start, stop):
        sum_low[:] = 0
        sum_high[:] = 0
        if last > first:
            top = index[first, 0]
            for j in range(taps):
                f_low, f_high = low_taps[j], high_taps[j]
                part = data[r, top - j : top - j + last - first]
                for o in range(last - first):
                    sum_low[first + o] += f_low * part[o]
                    sum_high[first + o] += f_high * part[o]
        for o in range(count):
            if not first <= o < last:
                for j in range(taps):
                    sum_low[o] += low_taps[order[o, j]] * data[r, index[o, j]]
                    sum_high[o] += high_taps[order[o, j]] * data[r, index[o, j]]
        for o in range(count):
            low[r, o] = sum_low[o]
            high[r, o] = sum_high[o]
