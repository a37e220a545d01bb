"""First-order and NGTDM features of windows in batches."""

from typing import Any

import numpy as np

from deepradiomics.radiomics.features.ngtdm import NO_DIFFERENCE_COARSENESS
from deepradiomics.radiomics.maps.arrays import Arrays
from deepradiomics.radiomics.maps.batched.groups import entropy, grouped


def firstorder_features(a: Arrays, values: Any, levels: Any, shift: float, voxel_volume_mm3: float) -> dict[str, Any]:
    """Return the first-order features (n,) of windows.

    Args:
        a: the array library.
        values: (n, K) grey values.
        levels: (n, K) grey levels, 0 outside the region.
        shift: added to the grey values for Energy, TotalEnergy and RootMeanSquared.
        voxel_volume_mm3: volume of a voxel.
    """
    outside = levels <= 0
    n = a.like_float(levels > 0).sum(axis=-1)
    endless = a.where(outside, float("inf") + 0 * values, values)
    order = a.order(endless)
    x = a.take(values, order)
    inside = a.take(levels, order) > 0

    def mean(array: Any, where: Any, number: Any) -> Any:
        return a.where(where, array, 0 * array).sum(axis=-1) / number

    low, high = x[:, 0], a.take(x, a.index(n - 1)[:, None])[:, 0]
    average = mean(x, inside, n)
    d = x - average[:, None]
    d = a.where((low < high)[:, None], d, 0 * d)  # equal values deviate by nothing, however their mean is rounded
    m2, m3, m4 = (mean(d**k, inside, n) for k in (2, 3, 4))
    scale = a.where(m2 > 0, m2, 1 + 0 * m2)
    p10, p25, p75, p90 = (_percentile(a, x, n, share) for share in (0.1, 0.25, 0.75, 0.9))
    robust = inside & (x >= p10[:, None]) & (x <= p90[:, None])
    number = a.like_float(robust).sum(axis=-1)
    number = a.where(number > 0, number, float("nan") + 0 * number)  # two voxels leave none between their percentiles
    robust_mean = mean(x, robust, number)
    energy = mean((x + shift) ** 2, inside, 1)
    p = a.like_float(levels > 0) / n[:, None]
    groups = grouped(a, levels, p)
    middle = (n - 1) / 2
    below, above = (a.take(x, a.index(m)[:, None])[:, 0] for m in (middle, middle + 0.5))
    return {
        "10Percentile": p10,
        "90Percentile": p90,
        "Energy": energy,
        "Entropy": entropy(a, levels, p),
        "InterquartileRange": p75 - p25,
        "Kurtosis": m4 / scale / scale,
        "Maximum": high,
        "MeanAbsoluteDeviation": mean(abs(d), inside, n),
        "Mean": average,
        "Median": (below + above) / 2,
        "Minimum": low,
        "Range": high - low,
        "RobustMeanAbsoluteDeviation": mean(abs(x - robust_mean[:, None]), robust, number),
        "RootMeanSquared": a.sqrt(energy / n),
        "Skewness": m3 / scale**1.5,
        "StandardDeviation": a.sqrt(m2),
        "TotalEnergy": energy * voxel_volume_mm3,
        "Uniformity": (groups.weight * groups.mass).sum(axis=-1),
        "Variance": m2,
    }


def _percentile(a: Arrays, x: Any, n: Any, share: float) -> Any:
    position = (n - 1) * share
    low = a.index(position)
    t = position - a.like_float(low)
    last = a.index(n - 1)
    high = a.where(low + 1 < last, low + 1, last)
    low_value, high_value = a.take(x, low[:, None])[:, 0], a.take(x, high[:, None])[:, 0]
    # numpy comes from the nearer neighbour
    return a.where(t >= 0.5, high_value - (high_value - low_value) * (1 - t), low_value + (high_value - low_value) * t)


def ngtdm_features(a: Arrays, levels: Any, local: Any, width: int, neighbours: Any) -> dict[str, Any]:
    """Return the NGTDM features (n,) of windows.

    Args:
        a: the array library.
        levels: (n, K + 1) grey levels, 0 outside and in the last column.
        local: (n, K + 1) the same, numbered within the window from 0 to ``width`` - 1.
        neighbours: (K, T) positions, filled up with K.
    """
    inner = levels[:, :-1]
    inside = inner > 0
    there = levels[:, neighbours]
    number = a.like_float((there > 0).sum(axis=-1))
    some = inside & (number > 0)
    off = abs(a.like_float(inner) * number - a.like_float(there.sum(axis=-1))) / a.where(some, number, 1 + 0 * number)
    place = (local[:, :-1] + a.of(np.arange(len(inner)) * width)[:, None]).reshape(-1)

    def by_level(values: Any) -> Any:  # (n, K) -> (n, L)
        return a.add_up(len(inner) * width, place, values.reshape(-1)).reshape(-1, width)

    n, s = by_level(a.like_float(inside)), by_level(a.where(some, off, 0 * off))
    occurs = n > 0
    level = by_level(a.like_float(inner)) / a.where(occurs, n, 1 + 0 * n)
    total, all_differences = n.sum(axis=-1), s.sum(axis=-1)
    coarse = (n * s).sum(axis=-1) / total
    both = a.like_float(occurs[:, :, None] & occurs[:, None, :])
    gap = abs(level[:, :, None] - level[:, None, :])
    n_i, n_j, ns = n[:, :, None], n[:, None, :], n * s
    contrast = (n_i * n_j * gap**2).sum(axis=(1, 2)) / total**2
    busy = (both * abs((level * n)[:, :, None] - (level * n)[:, None, :])).sum(axis=(1, 2)) / total
    most = a.where(both > 0, n_i + n_j, 1 + 0 * gap)
    complexity = (both * gap * (ns[:, :, None] + ns[:, None, :]) / most).sum(axis=(1, 2)) / total
    strength = (both * (n_i + n_j) * gap**2).sum(axis=(1, 2)) / total
    levels_there = a.like_float(occurs).sum(axis=-1)
    pairs = levels_there * (levels_there - 1)

    def ratio(above: Any, below: Any, otherwise: float) -> Any:
        return a.where(below > 0, above / a.where(below > 0, below, 1 + 0 * below), otherwise + 0 * below)

    return {
        "Busyness": ratio(coarse, busy, 0.0),
        "Coarseness": ratio(1 + 0 * coarse, coarse, NO_DIFFERENCE_COARSENESS),
        "Complexity": complexity,
        "Contrast": ratio(contrast * all_differences / total, pairs, 0.0),
        "Strength": ratio(strength, all_differences, 0.0),
    }
