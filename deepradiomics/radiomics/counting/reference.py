"""Counting in plain numpy: the readable definition of every matrix, which works everywhere."""

from collections.abc import Sequence

import numpy as np

from deepradiomics.radiomics.counting.plan import CountingPlan, RegionCounts
from deepradiomics.radiomics.region.region import LevelRegion


def count(regions: Sequence[LevelRegion], plan: CountingPlan) -> list[RegionCounts]:
    """Count the matrices of each region; see :class:`RegionCounts` for shapes and meaning."""
    return [_count_one(region, plan) for region in regions]


def _count_one(region: LevelRegion, plan: CountingPlan) -> RegionCounts:
    codes, wanted = region.codes, plan.families
    n_levels = len(region.grey_levels)
    voxels = np.bincount(codes[codes > 0] - 1, minlength=n_levels)
    return RegionCounts(
        glcm=_glcm(codes, n_levels, plan.offsets) if "glcm" in wanted else None,
        glrlm=_glrlm(codes, n_levels, plan.run_offsets) if "glrlm" in wanted else None,
        zones=_zones(codes, plan.run_offsets) if "glszm" in wanted else None,
        gldm=_gldm(codes, region.grey_levels, plan) if "gldm" in wanted else None,
        ngtdm=_ngtdm(codes, region.grey_levels, plan) if "ngtdm" in wanted else None,
        voxels=voxels,
    )


def _pair(array: np.ndarray, offset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return two equally shaped views: every voxel that has one at ``offset``, and that other one."""
    here = tuple(slice(max(0, -o), max(0, min(n, n - o))) for n, o in zip(array.shape, offset, strict=True))
    there = tuple(slice(max(0, o), max(0, min(n, n + o))) for n, o in zip(array.shape, offset, strict=True))
    return array[here], array[there]


def _glcm(codes: np.ndarray, n_levels: int, offsets: np.ndarray) -> np.ndarray:
    matrix = np.zeros((len(offsets), n_levels, n_levels), np.int64)
    for a, offset in enumerate(offsets):
        i, j = _pair(codes, offset)
        both = (i > 0) & (j > 0)
        flat = (i[both].astype(np.int64) - 1) * n_levels + (j[both] - 1)
        matrix[a] = np.bincount(flat, minlength=n_levels**2).reshape(n_levels, n_levels)
    return matrix


def _glrlm(codes: np.ndarray, n_levels: int, directions: np.ndarray) -> np.ndarray:
    longest = max(codes.shape)
    matrix = np.zeros((len(directions), n_levels, longest), np.int64)
    for a, step in enumerate(directions):
        goes_on = np.zeros(codes.shape, bool)  # the next voxel along the direction continues the run
        i, j = _pair(codes, step)
        _pair(goes_on, step)[0][...] = (i > 0) & (i == j)
        begins = codes > 0
        begun_before = _pair(begins, step)[1]
        begun_before &= ~_pair(goes_on, step)[0]
        position = np.argwhere(begins)  # (runs, 3): walk all runs of the region together, one step at a time
        level = codes[begins] - 1
        for length in range(longest):
            alive = goes_on[tuple(position.T)]
            matrix[a, :, length] = np.bincount(level[~alive], minlength=n_levels)
            position, level = position[alive] + step, level[alive]
            if len(level) == 0:
                break
    return matrix


def _zones(codes: np.ndarray, directions: np.ndarray) -> np.ndarray:
    from scipy.ndimage import label

    touching = np.zeros((3, 3, 3), bool)
    touching[tuple((_both_ways(directions) + 1).T)] = touching[1, 1, 1] = True
    zones = [np.zeros((0, 2), np.int64)]
    for code in range(1, codes.max() + 1):
        parts, n = label(codes == code, structure=touching)
        sizes = np.bincount(parts.ravel())[1 : n + 1]
        zones.append(np.stack([np.full(n, code - 1), np.sort(sizes)], axis=1))
    return np.concatenate(zones).astype(np.int64)


def _both_ways(offsets: np.ndarray) -> np.ndarray:
    return np.concatenate([offsets, -offsets])


def _gldm(codes: np.ndarray, grey_levels: np.ndarray, plan: CountingPlan) -> np.ndarray:
    levels = np.concatenate([[0], grey_levels])[codes]
    alike = np.zeros(codes.shape, np.int64)
    neighbours = _both_ways(plan.offsets)
    for offset in neighbours:
        i, j = _pair(levels, offset)
        count = _pair(alike, offset)[0]
        count += (i > 0) & (j > 0) & (np.abs(i - j) <= plan.alpha)
    inside = codes > 0
    width = len(neighbours) + 1
    flat = (codes[inside].astype(np.int64) - 1) * width + alike[inside]
    return np.bincount(flat, minlength=len(grey_levels) * width).reshape(-1, width)


def _ngtdm(codes: np.ndarray, grey_levels: np.ndarray, plan: CountingPlan) -> np.ndarray:
    levels = np.concatenate([[0], grey_levels])[codes]
    number = np.zeros(codes.shape, np.int64)
    total = np.zeros(codes.shape, np.int64)
    neighbours = _both_ways(plan.offsets)
    for offset in neighbours:
        there = _pair(levels, offset)[1]
        _pair(number, offset)[0][...] += there > 0
        _pair(total, offset)[0][...] += there
    inside = codes > 0
    width = len(neighbours) + 1
    matrix = np.zeros((len(grey_levels), width), np.int64)
    difference = np.abs(number * levels - total)[inside]
    np.add.at(matrix, (codes[inside] - 1, number[inside]), difference)
    return matrix
