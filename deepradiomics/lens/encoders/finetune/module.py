"""An encoder with a task's head, and the LightningModule that trains the head alone or both."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Literal

import lightning.pytorch as pl
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from deepradiomics.errors import InputError
from deepradiomics.lens.finetune_tasks import Task
from deepradiomics.lens.stack_data import Batch, StackCases, augmented
from deepradiomics.lens.stacks import Stacks
from deepradiomics.lens.training_config import StageTraining
from deepradiomics.networks.convnextv2 import ConvNeXtV2
from deepradiomics.training.batches import SeededBatches, as_it_is
from deepradiomics.training.optimise import adamw
from deepradiomics.training.schedule import cosine, set_rates
from deepradiomics.training.seeds import seeded

Stage = Literal["frozen", "tuned"]


class TaskNetwork(nn.Module):
    """Encoder and head: images (B, C, z, y, x) in, the task's output out."""

    def __init__(self, encoder: ConvNeXtV2, head: nn.Module, task: Task) -> None:
        super().__init__()
        self.encoder, self.head, self.task = encoder, head, task

    def forward(self, images: Tensor) -> Tensor:
        return self.task.forward(self.encoder, self.head, images)


def new_network(encoder: ConvNeXtV2, task: Task, width: int, seed: int) -> TaskNetwork:
    """A copy of the encoder under a head whose weights are drawn from ``seed``."""
    with seeded(seed):
        return TaskNetwork(copy.deepcopy(encoder), task.head(encoder, width), task)


class Finetuning(pl.LightningModule):
    """The task's loss over the head (``frozen``) or over encoder and head (``tuned``).

    A frozen encoder is not only kept from the optimiser: it stays in eval mode, so that nothing in it is changed.
    """

    def __init__(
        self,
        network: TaskNetwork,
        stage: Stage,
        stacks: Stacks,
        rows: tuple[Sequence[int], Sequence[int]],
        targets: np.ndarray | None,
        training: StageTraining,
        seed: int,
    ) -> None:
        super().__init__()
        self.network = network
        self._stage, self._stacks, self._rows, self._targets = stage, stacks, rows, targets
        self._training, self._seed = training, seed
        self._region = network.task.target if network.task.kind == "segment" else None
        self._seen: list[Tensor] = []
        if stage == "frozen":
            network.encoder.requires_grad_(False)

    def train(self, mode: bool = True) -> Finetuning:
        super().train(mode)
        if self._stage == "frozen":
            self.network.encoder.eval()
        return self

    def train_dataloader(self) -> DataLoader[Batch]:
        cases = self._cases(self._rows[0])
        batches = SeededBatches(
            len(cases), self._training.batch_size, self._seed,
            rank=self.trainer.global_rank, world=self.trainer.world_size,
        )  # fmt: skip
        return DataLoader(cases, batch_sampler=batches, collate_fn=as_it_is, num_workers=0)

    def val_dataloader(self) -> DataLoader[Batch]:
        # Every process sees every validation case: a kappa of parts is not a part of the kappa.
        size = self._training.batch_size
        return DataLoader(self._cases(self._rows[1]), batch_size=size, collate_fn=as_it_is, num_workers=0)

    def training_step(self, batch: Batch, step: int) -> Tensor:
        images, targets, rows = batch
        numbers = [(self._seed, 1 + self.current_epoch, int(row)) for row in rows]
        images, masks = augmented(images, self._training, numbers, targets if self._region else None)
        loss = self.network.task.loss(self.network(images), targets if masks is None else masks)
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(rows), sync_dist=True)
        return loss

    def validation_step(self, batch: Batch, step: int) -> None:
        images, targets, _ = batch
        self._seen.append(self.network.task.record(self.network(images), targets).cpu())

    def on_validation_epoch_end(self) -> None:
        records = torch.cat(self._seen).numpy()
        self._seen.clear()
        if not np.isfinite(records).all():
            raise InputError(
                f"Fine-tuning ({self._stage}) diverged in epoch {self.current_epoch + 1}: the validation loss is not a "
                "number. Use a smaller learning_rate, and start over with resume=False (--no-resume) or in another "
                "folder."
            )
        for name, value in self.network.task.scores(records).items():
            self.log(f"validation_{name}", value)

    def on_train_epoch_start(self) -> None:
        set_rates(self.trainer.optimizers[0], cosine(self.current_epoch, self._training.epochs))

    def configure_optimizers(self) -> Any:
        return adamw(self.network, self._training.learning_rate, self._training.weight_decay)

    def _cases(self, rows: Sequence[int]) -> StackCases:
        return StackCases(self._stacks, rows, self._targets, self._region)
