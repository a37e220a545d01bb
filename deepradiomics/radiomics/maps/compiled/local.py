"""The grey levels of one window, renumbered to those that occur in it."""

import numpy as np

from deepradiomics.kernels import njit


@njit
def local_levels(
    levels: np.ndarray, centre: int, steps: np.ndarray, local: np.ndarray, grey: np.ndarray, code: np.ndarray
) -> int:
    """Fill ``code`` (K,) with each voxel's place in ``grey`` (-1 outside) and return how many levels there are.

    ``local`` (highest level + 1,) is scratch that holds -1 everywhere before and after.
    """
    n_levels = 0
    for k in range(len(steps)):
        g = levels[centre + steps[k]]
        code[k] = -1
        if g > 0:
            if local[g] < 0:
                local[g] = n_levels
                grey[n_levels] = g
                n_levels += 1
            code[k] = local[g]
    for i in range(n_levels):
        local[grey[i]] = -1
    return n_levels
