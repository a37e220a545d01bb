"""The LightningModule of the VAE-GAN: two networks, two optimisers, and steps that can be repeated bit by bit.

All that is random in a step (noise of the latents, augmentation) comes from (seed, epoch, row of the case), and both
optimisers are in the checkpoint: a run that was killed ends like one that was not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from deepradiomics.errors import InputError
from deepradiomics.ich.autoencoder_config import AutoencoderTraining
from deepradiomics.ich.autoencoder_crops import Crops
from deepradiomics.networks.vaegan import deceiving, feature_distance, free_bits, judging, kl_divergence
from deepradiomics.training.augment import augment
from deepradiomics.training.batches import CaseBatches, SeededBatches, as_it_is
from deepradiomics.training.optimise import adamw
from deepradiomics.training.schedule import cosine, set_rates
from deepradiomics.training.seeds import seed_of

Batch = tuple[Tensor, Tensor, Tensor]  # crops (B, 1, n, n, n), dilated lesions (B, 1, n, n, n) as 0 and 1, rows (B,)


class VaeGanTraining(pl.LightningModule):
    """Trains an autoencoder against a discriminator.

    Args:
        autoencoder, discriminator: trained in place.
        crops: all cases.
        rows: rows of the training and of the validation cases.
        training: losses, rates, batches, augmentation.
        seed: of order, noise and augmentation.
    """

    def __init__(
        self,
        autoencoder: nn.Module,
        discriminator: nn.Module,
        crops: Crops,
        rows: tuple[Sequence[int], Sequence[int]],
        training: AutoencoderTraining,
        seed: int,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False  # two networks that learn from each other in turn
        self.autoencoder: Any = autoencoder
        self.discriminator: Any = discriminator
        self._crops, self._rows, self._training, self._seed = crops, rows, training, seed
        self._sums: list[Tensor] = []

    def train_dataloader(self) -> DataLoader[Batch]:
        cases = CaseBatches(self._rows[0], self._fetch)
        batches = SeededBatches(len(cases), self._training.batch_size, self._seed)
        return DataLoader(cases, batch_sampler=batches, collate_fn=as_it_is, num_workers=0)

    def val_dataloader(self) -> DataLoader[Batch]:
        cases = CaseBatches(self._rows[1], self._fetch)
        return DataLoader(cases, batch_size=self._training.batch_size, collate_fn=as_it_is, num_workers=0)

    def _fetch(self, rows: list[int]) -> Batch:
        lesions = (self._crops.regions(rows)[:, None] > 0).astype(np.float32)
        return torch.from_numpy(self._crops.images(rows)), torch.from_numpy(lesions), torch.tensor(rows)

    def training_step(self, batch: Batch, step: int) -> None:
        images, lesions, rows = self._augmented(batch)
        judged = self._training.judged(self.current_epoch)
        painter, judge = self.optimizers()  # type: ignore[attr-defined]
        made = self._paint(images, lesions, rows, painter, judged)
        if judged:
            self._judge(images, made, judge)

    def validation_step(self, batch: Batch, step: int) -> None:
        images, _, _ = batch
        mean, deviation = self.autoencoder.encode(images)
        error = (self.autoencoder.decode(mean).float() - images).abs().mean()
        divergence = kl_divergence(mean, deviation).mean()
        sums = torch.stack([error.double(), divergence.double(), error.new_ones(()).double()])
        self._sums.append(sums * len(images))

    def on_validation_epoch_end(self) -> None:
        total = torch.stack(self._sums).sum(dim=0)
        self._sums.clear()
        error, divergence = (total[:2] / total[2]).tolist()
        loss = error + self._training.kl_weight * divergence
        if not loss < float("inf"):
            raise InputError(
                f"The autoencoder diverged in epoch {self.current_epoch + 1}: its validation loss is not a number. Use "
                "a smaller learning_rate, and start over with resume=False (--no-resume) or in another folder."
            )
        self.log_dict(
            {
                "validation_loss": loss, "validation_error": error, "validation_kl": divergence,
                "epochs_done": float(self.current_epoch + 1),
            }
        )  # fmt: skip

    def on_train_epoch_start(self) -> None:
        for optimizer in self.trainer.optimizers:
            set_rates(optimizer, cosine(self.current_epoch, self._training.epochs))

    def configure_optimizers(self) -> Any:
        training = self._training
        return [
            adamw(self.autoencoder, training.learning_rate, training.weight_decay),
            adamw(self.discriminator, training.judge_rate, training.weight_decay),
        ]

    def _paint(self, images: Tensor, lesions: Tensor, rows: Tensor, optimizer: Any, judged: bool) -> Tensor:
        """One step of the autoencoder; returns what it painted."""
        training = self._training
        self.toggle_optimizer(optimizer)
        mean, deviation = self.autoencoder.encode(images)
        made = self.autoencoder.decode(mean + deviation * self._noise(mean, rows))
        weight = 1 + (training.lesion_weight - 1) * lesions
        error = ((made.float() - images).abs() * weight).sum() / weight.sum()
        divergence = kl_divergence(mean, deviation)
        loss = error + training.kl_weight * training.kl_share(self.current_epoch) * free_bits(
            divergence, training.free_nats
        )
        if judged:
            maps, real = self.discriminator(made), self.discriminator(images)
            deceived = deceiving(maps[-1].float())
            loss = loss + training.adversarial_weight * deceived
            loss = loss + training.feature_weight * feature_distance(maps, real)
            self._tell("train_deceiving", deceived, images)
        self._step(loss, optimizer)
        self._tell("train_error", error, images)
        self._tell("train_kl", divergence.mean(), images)
        return made.detach()

    def _judge(self, images: Tensor, made: Tensor, optimizer: Any) -> None:
        """One step of the discriminator."""
        self.toggle_optimizer(optimizer)
        loss = judging(self.discriminator(images)[-1].float(), self.discriminator(made)[-1].float())
        self._step(loss, optimizer)
        self._tell("train_judging", loss, images)

    def _step(self, loss: Tensor, optimizer: Any) -> None:
        optimizer.zero_grad()
        self.manual_backward(loss)
        if self._training.gradient_clip > 0:
            self.clip_gradients(optimizer, self._training.gradient_clip, "norm")
        optimizer.step()
        self.untoggle_optimizer(optimizer)

    def _tell(self, name: str, value: Tensor, images: Tensor) -> None:
        self.log(name, value.detach(), on_step=False, on_epoch=True, batch_size=len(images))

    def _augmented(self, batch: Batch) -> Batch:
        images, lesions, rows = batch
        made = []
        for both, row in zip(torch.cat([images, lesions], 1), rows.tolist(), strict=True):
            generator = torch.Generator().manual_seed(seed_of(self._seed, 1 + self.current_epoch, row, 1))
            moved = both[None]
            if self._training.flip and bool(torch.rand((), generator=generator) < 0.5):
                moved = moved.flip(-1)
            made.append(augment(moved, self._training.shift_voxels, 0.0, generator))
        moved = torch.cat(made)
        return moved[:, :1].contiguous(), moved[:, 1:].contiguous(), rows

    def _noise(self, mean: Tensor, rows: Tensor) -> Tensor:
        """Standard normal noise for the latents, drawn on the CPU so that all devices draw the same numbers."""
        drawn = []
        for row in rows.tolist():
            generator = torch.Generator().manual_seed(seed_of(self._seed, 1 + self.current_epoch, row, 2))
            drawn.append(torch.randn(mean.shape[1:], generator=generator))
        return torch.stack(drawn).to(mean)
