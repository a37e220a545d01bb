"""NGTDM features compiled: the formulas of ``ngtdm.py`` over the pairs of levels that occur (decision 0005)."""

import numpy as np

from deepradiomics.kernels import njit
from deepradiomics.radiomics.features.ngtdm import NO_DIFFERENCE_COARSENESS

NAMES = ("Busyness", "Coarseness", "Complexity", "Contrast", "Strength")


def ngtdm_features(voxels: np.ndarray, differences: np.ndarray, levels: np.ndarray) -> dict[str, np.ndarray]:
    """Return the grey-tone difference features (B,); the twin of :func:`ngtdm.ngtdm_features`.

    Args:
        voxels: (B, L) number of voxels of each level.
        differences: (B, L) sum over those voxels of |level - mean level of the neighbours in the region|.
        levels: (B, L) grey levels, padded with 1.
    """
    values = np.empty((len(voxels), len(NAMES)))
    _batch(
        np.ascontiguousarray(voxels, np.int64),
        np.ascontiguousarray(differences, float),
        np.ascontiguousarray(levels, float),
        NO_DIFFERENCE_COARSENESS,
        values,
    )
    return {name: values[:, k].copy() for k, name in enumerate(NAMES)}


@njit
def _batch(
    voxels: np.ndarray, differences: np.ndarray, levels: np.ndarray, no_difference: float, out: np.ndarray
) -> None:
    n_levels = voxels.shape[1]
    p, ps = np.empty(n_levels), np.empty(n_levels)
    for b in range(len(voxels)):
        level = levels[b]
        number, occurring, sum_s, sum_ps = 0.0, 0, 0.0, 0.0
        for i in range(n_levels):
            number += voxels[b, i]
        for i in range(n_levels):
            p[i] = voxels[b, i] / number
            ps[i] = p[i] * differences[b, i]
            sum_s += differences[b, i]
            sum_ps += ps[i]
            if voxels[b, i] > 0:
                occurring += 1
        busy, complexity, contrast, strength = 0.0, 0.0, 0.0, 0.0
        for i in range(n_levels):
            for j in range(i):  # every pair of levels that occur once, each term counts twice
                if voxels[b, i] == 0 or voxels[b, j] == 0:
                    continue
                gap, both = level[i] - level[j], p[i] + p[j]
                contrast += p[i] * p[j] * gap * gap
                busy += abs(level[i] * voxels[b, i] - level[j] * voxels[b, j])  # whole numbers, see ngtdm.py
                complexity += abs(gap) * (ps[i] + ps[j]) / both
                strength += both * gap * gap
        pairs = float(occurring * (occurring - 1))
        out[b, 0] = sum_ps * number / (2 * busy) if busy != 0 else 0.0
        out[b, 1] = 1 / sum_ps if sum_ps != 0 else no_difference
        out[b, 2] = 2 * complexity / number
        out[b, 3] = 2 * contrast * sum_s / number / pairs if pairs != 0 else 0.0
        out[b, 4] = 2 * strength / sum_s if sum_s != 0 else 0.0
