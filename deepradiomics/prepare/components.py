"""Connected components of a region, largest first; by default voxels that touch by a corner belong together."""

from __future__ import annotations

from typing import Literal

import numpy as np

from deepradiomics.errors import InputError

Connectivity = Literal[6, 18, 26]
"""Which neighbours of a voxel belong to its part: those by face (6), also by edge (18), also by corner (26)."""
_STEPS: dict[int, int] = {6: 1, 18: 2, 26: 3}


def components(region: np.ndarray, connectivity: Connectivity = 26) -> tuple[np.ndarray, np.ndarray]:
    """Number the parts of a region, the largest first.

    Args:
        region: bool (z, y, x).
        connectivity: number of neighbours of a voxel.

    Returns:
        Labels int32 (z, y, x), 0 outside and 1, 2, … by falling size; and their numbers of voxels (parts,). Parts of
        equal size keep the order in which they appear.

    Raises:
        InputError: another connectivity.
    """
    from scipy import ndimage

    if connectivity not in _STEPS:
        raise InputError(f"connectivity: expected 6, 18 or 26 neighbours, got {connectivity!r}.")
    labels, _ = ndimage.label(region, ndimage.generate_binary_structure(3, _STEPS[connectivity]))
    counts = np.bincount(labels.ravel())[1:]
    order = np.argsort(-counts, kind="stable")
    rank = np.zeros(len(counts) + 1, np.int32)
    rank[order + 1] = np.arange(1, len(counts) + 1)
    return rank[labels], counts[order]


def largest_component(region: np.ndarray) -> np.ndarray:
    """Return the largest part of a region, bool (z, y, x); an empty region stays empty."""
    return np.asarray(components(region)[0] == 1)
