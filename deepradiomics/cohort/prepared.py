"""Prepared cases of a cohort, as a training loop reads them: arrays on disk, kept by content, in the cohort's order.

Each case is an entry of a :class:`deepradiomics.files.store.ContentStore`, verified when the cohort is put together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from deepradiomics.files.atomic import content_hash


@dataclass(frozen=True, eq=False, kw_only=True)
class PreparedCases:
    """Prepared cases; row n is the same case everywhere.

    Args:
        ids: N names.
        folders: where each case lies in the cache.
        notes: by case, what was assumed or done; cases without notes are left out.
        dropped: (id, reason) of the cases that could not be used.
    """

    ids: tuple[str, ...]
    folders: tuple[Path, ...]
    notes: Mapping[str, tuple[str, ...]]
    dropped: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    def arrays(self, name: str, rows: Sequence[int]) -> list[np.ndarray]:
        """An array of some rows, memory-mapped: a cohort need not fit into memory, and processes share one copy."""
        return [np.load(self.folders[row] / f"{name}.npy", mmap_mode="r") for row in rows]

    @cached_property
    def digest(self) -> str:
        """Hash of the cases, in their order, and of everything that decides what is in their arrays."""
        return content_hash(list(self.ids), [folder.name for folder in self.folders])
