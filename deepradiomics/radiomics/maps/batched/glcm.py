"""GLCM features of windows in batches: most are means over pairs, the rest sums over equal pairs."""

from collections.abc import Collection
from typing import Any

import numpy as np

from deepradiomics.radiomics.maps.arrays import Arrays
from deepradiomics.radiomics.maps.batched.groups import entropy, grouped, mean_over_directions

EPSILON = 2.0**-52
INDEPENDENT = 1e-13  # mutual information (bits) below this is the rounding noise of zero
TINY = 1e-7  # a singular value below this is zero


def glcm_features(
    a: Arrays,
    i: Any,
    j: Any,
    weight: Any,
    local_i: Any,
    local_j: Any,
    width: int,
    highest: int,
    wanted: Collection[str],
) -> dict[str, Any]:
    """Return the features (n,) of windows; NaN where there is no pair.

    Args:
        a: the array library.
        i, j: (n, D, M) grey levels of the two voxels of each pair, whole numbers; anything where the weight is 0.
        weight: (n, D, M) weights of the pairs, D matrices for each window.
        local_i, local_j: the same levels, renumbered within the window from 0 to ``width`` - 1.
        highest: the highest grey level of the image.
        wanted: names; only those are returned, and the costly ones only computed where wanted.
    """
    total = weight.sum(axis=-1)
    present = total > 0
    p = weight / a.where(present, total, 1 + 0 * total)[..., None]
    whole_i, whole_j = i, j
    i, j = a.like_float(i), a.like_float(j)
    gap = abs(i - j)
    ux, uy, gap_mean = ((p * x).sum(axis=-1) for x in (i, j, gap))  # (n, D)
    di, dj = i - ux[..., None], j - uy[..., None]
    vx, vy = (p * di**2).sum(axis=-1), (p * dj**2).sum(axis=-1)
    centred = di + dj
    one_level = _one_level(a, i, p, highest) | _one_level(a, j, p, highest)
    correlation = (p * di * dj).sum(axis=-1) / (a.sqrt(vx) * a.sqrt(vy) + EPSILON)
    features = {
        "Autocorrelation": (p * i * j).sum(axis=-1),
        "ClusterProminence": (p * centred**4).sum(axis=-1),
        "ClusterShade": (p * centred**3).sum(axis=-1),
        "ClusterTendency": (p * centred**2).sum(axis=-1),
        "Contrast": (p * gap**2).sum(axis=-1),
        "Correlation": a.where(one_level, 1 + 0 * correlation, correlation),
        "DifferenceAverage": gap_mean,
        "DifferenceVariance": (p * (gap - gap_mean[..., None]) ** 2).sum(axis=-1),
        "Id": (p / (1 + gap)).sum(axis=-1),
        "Idm": (p / (1 + gap**2)).sum(axis=-1),
        "Idmn": (p / (1 + (gap / highest) ** 2)).sum(axis=-1),
        "Idn": (p / (1 + gap / highest)).sum(axis=-1),
        "InverseVariance": a.where(gap > 0, p / a.where(gap > 0, gap, 1 + 0 * gap) ** 2, 0 * p).sum(axis=-1),
        "JointAverage": ux,
        "SumAverage": ux + uy,
        "SumSquares": vx,
    }
    cell = whole_i * (highest + 1) + whole_j
    if {"JointEnergy", "MaximumProbability"} & set(wanted):
        groups = grouped(a, cell, p)
        features["JointEnergy"] = (groups.weight * groups.mass).sum(axis=-1)
        features["MaximumProbability"] = a.largest(groups.mass)
    if "SumEntropy" in wanted:
        features["SumEntropy"] = entropy(a, whole_i + whole_j, p)
    if "DifferenceEntropy" in wanted:
        features["DifferenceEntropy"] = entropy(a, abs(whole_i - whole_j), p)
    if {"JointEntropy", "Imc1", "Imc2"} & set(wanted):
        HXY, HX, HY = entropy(a, cell, p), entropy(a, whole_i, p), entropy(a, whole_j, p)
        information = HX + HY - HXY  # the entropy of the marginals' product is HX + HY
        dependent = information > INDEPENDENT
        most = a.where(HX > HY, HX, HY)
        features["JointEntropy"] = HXY
        features["Imc1"] = a.where(dependent, -information / a.where(most > 0, most, 1 + 0 * most), 0 * most)
        features["Imc2"] = a.where(dependent, a.sqrt(abs(1 - a.exp(-2 * information))), 0 * most)
    if "MCC" in wanted:
        features["MCC"] = _mcc(a, local_i, local_j, p, width)
    return {name: mean_over_directions(a, features[name], present) for name in features if name in wanted}


def _one_level(a: Arrays, level: Any, p: Any, highest: int) -> Any:
    """Whether all pairs have one level on this side: its standard deviation is zero, not merely small."""
    least = a.smallest(a.where(p > 0, level, 0 * level + highest))
    return a.largest(a.where(p > 0, level, 0 * level)) <= least


def _mcc(a: Arrays, i: Any, j: Any, p: Any, width: int) -> Any:
    """Second largest singular value of P_ij / sqrt(px_i py_j), by the eigenvalues of that times its transpose."""
    n, directions = p.shape[0], p.shape[1]
    if width < 2:
        return 0 * p.sum(axis=-1)
    count = n * directions
    flat = p.reshape(count, -1)
    base = a.of(np.arange(count)[:, None]) * width
    row, column = i.reshape(count, -1), j.reshape(count, -1)
    P = a.add_up(count * width**2, ((base + row) * width + column).reshape(-1), flat.reshape(-1))
    P = P.reshape(count, width, width)
    px, py = P.sum(axis=2), P.sum(axis=1)
    scale = a.sqrt(a.where(px > 0, px, 1 + 0 * px))[:, :, None] * a.sqrt(a.where(py > 0, py, 1 + 0 * py))[:, None, :]
    B = P / scale
    squares = a.eigenvalues(B @ B.swapaxes(1, 2))[:, -2]
    value = a.sqrt(a.where(squares > 0, squares, 0 * squares))
    return a.where(value > TINY, value, 0 * value).reshape(n, directions)
