"""GLSZM: how large the connected zones of equal grey level are.

Thibault et al., Pattern Recognit Inf Process (2009) 140; IBSI 9SAK. Zones are 26-connected, 8-connected where
slices stand alone.
"""

import numpy as np

from deepradiomics.radiomics.features.size_matrix import size_matrix_quantities

QUANTITY = {
    "GrayLevelNonUniformity": "level non-uniformity",
    "GrayLevelNonUniformityNormalized": "level non-uniformity, normalised",
    "GrayLevelVariance": "level variance",
    "HighGrayLevelZoneEmphasis": "high",
    "LargeAreaEmphasis": "long",
    "LargeAreaHighGrayLevelEmphasis": "long high",
    "LargeAreaLowGrayLevelEmphasis": "long low",
    "LowGrayLevelZoneEmphasis": "low",
    "SizeZoneNonUniformity": "size non-uniformity",
    "SizeZoneNonUniformityNormalized": "size non-uniformity, normalised",
    "SmallAreaEmphasis": "short",
    "SmallAreaHighGrayLevelEmphasis": "short high",
    "SmallAreaLowGrayLevelEmphasis": "short low",
    "ZoneEntropy": "entropy",
    "ZonePercentage": "percentage",
    "ZoneVariance": "size variance",
}


def glszm_features(zones: np.ndarray, levels: np.ndarray, sizes: np.ndarray) -> dict[str, np.ndarray]:
    """Return the size-zone features of a batch of regions, (B,) each.

    Args:
        zones: (B, L, S) numbers of zones.
        levels: (B, L) grey levels, padded with 1.
        sizes: (B, S) voxels of a zone in each column, padded with 1.
    """
    quantities = size_matrix_quantities(zones.astype(float), levels, sizes.astype(float))
    return {name: quantities[q] for name, q in QUANTITY.items()}
