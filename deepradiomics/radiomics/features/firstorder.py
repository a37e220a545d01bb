"""First order: statistics of the grey values, whatever their place. IBSI UHIW and ZVCW; formulas as in PyRadiomics."""

import numpy as np

EPSILON = np.spacing(1.0)


def firstorder_features(
    values: np.ndarray, levels: np.ndarray, voxel_volume_mm3: float, shift: float = 0
) -> dict[str, np.ndarray]:
    """Return the first-order features of a batch of regions with equally many voxels, (B,) each.

    Args:
        values: (B, N) grey values.
        levels: (B, L) number of voxels of each grey level, padded with zeros.
        voxel_volume_mm3: volume of one voxel.
        shift: added to the grey values for Energy, TotalEnergy and RootMeanSquared only.
    """
    x = np.sort(values.astype(float), axis=1)
    n = x.shape[1]
    mean = values.astype(float).mean(axis=1)
    deviation = x - mean[:, None]
    variance = x.std(axis=1) ** 2
    squared = deviation * deviation
    m2, m3, m4 = (moment.mean(axis=1) for moment in (squared, squared * deviation, squared * squared))
    scale = np.where(m2 == 0, 1, m2)
    p10, p25, median, p75, p90 = (percentile(x, q) for q in (10, 25, 50, 75, 90))
    robust = (x >= p10[:, None]) & (x <= p90[:, None])
    robust_n = np.where(robust.any(axis=1), robust.sum(axis=1), np.nan)  # two voxels may leave none between
    robust_mean = np.where(robust, x, 0).sum(axis=1) / robust_n
    p = levels / n
    energy = ((x + shift) ** 2).sum(axis=1)
    return {
        "10Percentile": p10,
        "90Percentile": p90,
        "Energy": energy,
        "Entropy": -(p * np.log2(p + EPSILON)).sum(axis=1),
        "InterquartileRange": p75 - p25,
        "Kurtosis": m4 / scale**2,
        "Maximum": x[:, -1],
        "MeanAbsoluteDeviation": np.abs(deviation).mean(axis=1),
        "Mean": mean,
        "Median": median,
        "Minimum": x[:, 0],
        "Range": x[:, -1] - x[:, 0],
        "RobustMeanAbsoluteDeviation": np.where(robust, np.abs(x - robust_mean[:, None]), 0).sum(axis=1) / robust_n,
        "RootMeanSquared": np.sqrt(energy / n),
        "Skewness": m3 / scale**1.5,
        "StandardDeviation": np.sqrt(variance),
        "TotalEnergy": energy * voxel_volume_mm3,
        "Uniformity": (p**2).sum(axis=1),
        "Variance": variance,
    }


def percentile(ascending: np.ndarray, q: float) -> np.ndarray:
    """Percentile of each sorted row (B, N), linear between neighbours: numpy's default, to the last bit.

    Rounding matters: the voxels from the 10th to the 90th percentile are chosen by comparing with it.
    """
    position = (ascending.shape[1] - 1) * (q / 100)
    low = int(np.floor(position))
    high = min(low + 1, ascending.shape[1] - 1)
    below, above, share = ascending[:, low], ascending[:, high], position - low
    return below + (above - below) * share if share < 0.5 else above - (above - below) * (1 - share)
