"""Masked autoencoder: the encoder learns by reconstructing patches that are hidden from it.

::

    image ─ hide 60 % of its 16³ patches ─ encoder (dense masking) ─ 1³ ─ mask token at hidden places
          ─ one ConvNeXt block ─ every patch predicted ─ mean squared error on the hidden patches only

Each target patch is normalised by its own mean and standard deviation (a channel at a time: modalities have scales of
their own), which makes texture count as much as brightness.

Sources: Woo et al. 2023, section 3.1 (FCMAE; masks before and after dense convolutions in place of sparse ones);
He et al. 2022 (per-patch normalisation).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn

from deepradiomics.errors import InputError
from deepradiomics.networks.convnextv2 import TOTAL_STRIDE, Block, ConvNeXtV2

_VARIANCE_EPS = 1e-6


class Reconstruction(NamedTuple):
    """What one pass of the autoencoder gives.

    Attributes:
        loss: scalar.
        image: (B, C, z, y, x), no gradient: every patch as predicted, back on the image's own scale.
        mask: bool (B, z/p, y/p, x/p), True where a patch was hidden.
    """

    loss: torch.Tensor
    image: torch.Tensor
    mask: torch.Tensor


class MaskedAutoencoder(nn.Module):
    """An encoder with a decoder that is thrown away after pre-training.

    Args:
        encoder: trained in place.
        patch: edge of a patch in voxels, a multiple of 16.
        ratio: part of the patches that is hidden, between 0 and 1.
        decoder_dim: channels of the decoder.

    Raises:
        InputError: an argument is out of range.
    """

    def __init__(self, encoder: ConvNeXtV2, patch: int = 16, ratio: float = 0.6, decoder_dim: int = 512) -> None:
        super().__init__()
        if patch < TOTAL_STRIDE or patch % TOTAL_STRIDE:
            raise InputError(f"patch: expected a multiple of {TOTAL_STRIDE} (the encoder's stride), got {patch}.")
        if not 0 < ratio < 1:
            raise InputError(f"ratio: expected a part between 0 and 1 of the patches, got {ratio}.")
        if decoder_dim < 1:
            raise InputError(f"decoder_dim: expected at least 1 channel, got {decoder_dim}.")
        self.encoder = encoder
        self.patch, self.ratio = patch, ratio
        cells = patch // TOTAL_STRIDE  # places of the encoder's last map along the edge of a patch
        self.project = nn.Conv3d(encoder.dimension, decoder_dim, 1)
        self.mask_token = nn.Parameter(torch.zeros(1, decoder_dim, 1, 1, 1))
        self.decoder = Block(decoder_dim)
        self.predict = nn.Conv3d(decoder_dim, encoder.in_channels * patch**3, cells, cells)
        nn.init.normal_(self.mask_token, std=0.02)
        for module in (self.project, *self.decoder.modules(), self.predict):
            if isinstance(module, nn.Conv3d | nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]

    def forward(self, images: torch.Tensor, generator: torch.Generator | None = None) -> Reconstruction:
        """Hide patches of images (B, C, z, y, x), predict them and compare.

        Raises:
            InputError: the image's size is not a multiple of the patch, or too small for the ratio.
        """
        mask = random_mask(images.shape, self.patch, self.ratio, generator).to(images.device)
        predicted = self.predicted_patches(images, mask)
        targets, mean, deviation = normalised_patches(images, self.patch)
        loss = masked_loss(predicted, targets, mask)
        with torch.no_grad():
            image = from_patches(predicted.detach().to(images.dtype) * deviation + mean, self.patch, mask.shape[1:])
        return Reconstruction(loss, image, mask)

    def predicted_patches(self, images: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return every patch as predicted, (B, patches, C, p³), normalised; only patches outside ``mask`` are seen."""
        hidden = mask.unsqueeze(1).to(images.dtype)
        for axis in (2, 3, 4):
            hidden = hidden.repeat_interleave(self.patch // TOTAL_STRIDE, dim=axis)
        maps = self.project(self.encoder.forward_features(images, 1 - hidden)[-1])
        maps = self.decoder(maps * (1 - hidden) + self.mask_token * hidden)
        flat = self.predict(maps).flatten(2).movedim(1, 2)  # (B, patches, C·p³)
        return flat.unflatten(2, (self.encoder.in_channels, self.patch**3))


def random_mask(shape: torch.Size, patch: int, ratio: float, generator: torch.Generator | None = None) -> torch.Tensor:
    """Choose which patches of images of ``shape`` (B, C, z, y, x) are hidden, as many in each: bool (B, z/p, y/p, x/p).

    Raises:
        InputError: the size is not a multiple of the patch, or so few patches that none or all would be hidden.
    """
    batch, size = shape[0], tuple(shape[2:])
    if any(length % patch or not length for length in size):
        raise InputError(
            f"images: the patch of {patch}³ voxels does not divide the size {size} (z, y, x). "
            "Change size_zyx of the stack's recipe to multiples of the patch."
        )
    grid = tuple(length // patch for length in size)
    count = grid[0] * grid[1] * grid[2]
    hidden = round(ratio * count)
    if not 0 < hidden < count:
        raise InputError(
            f"images: of {count} patches of {patch}³ voxels a ratio of {ratio} hides {hidden}; at least one must be "
            "hidden and one seen. Use larger images, or a smaller patch."
        )
    device = generator.device if generator is not None else torch.device("cpu")
    order = torch.rand(batch, count, generator=generator, device=device).argsort(dim=1)
    mask = torch.zeros(batch, count, dtype=torch.bool, device=device)
    return mask.scatter_(1, order[:, :hidden], True).view(batch, *grid)


def to_patches(images: torch.Tensor, patch: int) -> torch.Tensor:
    """Cut images (B, C, z, y, x) into (B, patches, C, p³)."""
    batch, channels, z, y, x = images.shape
    cut = images.reshape(batch, channels, z // patch, patch, y // patch, patch, x // patch, patch)
    return cut.permute(0, 2, 4, 6, 1, 3, 5, 7).reshape(batch, -1, channels, patch**3)


def from_patches(patches: torch.Tensor, patch: int, grid: torch.Size | tuple[int, ...]) -> torch.Tensor:
    """Inverse of :func:`to_patches`; ``grid`` is the number of patches along (z, y, x)."""
    batch, _, channels, _ = patches.shape
    cut = patches.reshape(batch, *grid, channels, patch, patch, patch).permute(0, 4, 1, 5, 2, 6, 3, 7)
    return cut.reshape(batch, channels, *(n * patch for n in grid))


def normalised_patches(images: torch.Tensor, patch: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the patches (B, patches, C, p³) with mean 0 and variance 1 each, and their means and deviations."""
    patches = to_patches(images, patch)
    mean = patches.mean(dim=-1, keepdim=True)
    deviation = (patches.var(dim=-1, keepdim=True) + _VARIANCE_EPS).sqrt()
    return (patches - mean) / deviation, mean, deviation


def masked_loss(predicted: torch.Tensor, targets: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean squared error over hidden patches; ``predicted`` and ``targets`` (B, patches, C, p³)."""
    errors = (predicted - targets).square().mean(dim=(2, 3))  # (B, patches)
    hidden = mask.flatten(1).to(errors.dtype)
    return (errors * hidden).sum() / hidden.sum()
