"""The LightningModule of a segmenter: Dice and cross-entropy at several sizes, heads varied by seed, epoch and case."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from deepradiomics.ich.segmenter.config import SegmenterTraining
from deepradiomics.ich.segmenter.data import Heads
from deepradiomics.networks.dual_unet import DualScaleUNet
from deepradiomics.training.module import CaseTraining
from deepradiomics.training.seeds import seed_of

Batch = tuple[Tensor, Tensor, Tensor]  # images and masks (B, 1, z, y, x), rows (B,)
_WARM_EPOCHS = 1  # epochs in which the rate rises to its full size: the first steps on random weights are wild
_SMOOTH = 1.0  # voxels: keeps the Dice of an empty mask defined


class Segmentation(CaseTraining):
    """Learns to distinguish blood from everything else.

    Args:
        network: trained in place.
        heads: all cases.
        rows: rows of the training and of the validation cases.
        training: rates, batches, augmentation.
        spacing_mm: of the cubes.
        seed: of order and augmentation.
    """

    subject = "The segmenter"
    network: DualScaleUNet

    def __init__(
        self,
        network: DualScaleUNet,
        heads: Heads,
        rows: tuple[Sequence[int], Sequence[int]],
        training: SegmenterTraining,
        spacing_mm: float,
        seed: int,
    ) -> None:
        super().__init__(rows, training, seed)
        self.network = network
        self._heads, self._training, self._spacing_mm = heads, training, spacing_mm

    def fetch(self, rows: list[int]) -> Batch:
        return torch.from_numpy(self._heads.images(rows)), torch.from_numpy(self._heads.masks(rows)), torch.tensor(rows)

    def validation_batch_size(self) -> int:
        return 1

    def training_step(self, batch: Batch, step: int) -> Tensor:
        images, masks, rows = batch
        images, masks = varied(images, masks, self._training, self.numbers(rows), self._spacing_mm)
        loss = deep_loss(self.network(images), masks)
        self.log_training("train_loss", loss, len(rows))
        return loss

    def validation_step(self, batch: Batch, step: int) -> None:
        images, masks, _ = batch
        logits = self.network(images)
        region = logits[0].float() > 0
        dice = (2 * (region * masks).sum() + _SMOOTH) / (region.sum() + masks.sum() + _SMOOTH)
        self.records.append(torch.stack([deep_loss(logits, masks).double(), dice.double()]).cpu())

    def scores(self, records: list[Tensor]) -> dict[str, float]:
        loss, dice = torch.stack(records).mean(dim=0).tolist()
        return {"validation_loss": loss, "validation_dice": dice}

    def rate_share(self, step: int) -> float:
        steps = max(1, int(self.trainer.num_training_batches))
        warm = min(1.0, (self.current_epoch * steps + step + 1) / (_WARM_EPOCHS * steps))
        return warm * super().rate_share(step)


def deep_loss(logits: Sequence[Tensor], masks: Tensor) -> Tensor:
    """Dice + cross-entropy, averaged over the supervised sizes with weights 1, ½, ¼, …

    Args:
        logits: (B, 1, z, y, x), (B, 1, z/2, y/2, x/2), ….
        masks: (B, 1, z, y, x), 0 or 1; at the smaller sizes a voxel's target is its share of haematoma.
    """
    total, weights = masks.new_zeros(()), 0.0
    target = masks.float()
    for at, output in enumerate(logits):
        if at:
            target = functional.avg_pool3d(target, 2)
        total = total + 0.5**at * segmentation_loss(output.float(), target)
        weights += 0.5**at
    return total / weights


def segmentation_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Mean over heads of (1 - soft Dice) plus the mean binary cross-entropy, float32.

    Of two classes (blood or not) binary cross-entropy is the cross-entropy. Source: paper 002, section 2.2; nnU-Net.
    """
    axes = (1, 2, 3, 4)
    chance = torch.sigmoid(logits)
    overlap = (2 * (chance * target).sum(axes) + _SMOOTH) / (chance.sum(axes) + target.sum(axes) + _SMOOTH)
    return (1 - overlap).mean() + functional.binary_cross_entropy_with_logits(logits, target)


def varied(
    images: Tensor,
    masks: Tensor,
    training: SegmenterTraining,
    numbers: Sequence[Sequence[int]],
    spacing_mm: float,
) -> tuple[Tensor, Tensor]:
    """Mirror, turn, zoom and move each head, and change its grey levels; what is drawn depends on its numbers alone.

    Args:
        images: (B, 1, z, y, x) in [0, 1]; what comes in from outside is air (0).
        masks: (B, 1, z, y, x), moved with the images.
        training: which augmentation, and how much.
        numbers: for each head what its random numbers depend on, such as (seed, epoch, row).
        spacing_mm: of the voxels.
    """
    generators = [torch.Generator().manual_seed(seed_of(*number)) for number in numbers]
    moves = torch.stack([_move(generator, training, images.shape[2:], spacing_mm) for generator in generators])
    if not torch.equal(moves, torch.eye(3, 4).expand_as(moves)):
        grid = functional.affine_grid(moves.to(images), list(images.shape), align_corners=False)
        images = functional.grid_sample(images, grid, "bilinear", "zeros", align_corners=False)
        masks = functional.grid_sample(masks, grid, "nearest", "zeros", align_corners=False)
    greys = []
    for image, generator in zip(images, generators, strict=True):
        shift, scale = (2 * torch.rand(2, generator=generator) - 1).tolist()
        noise = torch.randn(image.shape, generator=generator).to(image)
        changed = image * (1 + training.grey_scale * scale) + training.grey_shift * shift + training.noise_sd * noise
        greys.append(changed.clamp(0, 1))
    return torch.stack(greys), masks


def _move(generator: torch.Generator, training: SegmenterTraining, shape: Sequence[int], spacing_mm: float) -> Tensor:
    """(3, 4): from the varied head's coordinates (x, y, z in -1 … 1) to the given one's."""
    draws = 2 * torch.rand(8, generator=generator, dtype=torch.float64) - 1
    size = torch.tensor([float(count) for count in reversed(shape)], dtype=torch.float64)  # (x, y, z)
    turn = torch.eye(3, dtype=torch.float64)
    for axis, draw in enumerate(draws[:3]):
        angle = math.radians(training.rotate_degrees) * float(draw)
        c, s = math.cos(angle), math.sin(angle)
        first, second = [other for other in range(3) if other != axis]
        once = torch.eye(3, dtype=torch.float64)
        once[first, first], once[first, second], once[second, first], once[second, second] = c, -s, s, c
        turn = turn @ once
    scale = 1 + training.zoom * float(draws[3])
    flip = -1.0 if training.flip and float(draws[4]) < 0 else 1.0
    in_voxels = turn @ torch.diag(torch.tensor([flip / scale, 1 / scale, 1 / scale], dtype=torch.float64))
    linear = torch.diag(1 / size) @ in_voxels @ torch.diag(size)
    offset = 2 * training.shift_mm / spacing_mm * draws[5:8] / size
    return torch.cat([linear, offset[:, None]], 1).float()
