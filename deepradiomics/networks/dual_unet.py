"""A U-Net with two encoders, one for the image and one for the image at half its size, and a decoder that joins them.

::

    image 128³ ─ fine encoder    32·128³  64·64³  128·32³  256·16³  512·8³ ─┐ bottleneck
                                    │       │        │        │              │
    decoder       logits ──────── 32·128³  64·64³  128·32³  256·16³  512·8³ ─┘
                                            │        │        │        │   up
    image at 64³ ─ coarse encoder         32·64³  64·32³  128·16³  256·8³  512·4³   bottleneck

Five stages of one residual block each (two 3³ convolutions, instance norm, leaky ReLU); stages after the first halve
the size by the stride of their first convolution. The decoder climbs by transposed convolutions, takes in both
encoders' maps of its size, and has an output at each of the three finest sizes (deep supervision). Without the coarse
encoder it is an ordinary residual U-Net: the single-scale twin.

Source: paper 002, section 2.2 and figure 1 (sizes of image and bottlenecks, two encoders, residual blocks, deep
supervision); numbers of blocks, norm, activation and the way of joining are ours, close to nnU-Net (Isensee et al.,
2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool3d

from deepradiomics.errors import InputError

PAPER_WIDTHS = (32, 64, 128, 256, 512)


@dataclass(frozen=True)
class Maps:
    """Feature maps of an image, by encoder.

    Args:
        fine: maps (B, width, z, y, x) of each stage, from the image's size to the bottleneck.
        coarse: the same of the image at half its size; empty in the single-scale twin.
    """

    fine: tuple[Tensor, ...]
    coarse: tuple[Tensor, ...]

    @property
    def bottlenecks(self) -> tuple[Tensor, ...]:
        """The deepest map of each encoder: (B, 512, 8, 8, 8) and (B, 512, 4, 4, 4) at full size."""
        return (self.fine[-1], *self.coarse[-1:])


class DualScaleUNet(nn.Module):
    """Segmentation of one region in an image of one channel.

    Args:
        widths: channels of the stages, fine to deep; at least three.
        dual: with the coarse encoder; False is the single-scale twin.
        supervised: number of deep-supervision outputs, from the finest size on; at most one fewer than the stages.

    Raises:
        InputError: an argument is out of range.
    """

    def __init__(self, widths: Sequence[int] = PAPER_WIDTHS, *, dual: bool = True, supervised: int = 3) -> None:
        super().__init__()
        widths = tuple(int(width) for width in widths)
        if len(widths) < 3 or min(widths) < 1:
            raise InputError(f"widths: expected channels of at least three stages, got {widths}.")
        if not 1 <= supervised < len(widths):
            raise InputError(f"supervised: expected 1 to {len(widths) - 1} sizes for {len(widths)} stages.")
        self.widths, self.dual, self.supervised = widths, dual, supervised
        self.fine = _encoder(widths)
        self.coarse = _encoder(widths) if dual else nn.ModuleList()
        if dual:  # the deepest coarse map is half as large as the deepest fine one: the decoder begins there
            self.rise = nn.ConvTranspose3d(widths[-1], widths[-1], 2, stride=2)
            self.join = _Residual(2 * widths[-1] + widths[-2], widths[-1])
        self.ups, self.blocks = nn.ModuleList(), nn.ModuleList()
        for at in range(len(widths) - 2, -1, -1):  # deep to fine
            self.ups.append(nn.ConvTranspose3d(widths[at + 1], widths[at], 2, stride=2))
            beside = widths[at - 1] if dual and at > 0 else 0
            self.blocks.append(_Residual(2 * widths[at] + beside, widths[at]))
        self.heads = nn.ModuleList(nn.Conv3d(widths[at], 1, 1) for at in range(supervised))
        for head in self.heads:  # blood is rare: begin at 1 %, so that no steps are spent on learning that
            nn.init.constant_(head.bias, -4.6)  # type: ignore[arg-type]

    @property
    def bottleneck_layers(self) -> tuple[nn.Module, ...]:
        """The modules whose outputs are the bottlenecks, fine first (for Grad-CAM)."""
        return (self.fine[-1], *self.coarse[-1:])

    def encode(self, image: Tensor) -> Maps:
        """Return the encoders' maps of an image (B, 1, z, y, x).

        Raises:
            InputError: another number of channels, or a size that the stages cannot halve.
        """
        self._check(image)
        fine = _through(self.fine, image)
        return Maps(fine, _through(self.coarse, avg_pool3d(image, 2)) if self.dual else ())

    def decode(self, maps: Maps) -> list[Tensor]:
        """Return logits (B, 1, …) of the supervised sizes, the finest first."""
        deep = maps.fine[-1]
        if self.dual:
            deep = self.join(torch.cat([self.rise(maps.coarse[-1]), deep, maps.coarse[-2]], 1))
        outputs: list[Tensor] = []
        for step, (up, block) in enumerate(zip(self.ups, self.blocks, strict=True)):
            at = len(self.widths) - 2 - step
            beside = [maps.coarse[at - 1]] if self.dual and at > 0 else []
            deep = block(torch.cat([up(deep), maps.fine[at], *beside], 1))
            if at < self.supervised:
                outputs.append(self.heads[at](deep))
        return outputs[::-1]

    def forward(self, image: Tensor) -> list[Tensor]:
        """Logits (B, 1, z, y, x), (B, 1, z/2, y/2, x/2), … of an image (B, 1, z, y, x) in [0, 1]."""
        return self.decode(self.encode(image))

    def smallest_step(self) -> int:
        """Sizes of images must be multiples of this."""
        return int(2 ** (len(self.widths) - (0 if self.dual else 1)))

    def _check(self, image: Tensor) -> None:
        step = self.smallest_step()
        if image.ndim != 5 or image.shape[1] != 1 or any(size % step or size < step for size in image.shape[2:]):
            raise InputError(
                f"image: expected (batch, 1, z, y, x) with sizes that are multiples of {step}, "
                f"got shape {tuple(image.shape)}."
            )


class _Residual(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv3d(inputs, outputs, 3, stride, 1, bias=False)
        self.first_norm = nn.InstanceNorm3d(outputs, affine=True)
        self.second = nn.Conv3d(outputs, outputs, 3, 1, 1, bias=False)
        self.second_norm = nn.InstanceNorm3d(outputs, affine=True)
        self.act = nn.LeakyReLU(0.01, inplace=True)
        self.shortcut: nn.Module = nn.Identity()
        if inputs != outputs or stride > 1:
            pool: nn.Module = nn.AvgPool3d(stride) if stride > 1 else nn.Identity()
            self.shortcut = nn.Sequential(pool, nn.Conv3d(inputs, outputs, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        y = self.act(self.first_norm(self.first(x)))
        return self.act(self.second_norm(self.second(y)) + self.shortcut(x))  # type: ignore[no-any-return]


def _encoder(widths: tuple[int, ...]) -> nn.ModuleList:
    inputs = (1, *widths[:-1])
    return nn.ModuleList(
        _Residual(before, width, 1 if at == 0 else 2)
        for at, (before, width) in enumerate(zip(inputs, widths, strict=True))
    )


def _through(stages: nn.ModuleList, image: Tensor) -> tuple[Tensor, ...]:
    maps = []
    for stage in stages:
        image = stage(image)
        maps.append(image)
    return tuple(maps)
