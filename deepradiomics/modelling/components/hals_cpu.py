"""The sweeps of :mod:`.hals` compiled. Import only where numba is available."""

import numpy as np

from deepradiomics.kernels import njit


@njit
def sweep_block(factor, products, gram, first, last):  # type: ignore[no-untyped-def]
    """One sweep over the columns first … last of factor (k, m), in place, 64 at a time; Σ |projected gradient|."""
    k = len(factor)
    whole = k - k % 8
    zero = factor.dtype.type(0)
    violation = 0.0
    block = np.empty((k, 64), factor.dtype)
    gradient = np.empty(64, factor.dtype)
    for start in range(first, last, 64):
        width = min(64, last - start)
        block[:, :width] = factor[:, start : start + width]
        for t in range(k):
            for j in range(width):
                gradient[j] = -products[t, start + j]
            for r in range(0, whole, 8):  # eight rows for each time that the gradient is read and written
                a, b, c, d = gram[t, r], gram[t, r + 1], gram[t, r + 2], gram[t, r + 3]
                e, f, g, h = gram[t, r + 4], gram[t, r + 5], gram[t, r + 6], gram[t, r + 7]
                for j in range(64):  # columns beyond the width are never used
                    gradient[j] += (
                        (a * block[r, j] + b * block[r + 1, j]) + (c * block[r + 2, j] + d * block[r + 3, j])
                    ) + ((e * block[r + 4, j] + f * block[r + 5, j]) + (g * block[r + 6, j] + h * block[r + 7, j]))
            for r in range(whole, k):
                for j in range(64):
                    gradient[j] += gram[t, r] * block[r, j]
            hessian = gram[t, t]
            total = zero
            for j in range(width):
                slope = gradient[j]
                here = block[t, j]
                total += abs(min(slope, zero)) if here == zero else abs(slope)
                if hessian > zero:
                    block[t, j] = max(here - slope / hessian, zero)
            violation += total
        factor[:, start : start + width] = block[:, :width]
    return violation


@njit
def solve_rows(found, products, gram, tol, max_sweeps, start, stop):  # type: ignore[no-untyped-def]
    """Non-negative least squares of rows start … stop, each for itself: found and products (n, k), float64."""
    k = found.shape[1]
    gradient = np.empty(k)
    for i in range(start, stop):
        gradient[:] = -products[i]  # found starts at zero
        begun = 0.0
        for sweep in range(max_sweeps):
            violation = 0.0
            for t in range(k):
                hessian = gram[t, t]
                here = found[i, t]
                g = gradient[t]
                violation += abs(min(g, 0.0)) if here == 0.0 else abs(g)
                if hessian > 0.0:
                    step = max(here - g / hessian, 0.0) - here
                    if step != 0.0:
                        found[i, t] = here + step
                        for r in range(k):
                            gradient[r] += step * gram[t, r]
            if sweep == 0:
                begun = violation
            if violation <= tol * begun:
                break
