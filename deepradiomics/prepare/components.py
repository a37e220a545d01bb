"""Connected components of a region, largest first: voxels that touch by face, edge or corner belong together."""

from __future__ import annotations

import numpy as np


def components(region: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number the parts of a region (26 neighbours), the largest first.

    Args:
        region: bool (z, y, x).

    Returns:
        Labels int32 (z, y, x), 0 outside and 1, 2, … by falling size; and their numbers of voxels (parts,). Parts of
        equal size keep the order in which they appear.
    """
    from scipy import ndimage

    labels, _ = ndimage.label(region, np.ones((3, 3, 3)))
    counts = np.bincount(labels.ravel())[1:]
    order = np.argsort(-counts, kind="stable")
    rank = np.zeros(len(counts) + 1, np.int32)
    rank[order + 1] = np.arange(1, len(counts) + 1)
    return rank[labels], counts[order]


def largest_component(region: np.ndarray) -> np.ndarray:
    """Return the largest part of a region, bool (z, y, x); an empty region stays empty."""
    return np.asarray(components(region)[0] == 1)
