"""TrainingData: what a network and a classifier learn from, in memory, split by patient.

Images and standardised features of all cases stand side by side; the scaling comes from the training split alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.files.atomic import content_hash
from deepradiomics.fingerprint.model.config import FingerprintConfig
from deepradiomics.fingerprint.model.pool import PoolLayout
from deepradiomics.fingerprint.model.scaling import Scaling, fit_scaling
from deepradiomics.fingerprint.model.tasks import Task, class_indices

if TYPE_CHECKING:
    from deepradiomics.cohort.extraction import CohortFeatures
    from deepradiomics.cohort.manifest import Manifest


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Cases ready for training; row n is the same case everywhere.

    Args:
        ids: N names.
        images: (N, …) float32; (N, V, z, y, x) for the fingerprint, whatever the network takes otherwise.
        z: standardised features (N, D) float32; D may be 0 for networks that read images alone.
        labels: class indices (N, T), int64.
        splits: ``train``, ``validation`` or ``test`` for each case.
        tasks: T tasks.
        layout: which column of the pool is what; None without features.
        scaling: how z was made from the pool; None without features.

    Raises:
        InputError: lengths differ, or the training or validation split is empty.
    """

    ids: tuple[str, ...]
    images: np.ndarray
    z: np.ndarray
    labels: np.ndarray
    splits: tuple[str, ...]
    tasks: tuple[Task, ...]
    layout: PoolLayout | None = None
    scaling: Scaling | None = None

    def __post_init__(self) -> None:
        n = len(self.ids)
        lengths = {"images": len(self.images), "z": len(self.z), "labels": len(self.labels), "splits": len(self.splits)}
        wrong = [f"{name} {length}" for name, length in lengths.items() if length != n]
        if wrong:
            raise InputError(f"training data: expected {n} rows as in ids, got {', '.join(wrong)}.")
        if self.labels.shape != (n, len(self.tasks)):
            raise InputError(
                f"labels: expected one column per task ({len(self.tasks)}), got shape {self.labels.shape}."
            )
        for split in ("train", "validation"):
            if split not in self.splits:
                raise InputError(f"training data: no case is in the split {split!r}; give splits in the manifest.")

    def __len__(self) -> int:
        return len(self.ids)

    def part(self, split: str) -> np.ndarray:
        """Row numbers of a split, int (n,)."""
        return np.flatnonzero(np.array(self.splits) == split)

    @cached_property
    def digest(self) -> str:
        """Hash of everything that training sees, by which a run recognises its data."""
        return content_hash(
            np.asarray(self.images),
            self.z,
            self.labels,
            list(self.ids),
            list(self.splits),
            [task.to_dict() for task in self.tasks],
        )

    def with_images(self, images: np.ndarray) -> TrainingData:
        """Return the same cases with other images and no features, for networks that read images alone."""
        empty = np.zeros((len(self), 0), dtype=np.float32)
        return replace(self, images=images, z=empty, layout=None, scaling=None)


def training_data(
    cohort: CohortFeatures, manifest: Manifest, tasks: Sequence[Task], config: FingerprintConfig
) -> TrainingData:
    """Put features, images and labels together; standardise with the training split and drop constant columns.

    Args:
        cohort: extracted from the same manifest, in any order.
        manifest: with a split for every case.
        tasks: see :func:`deepradiomics.fingerprint.model.tasks.tasks_of`.
        config: patch grid, families and clipping.

    Raises:
        InputError: a case was not extracted or has no split, or the features are unusable.
    """
    where = {case: n for n, case in enumerate(cohort.ids)}
    absent = [row.id for row in manifest.rows if row.id not in where]
    if absent:
        raise InputError(f"cohort: {len(absent)} cases of the manifest were not extracted, first {absent[0]!r}.")
    unsplit = [row.id for row in manifest.rows if row.split is None]
    if unsplit:
        raise InputError(f"manifest: {len(unsplit)} cases have no split, first {unsplit[0]!r}; use with_splits.")
    order = [where[row.id] for row in manifest.rows]
    splits = tuple(str(row.split) for row in manifest.rows)
    layout = PoolLayout(config.recipe.patch_grid, tuple(cohort.views), tuple(cohort.feature_names))
    pool = layout.flatten(np.asarray(cohort.values)[order])
    training = np.array(splits) == "train"
    scaling = fit_scaling(pool[training], use=layout.within(config.model.families), clip_z=config.model.clip_z)
    return TrainingData(
        ids=tuple(row.id for row in manifest.rows),
        images=np.ascontiguousarray(np.asarray(cohort.images)[order], dtype=np.float32),
        z=scaling.transform(pool),
        labels=class_indices([row.labels for row in manifest.rows], tasks),
        splits=splits,
        tasks=tuple(tasks),
        layout=layout,
        scaling=scaling,
    )
