"""GLRLM, GLSZM and GLDM features of the window around each voxel, compiled.

Runs, zones and dependences are each a short list of (grey level, size, how many); the sixteen quantities of
:mod:`deepradiomics.radiomics.features.size_matrix` are summed over it.
"""

import math

import numpy as np

from deepradiomics.kernels import njit
from deepradiomics.radiomics.maps.compiled.local import local_levels


@njit
def _add_quantities(
    slot: np.ndarray,
    cells: int,
    width: int,
    mass: np.ndarray,
    grey: np.ndarray,
    n_levels: int,
    by_level: np.ndarray,
    by_size: np.ndarray,
    out: np.ndarray,
) -> None:
    """Add the quantities of one matrix to ``out`` and empty it.

    Args:
        slot: its cells, level * width + size - 1; their values are in ``mass``.
        by_level, by_size: scratch.
    """
    total = 0.0
    for level in range(n_levels):
        by_level[level] = 0.0
    for k in range(cells):
        by_size[slot[k] % width] = 0.0
    for k in range(cells):
        w = mass[slot[k]]
        total += w
        by_level[slot[k] // width] += w
        by_size[slot[k] % width] += w
    mean_level, mean_size = 0.0, 0.0
    for k in range(cells):
        w, i, j = mass[slot[k]], float(grey[slot[k] // width]), float(slot[k] % width + 1)
        q, i2, j2 = w / total, i * i, j * j
        mean_level += q * i
        mean_size += q * j
        out[0] += q / j2
        out[1] += q * j2
        out[9] -= q * math.log2(q)
        out[10] += q / i2
        out[11] += q * i2
        out[12] += q / (i2 * j2)
        out[13] += q * i2 / j2
        out[14] += q * j2 / i2
        out[15] += q * i2 * j2
    for k in range(cells):
        q = mass[slot[k]] / total
        out[7] += q * (grey[slot[k] // width] - mean_level) ** 2
        out[8] += q * (slot[k] % width + 1 - mean_size) ** 2
        size = slot[k] % width
        out[4] += by_size[size] ** 2 / total
        out[5] += by_size[size] ** 2 / (total * total)
        by_size[size] = 0.0
        mass[slot[k]] = 0.0
    for level in range(n_levels):
        out[2] += by_level[level] ** 2 / total
        out[3] += by_level[level] ** 2 / (total * total)
    out[6] += 1 / mean_size


@njit
def glrlm_windows(
    levels: np.ndarray,
    centres: np.ndarray,
    steps: np.ndarray,
    lines: np.ndarray,
    line_start: np.ndarray,
    lines_of: np.ndarray,
    weights: np.ndarray,
    merged: bool,
    highest: int,
    out: np.ndarray,
) -> None:
    """Write the run-length quantities (n, 16) of each window; NaN where no line meets two of its voxels.

    Args:
        levels, centres, steps, highest: as for ``glcm_windows``.
        lines, line_start, lines_of: the window's lines.
        weights: (D,) of the directions; used when ``merged`` into one matrix, else the quantities are averaged.
    """
    window, width = len(steps), len(steps)
    code, grey = np.empty(window, np.int64), np.empty(window, np.int64)
    local = np.full(highest + 1, -1, np.int64)
    mass, slot = np.zeros(min(window, highest) * width), np.empty(window * len(weights), np.int64)
    by_level, by_size = np.zeros(window), np.zeros(width)
    for v in range(len(centres)):
        n_levels = local_levels(levels, centres[v], steps, local, grey, code)
        out[v] = 0.0
        matrices, cells = 0, 0
        for d in range(len(lines_of) - 1):
            weight = weights[d] if merged else 1.0
            repeated = False  # a direction along which every voxel stands alone is left out
            for line in range(lines_of[d], lines_of[d + 1]):
                number = 0
                for at in range(line_start[line], line_start[line + 1]):
                    number += code[lines[at]] >= 0
                repeated = repeated or number > 1
            if repeated and weight > 0:
                for line in range(lines_of[d], lines_of[d + 1]):
                    level, length = -1, 0
                    for at in range(line_start[line], line_start[line + 1] + 1):
                        here = code[lines[at]] if at < line_start[line + 1] else -1
                        if here == level:
                            length += 1
                            continue
                        if level >= 0:
                            cell = level * width + length - 1
                            if mass[cell] == 0.0:
                                slot[cells] = cell
                                cells += 1
                            mass[cell] += weight
                        level, length = here, 1
            if cells > 0 and (not merged or d == len(lines_of) - 2):
                _add_quantities(slot, cells, width, mass, grey, n_levels, by_level, by_size, out[v])
                matrices += 1
                cells = 0
        for f in range(out.shape[1]):
            out[v, f] = out[v, f] / matrices if matrices > 0 else math.nan


@njit
def glszm_windows(
    levels: np.ndarray,
    centres: np.ndarray,
    steps: np.ndarray,
    touching: np.ndarray,
    start: np.ndarray,
    highest: int,
    out: np.ndarray,
) -> None:
    """Write the size-zone quantities (n, 16) of each window.

    Args:
        touching, start: the positions next to each position.
    """
    window, width = len(steps), len(steps)
    code, grey = np.empty(window, np.int64), np.empty(window, np.int64)
    local = np.full(highest + 1, -1, np.int64)
    mass, slot = np.zeros(min(window, highest) * width), np.empty(window, np.int64)
    by_level, by_size = np.zeros(window), np.zeros(width)
    waiting = np.empty(window, np.int64)
    for v in range(len(centres)):
        n_levels = local_levels(levels, centres[v], steps, local, grey, code)
        out[v] = 0.0
        cells = 0
        for k in range(window):
            level = code[k]
            if level < 0:
                continue
            waiting[0] = k
            code[k] = -1
            top, size = 1, 0
            while top > 0:  # grow the zone; a voxel taken is erased
                top -= 1
                here = waiting[top]
                size += 1
                for t in range(start[here], start[here + 1]):
                    if code[touching[t]] == level:
                        code[touching[t]] = -1
                        waiting[top] = touching[t]
                        top += 1
            cell = level * width + size - 1
            if mass[cell] == 0.0:
                slot[cells] = cell
                cells += 1
            mass[cell] += 1.0
        _add_quantities(slot, cells, width, mass, grey, n_levels, by_level, by_size, out[v])


@njit
def gldm_windows(
    levels: np.ndarray,
    centres: np.ndarray,
    steps: np.ndarray,
    neighbours: np.ndarray,
    start: np.ndarray,
    alpha: int,
    highest: int,
    out: np.ndarray,
) -> None:
    """Write the dependence quantities (n, 16) of each window.

    Args:
        neighbours, start: the positions at the distances set from each position.
        alpha: neighbours are alike when their levels differ by at most this.
    """
    window, width = len(steps), len(steps)  # a voxel and all others may be alike
    code, grey = np.empty(window, np.int64), np.empty(window, np.int64)
    local = np.full(highest + 1, -1, np.int64)
    mass, slot = np.zeros(min(window, highest) * width), np.empty(window, np.int64)
    by_level, by_size = np.zeros(window), np.zeros(width)
    for v in range(len(centres)):
        n_levels = local_levels(levels, centres[v], steps, local, grey, code)
        out[v] = 0.0
        cells = 0
        for k in range(window):
            if code[k] < 0:
                continue
            alike = 0
            for t in range(start[k], start[k + 1]):
                other = code[neighbours[t]]
                if other >= 0 and abs(grey[other] - grey[code[k]]) <= alpha:
                    alike += 1
            cell = code[k] * width + alike
            if mass[cell] == 0.0:
                slot[cells] = cell
                cells += 1
            mass[cell] += 1.0
        _add_quantities(slot, cells, width, mass, grey, n_levels, by_level, by_size, out[v])
