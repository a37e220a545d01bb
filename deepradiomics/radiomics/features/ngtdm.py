"""NGTDM: how much each voxel differs from the mean of its neighbours.

Amadasun and King, IEEE Trans Syst Man Cybern 19 (1989) 1264; IBSI IPET.
"""

import numpy as np

NO_DIFFERENCE_COARSENESS = 1e6  # PyRadiomics' value for a region in which no voxel differs from its neighbours


def ngtdm_features(voxels: np.ndarray, differences: np.ndarray, levels: np.ndarray) -> dict[str, np.ndarray]:
    """Return the grey-tone difference features of a batch of regions, (B,) each.

    Args:
        voxels: (B, L) number of voxels of each level.
        differences: (B, L) sum over those voxels of |level - mean level of the neighbours in the region|.
        levels: (B, L) grey levels, padded with 1.
    """
    n, s = voxels.astype(float), differences
    number = n.sum(axis=1)  # (B,)
    p = n / number[:, None]
    occurs = n > 0
    n_levels = occurs.sum(axis=1)
    both = occurs[:, :, None] & occurs[:, None, :]  # (B, L, L)
    gap = levels[:, :, None] - levels[:, None, :]
    p_i, p_j = p[:, :, None], p[:, None, :]
    ps = p * s
    sum_ps, sum_s = ps.sum(axis=1), s.sum(axis=1)
    pairs = n_levels * (n_levels - 1)
    contrast = (p_i * p_j * gap**2).sum(axis=(1, 2)) * sum_s / number
    i_n = levels * n  # whole numbers: where all are equal, the differences are zero and not what rounding leaves
    busy = np.where(both, np.abs(i_n[:, :, None] - i_n[:, None, :]), 0).sum(axis=(1, 2)) / number
    weight = np.where(both, p_i + p_j, 1)
    complexity = np.where(both, np.abs(gap) * (ps[:, :, None] + ps[:, None, :]) / weight, 0).sum(axis=(1, 2)) / number
    strength = np.where(both, (p_i + p_j) * gap**2, 0).sum(axis=(1, 2))
    return {
        "Busyness": _ratio(sum_ps, busy, 0.0),
        "Coarseness": _ratio(np.ones_like(sum_ps), sum_ps, NO_DIFFERENCE_COARSENESS),
        "Complexity": complexity,
        "Contrast": _ratio(contrast, pairs, 0.0),
        "Strength": _ratio(strength, sum_s, 0.0),
    }


def _ratio(above: np.ndarray, below: np.ndarray, otherwise: float) -> np.ndarray:
    """Divide, and give ``otherwise`` where the divisor is zero."""
    return np.divide(above, below, out=np.full(len(above), otherwise), where=below != 0)
