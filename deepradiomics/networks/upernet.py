"""UPerNet in three dimensions: from an encoder's maps at several scales to a label for every voxel.

::

    deepest map ─ pyramid pooling (1, 2, 3, 6 cells) ─ p3
    other maps ─ 1³ lateral + upsampled deeper one ─ 3³ ─ p2, p1, p0      (feature pyramid)
    p0 … p3 upsampled to p0 ─ concatenated ─ 3³ fuse ─ 1³ classes ─ upsampled to the image

Group-norm takes the place of batch-norm: it works for a single case and for a pool of 1×1×1, where batch-norm has
nothing to average.

Source: Xiao et al. 2018 (UPerNet), carried over to volumes.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from deepradiomics.errors import InputError

POOL_SCALES = (1, 2, 3, 6)
_CHANNELS_A_GROUP = 8  # several channels share a norm, so that a pool of one voxel still has something to average


class UPerNet3D(nn.Module):
    """Segmentation head on the maps of ``ConvNeXtV2.forward_features``.

    Args:
        dims: channels of the maps, from the finest to the deepest.
        classes: channels of the output (1 for one region against the rest).
        width: channels inside the head, a multiple of 8.
        pool_scales: cells along each axis of the pyramid pooling; a map with fewer places is pooled to what it has.

    Raises:
        InputError: an argument is out of range.
    """

    def __init__(
        self, dims: Sequence[int], classes: int, width: int = 64, pool_scales: Sequence[int] = POOL_SCALES
    ) -> None:
        super().__init__()
        if len(dims) < 2 or min(dims) < 1:
            raise InputError(f"dims: expected channels of at least two maps, got {tuple(dims)}.")
        if classes < 1:
            raise InputError(f"classes: expected at least 1, got {classes}.")
        if width < 1 or width % _CHANNELS_A_GROUP:
            raise InputError(f"width: expected a multiple of {_CHANNELS_A_GROUP}, got {width}.")
        if not pool_scales or min(pool_scales) < 1:
            raise InputError(f"pool_scales: expected positive numbers of cells, got {tuple(pool_scales)}.")
        self.dims, self.classes, self.width = tuple(dims), classes, width
        self.pool_scales = tuple(pool_scales)
        self.pools = nn.ModuleList(_convolution(dims[-1], width, 1) for _ in pool_scales)
        self.bottleneck = _convolution(dims[-1] + len(self.pool_scales) * width, width, 3)
        self.laterals = nn.ModuleList(_convolution(dim, width, 1) for dim in dims[:-1])
        self.outs = nn.ModuleList(_convolution(width, width, 3) for _ in dims[:-1])
        self.fuse = _convolution(len(dims) * width, width, 3)
        self.classify = nn.Conv3d(width, classes, 1)

    def forward(self, maps: Sequence[torch.Tensor], size_zyx: Sequence[int]) -> torch.Tensor:
        """Return logits (B, classes, z, y, x) on the image's grid.

        Args:
            maps: one (B, dims[i], z_i, y_i, x_i) a scale, from the finest to the deepest.
            size_zyx: the image's size.

        Raises:
            InputError: the maps do not fit ``dims``.
        """
        got = [m.shape[1] if m.ndim == 5 else None for m in maps]
        if got != list(self.dims):
            raise InputError(f"maps: expected 5-D maps of {list(self.dims)} channels, got {got}.")
        level = self._pooled(maps[-1])
        levels = [level]
        for finer, lateral, out in zip(maps[-2::-1], self.laterals[::-1], self.outs[::-1], strict=True):
            level = lateral(finer) + _resized(level, finer.shape[2:])
            levels.append(out(level))
        finest = maps[0].shape[2:]
        fused = self.fuse(torch.cat([_resized(stage_map, finest) for stage_map in levels[::-1]], dim=1))
        return _resized(self.classify(fused), size_zyx)

    def _pooled(self, deepest: torch.Tensor) -> torch.Tensor:
        """The pyramid pooling: what the whole map, its halves, its thirds … look like, put beside the map."""
        places = tuple(deepest.shape[2:])
        parts = [deepest]
        for scale, convolution in zip(self.pool_scales, self.pools, strict=True):
            cells = (min(scale, places[0]), min(scale, places[1]), min(scale, places[2]))
            parts.append(_resized(convolution(nn.functional.adaptive_avg_pool3d(deepest, cells)), places))
        return self.bottleneck(torch.cat(parts, dim=1))


def _convolution(before: int, after: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv3d(before, after, kernel, padding=kernel // 2, bias=False),
        nn.GroupNorm(after // _CHANNELS_A_GROUP, after),
        nn.ReLU(),
    )


def _resized(maps: torch.Tensor, size_zyx: Sequence[int]) -> torch.Tensor:
    if tuple(maps.shape[2:]) == tuple(size_zyx):
        return maps
    return nn.functional.interpolate(maps, tuple(size_zyx), mode="trilinear", align_corners=False)
