"""GLCM: how often each pair of grey levels occurs side by side.

Haralick et al., IEEE Trans Syst Man Cybern 3 (1973) 610; IBSI LFYI. Features are computed for each direction that has
a pair, then averaged. Most are sums over the distribution of i + j or |i - j|, which is built once.
"""

from collections.abc import Collection

import numpy as np

from deepradiomics.radiomics.features.directions import mean_over_directions, merge

EPSILON = np.spacing(1.0)
_BLOCK = 100_000  # matrix entries treated at a time: what stays in a processor's cache


def glcm_features(
    pairs: np.ndarray,
    levels: np.ndarray,
    n_levels: np.ndarray,
    *,
    symmetrical: bool = True,
    weights: np.ndarray | None = None,
    wanted: Collection[str] | None = None,
) -> dict[str, np.ndarray]:
    """Return the co-occurrence features of a batch of regions, (B,) each; NaN where no two voxels are neighbours.

    Args:
        pairs: (B, A, L, L) counts of level i having level j at offset a.
        levels: (B, L) grey levels, padded with 1.
        n_levels: (B,) number of levels that occur.
        symmetrical: count each pair in both orders.
        weights: (A,) weights of the offsets; None averages the features over offsets instead.
        wanted: names wanted; ``MCC``, the costly one, is left out where it is not among them.
    """
    batch, _, width, _ = pairs.shape
    highest = int(max(lv[n - 1] for lv, n in zip(levels, n_levels, strict=True)))
    n_highest = np.array([lv[n - 1] for lv, n in zip(levels, n_levels, strict=True)])  # (B,) PyRadiomics' Ng
    if weights is not None:
        pairs = merge(pairs.astype(float), weights)
    owner, offset = np.nonzero(pairs.any(axis=(2, 3)))  # (M,) non-empty directions
    parts: list[dict[str, np.ndarray]] = []
    rows = max(1, _BLOCK // width**2)
    for start in range(0, len(owner), rows):
        b, a = owner[start : start + rows], offset[start : start + rows]
        P = pairs[b, a].astype(float)
        if symmetrical:
            P += P.transpose(0, 2, 1).copy()
        P /= P.sum(axis=(1, 2), keepdims=True)
        parts.append(_features(P, levels[b], n_highest[b], highest, wanted is None or "MCC" in wanted))
    names = parts[0] if parts else _features(np.ones((1, 1, 1)), np.ones((1, 1)), np.ones(1), 1, True)
    features = {
        name: mean_over_directions(np.concatenate([[], *(part[name] for part in parts)]), owner, batch)
        for name in names
    }
    if "MCC" in features:
        features["MCC"] = np.where(n_levels < 2, 1.0, features["MCC"])
    return features


def _features(P: np.ndarray, levels: np.ndarray, Ng: np.ndarray, highest: int, mcc: bool) -> dict[str, np.ndarray]:
    """All features of normalised matrices P (M, L, L) with levels (M, L) and highest level Ng (M,)."""
    m, width = levels.shape
    i = levels
    px, py = P.sum(axis=2), P.sum(axis=1)  # (M, L)
    ux, uy = (px * i).sum(axis=1), (py * i).sum(axis=1)  # (M,)
    di, dj = i - ux[:, None], i - uy[:, None]
    integers = levels.astype(np.int64)
    row = np.arange(m)[:, None, None]
    sums = _gather(P, integers[:, :, None] + integers[:, None, :] + row * (2 * highest + 1), 2 * highest + 1)
    gaps = _gather(P, np.abs(integers[:, :, None] - integers[:, None, :]) + row * highest, highest)
    k, d = np.arange(2.0 * highest + 1), np.arange(float(highest))
    centred = k - (ux + uy)[:, None]  # (M, K)
    d_mean = (gaps * d).sum(axis=1)
    sigma = np.sqrt((px * di**2).sum(axis=1)) * np.sqrt((py * dj**2).sum(axis=1))
    # a standard deviation is zero, not merely small, where one level stands on that side of all pairs
    one_level = (np.count_nonzero(px, axis=1) == 1) | (np.count_nonzero(py, axis=1) == 1)
    covariance = (np.matmul(P, dj[:, :, None])[:, :, 0] * di).sum(axis=1)
    product = px[:, :, None] * py[:, None, :]
    log_product = np.log2(product + EPSILON)
    HXY = -(P * np.log2(P + EPSILON)).sum(axis=(1, 2))
    HXY1 = -(P * log_product).sum(axis=(1, 2))
    HXY2 = -(product * log_product).sum(axis=(1, 2))
    features = {
        "Autocorrelation": (np.matmul(P, i[:, :, None])[:, :, 0] * i).sum(axis=1),
        "ClusterProminence": (sums * centred**4).sum(axis=1),
        "ClusterShade": (sums * centred**3).sum(axis=1),
        "ClusterTendency": (sums * centred**2).sum(axis=1),
        "Contrast": (gaps * d**2).sum(axis=1),
        "Correlation": np.where(one_level, 1.0, covariance / (sigma + EPSILON)),
        "DifferenceAverage": d_mean,
        "DifferenceEntropy": _entropy(gaps),
        "DifferenceVariance": (gaps * (d - d_mean[:, None]) ** 2).sum(axis=1),
        "Id": (gaps / (1 + d)).sum(axis=1),
        "Idm": (gaps / (1 + d**2)).sum(axis=1),
        "Idmn": (gaps / (1 + (d / Ng[:, None]) ** 2)).sum(axis=1),
        "Idn": (gaps / (1 + d / Ng[:, None])).sum(axis=1),
        "Imc1": _imc1(HXY, HXY1, _entropy(px), _entropy(py)),
        "Imc2": _imc2(HXY, HXY2),
        "InverseVariance": (gaps[:, 1:] / d[1:] ** 2).sum(axis=1),
        "JointAverage": ux,
        "JointEnergy": (P**2).sum(axis=(1, 2)),
        "JointEntropy": HXY,
        "MaximumProbability": P.max(axis=(1, 2)),
        "SumAverage": (sums * k).sum(axis=1),
        "SumEntropy": _entropy(sums),
        "SumSquares": (px * di**2).sum(axis=1),
    }
    if mcc:
        features["MCC"] = _mcc(P, product) if width > 1 else np.ones(m)
    return features


def _gather(P: np.ndarray, slot: np.ndarray, width: int) -> np.ndarray:
    """Add the entries of each matrix up by slot: (M, L, L) -> (M, width)."""
    return np.bincount(slot.ravel(), P.ravel(), len(P) * width).reshape(len(P), width)


def _entropy(p: np.ndarray) -> np.ndarray:
    return -(p * np.log2(p + EPSILON)).sum(axis=1)


def _imc1(HXY: np.ndarray, HXY1: np.ndarray, HX: np.ndarray, HY: np.ndarray) -> np.ndarray:
    largest = np.maximum(HX, HY)
    return np.divide(HXY - HXY1, largest, out=np.zeros_like(largest), where=largest != 0)


def _imc2(HXY: np.ndarray, HXY2: np.ndarray) -> np.ndarray:
    """Square root of 1 - exp(-2 (HXY2 - HXY)); rounding may make that negative, such directions are left out (NaN)."""
    inside = 1 - np.exp(-2 * (HXY2 - HXY))
    root = np.sqrt(np.maximum(inside, 0))
    return np.where(HXY2 == HXY, 0.0, np.where(inside < 0, np.nan, root))


def _mcc(P: np.ndarray, product: np.ndarray) -> np.ndarray:
    """Square root of the second largest eigenvalue of Q = sum_k P_ik P_jk / (px_i py_k + eps).

    Up to second order in the tiny eps these are the singular values of C = P / sqrt(px py + eps), which are real, keep
    their digits near zero, and of a symmetric C are the magnitudes of its eigenvalues.
    """
    C = P / np.sqrt(product + EPSILON)
    symmetric = np.array_equal(C, C.transpose(0, 2, 1))
    magnitudes = np.abs(np.linalg.eigvalsh(C)) if symmetric else np.linalg.svd(C, compute_uv=False)
    return np.sort(magnitudes, axis=1)[:, -2]
