"""GLDM: how many of a voxel's neighbours are like it.

Sun and Wee, Comput Vis Graph Image Process 23 (1983) 341; IBSI REK0 (NGLDM). A voxel counts as its own neighbour, so
the smallest dependence is one.
"""

import numpy as np

from deepradiomics.radiomics.features.size_matrix import size_matrix_quantities

QUANTITY = {
    "DependenceEntropy": "entropy",
    "DependenceNonUniformity": "size non-uniformity",
    "DependenceNonUniformityNormalized": "size non-uniformity, normalised",
    "DependenceVariance": "size variance",
    "GrayLevelNonUniformity": "level non-uniformity",
    "GrayLevelVariance": "level variance",
    "HighGrayLevelEmphasis": "high",
    "LargeDependenceEmphasis": "long",
    "LargeDependenceHighGrayLevelEmphasis": "long high",
    "LargeDependenceLowGrayLevelEmphasis": "long low",
    "LowGrayLevelEmphasis": "low",
    "SmallDependenceEmphasis": "short",
    "SmallDependenceHighGrayLevelEmphasis": "short high",
    "SmallDependenceLowGrayLevelEmphasis": "short low",
}


def gldm_features(dependences: np.ndarray, levels: np.ndarray) -> dict[str, np.ndarray]:
    """Return the dependence features of a batch of regions, (B,) each.

    Args:
        dependences: (B, L, N + 1) voxels of each level with n = 0 ... N alike neighbours.
        levels: (B, L) grey levels, padded with 1.
    """
    batch, _, width = dependences.shape
    sizes = np.broadcast_to(np.arange(1, width + 1, dtype=float), (batch, width))
    quantities = size_matrix_quantities(dependences.astype(float), levels, sizes)
    return {name: quantities[q] for name, q in QUANTITY.items()}
