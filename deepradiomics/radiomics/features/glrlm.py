"""GLRLM: how long the runs of equal grey level are, along thirteen directions (four where slices stand alone).

Galloway, Comput Graph Image Process 4 (1975) 172; IBSI TP0I. Features are computed for each direction and averaged.
"""

import numpy as np

from deepradiomics.radiomics.features.directions import mean_over_directions, merge
from deepradiomics.radiomics.features.size_matrix import size_matrix_quantities

QUANTITY = {
    "GrayLevelNonUniformity": "level non-uniformity",
    "GrayLevelNonUniformityNormalized": "level non-uniformity, normalised",
    "GrayLevelVariance": "level variance",
    "HighGrayLevelRunEmphasis": "high",
    "LongRunEmphasis": "long",
    "LongRunHighGrayLevelEmphasis": "long high",
    "LongRunLowGrayLevelEmphasis": "long low",
    "LowGrayLevelRunEmphasis": "low",
    "RunEntropy": "entropy",
    "RunLengthNonUniformity": "size non-uniformity",
    "RunLengthNonUniformityNormalized": "size non-uniformity, normalised",
    "RunPercentage": "percentage",
    "RunVariance": "size variance",
    "ShortRunEmphasis": "short",
    "ShortRunHighGrayLevelEmphasis": "short high",
    "ShortRunLowGrayLevelEmphasis": "short low",
}


def glrlm_features(runs: np.ndarray, levels: np.ndarray, weights: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """Return the run-length features of a batch of regions, (B,) each; NaN where no direction holds a run.

    Args:
        runs: (B, D, L, R) numbers of runs along D directions, column r for length r + 1.
        levels: (B, L) grey levels, padded with 1.
        weights: (D,) weights of the directions; None averages the features over directions instead.
    """
    lengths_found = np.flatnonzero(runs.any(axis=(0, 1, 2)))
    longest = lengths_found[-1] + 1 if len(lengths_found) else 1
    P = runs[..., :longest].astype(float)
    if weights is not None:
        P = merge(P, weights)
    owner, direction = np.nonzero(P.sum(axis=(2, 3)) > 0)  # (M,) non-empty directions
    P = P[owner, direction]
    lengths = np.broadcast_to(np.arange(1, longest + 1, dtype=float), (len(P), longest))
    quantities = size_matrix_quantities(P, levels[owner], lengths)
    return {name: mean_over_directions(quantities[q], owner, len(levels)) for name, q in QUANTITY.items()}
