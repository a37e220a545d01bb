"""First-order features of the window around each voxel, compiled; percentiles as numpy interpolates them."""

import math

import numpy as np

from deepradiomics.kernels import njit

NAMES = (
    "10Percentile", "90Percentile", "Energy", "Entropy", "InterquartileRange", "Kurtosis", "Maximum",
    "MeanAbsoluteDeviation", "Mean", "Median", "Minimum", "Range", "RobustMeanAbsoluteDeviation", "RootMeanSquared",
    "Skewness", "StandardDeviation", "TotalEnergy", "Uniformity", "Variance",
)  # fmt: skip
"""Columns of the result."""


@njit
def firstorder_windows(
    values: np.ndarray,
    levels: np.ndarray,
    centres: np.ndarray,
    steps: np.ndarray,
    highest: int,
    shift: float,
    voxel_volume_mm3: float,
    out: np.ndarray,
) -> None:
    """Write the features of each window.

    Args:
        values: flat grey values, float64.
        levels: flat grey levels of the same voxels, 0 outside; padded so that no window leaves the arrays.
        centres: (n,) places of the voxels.
        steps: (K,) steps from a voxel to its window.
        highest: the highest grey level.
        shift: added to the grey values for Energy, TotalEnergy and RootMeanSquared.
        out: (n, 19) features.
    """
    x = np.empty(len(steps))
    number = np.zeros(highest + 1, np.int64)
    for v in range(len(centres)):
        n = 0
        for k in range(len(steps)):
            at = centres[v] + steps[k]
            if levels[at] > 0:
                x[n] = values[at]
                n += 1
                number[levels[at]] += 1
        if n > 64:
            x[:n].sort()
        else:
            for a in range(1, n):
                value, b = x[a], a
                while b > 0 and x[b - 1] > value:
                    x[b] = x[b - 1]
                    b -= 1
                x[b] = value
        entropy, uniformity = 0.0, 0.0
        for k in range(len(steps)):
            at = centres[v] + steps[k]
            if number[levels[at]] > 0:
                q = number[levels[at]] / n
                entropy -= q * math.log2(q)
                uniformity += q * q
                number[levels[at]] = 0
        _statistics(x, n, shift, out[v])
        out[v, 3] = entropy
        out[v, 16] = out[v, 2] * voxel_volume_mm3
        out[v, 17] = uniformity


@njit
def _statistics(x: np.ndarray, n: int, shift: float, out: np.ndarray) -> None:
    """Features of the ascending values x[:n]."""
    mean, energy = 0.0, 0.0
    for k in range(n):
        mean += x[k]
        energy += (x[k] + shift) ** 2
    mean /= n
    m1, m2, m3, m4 = 0.0, 0.0, 0.0, 0.0
    if x[0] < x[n - 1]:  # equal values deviate by nothing, however their mean is rounded
        for k in range(n):
            d = x[k] - mean
            m1 += abs(d)
            m2 += d * d
            m3 += d * d * d
            m4 += d * d * d * d
    m1, m2, m3, m4 = m1 / n, m2 / n, m3 / n, m4 / n
    p10, p90 = _percentile(x, n, 0.1), _percentile(x, n, 0.9)
    inside, robust_mean, robust = 0, 0.0, 0.0
    for k in range(n):
        if p10 <= x[k] <= p90:
            inside += 1
            robust_mean += x[k]
    if inside > 0:
        robust_mean /= inside
        for k in range(n):
            if p10 <= x[k] <= p90:
                robust += abs(x[k] - robust_mean)
    out[0], out[1], out[2] = p10, p90, energy
    out[4] = _percentile(x, n, 0.75) - _percentile(x, n, 0.25)
    out[5] = m4 / m2 / m2 if m2 > 0 else 0.0
    out[6], out[7], out[8] = x[n - 1], m1, mean
    out[9] = x[n // 2] if n % 2 else (x[n // 2 - 1] + x[n // 2]) / 2
    out[10], out[11] = x[0], x[n - 1] - x[0]
    out[12] = robust / inside if inside > 0 else math.nan  # two voxels leave none between their percentiles
    out[13] = math.sqrt(energy / n)
    out[14] = m3 / m2**1.5 if m2 > 0 else 0.0
    out[15], out[18] = math.sqrt(m2), m2


@njit
def _percentile(x: np.ndarray, n: int, share: float) -> float:
    position = (n - 1) * share
    low = math.floor(position)
    high = min(low + 1, n - 1)
    t = position - low
    if t >= 0.5:  # numpy comes from the nearer neighbour
        return x[high] - (x[high] - x[low]) * (1 - t)
    return x[low] + (x[high] - x[low]) * t
