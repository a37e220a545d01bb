"""The counting of one padded batch of regions on a torch device: neighbours are fixed steps in the flat array.

The voxels inside are treated in blocks, which bounds the memory of intermediate results; tables are added up on the
device and brought to the host once. Imports torch: use only where it is wanted.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch


class Batch:
    """A padded batch on a device.

    Args:
        codes: (B, z, y, x) int32 level codes, 0 outside; the border is as wide as the longest step.
        levels: (B, L + 1) int64 grey level of each code.
        block: number of voxels treated at a time.
    """

    def __init__(self, codes: torch.Tensor, levels: torch.Tensor, block: int) -> None:
        self.batch, self.n_levels, self.block = len(codes), levels.shape[1] - 1, block
        self.flat, self.levels = codes.flatten(), levels
        self.inside = self.flat.nonzero()[:, 0]  # (N,)
        self.box_voxels = len(self.flat) // self.batch

    def pairs(self, steps: Sequence[int]) -> np.ndarray:
        """GLCM (B, A, L, L)."""
        L = self.n_levels
        result = np.empty((self.batch, len(steps), L, L), np.int64)
        for a, step in enumerate(steps):
            total = self._table(L * L)
            for at, code, owner in self._blocks():
                other = self.flat[at + step]
                both = other > 0
                _add_one(total, (owner[both] * L + code[both] - 1) * L + other[both] - 1)
            result[:, a] = self._on_host(total, L, L)
        return result

    def neighbourhoods(self, steps: Sequence[int], alpha: int) -> tuple[np.ndarray, np.ndarray]:
        """GLDM and NGTDM (B, L, N + 1)."""
        L, width = self.n_levels, 2 * len(steps) + 1
        gldm, ngtdm = self._table(L * width), self._table(L * width)
        for at, code, owner in self._blocks():
            level = self.levels[owner, code]
            alike, number, total = (torch.zeros_like(level) for _ in range(3))
            for step in (*steps, *(-s for s in steps)):
                other = self.flat[at + step]
                there = other > 0
                value = self.levels[owner, other.long()]  # level 0 outside
                alike += there & ((value - level).abs() <= alpha)
                number += there
                total += value
            row = (owner * L + code - 1) * width
            _add_one(gldm, row + alike)
            ngtdm.scatter_add_(0, row + number, (number * level - total).abs())
        return self._on_host(gldm, L, width), self._on_host(ngtdm, L, width)

    def runs(self, steps: Sequence[int], longest: int) -> np.ndarray:
        """GLRLM (B, D, L, R): all runs that begin in a block are walked together, one voxel at a time."""
        L = self.n_levels
        result = np.empty((self.batch, len(steps), L, longest), np.int64)
        for a, step in enumerate(steps):
            total = self._table(L * longest)
            for at, code, owner in self._blocks():
                begins = self.flat[at - step] != code
                at, code, owner = at[begins], code[begins], owner[begins]
                for length in range(longest):
                    at = at + step
                    alive = self.flat[at] == code
                    ended = ~alive
                    _add_one(total, (owner[ended] * L + code[ended] - 1) * longest + length)
                    at, code, owner = at[alive], code[alive], owner[alive]
                    if len(at) == 0:
                        break
            result[:, a] = self._on_host(total, L, longest)
        return result

    def zones(self, steps: Sequence[int]) -> list[np.ndarray]:
        """Zones (Z, 2) of each region: every voxel takes the smallest voxel number that it can reach."""
        root = torch.arange(len(self.flat), device=self.flat.device)
        for step in steps:
            for at, code, _ in self._blocks():
                linked = at[self.flat[at + step] == code]
                _join(root, linked, linked + step)
            for at, _, _ in self._blocks():
                _shorten(root, at)
        names, size = torch.unique(root[self.inside], return_counts=True)
        owner = torch.div(names, self.box_voxels, rounding_mode="floor")
        table = torch.stack([owner, self.flat[names].long() - 1, size], dim=1).cpu().numpy()
        table = table[np.lexsort((table[:, 2], table[:, 1], table[:, 0]))]
        start = np.searchsorted(table[:, 0], np.arange(self.batch + 1))
        return [table[start[b] : start[b + 1], 1:] for b in range(self.batch)]

    def voxels(self) -> np.ndarray:
        """Number of voxels of each level (B, L)."""
        total = self._table(self.n_levels)
        for _, code, owner in self._blocks():
            _add_one(total, owner * self.n_levels + code - 1)
        return self._on_host(total, self.n_levels)

    def _blocks(self) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
        """Place in the flat array, code and region of the voxels inside, a block at a time, int64."""
        for start in range(0, len(self.inside), self.block):
            at = self.inside[start : start + self.block]
            yield at, self.flat[at].long(), torch.div(at, self.box_voxels, rounding_mode="floor")

    def _table(self, width: int) -> torch.Tensor:
        return torch.zeros(self.batch * width, dtype=torch.int64, device=self.flat.device)

    def _on_host(self, total: torch.Tensor, *shape: int) -> np.ndarray:
        return total.view(self.batch, *shape).cpu().numpy()


def _add_one(total: torch.Tensor, slot: torch.Tensor) -> None:
    total.scatter_add_(0, slot, torch.ones((), dtype=torch.int64, device=slot.device).expand(len(slot)))


def _join(root: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> None:
    """Make the voxels a and b of each link share a root: the smallest number of all that are joined.

    Pointers lead to smaller numbers only. Links that are joined once stay so, whatever is joined later.
    """
    while len(a):
        root_a, root_b = _root_of(root, a), _root_of(root, b)
        differ = root_a != root_b
        a, b, root_a, root_b = a[differ], b[differ], root_a[differ], root_b[differ]
        high = torch.maximum(root_a, root_b)
        root.scatter_reduce_(0, high, torch.minimum(root_a, root_b), reduce="amin")
        _shorten(root, high)


def _root_of(root: torch.Tensor, voxel: torch.Tensor) -> torch.Tensor:
    """Follow the pointers of some voxels to their ends."""
    here = root[voxel]
    while True:
        further = root[here]
        if torch.equal(further, here):
            return here
        here = further


def _shorten(root: torch.Tensor, voxel: torch.Tensor) -> None:
    """Let the pointers of some voxels lead straight to their roots; each pass halves the way."""
    while True:
        here = root[voxel]
        further = root[here]
        if torch.equal(further, here):
            return
        root[voxel] = further
