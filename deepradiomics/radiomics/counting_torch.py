"""Counting in torch on any device: regions of like size are padded to one batch, neighbours are shifted views.

Only whole numbers are counted, so a GPU gives exactly what the CPU gives. Imports torch: use only where it is wanted.
"""

from collections.abc import Sequence

import numpy as np
import torch

from deepradiomics.radiomics.counting import CountFunction, CountingPlan, RegionCounts
from deepradiomics.radiomics.region import LevelRegion

BATCH_VOXELS = 50_000_000  # padded voxels treated at a time


def on_device(device: str) -> CountFunction:
    """Return the counting function for a torch device such as ``cuda`` or ``cpu``."""

    def count(regions: Sequence[LevelRegion], plan: CountingPlan) -> list[RegionCounts]:
        result: list[RegionCounts | None] = [None] * len(regions)
        for members in _batches(regions, max(plan.distances)):
            found = _count_batch([regions[k] for k in members], plan, torch.device(device))
            for k, counts in zip(members, found, strict=True):
                result[k] = counts
        return [counts for counts in result if counts is not None]

    return count


def _batches(regions: Sequence[LevelRegion], border: int) -> list[list[int]]:
    """Group regions of similar size, so that little of a padded batch is empty and none exceeds the budget."""
    order = sorted(range(len(regions)), key=lambda k: regions[k].codes.size)
    batches: list[list[int]] = []
    box = np.zeros(3, int)
    for k in order:
        grown = np.maximum(box, np.array(regions[k].codes.shape) + 2 * border)
        size = len(batches[-1]) + 1 if batches else 1
        wasteful = batches and grown.prod() > 4 * (np.array(regions[batches[-1][0]].codes.shape) + 2 * border).prod()
        if not batches or wasteful or grown.prod() * size > BATCH_VOXELS:
            batches.append([])
            grown = np.array(regions[k].codes.shape) + 2 * border
        batches[-1].append(k)
        box = grown
    return batches


def _count_batch(regions: Sequence[LevelRegion], plan: CountingPlan, device: torch.device) -> list[RegionCounts]:
    border, wanted = max(plan.distances), plan.families
    box = np.max([r.codes.shape for r in regions], axis=0) + 2 * border
    padded = np.zeros((len(regions), *box), np.int64)
    n_levels = max(len(r.grey_levels) for r in regions)
    levels = np.zeros((len(regions), n_levels + 1), np.int64)  # level of a code
    for b, region in enumerate(regions):
        padded[b][tuple(slice(border, border + n) for n in region.codes.shape)] = region.codes
        levels[b, 1 : len(region.grey_levels) + 1] = region.grey_levels
    codes = torch.from_numpy(padded).to(device)
    flat = codes.flatten()
    inside = flat.nonzero()[:, 0]
    owner = inside // int(box.prod())  # (N,) region of each voxel
    strides = np.array([box[1] * box[2], box[2], 1])
    steps, run_steps = (plan.offsets @ strides).tolist(), (plan.run_offsets @ strides).tolist()
    work = _Batch(flat, inside, owner, torch.from_numpy(levels).to(device), len(regions), n_levels)
    glcm = work.pairs(steps) if "glcm" in wanted else None
    near = work.neighbourhoods(steps, plan.alpha) if {"gldm", "ngtdm"} & set(wanted) else (None, None)
    glrlm = work.runs(run_steps, int(box.max())) if "glrlm" in wanted else None
    zones = work.zones(run_steps) if "glszm" in wanted else None
    voxels = work.table(work.code - 1, torch.ones_like(inside), n_levels)
    found = []
    for b, region in enumerate(regions):
        n = len(region.grey_levels)
        found.append(
            RegionCounts(
                glcm=None if glcm is None else glcm[b, :, :n, :n],
                glrlm=None if glrlm is None else glrlm[b, :, :n, : max(region.codes.shape)],
                zones=None if zones is None else zones[b],
                gldm=None if near[0] is None or "gldm" not in wanted else near[0][b, :n],
                ngtdm=None if near[1] is None or "ngtdm" not in wanted else near[1][b, :n],
                voxels=voxels[b, :n],
            )
        )
    return found


class _Batch:
    """A padded batch on a device: flat codes, the voxels inside, the region each belongs to, and levels by code."""

    def __init__(
        self,
        flat: torch.Tensor,
        inside: torch.Tensor,
        owner: torch.Tensor,
        levels: torch.Tensor,
        batch: int,
        n_levels: int,
    ) -> None:
        self.flat, self.inside, self.owner, self.batch, self.n_levels = flat, inside, owner, batch, n_levels
        self.code = flat[inside]
        self.levels = levels

    def table(
        self, slot: torch.Tensor, amount: torch.Tensor, width: int, owner: torch.Tensor | None = None
    ) -> np.ndarray:
        """Add ``amount`` up by region and slot: (B, width) int64 on the host."""
        index = (self.owner if owner is None else owner) * width + slot
        total = torch.zeros(self.batch * width, dtype=torch.int64, device=self.flat.device)
        return total.scatter_add_(0, index, amount).view(self.batch, width).cpu().numpy()

    def pairs(self, steps: Sequence[int]) -> np.ndarray:
        """GLCM (B, A, L, L)."""
        L = self.n_levels
        rows = []
        for step in steps:
            other = self.flat[self.inside + step]
            both = other > 0
            slot = (self.code[both] - 1) * L + other[both] - 1
            rows.append(self.table(slot, torch.ones_like(slot), L * L, self.owner[both]).reshape(self.batch, L, L))
        return np.stack(rows, axis=1)

    def neighbourhoods(self, steps: Sequence[int], alpha: int) -> tuple[np.ndarray, np.ndarray]:
        """GLDM and NGTDM (B, L, N + 1)."""
        level = self.levels[self.owner, self.code]
        alike, number, total = (torch.zeros_like(level) for _ in range(3))
        for step in (*steps, *(-s for s in steps)):
            other = self.flat[self.inside + step]
            there = other > 0
            value = self.levels[self.owner, other]
            alike += there & ((value - level).abs() <= alpha)
            number += there
            total += value
        width = 2 * len(steps) + 1
        row = (self.code - 1) * width
        shape = (self.batch, self.n_levels, width)
        gldm = self.table(row + alike, torch.ones_like(level), self.n_levels * width).reshape(shape)
        ngtdm = self.table(row + number, (number * level - total).abs(), self.n_levels * width).reshape(shape)
        return gldm, ngtdm

    def runs(self, steps: Sequence[int], longest: int) -> np.ndarray:
        """GLRLM (B, 13, L, R): all runs of a direction are walked together, one voxel at a time."""
        rows = []
        for step in steps:
            begins = self.flat[self.inside - step] != self.code
            at, code, owner = self.inside[begins], self.code[begins], self.owner[begins]
            slots, owners = [], []
            for length in range(longest):
                at = at + step
                alive = self.flat[at] == code
                slots.append((code[~alive] - 1) * longest + length)
                owners.append(owner[~alive])
                at, code, owner = at[alive], code[alive], owner[alive]
                if len(at) == 0:
                    break
            slot = torch.cat(slots)
            counts = self.table(slot, torch.ones_like(slot), self.n_levels * longest, torch.cat(owners))
            rows.append(counts.reshape(self.batch, self.n_levels, longest))
        return np.stack(rows, axis=1)

    def zones(self, steps: Sequence[int]) -> list[np.ndarray]:
        """Zones (Z, 2) of each region: every voxel takes the smallest voxel number that it can reach."""
        root = torch.arange(len(self.flat), device=self.flat.device)
        links = []
        for step in steps:
            joined = self.flat[self.inside + step] == self.code
            links.append((self.inside[joined], self.inside[joined] + step))
        a, b = (torch.cat(side) for side in zip(*links, strict=True))
        while len(a):
            ra, rb = root[a], root[b]
            differ = ra != rb
            if not bool(differ.any()):
                break
            a, b, ra, rb = a[differ], b[differ], ra[differ], rb[differ]
            low, high = torch.minimum(ra, rb), torch.maximum(ra, rb)
            root.scatter_reduce_(0, high, low, reduce="amin")
            while True:  # every voxel points straight at the root of its tree
                further = root[root]
                if torch.equal(further, root):
                    break
                root = further
        names, size = torch.unique(root[self.inside], return_counts=True)
        owner = torch.div(names, len(self.flat) // self.batch, rounding_mode="floor")
        table = torch.stack([owner, self.flat[names] - 1, size], dim=1).cpu().numpy()
        table = table[np.lexsort((table[:, 2], table[:, 1], table[:, 0]))]
        return [table[table[:, 0] == b, 1:] for b in range(self.batch)]
