"""First order compiled: the moments of ``firstorder.py`` in one pass over the ascending grey values (decision 0005)."""

import numpy as np

from deepradiomics.kernels import njit
from deepradiomics.radiomics.features.firstorder import EPSILON, percentile

_BLOCK = 128  # values summed before they join the whole sum, so that rounding does not grow with their number


def firstorder_features(
    values: np.ndarray, levels: np.ndarray, voxel_volume_mm3: float, shift: float = 0
) -> dict[str, np.ndarray]:
    """Return the first-order features (B,); the twin of :func:`firstorder.firstorder_features`.

    Args:
        values: (B, N) grey values.
        levels: (B, L) number of voxels of each grey level, padded with zeros.
        voxel_volume_mm3: volume of one voxel.
        shift: added to the grey values for Energy, TotalEnergy and RootMeanSquared only.
    """
    x = np.ascontiguousarray(np.sort(values, axis=1), float)
    n = x.shape[1]
    mean = values.astype(float, copy=False).mean(axis=1)  # in the order of the voxels, whose rounding is PyRadiomics'
    p10, p25, median, p75, p90 = (percentile(x, q) for q in (10, 25, 50, 75, 90))
    columns = np.empty((6, len(x)))
    _moments(x, mean, p10, p90, float(shift), columns)
    m2, m3, m4, absolute, energy, robust = columns
    scale = np.where(m2 == 0, 1, m2)
    p = levels / n
    return {
        "10Percentile": p10,
        "90Percentile": p90,
        "Energy": energy,
        "Entropy": -(p * np.log2(p + EPSILON)).sum(axis=1),
        "InterquartileRange": p75 - p25,
        "Kurtosis": m4 / scale**2,
        "Maximum": x[:, -1],
        "MeanAbsoluteDeviation": absolute,
        "Mean": mean,
        "Median": median,
        "Minimum": x[:, 0],
        "Range": x[:, -1] - x[:, 0],
        "RobustMeanAbsoluteDeviation": robust,
        "RootMeanSquared": np.sqrt(energy / n),
        "Skewness": m3 / scale**1.5,
        "StandardDeviation": np.sqrt(m2),
        "TotalEnergy": energy * voxel_volume_mm3,
        "Uniformity": (p**2).sum(axis=1),
        "Variance": m2,
    }


@njit
def _moments(x: np.ndarray, mean: np.ndarray, p10: np.ndarray, p90: np.ndarray, shift: float, out: np.ndarray) -> None:
    """Second, third, fourth moment, absolute deviation, energy, robust absolute deviation: out (6, B)."""
    n = x.shape[1]
    for b in range(len(x)):
        row, centre = x[b], mean[b]
        sum2, sum3, sum4, absolute, energy, robust_sum = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        robust_number = 0
        for start in range(0, n, _BLOCK):
            part2, part3, part4, part_absolute, part_energy, part_robust = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
            for k in range(start, min(start + _BLOCK, n)):
                value = row[k]
                deviation = value - centre
                square = deviation * deviation
                part2 += square
                part3 += square * deviation
                part4 += square * square
                part_absolute += abs(deviation)
                part_energy += (value + shift) * (value + shift)
                if p10[b] <= value <= p90[b]:
                    part_robust += value
                    robust_number += 1
            sum2 += part2
            sum3 += part3
            sum4 += part4
            absolute += part_absolute
            energy += part_energy
            robust_sum += part_robust
        out[0, b], out[1, b], out[2, b], out[3, b] = sum2 / n, sum3 / n, sum4 / n, absolute / n
        out[4, b] = energy
        out[5, b] = np.nan  # two voxels may leave none between the percentiles
        if robust_number > 0:
            centre, robust_sum = robust_sum / robust_number, 0.0
            for start in range(0, n, _BLOCK):
                part_robust = 0.0
                for k in range(start, min(start + _BLOCK, n)):
                    if p10[b] <= row[k] <= p90[b]:
                        part_robust += abs(row[k] - centre)
                robust_sum += part_robust
            out[5, b] = robust_sum / robust_number
