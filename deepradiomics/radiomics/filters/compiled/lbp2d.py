"""Compiled local binary patterns of one slice; the arithmetic is that of ``lbp2d.patterns_reference``."""

import numpy as np

from deepradiomics.kernels import njit


@njit
def patterns(plane, row, r_low, r_high, r_part, col, c_low, c_high, c_part, method, out):  # type: ignore[no-untyped-def]
    """Fill out (rows, columns) with the patterns of a slice.

    Args:
        plane: float64, the slice with its frame of zeros.
        row, col: where each voxel lies in it.
        r_low, r_high, r_part, c_low, c_high, c_part: (samples, n) voxel before and after a sample, and the part of the
            way between them.
        method: 0 default, 1 ror, 2 uniform, 3 var.
    """
    count = len(r_low)
    width = len(col)
    values = np.empty((count, width))
    for r in range(len(row)):
        for k in range(count):
            before, after = plane[r_low[k, r]], plane[r_high[k, r]]
            down = r_part[k, r]
            for c in range(width):
                low, high, across = c_low[k, c], c_high[k, c], c_part[k, c]
                top = (1 - across) * before[low] + across * before[high]
                bottom = (1 - across) * after[low] + across * after[high]
                values[k, c] = (1 - down) * top + down * bottom
        for c in range(width):
            centre = plane[row[r], col[c]]
            if method == 3:
                total, squares = 0.0, 0.0
                for k in range(count):
                    total += values[k, c]
                    squares += values[k, c] * values[k, c]
                variance = (squares - total * total / count) / count
                out[r, c] = variance if variance != 0 else np.nan
            elif method == 2:
                changes, ones, last = 0, 0, values[0, c] - centre >= 0
                for k in range(count):
                    bit = values[k, c] - centre >= 0
                    changes += bit != last
                    ones += bit
                    last = bit
                out[r, c] = ones if changes <= 2 else count + 1
            else:
                code = np.int64(0)
                for k in range(count):
                    if values[k, c] - centre >= 0:
                        code |= np.int64(1) << k
                least = code
                if method == 1:
                    for _ in range(count - 1):
                        code = (code >> 1) | ((code & 1) << (count - 1))
                        least = min(least, code)
                out[r, c] = least
