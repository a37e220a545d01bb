"""NGTDM features of the window around each voxel, compiled; neighbours beyond the window do not count."""

import numpy as np

from deepradiomics.kernels import njit
from deepradiomics.radiomics.features.ngtdm import NO_DIFFERENCE_COARSENESS
from deepradiomics.radiomics.maps.compiled.local import local_levels


@njit
def ngtdm_windows(
    levels: np.ndarray,
    centres: np.ndarray,
    steps: np.ndarray,
    neighbours: np.ndarray,
    start: np.ndarray,
    highest: int,
    out: np.ndarray,
) -> None:
    """Write the features (n, 5) of each window.

    Args:
        levels, centres, steps, highest: as for ``glcm_windows``.
        neighbours, start: the positions at the distances set from each position.
    """
    window = len(steps)
    code, grey = np.empty(window, np.int64), np.empty(window, np.int64)
    local = np.full(highest + 1, -1, np.int64)
    voxels, differences = np.empty(window, np.int64), np.empty(window)
    for v in range(len(centres)):
        n_levels = local_levels(levels, centres[v], steps, local, grey, code)
        for i in range(n_levels):
            voxels[i] = 0
            differences[i] = 0.0
        total = 0
        for k in range(window):
            i = code[k]
            if i < 0:
                continue
            number, level_sum = 0, 0
            for t in range(start[k], start[k + 1]):
                other = code[neighbours[t]]
                if other >= 0:
                    number += 1
                    level_sum += grey[other]
            voxels[i] += 1
            total += 1
            if number > 0:
                differences[i] += abs(number * grey[i] - level_sum) / number
        _write(grey, voxels, differences, n_levels, total, out[v])


@njit
def _write(
    grey: np.ndarray, voxels: np.ndarray, differences: np.ndarray, n_levels: int, total: int, out: np.ndarray
) -> None:
    coarse, all_differences = 0.0, 0.0
    for i in range(n_levels):
        coarse += voxels[i] / total * differences[i]
        all_differences += differences[i]
    contrast, complexity, strength, busy = 0.0, 0.0, 0.0, 0
    for i in range(n_levels):
        for j in range(i):
            gap = abs(grey[i] - grey[j])
            n_i, n_j = voxels[i], voxels[j]
            contrast += 2.0 * n_i * n_j * gap * gap
            complexity += 2 * gap * (n_i * differences[i] + n_j * differences[j]) / (n_i + n_j)
            strength += 2.0 * (n_i + n_j) * gap * gap
            busy += 2 * abs(grey[i] * n_i - grey[j] * n_j)
    out[0] = coarse * total / busy if busy > 0 else 0.0
    out[1] = 1 / coarse if coarse > 0 else NO_DIFFERENCE_COARSENESS
    out[2] = complexity / total
    pairs = n_levels * (n_levels - 1)
    out[3] = contrast / (total * total) * all_differences / total / pairs if pairs > 0 else 0.0
    out[4] = strength / total / all_differences if all_differences > 0 else 0.0
