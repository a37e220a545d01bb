"""The encoder: ConvNeXt-V2 for volumes, from an image of any number of channels to one vector.

::

    image (B, C, z, y, x) ─ 4³ stem /4 ─ stage 0 ─ 2³ /2 ─ stage 1 ─ 2³ /2 ─ stage 2 ─ 1³ /1 ─ stage 3 ─ mean ─ norm
    block: x + [7³ depthwise ─ norm ─ linear ×4 ─ GELU ─ GRN ─ linear](x)

The last step does not halve the map, so that thin stacks of slices keep some depth: the whole stride is 16. A pyramid
of masks (``visible``) makes every layer behave as if hidden places did not exist, which is what the masked autoencoder
needs ("dense masking").

Sources: Woo et al. 2023 (ConvNeXt V2: block, GRN in its equations 1-3, sizes); the three-dimensional layout (strides,
names of the parameters) is that of ProFound's public code, so that its checkpoints fit (``profound.py``).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from deepradiomics.errors import InputError

STRIDES = (4, 2, 2, 1)
TOTAL_STRIDE = 16
NORM_EPS = 1e-6


@dataclass(frozen=True)
class SizeOf:
    """Blocks and channels of the four stages."""

    depths: tuple[int, int, int, int]
    dims: tuple[int, int, int, int]


# fmt: off
SIZES: dict[str, SizeOf] = {
    "micro": SizeOf((1, 1, 2, 1),  (8, 16, 32, 64)),    # ours, for the sample lens; never published
    "mini":  SizeOf((1, 1, 2, 1),  (16, 32, 64, 128)),  # ours, for tests on a CPU; never published
    "atto":  SizeOf((2, 2, 6, 2),  (40, 80, 160, 320)),
    "femto": SizeOf((2, 2, 6, 2),  (48, 96, 192, 384)),
    "pico":  SizeOf((2, 2, 6, 2),  (64, 128, 256, 512)),
    "nano":  SizeOf((2, 2, 8, 2),  (80, 160, 320, 640)),
    "tiny":  SizeOf((3, 3, 9, 3),  (96, 192, 384, 768)),
    "base":  SizeOf((3, 3, 27, 3), (128, 256, 512, 1024)),
    "large": SizeOf((3, 3, 27, 3), (192, 384, 768, 1536)),
    "huge":  SizeOf((3, 3, 27, 3), (352, 704, 1408, 2816)),
}
# fmt: on


class ChannelsFirstNorm(nn.Module):
    """LayerNorm over the channels of a map (B, C, z, y, x), at each place by itself."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        last = nn.functional.layer_norm(maps.movedim(1, -1), self.weight.shape, self.weight, self.bias, NORM_EPS)
        return last.movedim(-1, 1)


class GRN(nn.Module):
    """Global response normalisation of maps with the channels last, (B, z, y, x, C).

    X ↦ γ·(X·N) + β + X with N_c = ‖X_c‖₂ / (mean over channels of ‖X_c‖₂ + ε), norms over all places (Woo et al. 2023).
    γ and β start at zero: the layer begins as the identity.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(1, 1, 1, 1, channels))
        self.beta = nn.Parameter(torch.zeros(1, 1, 1, 1, channels))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        # Sums of squares over a volume overflow half precision.
        wide = torch.promote_types(maps.dtype, torch.float32)
        norms = torch.linalg.vector_norm(maps, dim=(1, 2, 3), keepdim=True, dtype=wide)
        relative = norms / (norms.mean(dim=-1, keepdim=True) + NORM_EPS)  # (B, 1, 1, 1, C)
        # γ·(X·N) + X = X·(1 + γ·N): one pass over the largest maps of the network in place of four.
        return torch.addcmul(self.beta.to(maps.dtype), maps, (1 + self.gamma * relative).to(maps.dtype))


class DropPath(nn.Module):
    """Stochastic depth (Huang et al. 2016): while training, leave out the branch of a sample with ``rate``."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, branch: torch.Tensor) -> torch.Tensor:
        if not self.training or self.rate == 0:
            return branch
        keep = torch.rand(branch.shape[0], device=branch.device) >= self.rate
        return branch * (keep.to(branch.dtype) / (1 - self.rate)).view(-1, 1, 1, 1, 1)


class Block(nn.Module):
    """One residual block on maps (B, C, z, y, x); ``visible`` (B, 1, z, y, x), 1 or 0, hides places."""

    def __init__(self, channels: int, drop_path: float = 0.0) -> None:
        super().__init__()
        self.dwconv = nn.Conv3d(channels, channels, 7, padding=3, groups=channels)
        self.norm = nn.LayerNorm(channels, eps=NORM_EPS)
        self.pwconv1 = nn.Linear(channels, 4 * channels)
        self.act = nn.GELU()
        self.grn = GRN(4 * channels)
        self.pwconv2 = nn.Linear(4 * channels, channels)
        self.drop_path = DropPath(drop_path)

    def forward(self, maps: torch.Tensor, visible: torch.Tensor | None = None) -> torch.Tensor:
        branch = self.act(self.pwconv1(self.norm(self.dwconv(maps).movedim(1, -1))))
        if visible is not None:  # the response norms of GRN may count visible places only
            branch = branch * visible.movedim(1, -1)
        branch = self.pwconv2(self.grn(branch)).movedim(-1, 1)
        if visible is not None:  # and what is hidden stays zero for the next 7³ neighbourhood
            branch = branch * visible
        return maps + self.drop_path(branch)


class ConvNeXtV2(nn.Module):
    """A ConvNeXt-V2 encoder of volumes.

    Args:
        in_channels: channels (modalities) of the image.
        size: one of :data:`SIZES`.
        drop_path: rate of stochastic depth at the last block; it grows linearly from 0 at the first.

    Raises:
        InputError: an argument is out of range.

    >>> ConvNeXtV2(3, "mini")(torch.zeros(1, 3, 16, 32, 32)).shape
    torch.Size([1, 128])
    """

    def __init__(self, in_channels: int = 3, size: str = "tiny", drop_path: float = 0.0) -> None:
        super().__init__()
        if size not in SIZES:
            raise InputError(f"size: expected one of {', '.join(SIZES)}, got {size!r}.")
        if in_channels < 1:
            raise InputError(f"in_channels: expected at least 1, got {in_channels}.")
        if not 0 <= drop_path < 1:
            raise InputError(f"drop_path: expected a rate from 0 to below 1, got {drop_path}.")
        depths, dims = SIZES[size].depths, SIZES[size].dims
        self.size = size
        self.in_channels = in_channels
        self.dims = dims
        self.downsample_layers = nn.ModuleList(
            [nn.Sequential(nn.Conv3d(in_channels, dims[0], STRIDES[0], STRIDES[0]), ChannelsFirstNorm(dims[0]))]
        )
        for before, after, stride in zip(dims, dims[1:], STRIDES[1:], strict=False):
            self.downsample_layers.append(
                nn.Sequential(ChannelsFirstNorm(before), nn.Conv3d(before, after, stride, stride))
            )
        rates = [drop_path * i / (sum(depths) - 1) for i in range(sum(depths))]
        self.stages = nn.ModuleList(
            nn.Sequential(*(Block(dim, rates.pop(0)) for _ in range(depth)))
            for dim, depth in zip(dims, depths, strict=True)
        )
        self.norm = nn.LayerNorm(dims[-1], eps=NORM_EPS)
        for module in self.modules():
            if isinstance(module, nn.Conv3d | nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    @property
    def dimension(self) -> int:
        """Length d of the pooled vector."""
        return self.dims[-1]

    def forward_features(self, images: torch.Tensor, visible: torch.Tensor | None = None) -> list[torch.Tensor]:
        """Return the maps of the four stages, at strides 4, 8, 16 and 16.

        Args:
            images: (B, C, z, y, x); each length a multiple of 16.
            visible: (B, 1, z/16, y/16, x/16), 1 where the image may be seen, 0 where it is hidden; None: all of it.
                Hidden places are zero in every map and change no visible one.

        Raises:
            InputError: the shape does not fit the network.
        """
        _check(images, self.in_channels)
        maps, stages = images, []
        for step, stage, stride in zip(self.downsample_layers, self.stages, (4, 8, 16, 16), strict=True):
            maps = step(maps)
            if visible is None:
                maps = stage(maps)
            else:
                mask = _repeated(visible.to(maps.dtype), TOTAL_STRIDE // stride)
                maps = maps * mask
                for block in stage:  # type: ignore[attr-defined]
                    maps = block(maps, mask)
            stages.append(maps)
        return stages

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the pooled vector (B, d): mean of the last map over its places, then LayerNorm."""
        return self.norm(self.forward_features(images)[-1].mean(dim=(2, 3, 4)))


def _check(images: torch.Tensor, in_channels: int) -> None:
    if images.ndim != 5 or images.shape[1] != in_channels:
        raise InputError(f"images: expected (batch, {in_channels}, z, y, x), got shape {tuple(images.shape)}.")
    if any(length % TOTAL_STRIDE or not length for length in images.shape[2:]):
        raise InputError(
            f"images: ConvNeXt-V2 needs lengths that are multiples of {TOTAL_STRIDE} (z, y, x), "
            f"got {tuple(images.shape[2:])}. Change size_zyx of the stack's recipe."
        )


def _repeated(mask: torch.Tensor, times: int) -> torch.Tensor:
    """Each place of (B, 1, z, y, x) as a cube of ``times``³ places."""
    for axis in (2, 3, 4):
        mask = mask.repeat_interleave(times, dim=axis)
    return mask
