"""Report: after each epoch a row of the history, after each step the progress (which may cancel the run)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import lightning.pytorch as pl

from deepradiomics.progress import Progress, silent
from deepradiomics.training.processes import epoch_message
from deepradiomics.training.quiet import hush


class Report(pl.Callback):
    """Reports how a run goes; of several processes only the first does.

    Args:
        write_row: gets epoch (1-based), seconds and every logged metric of an epoch.
        progress: called with the share of the epochs that is done and a message.
        epochs: largest number of epochs.
        message: how the metrics of an epoch are reported; see :func:`deepradiomics.training.fit.fit_module`.
    """

    def __init__(
        self, write_row: Callable[[Mapping[str, float]], None], progress: Progress, epochs: int, message: str
    ) -> None:
        self._write_row, self._progress, self._epochs, self._message = write_row, progress, epochs, message
        self._started, self._last = time.perf_counter(), "first epoch"

    def __getstate__(self) -> dict[str, Any]:
        """What another process gets: a progress callback belongs to the process that made it."""
        return {**vars(self), "_progress": silent}

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        if trainer.world_size > 1:
            hush()

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
        if not trainer.is_global_zero:
            return
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        self._last = epoch_message(self._message, metrics)
        row = {"epoch": finished_epochs(trainer), "seconds": round(time.perf_counter() - self._started, 3)}
        self._write_row({**row, **metrics})


def finished_epochs(trainer: pl.Trainer) -> int:
    """Return the number (1-based) of the epoch that just ended."""
    return int(trainer.fit_loop.epoch_progress.current.ready)
