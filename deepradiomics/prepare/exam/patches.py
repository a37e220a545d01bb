"""Cut a region into a grid of patches, with rounded even edges when the counts do not divide.

7 voxels, 3 patches     |··|···|··|      edges 0 2 5 7
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from deepradiomics.errors import InputError


def patch_edges(voxels: int, patches: int) -> list[int]:
    """Return the ``patches + 1`` edges that cut ``voxels`` into even parts, rounded half up."""
    return [(2 * i * voxels + patches) // (2 * patches) for i in range(patches + 1)]


def patch_slices(shape_zyx: Sequence[int], grid_zyx: Sequence[int]) -> list[tuple[slice, slice, slice]]:
    """Return the slices (z, y, x) of each patch; the number changes slowest along z.

    Args:
        shape_zyx: voxels of the region along z, y, x.
        grid_zyx: patches along z, y, x.

    Raises:
        InputError: a count below one, or more patches than voxels along an axis.

    >>> [s[2] for s in patch_slices((1, 1, 7), (1, 1, 3))]
    [slice(0, 2, None), slice(2, 5, None), slice(5, 7, None)]
    """
    if len(shape_zyx) != 3 or len(grid_zyx) != 3 or min(shape_zyx) < 1 or min(grid_zyx) < 1:
        raise InputError(
            f"Patches need three positive counts (z, y, x): region {tuple(shape_zyx)}, grid {tuple(grid_zyx)}."
        )
    for axis, voxels, patches in zip("zyx", shape_zyx, grid_zyx, strict=True):
        if patches > voxels:
            raise InputError(
                f"Patch grid {tuple(grid_zyx)} (z, y, x) is too fine: {patches} patches along {axis} for {voxels} "
                f"voxels, so some patch has no voxel. Use a coarser grid, at most {voxels} along {axis}."
            )
    edges = [patch_edges(n, g) for n, g in zip(shape_zyx, grid_zyx, strict=True)]
    cuts = [[slice(a, b) for a, b in pairwise(e)] for e in edges]
    return [(z, y, x) for z in cuts[0] for y in cuts[1] for x in cuts[2]]


def patch_labels(shape_zyx: Sequence[int], grid_zyx: Sequence[int]) -> np.ndarray:
    """Return an int32 array (z, y, x) with the patch number 1..J of every voxel. Errors as :func:`patch_slices`."""
    labels = np.zeros(tuple(shape_zyx), np.int32)
    for number, slices in enumerate(patch_slices(shape_zyx, grid_zyx), start=1):
        labels[slices] = number
    return labels
