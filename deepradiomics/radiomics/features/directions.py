"""Directional matrices: weights by distance, dropping empty directions, and the mean over directions."""

import numpy as np

from deepradiomics.radiomics.settings.settings import Weighting


def norms(offsets: np.ndarray, spacing_mm: tuple[float, float, float], norm: Weighting) -> np.ndarray:
    """Return the length (A,) in millimetres of offsets (A, 3) (dz, dy, dx); ones for ``no_weighting``.

    Args:
        offsets: voxel offsets.
        spacing_mm: voxel spacing (z, y, x).
        norm: ``euclidean``, ``manhattan`` (sum), ``infinity`` (largest component) or ``no_weighting``.
    """
    steps = np.abs(offsets) * np.array(spacing_mm)
    if norm == "infinity":
        return steps.max(axis=1)
    if norm == "manhattan":
        return steps.sum(axis=1)
    if norm == "euclidean":
        return np.sqrt((steps**2).sum(axis=1))
    return np.ones(len(offsets))


def merge(P: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weighted sum over directions, (B, A, L, S) -> (B, 1, L, S)."""
    return np.einsum("balr,a->blr", P, weights)[:, None]


def mean_over_directions(values: np.ndarray, owner: np.ndarray, batch: int) -> np.ndarray:
    """Average per-direction values (M,) over each region, ignoring NaN; NaN for a region without any.

    Args:
        values: a feature of each non-empty direction.
        owner: (M,) the region, 0 ... batch - 1, that each belongs to.
        batch: number of regions B.

    Returns:
        (B,) means.
    """
    known = ~np.isnan(values)
    number = np.bincount(owner[known], minlength=batch)
    total = np.bincount(owner[known], values[known], minlength=batch)
    return np.divide(total, number, out=np.full(batch, np.nan), where=number > 0)
