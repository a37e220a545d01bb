"""Counting with numba: one fused pass over the ROI's voxels for GLCM, GLDM and NGTDM, one for runs, one for zones.

The codes are padded by zeros so wide that no neighbour needs a bounds check; a voxel's neighbour is then a fixed step
in the flat array. The kernels release the interpreter's lock.
"""

from collections.abc import Sequence

import numpy as np

from deepradiomics.radiomics.compiled import njit
from deepradiomics.radiomics.counting import CountingPlan, RegionCounts
from deepradiomics.radiomics.region import LevelRegion


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
    inside = np.flatnonzero(flat)
    levels = np.concatenate([[0], region.grey_levels])  # (L + 1,) level of a code
    n_levels = len(region.grey_levels)
    glcm, gldm, ngtdm = np.zeros((1, 1, 1), np.int64), np.zeros((1, 1), np.int64), np.zeros((1, 1), np.int64)
    near = {"glcm", "gldm", "ngtdm"} & set(wanted)
    if near:
        width = 2 * len(offsets) + 1
        glcm = np.zeros((len(offsets), n_levels, n_levels), np.int64)
        gldm, ngtdm = np.zeros((n_levels, width), np.int64), np.zeros((n_levels, width), np.int64)
        _neighbours(flat, inside, levels, offsets @ strides, plan.alpha, near != {"glcm"}, glcm, gldm, ngtdm)
    glrlm = None
    if "glrlm" in wanted:
        glrlm = np.zeros((len(runs), n_levels, max(codes.shape)), np.int64)
        _runs(flat, inside, runs @ strides, glrlm)
    return RegionCounts(
        glcm=glcm if "glcm" in wanted else None,
        glrlm=glrlm,
        zones=_sorted_zones(flat, inside, runs @ strides) if "glszm" in wanted else None,
        gldm=gldm if "gldm" in wanted else None,
        ngtdm=ngtdm if "ngtdm" in wanted else None,
        voxels=np.bincount(flat[inside] - 1, minlength=n_levels),
    )


def _sorted_zones(flat: np.ndarray, inside: np.ndarray, steps: np.ndarray) -> np.ndarray:
    zones = _zones(flat.copy(), inside, np.concatenate([steps, -steps]))
    return zones[np.lexsort((zones[:, 1], zones[:, 0]))]


@njit
def _neighbours(
    flat: np.ndarray,
    inside: np.ndarray,
    levels: np.ndarray,
    steps: np.ndarray,
    alpha: int,
    both_ways: bool,
    glcm: np.ndarray,
    gldm: np.ndarray,
    ngtdm: np.ndarray,
) -> None:
    for k in range(len(inside)):
        p = inside[k]
        i = flat[p]
        level = levels[i]
        alike = 0
        number = 0
        total = 0
        for a in range(len(steps)):
            j = flat[p + steps[a]]
            if j > 0:
                glcm[a, i - 1, j - 1] += 1
                number += 1
                total += levels[j]
                alike += abs(levels[j] - level) <= alpha
        if both_ways:
            for a in range(len(steps)):
                j = flat[p - steps[a]]
                if j > 0:
                    number += 1
                    total += levels[j]
                    alike += abs(levels[j] - level) <= alpha
            gldm[i - 1, alike] += 1
            ngtdm[i - 1, number] += abs(number * level - total)


@njit
def _runs(flat: np.ndarray, inside: np.ndarray, steps: np.ndarray, glrlm: np.ndarray) -> None:
    """Count runs without a branch: first how many voxels are the r-th of their run, whose differences are the runs.

    Steps are positive, so the voxel before one in a run is visited before it. What is known of the voxels visited is
    kept only as far back as the longest step reaches.
    """
    kept = 1
    while kept <= steps.max():
        kept *= 2
    before = np.zeros((kept, len(steps)), np.int32)  # of voxel p in row p modulo ``kept``: voxels of its run before it
    for k in range(len(inside)):
        p = inside[k]
        i = flat[p]
        here = before[p & (kept - 1)]
        for a in range(len(steps)):
            q = p - steps[a]
            r = (before[q & (kept - 1), a] + 1) * (flat[q] == i)
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
    found = np.empty((len(inside), 2), np.int64)
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
        found[n, 0] = i - 1
        found[n, 1] = size
        n += 1
    return found[:n].copy()
