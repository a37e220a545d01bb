"""Features and regions of examinations, kept by content: found again while what they come from is the same.

The entry's key is the hash of voxels, recipe, settings and the engine's version (:mod:`deepradiomics.files.store`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepradiomics.errors import InputError
from deepradiomics.files.store import ContentStore, Entry, Kind

EXAMS = Kind(
    "exams",
    version=2,
    about=("views", "feature_names", "notes", "diagnostics"),
    files=("image.npy", "values.npy"),
)
"""Raise the version when prepare_exam gives other numbers."""


@dataclass(frozen=True, eq=False)
class ExamFeatures:
    """The region and the feature pool of one examination.

    Args:
        image: normalised region, (V, z, y, x) float32.
        values: features (J, V, K) float64.
        feature_names: K names.
        views: V names.
        notes: what was assumed or warned of during preparation and extraction.

    Raises:
        InputError: the shapes do not fit each other.
    """

    image: NDArray[np.float32]
    values: NDArray[np.float64]
    feature_names: tuple[str, ...]
    views: tuple[str, ...]
    notes: tuple[str, ...] = ()
    diagnostics: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        expected = (len(self.views), len(self.feature_names))
        if self.values.ndim != 3 or self.values.shape[1:] != expected or self.image.ndim != 4:
            raise InputError(f"features must be (patches, {expected[0]}, {expected[1]}), got {self.values.shape}.")
        if self.image.shape[0] != expected[0]:
            raise InputError(f"image must hold {expected[0]} views, got shape {self.image.shape}.")

    def keep(self, store: ContentStore, key: str) -> None:
        """Write them. Raises StoreError where the disk is full."""
        about = {
            "views": self.views,
            "feature_names": self.feature_names,
            "notes": self.notes,
            "diagnostics": dict(self.diagnostics),
        }
        store.put(key, about, {"image": np.asarray(self.image, np.float32), "values": self.values})

    @classmethod
    def of_entry(cls, entry: Entry) -> ExamFeatures:
        """Read what :meth:`keep` has written."""
        about = entry.about
        return cls(
            entry.array("image"),
            entry.array("values"),
            tuple(about["feature_names"]),
            tuple(about["views"]),
            tuple(about["notes"]),
            about["diagnostics"],
        )


def exam_store(folder: str | Path) -> ContentStore:
    """The store of examinations in a cache.

    Raises:
        InputError: the folder cannot be made or written to.
    """
    store = ContentStore(folder, EXAMS)
    store.require_writable()
    return store
