"""Sweeps of hierarchical alternating least squares: each row of a factor in turn takes its best non-negative value.

For ½‖X - W H‖² with W fixed, the best row t of H (all others fixed) is

    H[t] ← max(0, H[t] - (G[t] H - B[t]) / G[t, t])        G = WᵀW (k, k),  B = WᵀX (k, m)

so a sweep needs only the two small products; the pixels of X are never touched. Coordinate descent in scikit-learn
does these same steps in the same order; here a block of columns stays in the processor's first cache while all k rows
are gone through.

Source: Cichocki, Zdunek & Amari, ICA 2007, LNCS 4666:169-176; Gillis & Glineur, Neural Comput 2012;24:1085-1105.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from deepradiomics.kernels import available
from deepradiomics.threads import map_threads, thread_count

if TYPE_CHECKING:
    import torch

COLUMNS = 64  # of a block: 128 rows of it in float32 are 32 KB
WORTH_A_THREAD = 2**25  # multiplications: about a millisecond


def sweep(factor: np.ndarray, products: np.ndarray, gram: np.ndarray, threads: int | None = None) -> float:
    """Improve ``factor`` (k, m) in place, once through its rows.

    Args:
        factor: H, or Wᵀ; C-ordered.
        products: WᵀX, or HXᵀ, (k, m).
        gram: WᵀW, or HHᵀ, (k, k).
        threads: how many; None takes all cores. The result does not depend on it.

    Returns:
        Σ |projected gradient| met on the way: zero at an optimum (scikit-learn's ``violation``).
    """
    k, m = factor.shape
    if not available():
        return _sweep_plain(factor, products, gram)
    from deepradiomics.modelling.components.hals_cpu import sweep_block

    count = min(thread_count(threads), max(1, k * k * m // WORTH_A_THREAD))
    ends = [min(int(end) * COLUMNS, m) for end in np.linspace(0, -(-m // COLUMNS), count + 1)]
    whole = np.ascontiguousarray(products)
    return float(sum(map_threads(lambda s: sweep_block(factor, whole, gram, *s), pairwise(ends), threads)))


def weights(
    components: np.ndarray, rows: np.ndarray, *, tol: float = 1e-6, max_sweeps: int = 2000, threads: int | None = None
) -> np.ndarray:
    """Return the non-negative W (n, k) that brings W H nearest to each row: least squares with H fixed.

    Each row is solved for itself, in float64: a patient has the same weights alone as in a cohort.

    Args:
        components: H (k, p), non-negative.
        rows: X (n, p).
        tol: stop at this share of the row's first violation.
        max_sweeps: or after this many sweeps.
    """
    H = np.ascontiguousarray(components, np.float64)
    gram = H @ H.T
    products = np.empty((len(rows), len(H)))
    for start in range(0, len(rows), 64):
        products[start : start + 64] = np.asarray(rows[start : start + 64], np.float64) @ H.T
    found = np.zeros_like(products)
    if not available():
        _solve_plain(found, products, gram, tol, max_sweeps)
        return found
    from deepradiomics.modelling.components.hals_cpu import solve_rows

    chunks = pairwise([*range(0, len(rows), 16), len(rows)])
    map_threads(lambda s: solve_rows(found, products, gram, tol, max_sweeps, *s), chunks, threads)
    return found


def sweep_torch(factor: torch.Tensor, products: torch.Tensor, gram: torch.Tensor) -> float:
    """:func:`sweep` on any device of torch."""
    import torch

    violation = torch.zeros((), dtype=torch.float64, device=factor.device)
    for t, hessian in enumerate(gram.diagonal().tolist()):
        gradient = gram[t] @ factor - products[t]
        row = factor[t]
        violation += torch.where(row == 0, gradient.clamp(max=0), gradient).abs().sum(dtype=torch.float64)
        if hessian > 0:
            row.sub_(gradient, alpha=1.0 / hessian).clamp_(min=0)
    return float(violation)


def _sweep_plain(factor: np.ndarray, products: np.ndarray, gram: np.ndarray) -> float:
    """The readable definition; also where numba is not there."""
    violation = 0.0
    for t, hessian in enumerate(gram.diagonal()):
        gradient = gram[t] @ factor - products[t]
        violation += float(np.abs(np.where(factor[t] == 0, np.minimum(gradient, 0), gradient)).sum(dtype=np.float64))
        if hessian > 0:
            np.maximum(factor[t] - gradient / hessian, 0, out=factor[t])
    return violation


def _solve_plain(found: np.ndarray, products: np.ndarray, gram: np.ndarray, tol: float, max_sweeps: int) -> None:
    for i in range(len(found)):
        one = np.ascontiguousarray(found[i][:, None])
        first = _sweep_plain(one, products[i][:, None], gram)
        for _ in range(max_sweeps - 1):
            if _sweep_plain(one, products[i][:, None], gram) <= tol * first:
                break
        found[i] = one[:, 0]
