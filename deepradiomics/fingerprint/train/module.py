"""The LightningModule around a model, and its batches.

Everything random in a step depends on (seed, epoch, step) alone: the order of the cases, the augmentation, dropout.
A run that was killed and resumed therefore does exactly what an uninterrupted run does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

import lightning.pytorch as pl
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from deepradiomics.errors import InputError
from deepradiomics.fingerprint.config import TrainingConfig
from deepradiomics.fingerprint.data import TrainingData
from deepradiomics.fingerprint.loss import class_weights, joint_cross_entropy
from deepradiomics.fingerprint.model import Output
from deepradiomics.fingerprint.tasks import Task, probabilities
from deepradiomics.stats import auc, multiclass_auc
from deepradiomics.training.augment import augment
from deepradiomics.training.batches import SeededBatches, as_it_is
from deepradiomics.training.schedule import cosine, set_rates
from deepradiomics.training.seeds import seed_of

Batch = tuple[Tensor, Tensor, Tensor]  # images (B, …), z (B, D), labels (B, T)


class Trainable(Protocol):
    """What :func:`deepradiomics.fingerprint.fit.fit` can train; a ``torch.nn.Module`` as well."""

    def __call__(self, image: Tensor, z: Tensor) -> Output: ...

    def parameter_groups(self, training: TrainingConfig) -> list[dict[str, Any]]: ...


class Cases(Dataset[Any]):
    """Rows of the training data, fetched a batch at a time."""

    def __init__(self, data: TrainingData, rows: np.ndarray) -> None:
        self._rows = rows
        self._images, self._z = torch.from_numpy(np.asarray(data.images)), torch.from_numpy(np.asarray(data.z))
        self._labels = torch.from_numpy(np.asarray(data.labels))

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Batch:
        return self.__getitems__([index])

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        rows = torch.from_numpy(self._rows[list(indices)])
        return self._images[rows], self._z[rows], self._labels[rows]


class JointTraining(pl.LightningModule):
    """Joint cross-entropy of all tasks over all parameters of a model."""

    def __init__(self, model: Trainable, data: TrainingData, config: TrainingConfig, seed: int) -> None:
        super().__init__()
        if not isinstance(model, nn.Module):
            raise TypeError(f"model: expected a torch.nn.Module, got {type(model).__name__}.")
        self.model = model
        self._tasks, self._config, self._seed, self._data = data.tasks, config, seed, data
        self._weights = class_weights(data.labels[data.part("train")], data.tasks, config.balance)
        self._seen: list[tuple[Tensor, Tensor]] = []

    def train_dataloader(self) -> DataLoader[Any]:
        cases = Cases(self._data, self._data.part("train"))
        batches = SeededBatches(len(cases), self._config.batch_size, self._seed)
        return DataLoader(cases, batch_sampler=batches, collate_fn=as_it_is, num_workers=0)

    def val_dataloader(self) -> DataLoader[Any]:
        cases = Cases(self._data, self._data.part("validation"))
        return DataLoader(cases, batch_size=self._config.batch_size, collate_fn=as_it_is, num_workers=0)

    def training_step(self, batch: Batch, step: int) -> Tensor:
        images, z, labels = batch
        seed = seed_of(self._seed, self.current_epoch, step)
        torch.manual_seed(seed)  # dropout of this step, whatever happened before
        generator = torch.Generator().manual_seed(seed)
        images = augment(images, self._config.shift_voxels, self._config.noise_sd, generator)
        loss = joint_cross_entropy(self.model(images, z).logits, labels, self._tasks, self._weights)
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(labels))
        return loss

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        share = cosine(self.current_epoch, self._config.epochs)
        for optimizer in self.trainer.optimizers:
            set_rates(optimizer, share)

    def validation_step(self, batch: Batch, step: int) -> None:
        images, z, labels = batch
        self._seen.append((self.model(images, z).logits.float().cpu(), labels.cpu()))

    def on_validation_epoch_end(self) -> None:
        logits, labels = (torch.cat(parts) for parts in zip(*self._seen, strict=True))
        self._seen.clear()
        loss = joint_cross_entropy(logits, labels, self._tasks, self._weights)
        if not torch.isfinite(loss):
            raise InputError(
                f"Training diverged in epoch {self.current_epoch + 1}: the validation loss is not a number. Use "
                "smaller learning rates or steps, and start over with resume=False (--no-resume) or in another folder."
            )
        scores = task_aucs(logits.numpy(), labels.numpy(), self._tasks)
        known = [score for score in scores if not math.isnan(score)]
        self.log("validation_loss", loss)
        self.log("validation_auc", float(np.mean(known)) if known else 0.5)
        for task, score in zip(self._tasks, scores, strict=True):
            self.log(f"validation_auc_{task.name}", score)

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
