"""Light augmentation of the images that a network sees: small shifts and noise.

Neither changes a label or a radiomic feature of the whole image. A flip may (it exchanges left and right, and the
patches of a grid), so it is never done here: callers that may flip do it themselves.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def augment(images: Tensor, shift_voxels: Sequence[int], noise_sd: float, generator: torch.Generator) -> Tensor:
    """Move each image by whole voxels and add noise; the same generator state gives the same result.

    Args:
        images: (B, V, z, y, x). Other shapes get noise alone.
        shift_voxels: largest shift along (z, y, x); what comes in from outside is 0, the mean of a z-scored image.
        noise_sd: SD of the Gaussian noise.
        generator: on the CPU, so that all devices draw the same numbers.
    """
    if images.ndim == 5 and any(shift_voxels):
        images = torch.stack([_shifted(image, shift_voxels, generator) for image in images])
    if noise_sd > 0:
        noise = torch.randn(images.shape, generator=generator, dtype=torch.float32)
        images = images + noise_sd * noise.to(images)
    return images


def _shifted(image: Tensor, limits: Sequence[int], generator: torch.Generator) -> Tensor:
    shifts = [int(torch.randint(-limit, limit + 1, (), generator=generator)) for limit in limits]
    moved = torch.zeros_like(image)
    source, target = [], []
    for shift, size in zip(shifts, image.shape[1:], strict=True):
        reach = max(0, size - abs(shift))
        source.append(slice(max(0, -shift), max(0, -shift) + reach))
        target.append(slice(max(0, shift), max(0, shift) + reach))
    moved[(slice(None), *target)] = image[(slice(None), *source)]
    return moved
