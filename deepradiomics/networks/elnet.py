"""ELNet: a very small network for a stack of slices, with normalisation slice by slice and pooling without aliasing.

Three ideas make it up: *multi-slice normalisation* (each slice is normalised on its own, over all maps together
(``"layer"``) or map by map (``"instance"``), so that a stack of any length behaves alike), *BlurPool* (a binomial
blur before every subsampling, so that a small shift of the knee changes little), and *block modules* (repeated
convolution–normalisation–ReLU with an identity path around them). The strongest response over the slice, then over the
slices, is what the last linear layer reads.

    7×7/2, 4K ─ norm ─ ReLU ─ blur/2 ─ block(4K, 5×5, twice) ─ 5×5, 8K ─ blur/2 ─ block(8K, 3×3, twice) ─ 3×3, 16K
    ─ blur/2 ─ block(16K, 3×3) ─ 3×3, 16K ─ blur/2 ─ block(16K, 3×3) ─ 3×3, 16K ─ blur/2 ─ max, max ─ linear

Source: Tsai et al., "Knee injury detection using MRI with efficiently-layered network (ELNet)", MIDL 2020; K = 4,
slices of 256 × 256. What differs here: slices are padded at their rim before a blur, so that small slices survive six
halvings, and the network may carry the heads of several tasks.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn

from deepradiomics.errors import InputError

Size = Literal["paper", "tiny"]
Norm = Literal["layer", "instance"]

SLICE_PX = 256
_WIDTH = {"paper": 4, "tiny": 2}  # the paper's K


class BlurPool(nn.Module):
    """Blur with the binomial kernel of ``taps`` points, keep every second pixel: (n, c, h, w) → (n, c, ⌈h/2⌉, ⌈w/2⌉).

    The kernel sums to one and the rim is repeated outwards, so a constant image stays the constant (Zhang, ICML 2019).
    """

    kernel: torch.Tensor

    def __init__(self, channels: int, taps: int = 5) -> None:
        super().__init__()
        row = torch.ones(1, dtype=torch.float64)
        for _ in range(taps - 1):  # a row of Pascal's triangle: 1 4 6 4 1 for five taps
            row = nn.functional.pad(row, (0, 1)) + nn.functional.pad(row, (1, 0))
        plane = torch.outer(row, row) / row.sum() ** 2
        self.register_buffer("kernel", plane.float().expand(channels, 1, taps, taps).contiguous(), persistent=False)
        self.padding = [(taps - 1) // 2, taps // 2, (taps - 1) // 2, taps // 2]

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        padded = nn.functional.pad(images, self.padding, mode="replicate")
        return nn.functional.conv2d(padded, self.kernel.to(padded.dtype), stride=2, groups=images.shape[1])


def multi_slice_norm(channels: int, kind: Norm) -> nn.GroupNorm:
    """Normalisation of each slice on its own: over all its maps (``layer``) or over each map (``instance``)."""
    return nn.GroupNorm(1 if kind == "layer" else channels, channels)


class BlockModule(nn.Module):
    """x + (convolution, multi-slice normalisation, ReLU) repeated; shape kept."""

    def __init__(self, channels: int, kernel: int, repeats: int, norm: Norm) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(repeats):
            layers += [
                nn.Conv2d(channels, channels, kernel, padding=kernel // 2, bias=False),
                multi_slice_norm(channels, norm),
                nn.ReLU(),
            ]
        self.body = nn.Sequential(*layers)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images + self.body(images)


class ELNet(nn.Module):
    """One plane of ELNet.

    Args:
        n_outputs: logits wanted, all tasks together.
        size: ``"paper"`` is K = 4 on slices resized to 256 × 256; ``"tiny"`` is K = 2 on the slices as they are.
        norm: kind of multi-slice normalisation. The paper chooses it by plane; ``"layer"`` keeps the differences
            between maps, ``"instance"`` removes each slice's own brightness map by map.
        dropout: probability of dropping one of the exam's numbers during training.

    Example:
        >>> ELNet(1, size="tiny")(torch.zeros(2, 5, 38, 64)).shape
        torch.Size([2, 1])
    """

    def __init__(self, n_outputs: int, size: Size = "paper", norm: Norm = "layer", dropout: float = 0.0) -> None:
        super().__init__()
        if n_outputs < 1:
            raise InputError(f"n_outputs: expected at least 1 logit, got {n_outputs}.")
        if size not in _WIDTH:
            raise InputError(f"size: expected 'paper' or 'tiny', got {size!r}.")
        if norm not in ("layer", "instance"):
            raise InputError(f"norm: expected 'layer' or 'instance', got {norm!r}.")
        k = _WIDTH[size]
        self.size: Size = size
        self.features = nn.Sequential(
            nn.Conv2d(1, 4 * k, 7, stride=2, padding=3, bias=False),
            multi_slice_norm(4 * k, norm),
            nn.ReLU(),
            BlurPool(4 * k),
            BlockModule(4 * k, 5, 2, norm),
            *_widen(4 * k, 8 * k, 5),
            BlockModule(8 * k, 3, 2, norm),
            *_widen(8 * k, 16 * k, 3),
            BlockModule(16 * k, 3, 1, norm),
            *_widen(16 * k, 16 * k, 3),
            BlockModule(16 * k, 3, 1, norm),
            *_widen(16 * k, 16 * k, 3),
        )
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(16 * k, n_outputs)
        for module in self.modules():  # the paper's choice for ReLU networks trained from scratch
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")

    def forward(self, stack: torch.Tensor) -> torch.Tensor:
        """Logits (batch, n_outputs) of stacks of slices (batch, slices, height, width)."""
        if stack.ndim != 4:
            raise InputError(f"stack: expected (batch, slices, height, width), got shape {tuple(stack.shape)}.")
        images = stack.flatten(0, 1).unsqueeze(1)  # (batch·slices, 1, h, w)
        if self.size == "paper" and images.shape[-2:] != (SLICE_PX, SLICE_PX):
            images = nn.functional.interpolate(images, (SLICE_PX, SLICE_PX), mode="bilinear", align_corners=False)
        maps = self.features(images)
        strongest = maps.amax(dim=(2, 3)).view(stack.shape[0], stack.shape[1], -1).amax(dim=1)  # (batch, 16K)
        return self.head(self.dropout(strongest))


def _widen(channels: int, wanted: int, kernel: int) -> list[nn.Module]:
    """Convolution to ``wanted`` maps, ReLU, BlurPool."""
    return [nn.Conv2d(channels, wanted, kernel, padding=kernel // 2, bias=False), nn.ReLU(), BlurPool(wanted)]
