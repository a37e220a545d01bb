"""The LightningModule of the VAE-GAN: two networks, two optimisers, and steps that can be repeated bit by bit.

All that is random in a step (noise of the latents, augmentation) comes from (seed, epoch, row of the case), and both
optimisers are in the checkpoint: a run that was killed ends like one that was not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from deepradiomics.ich.autoencoder.config import AutoencoderTraining
from deepradiomics.ich.autoencoder.crops import Crops
from deepradiomics.networks.vaegan import (
    adversarial_loss,
    discriminator_loss,
    feature_distance,
    free_bits,
    kl_divergence,
)
from deepradiomics.training.augment import augment
from deepradiomics.training.module import CaseTraining
from deepradiomics.training.optimise import adamw
from deepradiomics.training.seeds import seed_of

Batch = tuple[Tensor, Tensor, Tensor]  # crops (B, 1, n, n, n), dilated lesions (B, 1, n, n, n) as 0 and 1, rows (B,)


class VaeGanTraining(CaseTraining):
    """Trains an autoencoder against a discriminator.

    Args:
        autoencoder, discriminator: trained in place.
        crops: all cases.
        rows: rows of the training and of the validation cases.
        training: losses, rates, batches, augmentation.
        seed: of order, noise and augmentation.
    """

    subject = "The autoencoder"

    def __init__(
        self,
        autoencoder: nn.Module,
        discriminator: nn.Module,
        crops: Crops,
        rows: tuple[Sequence[int], Sequence[int]],
        training: AutoencoderTraining,
        seed: int,
    ) -> None:
        super().__init__(rows, training, seed)
        self.automatic_optimization = False  # two networks that learn from each other in turn
        self.autoencoder: Any = autoencoder
        self.discriminator: Any = discriminator
        self._crops, self._training = crops, training

    def fetch(self, rows: list[int]) -> Batch:
        lesions = (self._crops.regions(rows)[:, None] > 0).astype(np.float32)
        return torch.from_numpy(self._crops.images(rows)), torch.from_numpy(lesions), torch.tensor(rows)

    def training_step(self, batch: Batch, step: int) -> None:
        images, lesions, rows = self._augmented(batch)
        adversarial = self._training.adversarial(self.current_epoch)
        generator, discriminator = self.optimizers()  # type: ignore[attr-defined]
        generated = self._train_generator(images, lesions, rows, generator, adversarial)
        if adversarial:
            self._train_discriminator(images, generated, discriminator)

    def validation_step(self, batch: Batch, step: int) -> None:
        images, _, _ = batch
        mean, deviation = self.autoencoder.encode(images)
        error = (self.autoencoder.decode(mean).float() - images).abs().mean()
        divergence = kl_divergence(mean, deviation).mean()
        sums = torch.stack([error.double(), divergence.double(), error.new_ones(()).double()])
        self.records.append(sums * len(images))

    def scores(self, records: list[Tensor]) -> dict[str, float]:
        total = torch.stack(records).sum(dim=0)
        error, divergence = (total[:2] / total[2]).tolist()
        return {
            "validation_loss": error + self._training.kl_weight * divergence,
            "validation_error": error,
            "validation_kl": divergence,
            "epochs_done": float(self.current_epoch + 1),
        }

    def configure_optimizers(self) -> Any:
        training = self._training
        return [
            adamw(self.autoencoder, training.learning_rate, training.weight_decay),
            adamw(self.discriminator, training.discriminator_rate, training.weight_decay),
        ]

    def _train_generator(
        self, images: Tensor, lesions: Tensor, rows: Tensor, optimizer: Any, adversarial: bool
    ) -> Tensor:
        """One step of the autoencoder, the generator; returns its images."""
        training = self._training
        self.toggle_optimizer(optimizer)
        mean, deviation = self.autoencoder.encode(images)
        generated = self.autoencoder.decode(mean + deviation * self._noise(mean, rows))
        weight = 1 + (training.lesion_weight - 1) * lesions
        error = ((generated.float() - images).abs() * weight).sum() / weight.sum()
        divergence = kl_divergence(mean, deviation)
        loss = error + training.kl_weight * training.kl_share(self.current_epoch) * free_bits(
            divergence, training.free_nats
        )
        if adversarial:
            maps, real = self.discriminator(generated), self.discriminator(images)
            deception = adversarial_loss(maps[-1].float())
            loss = loss + training.adversarial_weight * deception
            loss = loss + training.feature_weight * feature_distance(maps, real)
            self.log_training("train_adversarial", deception.detach(), len(images))
        self._step(loss, optimizer)
        self.log_training("train_error", error.detach(), len(images))
        self.log_training("train_kl", divergence.mean().detach(), len(images))
        return generated.detach()

    def _train_discriminator(self, images: Tensor, generated: Tensor, optimizer: Any) -> None:
        """One step of the discriminator."""
        self.toggle_optimizer(optimizer)
        loss = discriminator_loss(self.discriminator(images)[-1].float(), self.discriminator(generated)[-1].float())
        self._step(loss, optimizer)
        self.log_training("train_discriminator", loss.detach(), len(images))

    def _step(self, loss: Tensor, optimizer: Any) -> None:
        optimizer.zero_grad()
        self.manual_backward(loss)
        if self._training.gradient_clip > 0:
            self.clip_gradients(optimizer, self._training.gradient_clip, "norm")
        optimizer.step()
        self.untoggle_optimizer(optimizer)

    def _augmented(self, batch: Batch) -> Batch:
        images, lesions, rows = batch
        cases = []
        for both, number in zip(torch.cat([images, lesions], 1), self.numbers(rows), strict=True):
            generator = torch.Generator().manual_seed(seed_of(*number, 1))
            moved = both[None]
            if self._training.flip and bool(torch.rand((), generator=generator) < 0.5):
                moved = moved.flip(-1)
            cases.append(augment(moved, self._training.shift_voxels, 0.0, generator))
        moved = torch.cat(cases)
        return moved[:, :1].contiguous(), moved[:, 1:].contiguous(), rows

    def _noise(self, mean: Tensor, rows: Tensor) -> Tensor:
        """Standard normal noise for the latents, drawn on the CPU so that all devices draw the same numbers."""
        generators = [torch.Generator().manual_seed(seed_of(*number, 2)) for number in self.numbers(rows)]
        return torch.stack([torch.randn(mean.shape[1:], generator=generator) for generator in generators]).to(mean)
