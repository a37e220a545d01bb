"""CaseTraining: what every network here shares when it is trained, as the LightningModule under all of them.

Batches come in an order that depends on seed and epoch alone, the learning rate follows a half cosine, AdamW decays
kernels alone, and a validation loss that is not a number ends the run with a word on what to do.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import lightning.pytorch as pl
from torch import Tensor, nn
from torch.utils.data import DataLoader

from deepradiomics.errors import InputError
from deepradiomics.training.batches import CaseBatches, SeededBatches, as_it_is
from deepradiomics.training.optimise import adamw
from deepradiomics.training.schedule import cosine, set_rates


class Schedule(Protocol):
    """What the module reads of a method's training options."""

    @property
    def epochs(self) -> int: ...
    @property
    def batch_size(self) -> int: ...


class CaseTraining(pl.LightningModule):
    """A network learning from some rows of a cohort and validated on others.

    A method fills in :meth:`fetch`, ``training_step``, ``validation_step`` (which appends to ``self.records``) and
    :meth:`scores`; it puts the network that AdamW trains into ``self.network``.

    Args:
        rows: rows of the training and of the validation cases.
        training: epochs and batch size; the default optimiser also reads ``learning_rate`` and ``weight_decay``.
        seed: of the order of the cases, and whatever else the method draws.
    """

    subject: str = "Training"
    remedy: str = "a smaller learning_rate"
    network: nn.Module

    def __init__(self, rows: tuple[Sequence[int], Sequence[int]], training: Schedule, seed: int) -> None:
        super().__init__()
        self.rows, self.training_options, self.seed = rows, training, seed
        self.records: list[Any] = []

    @abstractmethod
    def fetch(self, rows: list[int]) -> Any:
        """The batch of some rows."""

    @abstractmethod
    def scores(self, records: list[Any]) -> Mapping[str, float]:
        """What is logged of the validation cases, by name; ``validation_loss`` is among it."""

    def train_dataloader(self) -> DataLoader[Any]:
        batches = SeededBatches(
            len(self.rows[0]),
            self.training_options.batch_size,
            self.seed,
            rank=self.trainer.global_rank,
            world=self.trainer.world_size,
        )
        return DataLoader(
            CaseBatches(self.rows[0], self.fetch), batch_sampler=batches, collate_fn=as_it_is, num_workers=0
        )

    def val_dataloader(self) -> DataLoader[Any]:
        cases = CaseBatches(self.validation_rows(), self.fetch)
        return DataLoader(cases, batch_size=self.validation_batch_size(), collate_fn=as_it_is, num_workers=0)

    def validation_rows(self) -> Sequence[int]:
        """The validation cases of this process: all, since scores of parts are most often no part of the score."""
        return self.rows[1]

    def validation_batch_size(self) -> int:
        """Cases per validation step."""
        return self.training_options.batch_size

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        for optimizer in self.trainer.optimizers:
            set_rates(optimizer, self.rate_share(batch_idx))

    def rate_share(self, step: int) -> float:
        """Share of the learning rate in a step (0-based) of the current epoch."""
        return cosine(self.current_epoch, self.training_options.epochs)

    def configure_optimizers(self) -> Any:
        options: Any = self.training_options
        return adamw(self.network, options.learning_rate, options.weight_decay)

    def on_validation_epoch_end(self) -> None:
        records, self.records = self.records, []
        scores = self.scores(records)
        if not math.isfinite(scores["validation_loss"]):
            raise InputError(
                f"{self.subject} diverged in epoch {self.current_epoch + 1}: the validation loss is not a number. Use "
                f"{self.remedy}, and start over with resume=False (--no-resume) or in another folder."
            )
        self.log_dict(dict(scores))

    def log_training(self, name: str, value: Tensor, cases: int) -> None:
        """Log the mean of a quantity over the training cases of an epoch."""
        self.log(name, value, on_step=False, on_epoch=True, batch_size=cases, sync_dist=True)

    def numbers(self, rows: Tensor) -> list[tuple[int, int, int]]:
        """What the random numbers of each training case depend on: (seed, epoch from 1 on, row)."""
        return [(self.seed, 1 + self.current_epoch, int(row)) for row in rows]
