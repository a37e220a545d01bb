"""The sweeps of :mod:`.hals` compiled. Import only where numba is available."""

import numpy as np

from deepradiomics.radiomics.compiled import njit


@njit
def sweep_block(factor, products, gram):  # type: ignore[no-untyped-def]
    """One sweep over factor (k, m), in place, 64 columns at a time; returns Σ |projected gradient|."""
    k, m = factor.shape
    zero = factor.dtype.type(0)
    violation = 0.0
    block = np.empty((k, 64), factor.dtype)
    gradient = np.empty(64, factor.dtype)
    for start in range(0, m, 64):
        width = min(64, m - start)
        block[:, :width] = factor[:, start : start + width]
        for t in range(k):
            for j in range(width):
                gradient[j] = -products[t, start + j]
            for r in range(k):
                weight = gram[t, r]
                for j in range(64):  # a fixed length is unrolled; columns beyond the width are never used
                    gradient[j] += weight * block[r, j]
            hessian = gram[t, t]
            total = zero
            for j in range(width):
                g = gradient[j]
                here = block[t, j]
                total += abs(min(g, zero)) if here == zero else abs(g)
                if hessian > zero:
                    block[t, j] = max(here - g / hessian, zero)
            violation += total
        factor[:, start : start + width] = block[:, :width]
    return violation


@njit
def solve_rows(found, products, gram, tol, max_sweeps):  # type: ignore[no-untyped-def]
    """Non-negative least squares of each row for itself: found (n, k), products (n, k), gram (k, k), float64."""
    n, k = found.shape
    gradient = np.empty(k)
    for i in range(n):
        gradient[:] = -products[i]  # found starts at zero
        first = 0.0
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
                first = violation
            if violation <= tol * first:
                break
