"""Counting with numba: a pass over the ROI's voxels for GLCM, one for GLDM and NGTDM, one for runs, one for zones.

The codes are padded by zeros so wide that no neighbour needs a bounds check; a voxel's neighbour is then a fixed step
in the flat array. The kernels release the interpreter's lock.
"""

from collections.abc import Sequence

import numpy as np

from deepradiomics.kernels import njit
from deepradiomics.radiomics.counting.plan import CountingPlan, RegionCounts
from deepradiomics.radiomics.region.region import LevelRegion

_SIDE_BY_SIDE = 64  # voxels whose neighbours are summed together by vector instructions


def count(regions: Sequence[LevelRegion], plan: CountingPlan) -> list[RegionCounts]:
    """Count the matrices of each region; see :class:`RegionCounts` for shapes and meaning."""
    return [_count_one(region, plan, plan.offsets, plan.run_offsets) for region in regions]


def _count_one(region: LevelRegion, plan: CountingPlan, offsets: np.ndarray, runs: np.ndarray) -> RegionCounts:
    codes, wanted = region.codes, plan.families
    border = max(plan.distances)
    padded = np.zeros([n + 2 * border for n in codes.shape], np.int32)
    padded[tuple(slice(border, border + n) for n in codes.shape)] = codes
    strides = np.array([padded.shape[1] * padded.shape[2], padded.shape[2], 1])
    flat = padded.ravel()
    inside = _places(flat)
    levels = np.concatenate([[0], region.grey_levels])  # (L + 1,) level of a code
    n_levels = len(region.grey_levels)
    glcm = gldm = ngtdm = glrlm = None
    steps = offsets @ strides
    if "glcm" in wanted:
        glcm = np.zeros((len(offsets), n_levels, n_levels), np.int64)
        _pairs(flat, inside, steps, glcm)
    if "gldm" in wanted or "ngtdm" in wanted:
        width = 2 * len(offsets) + 1
        gldm, ngtdm = np.zeros((n_levels, width), np.int64), np.zeros((n_levels, width), np.int64)
        fits = width * (int(levels[-1]) + 1) < 2**31
        total = np.empty(_SIDE_BY_SIDE, np.int32 if fits else np.int64)
        _neighbours(flat, inside, levels, steps, np.int32(min(plan.alpha, 2**30)), total, gldm, ngtdm)
    if "glrlm" in wanted:
        glrlm = np.zeros((len(runs), n_levels, max(codes.shape)), np.int64)
        remaining = 1 << int((runs @ strides).max()).bit_length()
        narrow = max(codes.shape) <= 256  # the narrower, the more of it stays in the processor's cache
        _runs(flat, inside, runs @ strides, np.zeros((remaining, len(runs)), np.uint8 if narrow else np.int32), glrlm)
    return RegionCounts(
        glcm=glcm,
        glrlm=glrlm,
        zones=_sorted_zones(flat, inside, runs @ strides) if "glszm" in wanted else None,
        gldm=gldm if "gldm" in wanted else None,
        ngtdm=ngtdm if "ngtdm" in wanted else None,
        voxels=np.bincount(flat[inside] - 1, minlength=n_levels) if gldm is None else gldm.sum(axis=1),
    )


def _sorted_zones(flat: np.ndarray, inside: np.ndarray, steps: np.ndarray) -> np.ndarray:
    zones = _zones(flat.copy(), inside, np.concatenate([steps, -steps]))
    keys = np.sort(zones[:, 0] * (len(inside) + 1) + zones[:, 1])  # whole numbers sort faster than pairs
    return np.stack(np.divmod(keys, len(inside) + 1), axis=1)


@njit
def _places(flat: np.ndarray) -> np.ndarray:
    """Where the region's voxels are, ascending; numpy.flatnonzero without its branch."""
    n = 0
    for p in range(len(flat)):
        n += flat[p] != 0
    start = np.empty(n + 1, np.int64)
    n = 0
    for p in range(len(flat)):
        start[n] = p
        n += flat[p] != 0
    return start[:n].copy()


@njit
def _pairs(flat: np.ndarray, inside: np.ndarray, steps: np.ndarray, glcm: np.ndarray) -> None:
    """Count pairs without a branch: row and column 0 take the neighbours outside."""
    counts = np.zeros((len(steps), glcm.shape[1] + 1, glcm.shape[2] + 1), np.int64)
    for k in range(len(inside)):
        p = inside[k]
        i = flat[p]
        for a in range(len(steps)):
            counts[a, i, flat[p + steps[a]]] += 1
    for a in range(len(steps)):
        for i in range(glcm.shape[1]):
            for j in range(glcm.shape[2]):
                glcm[a, i, j] = counts[a, i + 1, j + 1]


@njit
def _neighbours(
    flat: np.ndarray,
    inside: np.ndarray,
    levels: np.ndarray,
    steps: np.ndarray,
    alpha: int,
    total: np.ndarray,
    gldm: np.ndarray,
    ngtdm: np.ndarray,
) -> None:
    """Count alike neighbours and sum their levels, for as many voxels side by side as ``total`` holds."""
    above = np.zeros(len(flat), np.int32)  # level + 1; 0 outside
    for k in range(len(inside)):
        above[inside[k]] = levels[flat[inside[k]]] + 1
    number, alike = np.empty(len(total), np.int32), np.empty(len(total), np.int32)
    k = 0
    while k < len(inside):
        p = inside[k]
        width = min(len(total), inside[-1] + 1 - p)
        here = above[p : p + width]
        for t in range(width):
            total[t] = 0
            number[t] = 0
            alike[t] = 0
        for a in range(len(steps)):
            later, earlier = above[p + steps[a] :][:width], above[p - steps[a] :][:width]
            for t in range(width):
                x, y, level = later[t], earlier[t], here[t]
                total[t] += x + y
                number[t] += np.int32(x > 0) + np.int32(y > 0)
                alike[t] += np.int32((x > 0) & (abs(x - level) <= alpha))
                alike[t] += np.int32((y > 0) & (abs(y - level) <= alpha))
        while k < len(inside) and inside[k] < p + width:
            t = inside[k] - p
            i = flat[inside[k]] - 1
            gldm[i, alike[t]] += 1
            ngtdm[i, number[t]] += abs(np.int64(number[t]) * here[t] - total[t])
            k += 1


@njit
def _runs(flat: np.ndarray, inside: np.ndarray, steps: np.ndarray, before: np.ndarray, glrlm: np.ndarray) -> None:
    """Count runs without a branch: first how many voxels are the r-th of their run, whose differences are the runs.

    Steps are positive, so the voxel before one in a run is visited before it. How many voxels of its run lie before
    voxel p is kept in row p modulo K of ``before`` (K, D), zeros at first; K is a power of two above every step.
    """
    remaining = len(before)
    for k in range(len(inside)):
        p = inside[k]
        i = flat[p]
        here = before[p & (remaining - 1)]
        for a in range(len(steps)):
            q = p - steps[a]
            r = (np.int64(before[q & (remaining - 1), a]) + 1) * (flat[q] == i)
            here[a] = r
            glrlm[a, i - 1, r] += 1
    for a in range(len(steps)):
        for i in range(glrlm.shape[1]):
            for r in range(glrlm.shape[2] - 1):
                glrlm[a, i, r] -= glrlm[a, i, r + 1]


@njit
def _zones(flat: np.ndarray, inside: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Grow each zone from its first voxel; voxels already taken are erased from ``flat``."""
    waiting = np.empty(len(inside), np.int64)
    zones = np.empty((len(inside), 2), np.int64)
    n = 0
    for k in range(len(inside)):
        p = inside[k]
        i = flat[p]
        if i == 0:
            continue
        flat[p] = 0
        waiting[0] = p
        top = 1
        size = 0
        while top > 0:
            top -= 1
            q = waiting[top]
            size += 1
            for a in range(len(steps)):
                r = q + steps[a]
                if flat[r] == i:
                    flat[r] = 0
                    waiting[top] = r
                    top += 1
        zones[n, 0] = i - 1
        zones[n, 1] = size
        n += 1
    return zones[:n].copy()
