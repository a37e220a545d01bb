"""SeededBatches: which cases are in which batch, by seed and epoch alone, and divided between processes.

CaseBatches fetches them, a whole batch at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from torch.utils.data import Dataset, Sampler


class SeededBatches(Sampler[list[int]]):
    """Batches in an order that depends on seed and epoch alone; a single case left over joins the batch before it.

    (Batch normalisation cannot learn from a batch of one.) Several processes see the same batches and each takes its
    own part of every batch, equally large everywhere: the mean of their gradients is then the gradient of the batch.
    Where the cases do not suffice, the batch's first are seen twice.

    Args:
        count: cases.
        batch_size: cases per step, over all processes together.
        seed: of the order.
        rank: this process, from 0.
        world: processes.
    """

    def __init__(self, count: int, batch_size: int, seed: int, *, rank: int = 0, world: int = 1) -> None:
        self._count, self._batch_size, self._seed, self._epoch = count, batch_size, seed, 0
        self._rank, self._world = rank, world
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
            cases = order[batch * self._batch_size : None if last else (batch + 1) * self._batch_size]
            share = -(-len(cases) // self._world)
            yield np.resize(cases, share * self._world)[self._rank :: self._world].tolist()


class CaseBatches(Dataset[Any]):
    """Some rows of a cohort, fetched a batch at a time.

    Args:
        rows: numbers of the rows (n,).
        fetch: returns the batch of some rows.
    """

    def __init__(self, rows: Sequence[int], fetch: Callable[[list[int]], Any]) -> None:
        self._rows, self._fetch = list(rows), fetch

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Any:
        return self.__getitems__([index])

    def __getitems__(self, indices: Sequence[int]) -> Any:
        return self._fetch([self._rows[index] for index in indices])


def as_it_is(batch: Any) -> Any:
    """Collate nothing: a data set that fetches whole batches (``__getitems__``) has done it."""
    return batch
