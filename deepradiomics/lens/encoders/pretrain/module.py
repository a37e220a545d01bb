"""Masked pre-training as a LightningModule: hidden patches and augmentation depend on seed, epoch and case alone.

A validation case always has the same patches hidden, so that the epochs compare.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from deepradiomics.lens.encoders.config import StageTraining
from deepradiomics.lens.encoders.stack_data import Batch, augmented, stack_batch
from deepradiomics.lens.encoders.stacks import Stacks
from deepradiomics.networks.mae import MaskedAutoencoder, masked_loss, normalised_patches, random_mask
from deepradiomics.training.module import CaseTraining
from deepradiomics.training.seeds import seed_of


class Pretraining(CaseTraining):
    """Mean squared error of the hidden patches.

    Args:
        network: trained in place.
        stacks: all cases.
        rows: rows of the training and of the validation cases.
        training: rates, batches, augmentation.
        seed: of order, masks and augmentation.
    """

    subject = "Pre-training"
    network: MaskedAutoencoder

    def __init__(
        self,
        network: MaskedAutoencoder,
        stacks: Stacks,
        rows: tuple[Sequence[int], Sequence[int]],
        training: StageTraining,
        seed: int,
    ) -> None:
        super().__init__(rows, training, seed)
        self.network = network
        self._stacks, self._training = stacks, training

    def fetch(self, rows: list[int]) -> Batch:
        return stack_batch(self._stacks, rows)

    def validation_rows(self) -> Sequence[int]:
        rank, world = self.trainer.global_rank, self.trainer.world_size
        return self.rows[1][rank::world] if len(self.rows[1]) >= world else self.rows[1]

    def training_step(self, batch: Batch, step: int) -> Tensor:
        images, _, rows = batch
        numbers = self.numbers(rows)
        images, _ = augmented(images, self._training, numbers)
        loss = self._loss(images, numbers)
        self.log_training("train_loss", loss, len(rows))
        return loss

    def validation_step(self, batch: Batch, step: int) -> None:
        images, _, rows = batch
        loss = self._loss(images, [(self.seed, 0, int(row)) for row in rows])
        self.records.append(torch.stack([loss.double() * len(rows), loss.new_tensor(len(rows)).double()]))

    def scores(self, records: list[Tensor]) -> dict[str, float]:
        total: Any = self.trainer.strategy.reduce(torch.stack(records).sum(dim=0), reduce_op="sum")
        return {"validation_loss": float(total[0] / total[1])}

    def _loss(self, images: Tensor, numbers: Sequence[Sequence[int]]) -> Tensor:
        mask = hidden(self.network, images, numbers)
        predicted = self.network.predicted_patches(images, mask)
        return masked_loss(predicted, normalised_patches(images, self.network.patch)[0], mask)


def hidden(model: MaskedAutoencoder, images: Tensor, numbers: Sequence[Sequence[int]]) -> Tensor:
    """Which patches are hidden, bool (B, z/p, y/p, x/p): those of a case depend on its numbers alone."""
    shape = torch.Size((1, *images.shape[1:]))
    masks = [
        random_mask(shape, model.patch, model.ratio, torch.Generator().manual_seed(seed_of(*number)))
        for number in numbers
    ]
    return torch.cat(masks).to(images.device)
