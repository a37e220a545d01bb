"""Compiled passes of a fourth-order recursive filter along one axis, many lines side by side."""

import numpy as np

from deepradiomics.kernels import njit

WIDTH = 32


@njit
def _filter_lines(x, forward, backward, c, count):  # type: ignore[no-untyped-def]
    """Filter the first ``count`` columns of x (n, WIDTH) both ways; the sum of both is left in ``forward``.

    c: (5, 4) as :func:`deepradiomics.radiomics.filters.laplacian._complete` gives it.
    """
    n = x.shape[0]
    n0, n1, n2, n3 = c[0]
    m1, m2, m3, m4 = c[1]
    d1, d2, d3, d4 = c[2]
    for i in range(n):
        a, b, e = max(i - 1, 0), max(i - 2, 0), max(i - 3, 0)
        for k in range(count):
            forward[i, k] = x[i, k] * n0 + x[a, k] * n1 + x[b, k] * n2 + x[e, k] * n3
        if i >= 4:
            for k in range(count):
                past = forward[i - 1, k] * d1 + forward[i - 2, k] * d2
                forward[i, k] -= past + forward[i - 3, k] * d3 + forward[i - 4, k] * d4
        else:
            for k in range(count):
                edge, past = x[0, k], 0.0
                for j in range(4):
                    past += forward[i - 1 - j, k] * c[2, j] if j < i else edge * c[3, j]
                forward[i, k] -= past
    for i in range(n - 1, -1, -1):
        a, b, e, f = min(i + 1, n - 1), min(i + 2, n - 1), min(i + 3, n - 1), min(i + 4, n - 1)
        for k in range(count):
            backward[i, k] = x[a, k] * m1 + x[b, k] * m2 + x[e, k] * m3 + x[f, k] * m4
        if i < n - 4:
            for k in range(count):
                past = backward[i + 1, k] * d1 + backward[i + 2, k] * d2
                backward[i, k] -= past + backward[i + 3, k] * d3 + backward[i + 4, k] * d4
        else:
            for k in range(count):
                edge, past = x[n - 1, k], 0.0
                for j in range(4):
                    past += backward[i + 1 + j, k] * c[2, j] if i + 1 + j < n else edge * c[4, j]
                backward[i, k] -= past
    for i in range(n):
        for k in range(count):
            forward[i, k] += backward[i, k]


@njit
def along_columns(data, out, coefficients, low, start, stop):  # type: ignore[no-untyped-def]
    """Filter (A, n, B) along its middle axis; out (A, m, B) takes voxels low … low + m, for B in [start, stop)."""
    n, m = data.shape[1], out.shape[1]
    x, forward, backward = np.empty((n, WIDTH)), np.empty((n, WIDTH)), np.empty((n, WIDTH))
    for a in range(data.shape[0]):
        for first in range(start, stop, WIDTH):
            count = min(WIDTH, stop - first)
            for i in range(n):
                for k in range(count):
                    x[i, k] = data[a, i, first + k]
            _filter_lines(x, forward, backward, coefficients, count)
            for i in range(m):
                for k in range(count):
                    out[a, i, first + k] = forward[low + i, k]


@njit
def along_rows(data, out, coefficients, low, start, stop):  # type: ignore[no-untyped-def]
    """Filter (rows, n) along each row; out (rows, m) takes voxels low … low + m, for the rows in [start, stop)."""
    n, m = data.shape[1], out.shape[1]
    x, forward, backward = np.empty((n, WIDTH)), np.empty((n, WIDTH)), np.empty((n, WIDTH))
    for first in range(start, stop, WIDTH):
        count = min(WIDTH, stop - first)
        for k in range(count):
            for i in range(n):
                x[i, k] = data[first + k, i]
        _filter_lines(x, forward, backward, coefficients, count)
        for k in range(count):
            for i in range(m):
                out[first + k, i] = forward[low + i, k]
