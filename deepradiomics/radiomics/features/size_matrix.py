"""The algebra that GLRLM, GLSZM and GLDM share: a matrix of grey level against size (of a run, zone, dependence).

Each of their features is one of the sixteen quantities below; the families only name them. Sources: Galloway 1975 and
Chu et al. 1990 for runs, Thibault et al. 2009 for zones, Sun and Wee 1983 for dependences; formulas as in PyRadiomics.
"""

import numpy as np

EPSILON = np.spacing(1.0)


def size_matrix_quantities(P: np.ndarray, levels: np.ndarray, sizes: np.ndarray) -> dict[str, np.ndarray]:
    """Return the sixteen quantities of each matrix of a batch, (M,) each.

    Args:
        P: (M, L, S) counts, float64; each matrix holds at least one count. Padded rows and columns are zero.
        levels: (M, L) grey levels, never zero.
        sizes: (M, S) sizes of the columns, never zero.
    """
    by_size, by_level = P.sum(axis=1), P.sum(axis=2)  # (M, S), (M, L)
    total = by_level.sum(axis=1)  # (M,)
    i2, j2 = levels**2, sizes**2
    i_inverse, j_inverse = 1 / i2, 1 / j2
    share_level, share_size = by_level / total[:, None], by_size / total[:, None]
    mean_level = (share_level * levels).sum(axis=1, keepdims=True)
    mean_size = (share_size * sizes).sum(axis=1, keepdims=True)
    p = P / total[:, None, None]
    short = np.matmul(P, j_inverse[:, :, None])[:, :, 0]  # (M, L): short ones of each level
    long = np.matmul(P, j2[:, :, None])[:, :, 0]
    return {
        "short": (by_size * j_inverse).sum(axis=1) / total,
        "long": (by_size * j2).sum(axis=1) / total,
        "level non-uniformity": (by_level**2).sum(axis=1) / total,
        "level non-uniformity, normalised": (by_level**2).sum(axis=1) / total**2,
        "size non-uniformity": (by_size**2).sum(axis=1) / total,
        "size non-uniformity, normalised": (by_size**2).sum(axis=1) / total**2,
        "percentage": total / (by_size * sizes).sum(axis=1),
        "level variance": (share_level * (levels - mean_level) ** 2).sum(axis=1),
        "size variance": (share_size * (sizes - mean_size) ** 2).sum(axis=1),
        "entropy": -(p * np.log2(p + EPSILON)).sum(axis=(1, 2)),
        "low": (by_level * i_inverse).sum(axis=1) / total,
        "high": (by_level * i2).sum(axis=1) / total,
        "short low": (short * i_inverse).sum(axis=1) / total,
        "short high": (short * i2).sum(axis=1) / total,
        "long low": (long * i_inverse).sum(axis=1) / total,
        "long high": (long * i2).sum(axis=1) / total,
    }
