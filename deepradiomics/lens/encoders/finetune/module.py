"""An encoder with a task's head, and the LightningModule that trains the head alone or both."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from deepradiomics.lens.encoders.config import StageTraining
from deepradiomics.lens.encoders.finetune.tasks import Task
from deepradiomics.lens.encoders.stack_data import Batch, augmented, stack_batch
from deepradiomics.lens.encoders.stacks import Stacks
from deepradiomics.networks.convnextv2 import ConvNeXtV2
from deepradiomics.training.module import CaseTraining
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


class Finetuning(CaseTraining):
    """The task's loss over the head (``frozen``) or over encoder and head (``tuned``).

    A frozen encoder is not only kept from the optimiser: it stays in eval mode, so that nothing in it is changed.

    Args:
        network: trained in place.
        stage: what of it is trained.
        stacks: all cases.
        rows: rows of the training and of the validation cases.
        targets: of all cases; None where the target is a region.
        training: rates, batches, augmentation.
        seed: of order and augmentation.
    """

    network: TaskNetwork

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
        super().__init__(rows, training, seed)
        self.network = network
        self.subject = f"Fine-tuning ({stage})"
        self._stage, self._stacks, self._targets, self._training = stage, stacks, targets, training
        self._region = network.task.target if network.task.kind == "segment" else None
        if stage == "frozen":
            network.encoder.requires_grad_(False)

    def train(self, mode: bool = True) -> Finetuning:
        super().train(mode)
        if self._stage == "frozen":
            self.network.encoder.eval()
        return self

    def fetch(self, rows: list[int]) -> Batch:
        return stack_batch(self._stacks, rows, self._targets, self._region)

    def training_step(self, batch: Batch, step: int) -> Tensor:
        images, targets, rows = batch
        images, masks = augmented(images, self._training, self.numbers(rows), targets if self._region else None)
        loss = self.network.task.loss(self.network(images), targets if masks is None else masks)
        self.log_training("train_loss", loss, len(rows))
        return loss

    def validation_step(self, batch: Batch, step: int) -> None:
        images, targets, _ = batch
        self.records.append(self.network.task.record(self.network(images), targets).cpu())

    def scores(self, records: list[Tensor]) -> dict[str, float]:
        cases = torch.cat(records).numpy()
        if not np.isfinite(cases).all():
            return {"validation_loss": math.nan}
        return {f"validation_{name}": value for name, value in self.network.task.scores(cases).items()}
