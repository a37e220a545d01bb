"""Batches of stacks for a training loop: read, numbered, and lightly augmented.

What is drawn for a case depends on seed, epoch and case alone: neither its batch nor its process matters.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from deepradiomics.lens.encoders.config import StageTraining
from deepradiomics.lens.encoders.stacks import Stacks
from deepradiomics.training.augment import augment
from deepradiomics.training.seeds import seed_of

Batch = tuple[Tensor, Tensor, Tensor]  # images (B, C, z, y, x), targets (B, …), rows (B,)


def stack_batch(
    stacks: Stacks, rows: Sequence[int], targets: np.ndarray | None = None, region: str | None = None
) -> Batch:
    """Some rows of the stacks with their targets.

    Args:
        stacks: where the images are.
        rows: numbers of the rows (B,).
        targets: a target for each row of the stacks (N, …); None: none is needed.
        region: name of the region that is the target, instead of ``targets``.
    """
    if region is not None:
        wanted = stacks.masks(region, rows)[:, None].astype(np.float32)  # (B, 1, z, y, x)
    else:
        wanted = np.zeros(len(rows), np.float32) if targets is None else targets[rows]
    return torch.from_numpy(stacks.images(rows)), torch.from_numpy(wanted), torch.tensor(rows)


def augmented(
    images: Tensor, training: StageTraining, numbers: Sequence[Sequence[int]], masks: Tensor | None = None
) -> tuple[Tensor, Tensor | None]:
    """Mirror, move and add noise, case by case.

    Args:
        images: (B, C, z, y, x), x from right to left of the patient.
        training: which augmentation, and how much.
        numbers: for each case what its random numbers depend on, such as (seed, epoch, row).
        masks: (B, 1, z, y, x), mirrored and moved with the images.
    """
    channels, cases = images.shape[1], []
    for n, number in enumerate(numbers):
        generator = torch.Generator().manual_seed(seed_of(*number))
        case = images[n : n + 1] if masks is None else torch.cat([images[n : n + 1], masks[n : n + 1].to(images)], 1)
        if training.flip and bool(torch.rand((), generator=generator) < 0.5):
            case = case.flip(-1)
        case = augment(case, training.shift_voxels, 0.0, generator)
        noisy = augment(case[:, :channels], (0, 0, 0), training.noise_sd, generator)
        cases.append(torch.cat([noisy, case[:, channels:]], 1))
    both = torch.cat(cases)
    return both[:, :channels], None if masks is None else both[:, channels:]
