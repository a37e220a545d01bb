"""The LightningModule of masked pre-training: what is hidden and how images are changed depends on the case alone.

A validation case always has the same patches hidden, so that the epochs compare.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from deepradiomics.errors import InputError
from deepradiomics.lens.stack_data import Batch, StackCases, augmented
from deepradiomics.lens.stacks import Stacks
from deepradiomics.lens.training_config import StageTraining
from deepradiomics.networks.mae import MaskedAutoencoder, masked_loss, normalised_patches, random_mask
from deepradiomics.training.batches import SeededBatches, as_it_is
from deepradiomics.training.optimise import adamw
from deepradiomics.training.schedule import cosine, set_rates
from deepradiomics.training.seeds import seed_of


class Pretraining(pl.LightningModule):
    """Mean squared error of the hidden patches.

    Args:
        model: trained in place.
        stacks: all cases.
        rows: rows of the training and of the validation cases.
        training: rates, batches, augmentation.
        seed: of order, masks and augmentation.
    """

    def __init__(
        self,
        model: MaskedAutoencoder,
        stacks: Stacks,
        rows: tuple[Sequence[int], Sequence[int]],
        training: StageTraining,
        seed: int,
    ) -> None:
        super().__init__()
        self.model = model
        self._stacks, self._rows, self._training, self._seed = stacks, rows, training, seed
        self._sums: list[Tensor] = []

    def train_dataloader(self) -> DataLoader[Batch]:
        cases = StackCases(self._stacks, self._rows[0])
        batches = SeededBatches(
            len(cases), self._training.batch_size, self._seed,
            rank=self.trainer.global_rank, world=self.trainer.world_size,
        )  # fmt: skip
        return DataLoader(cases, batch_sampler=batches, collate_fn=as_it_is, num_workers=0)

    def val_dataloader(self) -> DataLoader[Batch]:
        rank, world = self.trainer.global_rank, self.trainer.world_size
        rows = self._rows[1]
        own = rows[rank::world] if len(rows) >= world else rows
        return DataLoader(
            StackCases(self._stacks, own), batch_size=self._training.batch_size, collate_fn=as_it_is, num_workers=0
        )

    def training_step(self, batch: Batch, step: int) -> Tensor:
        images, _, rows = batch
        numbers = [(self._seed, 1 + self.current_epoch, int(row)) for row in rows]
        images, _ = augmented(images, self._training, numbers)
        loss = self._loss(images, numbers)
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(rows), sync_dist=True)
        return loss

    def validation_step(self, batch: Batch, step: int) -> None:
        images, _, rows = batch
        loss = self._loss(images, [(self._seed, 0, int(row)) for row in rows])
        self._sums.append(torch.stack([loss.double() * len(rows), loss.new_tensor(len(rows)).double()]))

    def on_validation_epoch_end(self) -> None:
        total = self.trainer.strategy.reduce(torch.stack(self._sums).sum(dim=0), reduce_op="sum")
        self._sums.clear()
        loss = total[0] / total[1]  # type: ignore[index]
        if not torch.isfinite(loss):
            raise InputError(
                f"Pre-training diverged in epoch {self.current_epoch + 1}: the validation loss is not a number. Use a "
                "smaller learning_rate, and start over with resume=False (--no-resume) or in another folder."
            )
        self.log("validation_loss", loss.float())

    def on_train_epoch_start(self) -> None:
        set_rates(self.trainer.optimizers[0], cosine(self.current_epoch, self._training.epochs))

    def configure_optimizers(self) -> Any:
        return adamw(self.model, self._training.learning_rate, self._training.weight_decay)

    def _loss(self, images: Tensor, numbers: Sequence[Sequence[int]]) -> Tensor:
        mask = hidden(self.model, images, numbers)
        predicted = self.model.predicted_patches(images, mask)
        return masked_loss(predicted, normalised_patches(images, self.model.patch)[0], mask)


def hidden(model: MaskedAutoencoder, images: Tensor, numbers: Sequence[Sequence[int]]) -> Tensor:
    """Which patches are hidden, bool (B, z/p, y/p, x/p): those of a case depend on its numbers alone."""
    shape = torch.Size((1, *images.shape[1:]))
    masks = [
        random_mask(shape, model.patch, model.ratio, torch.Generator().manual_seed(seed_of(*number)))
        for number in numbers
    ]
    return torch.cat(masks).to(images.device)
