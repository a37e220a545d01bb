"""GLCM features of the window around each voxel, compiled: pairs in, features out, no matrix in between.

A window holds few pairs, so its matrix is a short list of cells. Marginals, sums and differences are gathered from the
cells; the entropy of the product of the marginals is the sum of their entropies.
"""

import math

import numpy as np

from deepradiomics.kernels import njit
from deepradiomics.radiomics.maps.compiled.local import local_levels
from deepradiomics.radiomics.maps.compiled.second_singular import second_singular

NAMES = (
    "Autocorrelation", "ClusterProminence", "ClusterShade", "ClusterTendency", "Contrast", "Correlation",
    "DifferenceAverage", "DifferenceEntropy", "DifferenceVariance", "Id", "Idm", "Idmn", "Idn", "Imc1", "Imc2",
    "InverseVariance", "JointAverage", "JointEnergy", "JointEntropy", "MCC", "MaximumProbability", "SumAverage",
    "SumEntropy", "SumSquares",
)  # fmt: skip
"""Columns of the result."""
INDEPENDENT = 1e-13  # mutual information (bits) below this is the rounding noise of zero
EPSILON = 2.0**-52


@njit
def glcm_windows(
    levels: np.ndarray,
    centres: np.ndarray,
    steps: np.ndarray,
    pairs: np.ndarray,
    start: np.ndarray,
    weights: np.ndarray,
    merged: bool,
    symmetrical: bool,
    highest: int,
    entropies: bool,
    mcc: bool,
    out: np.ndarray,
    present: np.ndarray,
) -> None:
    """Write the features of each window.

    Args:
        levels: flat grey levels, 0 outside; padded so that no window leaves the array.
        centres: (n,) places of the voxels in ``levels``.
        steps, pairs, start: the window's K steps, its pairs (T, 2), and where each direction's begin (A + 1,).
        weights: (A,) of the directions; used when ``merged``.
        merged: put all directions into one matrix by their weights, else average the features over directions.
        highest: the highest grey level of the image.
        entropies, mcc: whether the features that need logarithms, and MCC, are wanted.
        out: (n, 24) features; NaN for a window without a pair.
        present: (n, A) uint8, set to 1 where a direction holds a pair.
    """
    window, side = len(steps), min(len(steps), highest)  # no window has more levels than voxels, or than there are
    code = np.empty(window, np.int64)
    local = np.full(highest + 1, -1, np.int64)
    grey = np.empty(window, np.int64)
    capacity = 2 * len(pairs)
    slot = np.empty(capacity, np.int64)
    row, column, p = np.empty(capacity, np.int64), np.empty(capacity, np.int64), np.empty(capacity)
    mass = np.zeros(side * side)
    px, py = np.zeros(side), np.zeros(side)
    sums, gaps = np.zeros(2 * highest + 1), np.zeros(highest + 1)
    parent, place = np.empty(2 * side, np.int64), np.empty(2 * side, np.int64)
    matrix, work = np.empty((side, side)), np.empty((2, side))
    by_gap = _weights_by_gap(highest)
    for v in range(len(centres)):
        n_levels = local_levels(levels, centres[v], steps, local, grey, code)
        out[v] = 0.0
        matrices, cells, total = 0, 0, 0.0
        for a in range(len(start) - 1):
            weight = weights[a] if merged else 1.0
            for t in range(start[a], start[a + 1]):
                i, j = code[pairs[t, 0]], code[pairs[t, 1]]
                if i < 0 or j < 0:
                    continue
                present[v, a] = 1
                if weight == 0.0:  # a distance so long that its weight vanishes
                    continue
                cell = i * n_levels + j
                for _ in range(1 + symmetrical):
                    if mass[cell] == 0.0:
                        slot[cells] = cell
                        cells += 1
                    mass[cell] += weight
                    total += weight
                    cell = j * n_levels + i
            if merged and a < len(start) - 2:
                continue
            if cells == 0:
                continue
            for k in range(cells):
                row[k], column[k] = slot[k] // n_levels, slot[k] % n_levels
                p[k] = mass[slot[k]] / total
                mass[slot[k]] = 0.0
            _add_features(row, column, p, cells, grey, n_levels, px, py, sums, gaps, by_gap, entropies, out[v])
            if mcc:
                out[v, 19] += second_singular(
                    row, column, p, cells, px, py, n_levels, symmetrical, parent, place, matrix, work
                )
            matrices += 1
            cells, total = 0, 0.0
        for f in range(24):
            out[v, f] = out[v, f] / matrices if matrices > 0 else math.nan


@njit
def _weights_by_gap(highest: int) -> np.ndarray:
    """(5, highest + 1): what Id, Idm, Idmn, Idn and InverseVariance weigh a difference of grey levels with."""
    by_gap = np.empty((5, highest + 1))
    for d in range(highest + 1):
        by_gap[0, d] = 1 / (1 + d)
        by_gap[1, d] = 1 / (1 + d * d)
        by_gap[2, d] = 1 / (1 + d * d / (highest * highest))
        by_gap[3, d] = 1 / (1 + d / highest)
        by_gap[4, d] = 1 / (d * d) if d > 0 else 0.0
    return by_gap


@njit
def _moments(p: np.ndarray, grey: np.ndarray, n_levels: int) -> tuple[float, float, bool]:
    """Mean and variance of a marginal, and whether it has one level only."""
    mean, levels = 0.0, 0
    for i in range(n_levels):
        mean += p[i] * grey[i]
        levels += p[i] > 0
    variance = 0.0
    for i in range(n_levels):
        variance += p[i] * (grey[i] - mean) ** 2
    return mean, variance, levels == 1


@njit
def _add_features(
    row: np.ndarray,
    column: np.ndarray,
    p: np.ndarray,
    cells: int,
    grey: np.ndarray,
    n_levels: int,
    px: np.ndarray,
    py: np.ndarray,
    sums: np.ndarray,
    gaps: np.ndarray,
    by_gap: np.ndarray,
    entropies: bool,
    total: np.ndarray,
) -> None:
    """Add the features of one matrix (but MCC) to ``total``; leaves its marginals in ``px`` and ``py``."""
    for i in range(n_levels):
        px[i] = 0.0
        py[i] = 0.0
    for k in range(cells):
        px[row[k]] += p[k]
        py[column[k]] += p[k]
    ux, vx, one_row = _moments(px, grey, n_levels)
    uy, vy, one_column = _moments(py, grey, n_levels)
    gap_mean, covariance, largest, HXY = 0.0, 0.0, 0.0, 0.0
    for k in range(cells):
        gi, gj, q = grey[row[k]], grey[column[k]], p[k]
        d = abs(gi - gj)
        centred = gi + gj - ux - uy
        square = centred * centred
        total[0] += q * gi * gj
        total[1] += q * square * square
        total[2] += q * square * centred
        total[3] += q * square
        total[4] += q * d * d
        covariance += q * (gi - ux) * (gj - uy)
        gap_mean += q * d
        total[9] += q * by_gap[0, d]
        total[10] += q * by_gap[1, d]
        total[11] += q * by_gap[2, d]
        total[12] += q * by_gap[3, d]
        total[15] += q * by_gap[4, d]
        total[17] += q * q
        largest = max(largest, q)
        if entropies:
            HXY -= q * math.log2(q)
            sums[gi + gj] += q
            gaps[d] += q
    for k in range(cells):
        total[8] += p[k] * (abs(grey[row[k]] - grey[column[k]]) - gap_mean) ** 2
    # a standard deviation is zero, not merely small, where one level stands on that side of all pairs
    total[5] += 1.0 if one_row or one_column else covariance / (math.sqrt(vx) * math.sqrt(vy) + EPSILON)
    total[6] += gap_mean
    total[16] += ux
    total[20] += largest
    total[21] += ux + uy
    total[23] += vx
    if not entropies:
        return
    HX, HY = 0.0, 0.0
    for i in range(n_levels):
        if px[i] > 0:
            HX -= px[i] * math.log2(px[i])
        if py[i] > 0:
            HY -= py[i] * math.log2(py[i])
    for k in range(cells):
        s, d = grey[row[k]] + grey[column[k]], abs(grey[row[k]] - grey[column[k]])
        if sums[s] > 0:
            total[22] -= sums[s] * math.log2(sums[s])
            sums[s] = 0.0
        if gaps[d] > 0:
            total[7] -= gaps[d] * math.log2(gaps[d])
            gaps[d] = 0.0
    information = HX + HY - HXY
    if information > INDEPENDENT:
        total[13] -= information / max(HX, HY)
        total[14] += math.sqrt(1 - math.exp(-2 * information))
    total[18] += HXY
