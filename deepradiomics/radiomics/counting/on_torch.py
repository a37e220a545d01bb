"""Counting in torch on any device, within a memory budget: regions of like size are padded to one batch.

Only whole numbers are counted, so a GPU gives exactly what the CPU gives. A device that runs out of memory gets smaller
chunks, and at last the regions in question are counted on the CPU; either is said in a remark. The CUDA path holds no
operation that only a CPU has, but has been run on CPU tensors only. Imports torch: use only where it is wanted.
"""

import warnings
from collections.abc import Callable, Sequence

import numpy as np
import torch

from deepradiomics import kernels as compiled
from deepradiomics.errors import InputError
from deepradiomics.radiomics.counting import reference as counting_reference
from deepradiomics.radiomics.counting.on_torch_batch import Batch
from deepradiomics.radiomics.counting.plan import CountFunction, CountingPlan, RegionCounts
from deepradiomics.radiomics.region.region import LevelRegion

DEFAULT_GB = 1.5
FREE_SHARE = 0.8  # of a GPU's free memory at most
SMALLEST_BYTES = 1 << 24  # a chunk that fails at this size is counted on the CPU
PADDED_BYTES = 28  # per voxel of a padded batch: its code (4), its place (8 where inside), roots of zones (16 at most)
BLOCK_BYTES = 128  # per voxel inside that is treated at a time: places, codes, sums, slots

Remark = Callable[[str], None]


def on_device(device: str, *, max_memory_gb: float | None = None, remark: Remark | None = None) -> CountFunction:
    """Return the counting function for a torch device such as ``cuda`` or ``cpu``.

    Args:
        device: a torch device.
        max_memory_gb: about how much memory a chunk may take on the device; 1.5 GB if not given, and never more than
            four fifths of what is free on a GPU. The result does not depend on it.
        remark: is told in a sentence when the device ran out of memory; by default that is a ``RuntimeWarning``.

    Raises:
        InputError: ``max_memory_gb`` is not positive.
    """
    if max_memory_gb is not None and not max_memory_gb > 0:
        raise InputError(f"max_memory_gb: expected a positive number of gigabytes, got {max_memory_gb!r}.")
    target, tell = torch.device(device), remark or _warn

    def count(regions: Sequence[LevelRegion], plan: CountingPlan) -> list[RegionCounts]:
        result: dict[int, RegionCounts] = {}
        allowed = _budget_bytes(target, max_memory_gb)
        waiting = [(members, allowed) for members in _batches(range(len(regions)), regions, plan, allowed)]
        while waiting:
            members, allowed = waiting.pop()
            batch = [regions[k] for k in members]
            counts = _try(batch, plan, target, allowed)
            if counts is None:
                allowed = min(allowed, bytes_needed(batch, plan)) // 2
                if allowed >= SMALLEST_BYTES:
                    tell(f"{device} ran out of memory; going on with chunks of {allowed / 1e9:.2g} GB.")
                    waiting += [(part, allowed) for part in _batches(members, regions, plan, allowed)]
                    continue
                names = "a region" if len(batch) == 1 else f"{len(batch)} regions"
                tell(f"{device} ran out of memory even for small chunks; {names} counted on the CPU.")
                counts = _cpu_count()(batch, plan)
            result |= zip(members, counts, strict=True)
        return [result[k] for k in range(len(regions))]

    return count


def bytes_needed(regions: Sequence[LevelRegion], plan: CountingPlan) -> int:
    """Return about how many bytes a batch of regions takes on the device when it is treated in one piece."""
    box, levels = _padded_box(regions, plan), max(len(r.grey_levels) for r in regions)
    return _cost(len(regions), int(box.prod()), levels, plan) + BLOCK_BYTES * sum(r.codes.size for r in regions)


def _cost(count: int, box_voxels: int, n_levels: int, plan: CountingPlan) -> int:
    """Bytes of a padded batch and of its largest table, without the blocks that are treated one after another."""
    longest_run = round(box_voxels ** (1 / 3)) if "glrlm" in plan.families else 1
    columns = max(n_levels if "glcm" in plan.families else 1, 2 * len(plan.offsets) + 1, longest_run)
    return count * (box_voxels * PADDED_BYTES + n_levels * columns * 8)


def _try(
    regions: Sequence[LevelRegion], plan: CountingPlan, device: torch.device, allowed: int
) -> list[RegionCounts] | None:
    """Count a batch, or return None where the device has not enough memory; what was taken is given back."""
    try:
        block = max(1 << 14, allowed // 3 // BLOCK_BYTES)
        return _count_batch(regions, plan, device, block)
    except torch.cuda.OutOfMemoryError:
        pass  # left first: as long as it is handled, its frames hold the tensors
    if device.type == "cuda":
        torch.cuda.empty_cache()
    return None


def _count_batch(
    regions: Sequence[LevelRegion], plan: CountingPlan, device: torch.device, block: int
) -> list[RegionCounts]:
    wanted, n_levels = plan.families, max(len(r.grey_levels) for r in regions)
    border, box = max(plan.distances), _padded_box(regions, plan)
    codes = np.zeros((len(regions), *box), np.int32)
    levels = np.zeros((len(regions), n_levels + 1), np.int64)  # level of a code
    for b, region in enumerate(regions):
        codes[b][tuple(slice(border, border + n) for n in region.codes.shape)] = region.codes
        levels[b, 1 : len(region.grey_levels) + 1] = region.grey_levels
    strides = np.array([box[1] * box[2], box[2], 1])
    steps, run_steps = (plan.offsets @ strides).tolist(), (plan.run_offsets @ strides).tolist()
    work = Batch(torch.from_numpy(codes).to(device), torch.from_numpy(levels).to(device), block)
    del codes
    glcm = work.pairs(steps) if "glcm" in wanted else None
    gldm, ngtdm = work.neighbourhoods(steps, plan.alpha) if {"gldm", "ngtdm"} & set(wanted) else (None, None)
    glrlm = work.runs(run_steps, max(max(r.codes.shape) for r in regions)) if "glrlm" in wanted else None
    zones = work.zones(run_steps) if "glszm" in wanted else None
    voxels = work.voxels()
    counts = []
    for b, region in enumerate(regions):
        n = len(region.grey_levels)
        counts.append(
            RegionCounts(
                glcm=None if glcm is None else glcm[b, :, :n, :n],
                glrlm=None if glrlm is None else glrlm[b, :, :n, : max(region.codes.shape)],
                zones=None if zones is None else zones[b],
                gldm=gldm[b, :n] if gldm is not None and "gldm" in wanted else None,
                ngtdm=ngtdm[b, :n] if ngtdm is not None and "ngtdm" in wanted else None,
                voxels=voxels[b, :n],
            )
        )
    return counts


def _padded_box(regions: Sequence[LevelRegion], plan: CountingPlan) -> np.ndarray:
    """The box (z, y, x) that holds each region, with a border so wide that no neighbour lies outside."""
    return np.max([r.codes.shape for r in regions], axis=0) + 2 * max(plan.distances)


def _batches(
    members: Sequence[int], regions: Sequence[LevelRegion], plan: CountingPlan, allowed: int
) -> list[list[int]]:
    """Group regions of similar size, so that little of a padded batch is empty and none takes over 2/3 of the budget.

    A region that is too large by itself makes a batch of its region_box.
    """
    batches: list[list[int]] = []
    box, n_levels, smallest = np.zeros(3, int), 0, 0
    for k in sorted(members, key=lambda k: regions[k].codes.size):
        region_box = _padded_box([regions[k]], plan)
        grown, more = np.maximum(box, region_box), max(n_levels, len(regions[k].grey_levels))
        size = len(batches[-1]) + 1 if batches else 1
        fits = 3 * _cost(size, int(grown.prod()), more, plan) <= 2 * allowed and grown.prod() <= 4 * smallest
        if batches and fits:
            batches[-1].append(k)
            box, n_levels = grown, more
        else:
            batches.append([k])
            box, n_levels, smallest = region_box, len(regions[k].grey_levels), int(region_box.prod())
    return batches


def _budget_bytes(device: torch.device, max_memory_gb: float | None) -> int:
    budget = (DEFAULT_GB if max_memory_gb is None else max_memory_gb) * 1e9
    if device.type == "cuda":
        budget = min(budget, FREE_SHARE * torch.cuda.mem_get_info(device)[0])
    return int(budget)


def _cpu_count() -> CountFunction:
    if compiled.available():
        from deepradiomics.radiomics.counting import compiled as counting_cpu

        return counting_cpu.count
    return counting_reference.count


def _warn(sentence: str) -> None:
    warnings.warn(sentence, RuntimeWarning, stacklevel=3)
