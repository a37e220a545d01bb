"""The LightningModule around a model, and its batches.

Everything random in a step depends on (seed, epoch, step) alone: the order of the cases, the augmentation, dropout.
A run that was killed and resumed therefore does exactly what an uninterrupted run does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from deepradiomics.fingerprint.model.config import TrainingConfig
from deepradiomics.fingerprint.model.network import Output
from deepradiomics.fingerprint.model.tasks import Task, probabilities
from deepradiomics.fingerprint.train.data import TrainingData
from deepradiomics.fingerprint.train.loss import class_weights, joint_cross_entropy
from deepradiomics.stats import auc, multiclass_auc
from deepradiomics.training.augment import augment
from deepradiomics.training.module import CaseTraining
from deepradiomics.training.seeds import seed_of

Batch = tuple[Tensor, Tensor, Tensor]  # images (B, …), z (B, D), labels (B, T)


class Trainable(Protocol):
    """What :func:`deepradiomics.fingerprint.train.fit.fit` can train; a ``torch.nn.Module`` as well."""

    def __call__(self, image: Tensor, z: Tensor) -> Output: ...

    def parameter_groups(self, training: TrainingConfig) -> list[dict[str, Any]]: ...


class JointTraining(CaseTraining):
    """Joint cross-entropy of all tasks over all parameters of a model."""

    remedy = "smaller learning rates or steps"

    def __init__(self, model: Trainable, data: TrainingData, config: TrainingConfig, seed: int) -> None:
        rows = (data.part("train").tolist(), data.part("validation").tolist())
        super().__init__(rows, config, seed)
        if not isinstance(model, nn.Module):
            raise TypeError(f"model: expected a torch.nn.Module, got {type(model).__name__}.")
        self.model = model
        self._tasks, self._config = data.tasks, config
        self._images, self._z, self._labels = (
            torch.from_numpy(np.asarray(array)) for array in (data.images, data.z, data.labels)
        )
        self._weights = class_weights(data.labels[rows[0]], data.tasks, config.balance)

    def fetch(self, rows: list[int]) -> Batch:
        return self._images[rows], self._z[rows], self._labels[rows]

    def training_step(self, batch: Batch, step: int) -> Tensor:
        images, z, labels = batch
        seed = seed_of(self.seed, self.current_epoch, step)
        torch.manual_seed(seed)  # dropout of this step, whatever happened before
        generator = torch.Generator().manual_seed(seed)
        images = augment(images, self._config.shift_voxels, self._config.noise_sd, generator)
        loss = joint_cross_entropy(self.model(images, z).logits, labels, self._tasks, self._weights)
        self.log_training("train_loss", loss, len(labels))
        return loss

    def validation_step(self, batch: Batch, step: int) -> None:
        images, z, labels = batch
        self.records.append((self.model(images, z).logits.float().cpu(), labels.cpu()))

    def scores(self, records: list[tuple[Tensor, Tensor]]) -> dict[str, float]:
        logits, labels = (torch.cat(parts) for parts in zip(*records, strict=True))
        loss = float(joint_cross_entropy(logits, labels, self._tasks, self._weights))
        if not math.isfinite(loss):
            return {"validation_loss": loss}
        aucs = task_aucs(logits.numpy(), labels.numpy(), self._tasks)
        known = [score for score in aucs if not math.isnan(score)]
        return {
            "validation_loss": loss,
            "validation_auc": float(np.mean(known)) if known else 0.5,
            **{f"validation_auc_{task.name}": score for task, score in zip(self._tasks, aucs, strict=True)},
        }

    def configure_optimizers(self) -> torch.optim.Optimizer:
        groups = self.model.parameter_groups(self._config)
        for group in groups:
            group["initial_lr"] = group["lr"]
        return torch.optim.AdamW(groups)


def task_aucs(logits: np.ndarray, labels: np.ndarray, tasks: Sequence[Task]) -> list[float]:
    """AUC of each task (one against the rest, averaged, for several classes); NaN where a class is missing."""
    scores = []
    for t, (task, chances) in enumerate(zip(tasks, probabilities(logits, tasks), strict=True)):
        there = np.unique(labels[:, t])
        if len(there) < len(task.classes) or not np.isfinite(chances).all():
            scores.append(math.nan)
        elif task.kind == "binary":
            scores.append(auc(labels[:, t], chances))
        else:
            scores.append(multiclass_auc(labels[:, t], chances).macro)
    return scores
