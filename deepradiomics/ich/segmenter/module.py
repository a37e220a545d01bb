"""The LightningModule of a segmenter: Dice and cross-entropy at several sizes, heads varied by seed, epoch and case."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader

from deepradiomics.errors import InputError
from deepradiomics.ich.segment_config import SegmenterTraining
from deepradiomics.ich.segment_data import Heads
from deepradiomics.networks.dual_unet import DualScaleUNet
from deepradiomics.training.batches import CaseBatches, SeededBatches, as_it_is
from deepradiomics.training.optimise import adamw
from deepradiomics.training.schedule import cosine, set_rates
from deepradiomics.training.seeds import seed_of

Batch = tuple[Tensor, Tensor, Tensor]  # images and masks (B, 1, z, y, x), rows (B,)
_WARM_EPOCHS = 1  # the rate rises to its height within so many epochs: the first steps on random weights are wild
_SMOOTH = 1.0  # voxels: keeps the Dice of an empty mask defined


class Segmentation(pl.LightningModule):
    """Learns to tell blood from everything else.

    Args:
        network: trained in place.
        heads: all cases.
        rows: rows of the training and of the validation cases.
        training: rates, batches, augmentation.
        spacing_mm: of the cubes.
        seed: of order and augmentation.
    """

    def __init__(
        self,
        network: DualScaleUNet,
        heads: Heads,
        rows: tuple[Sequence[int], Sequence[int]],
        training: SegmenterTraining,
        spacing_mm: float,
        seed: int,
    ) -> None:
        super().__init__()
        self.network = network
        self._heads, self._rows, self._training = heads, rows, training
        self._spacing_mm, self._seed = spacing_mm, seed
        self._seen: list[Tensor] = []

    def train_dataloader(self) -> DataLoader[Batch]:
        cases = CaseBatches(self._rows[0], self._fetch)
        batches = SeededBatches(
            len(cases), self._training.batch_size, self._seed,
            rank=self.trainer.global_rank, world=self.trainer.world_size,
        )  # fmt: skip
        return DataLoader(cases, batch_sampler=batches, collate_fn=as_it_is, num_workers=0)

    def val_dataloader(self) -> DataLoader[Batch]:
        # Every process sees every validation case: there are few, and all must agree on the best epoch.
        return DataLoader(CaseBatches(self._rows[1], self._fetch), batch_size=1, collate_fn=as_it_is, num_workers=0)

    def _fetch(self, rows: list[int]) -> Batch:
        return torch.from_numpy(self._heads.images(rows)), torch.from_numpy(self._heads.masks(rows)), torch.tensor(rows)

    def training_step(self, batch: Batch, step: int) -> Tensor:
        images, masks, rows = batch
        numbers = [(self._seed, 1 + self.current_epoch, int(row)) for row in rows]
        images, masks = varied(images, masks, self._training, numbers, self._spacing_mm)
        loss = deep_loss(self.network(images), masks)
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(rows), sync_dist=True)
        return loss

    def validation_step(self, batch: Batch, step: int) -> None:
        images, masks, _ = batch
        logits = self.network(images)
        region = logits[0].float() > 0
        dice = (2 * (region * masks).sum() + _SMOOTH) / (region.sum() + masks.sum() + _SMOOTH)
        self._seen.append(torch.stack([deep_loss(logits, masks).double(), dice.double()]).cpu())

    def on_validation_epoch_end(self) -> None:
        loss, dice = torch.stack(self._seen).mean(dim=0).tolist()
        self._seen.clear()
        if not math.isfinite(loss):
            raise InputError(
                f"The segmenter diverged in epoch {self.current_epoch + 1}: the validation loss is not a number. Use a "
                "smaller learning_rate, and start over with resume=False (--no-resume) or in another folder."
            )
        self.log("validation_loss", float(loss))
        self.log("validation_dice", float(dice))

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        steps = max(1, int(self.trainer.num_training_batches))
        warm = min(1.0, (self.current_epoch * steps + batch_idx + 1) / (_WARM_EPOCHS * steps))
        set_rates(self.trainer.optimizers[0], warm * cosine(self.current_epoch, self._training.epochs))

    def configure_optimizers(self) -> Any:
        return adamw(self.network, self._training.learning_rate, self._training.weight_decay)


def deep_loss(logits: Sequence[Tensor], masks: Tensor) -> Tensor:
    """Dice + cross-entropy, averaged over the supervised sizes with weights 1, ½, ¼, …

    Args:
        logits: (B, 1, z, y, x), (B, 1, z/2, y/2, x/2), ….
        masks: (B, 1, z, y, x), 0 or 1; at the smaller sizes a voxel's target is its share of haematoma.
    """
    total, weights = masks.new_zeros(()), 0.0
    target = masks.float()
    for at, opinion in enumerate(logits):
        if at:
            target = functional.avg_pool3d(target, 2)
        total = total + 0.5**at * segmentation_loss(opinion.float(), target)
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
