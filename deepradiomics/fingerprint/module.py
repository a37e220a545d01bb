"""The LightningModule around a model, its batches, and the callbacks of a run.

Everything random in a step depends on (seed, epoch, step) alone: the order of the cases, the augmentation, dropout.
A run that was killed and resumed therefore does exactly what an uninterrupted run does.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import lightning.pytorch as pl
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Sampler

from deepradiomics.errors import InputError
from deepradiomics.fingerprint.augment import augment
from deepradiomics.fingerprint.config import TrainingConfig
from deepradiomics.fingerprint.data import TrainingData
from deepradiomics.fingerprint.loss import class_weights, joint_cross_entropy
from deepradiomics.fingerprint.model import Output
from deepradiomics.fingerprint.tasks import Task, probabilities
from deepradiomics.stats import auc, multiclass_auc

Batch = tuple[Tensor, Tensor, Tensor]  # images (B, …), z (B, D), labels (B, T)


class Trainable(Protocol):
    """What :func:`deepradiomics.fingerprint.train.fit` can train; a ``torch.nn.Module`` as well."""

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


class SeededBatches(Sampler[list[int]]):
    """Batches in an order that depends on seed and epoch alone; a single case left over joins the batch before it.

    (Batch normalisation cannot learn from a batch of one.)
    """

    def __init__(self, count: int, batch_size: int, seed: int) -> None:
        self._count, self._batch_size, self._seed, self._epoch = count, batch_size, seed, 0
        self.sampler = self  # where Lightning looks for set_epoch

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning before each epoch."""
        self._epoch = epoch

    def __len__(self) -> int:
        full, rest = divmod(self._count, self._batch_size)
        return max(1, full + (rest > 1))

    def __iter__(self) -> Iterator[list[int]]:
        order = np.random.default_rng([self._seed, self._epoch]).permutation(self._count).tolist()
        for batch in range(len(self)):
            last = batch == len(self) - 1
            yield order[batch * self._batch_size : None if last else (batch + 1) * self._batch_size]


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
        return DataLoader(cases, batch_sampler=batches, collate_fn=_as_it_is, num_workers=0)

    def val_dataloader(self) -> DataLoader[Any]:
        cases = Cases(self._data, self._data.part("validation"))
        return DataLoader(cases, batch_size=self._config.batch_size, collate_fn=_as_it_is, num_workers=0)

    def training_step(self, batch: Batch, step: int) -> Tensor:
        images, z, labels = batch
        seed = int(np.random.default_rng([self._seed, self.current_epoch, step]).integers(2**31))
        torch.manual_seed(seed)  # dropout of this step, whatever happened before
        generator = torch.Generator().manual_seed(seed)
        images = augment(images, self._config.shift_voxels, self._config.noise_sd, generator)
        loss = joint_cross_entropy(self.model(images, z).logits, labels, self._tasks, self._weights)
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(labels))
        return loss

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        share = cosine(self.current_epoch, self._config.epochs)
        for optimizer in self.trainer.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["initial_lr"] * share

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


class Report(pl.Callback):
    """After each epoch: one row of the history; after each step: progress (which may cancel the run)."""

    def __init__(
        self,
        write_row: Callable[[Mapping[str, float]], None],
        progress: Callable[[float, str], None],
        epochs: int,
    ) -> None:
        self._write_row, self._progress, self._epochs = write_row, progress, epochs
        self._started, self._last = time.perf_counter(), "first epoch"

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._started = time.perf_counter()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        done = trainer.current_epoch + (batch_idx + 1) / max(1, trainer.num_training_batches)
        self._progress(
            min(1.0, done / self._epochs), f"epoch {trainer.current_epoch + 1} of {self._epochs}: {self._last}"
        )

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        self._last = f"validation loss {metrics['validation_loss']:.3f}, AUC {metrics['validation_auc']:.2f}"
        row = {"epoch": len_of(trainer), "seconds": round(time.perf_counter() - self._started, 3)}
        self._write_row({**row, **metrics})


def len_of(trainer: pl.Trainer) -> int:
    """Return the number (1-based) of the epoch that just ended."""
    return int(trainer.fit_loop.epoch_progress.current.ready)


def cosine(epoch: int, epochs: int) -> float:
    """Share of the learning rate in an epoch (0-based): from 1 down a half cosine to nearly 0."""
    return 0.5 * (1.0 + math.cos(math.pi * epoch / epochs))


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


def _as_it_is(batch: Any) -> Any:
    return batch
