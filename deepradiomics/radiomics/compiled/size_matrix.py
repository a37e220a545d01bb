"""Run, zone and dependence features compiled: the formulas of ``size_matrix.py`` over the entries that are not zero.

``size_matrix.py`` is the definition; the kernel gives its numbers (decision 0005). Padding has no influence: it is
zero, and zeros are passed over.
"""

import numpy as np

from deepradiomics.kernels import njit
from deepradiomics.radiomics.features import gldm, glrlm, glszm

QUANTITIES = (
    "short", "long", "level non-uniformity", "level non-uniformity, normalised", "size non-uniformity",
    "size non-uniformity, normalised", "percentage", "level variance", "size variance", "entropy", "low", "high",
    "short low", "short high", "long low", "long high",
)  # fmt: skip
EPSILON = float(np.spacing(1.0))


def glrlm_features(runs: np.ndarray, levels: np.ndarray, weights: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """Return the run-length features (B,); the twin of :func:`glrlm.glrlm_features`."""
    return _named(glrlm.QUANTITY, runs, levels, _counting_from_one(runs), weights)


def glszm_features(zones: np.ndarray, levels: np.ndarray, sizes: np.ndarray) -> dict[str, np.ndarray]:
    """Return the size-zone features (B,); the twin of :func:`glszm.glszm_features`."""
    return _named(glszm.QUANTITY, zones[:, None], levels, sizes)


def gldm_features(dependences: np.ndarray, levels: np.ndarray) -> dict[str, np.ndarray]:
    """Return the dependence features (B,); the twin of :func:`gldm.gldm_features`."""
    return _named(gldm.QUANTITY, dependences[:, None], levels, _counting_from_one(dependences))


def _counting_from_one(matrices: np.ndarray) -> np.ndarray:
    return np.broadcast_to(np.arange(1, matrices.shape[-1] + 1), (len(matrices), matrices.shape[-1]))


def _named(
    names: dict[str, str], P: np.ndarray, levels: np.ndarray, sizes: np.ndarray, weights: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    values = np.empty((len(P), len(QUANTITIES)))
    _batch(
        np.ascontiguousarray(P, np.int64),
        np.ascontiguousarray(levels, float),
        np.ascontiguousarray(sizes, float),
        np.zeros(0) if weights is None else np.asarray(weights, float),
        values,
    )
    return {name: values[:, QUANTITIES.index(quantity)].copy() for name, quantity in names.items()}


@njit
def _batch(P: np.ndarray, levels: np.ndarray, sizes: np.ndarray, weights: np.ndarray, out: np.ndarray) -> None:
    """Mean over the directions that hold a count of each quantity: P (B, A, L, S), sizes (B, S), out (B, 16)."""
    _, directions, n_levels, n_sizes = P.shape
    by_level, by_size = np.empty(n_levels), np.empty(n_sizes)
    row = np.empty(out.shape[1])
    matrix = np.empty((n_levels, n_sizes))
    for b in range(len(P)):
        known = 0
        for q in range(out.shape[1]):
            out[b, q] = 0.0
        for a in range(1 if len(weights) > 0 else directions):
            for i in range(n_levels):
                for j in range(n_sizes):
                    matrix[i, j] = P[b, a, i, j] * (weights[0] if len(weights) > 0 else 1.0)
                    for direction in range(1, len(weights)):
                        matrix[i, j] += weights[direction] * P[b, direction, i, j]
            if _quantities(matrix, levels[b], sizes[b], by_level, by_size, row):
                known += 1
                for q in range(out.shape[1]):
                    out[b, q] += row[q]
        for q in range(out.shape[1]):
            out[b, q] = out[b, q] / known if known > 0 else np.nan


@njit
def _quantities(
    P: np.ndarray, level: np.ndarray, size: np.ndarray, by_level: np.ndarray, by_size: np.ndarray, out: np.ndarray
) -> bool:
    """The sixteen quantities of one matrix, in the order of ``QUANTITIES``; False when it is empty."""
    n_levels, n_sizes = P.shape
    by_level.fill(0.0)
    by_size.fill(0.0)
    total = 0.0
    for i in range(n_levels):
        for j in range(n_sizes):
            count = P[i, j]
            if count != 0:
                by_level[i] += count
                by_size[j] += count
                total += count
    if total == 0:
        return False
    entropy, short_low, short_high, long_low, long_high = 0.0, 0.0, 0.0, 0.0, 0.0
    low, high, mean_level, levels2 = 0.0, 0.0, 0.0, 0.0
    for i in range(n_levels):
        if by_level[i] == 0:
            continue
        i2 = level[i] * level[i]
        short, long = 0.0, 0.0
        for j in range(n_sizes):
            if P[i, j] != 0:
                p = P[i, j] / total
                entropy -= p * np.log2(p + EPSILON)
                short += p / (size[j] * size[j])
                long += p * size[j] * size[j]
        short_low += short / i2
        short_high += short * i2
        long_low += long / i2
        long_high += long * i2
        low += by_level[i] / i2
        high += by_level[i] * i2
        mean_level += by_level[i] / total * level[i]
        levels2 += by_level[i] * by_level[i]
    short, long, mean_size, sizes2, voxels = 0.0, 0.0, 0.0, 0.0, 0.0
    for j in range(n_sizes):
        if by_size[j] != 0:
            short += by_size[j] / (size[j] * size[j])
            long += by_size[j] * size[j] * size[j]
            mean_size += by_size[j] / total * size[j]
            sizes2 += by_size[j] * by_size[j]
            voxels += by_size[j] * size[j]
    level_variance, size_variance = 0.0, 0.0
    for i in range(n_levels):
        level_variance += by_level[i] / total * (level[i] - mean_level) ** 2
    for j in range(n_sizes):
        size_variance += by_size[j] / total * (size[j] - mean_size) ** 2
    out[0], out[1] = short / total, long / total
    out[2], out[3] = levels2 / total, levels2 / (total * total)
    out[4], out[5] = sizes2 / total, sizes2 / (total * total)
    out[6], out[7], out[8], out[9] = total / voxels, level_variance, size_variance, entropy
    out[10], out[11] = low / total, high / total
    out[12], out[13], out[14], out[15] = short_low, short_high, long_low, long_high
    return True
