"""The pool: every radiomic feature of every patch and view of an exam, in one fixed order.

Column order is patch-major, then view, then feature, so that values (N, J, V, K) become (N, J·V·K) by reshaping::

    patch 1: axial f1…fK | coronal f1…fK | sagittal f1…fK     patch 2: axial f1…fK | …

Patches count from 1, z slowest, as the labels of ``prepare.patch_labels``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from deepradiomics.errors import InputError

Families = Literal["all", "first+shape", "second"]
FIRST_AND_SHAPE = ("firstorder", "shape", "shape2D")


class Column(NamedTuple):
    """One column of the pool: feature ``feature`` of view ``view`` in patch ``patch`` (1-based)."""

    patch: int
    view: str
    feature: str

    @property
    def family(self) -> str:
        """Feature class in PyRadiomics' words, such as ``glcm``."""
        return family_of(self.feature)


def family_of(feature: str) -> str:
    """Return the feature class in a PyRadiomics name: ``original_glcm_Contrast`` → ``glcm``."""
    parts = feature.rsplit("_", 2)
    if len(parts) != 3:
        raise InputError(f"feature: expected a name like 'original_glcm_Contrast', got {feature!r}.")
    return parts[1]


@dataclass(frozen=True)
class PoolLayout:
    """Which column of the pool is what.

    Args:
        patch_grid: patches along (z, y, x).
        views: view names in the order of the image channels.
        features: feature names of one patch and view, in the engine's order.

    Raises:
        InputError: an empty or repeated entry.
    """

    patch_grid: tuple[int, int, int]
    views: tuple[str, ...]
    features: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "patch_grid", tuple(int(n) for n in self.patch_grid))
        object.__setattr__(self, "views", tuple(self.views))
        object.__setattr__(self, "features", tuple(self.features))
        if len(self.patch_grid) != 3 or min(self.patch_grid) < 1:
            raise InputError(f"patch_grid: expected three whole numbers ≥ 1 (z, y, x), got {self.patch_grid}.")
        for what in ("views", "features"):
            names = getattr(self, what)
            if not names or len(set(names)) != len(names):
                raise InputError(f"{what}: expected distinct names, at least one, got {names}.")

    @property
    def n_patches(self) -> int:
        """J."""
        return int(np.prod(self.patch_grid))

    @property
    def shape(self) -> tuple[int, int, int]:
        """(J, V, K)."""
        return self.n_patches, len(self.views), len(self.features)

    def __len__(self) -> int:
        return int(np.prod(self.shape))

    @property
    def columns(self) -> tuple[Column, ...]:
        """All J·V·K columns in their order."""
        return tuple(
            Column(patch, view, feature)
            for patch in range(1, self.n_patches + 1)
            for view in self.views
            for feature in self.features
        )

    @property
    def families(self) -> tuple[str, ...]:
        """Family of every column."""
        return tuple(column.family for column in self.columns)

    @property
    def patches(self) -> np.ndarray:
        """Patch number (1-based) of every column, int (J·V·K,)."""
        return np.repeat(np.arange(1, self.n_patches + 1), len(self.views) * len(self.features))

    def within(self, families: Families) -> np.ndarray:
        """Return which columns belong to a subset of the families, bool (J·V·K,)."""
        if families == "all":
            return np.ones(len(self), dtype=bool)
        first = np.array([family_of(name) in FIRST_AND_SHAPE for name in self.features])
        if families not in ("first+shape", "second"):
            raise InputError(f"families: expected 'all', 'first+shape' or 'second', got {families!r}.")
        return np.tile(first if families == "first+shape" else ~first, self.n_patches * len(self.views))

    def flatten(self, values: np.ndarray) -> np.ndarray:
        """Values (N, J, V, K) → pool (N, J·V·K), float64.

        Raises:
            InputError: another number of patches, views or features.
        """
        values = np.asarray(values, dtype=np.float64)
        if values.ndim != 4 or values.shape[1:] != self.shape:
            raise InputError(
                f"values: expected (N, patches, views, features) = (N, {self.shape[0]}, {self.shape[1]}, "
                f"{self.shape[2]}), got {values.shape}."
            )
        return values.reshape(values.shape[0], len(self))

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {"patch_grid": list(self.patch_grid), "views": list(self.views), "features": list(self.features)}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> PoolLayout:
        """Inverse of :meth:`to_dict`."""
        return cls(tuple(stored["patch_grid"]), tuple(stored["views"]), tuple(stored["features"]))


def mean_by_patch(values: np.ndarray, patches: np.ndarray, n_patches: int) -> np.ndarray:
    """Average columns within patches: (…, D) with patch numbers (D,) → (…, J); a patch without a column gets 0."""
    counts = np.bincount(patches - 1, minlength=n_patches)
    return sum_by_patch(values, patches, n_patches) / np.maximum(counts, 1)


def sum_by_patch(values: np.ndarray, patches: np.ndarray, n_patches: int) -> np.ndarray:
    """Sum columns within patches: (…, D) with patch numbers (D,) → (…, J)."""
    member = patches[:, None] == np.arange(1, n_patches + 1)  # (D, J)
    return np.asarray(values, dtype=np.float64) @ member


def differences(expected: Sequence[str], got: Iterable[str]) -> str:
    """Say in one line how two lists of names differ: missing, unexpected, or order."""
    got = list(got)
    absent = [name for name in expected if name not in got]
    surplus = [name for name in got if name not in expected]
    if not absent and not surplus:
        first = next((i for i, (a, b) in enumerate(zip(expected, got, strict=False)) if a != b), None)
        return "the same names" if first is None else f"another order from position {first + 1} ({got[first]!r})"
    return f"missing {', '.join(absent[:5]) or 'none'}; unexpected {', '.join(surplus[:5]) or 'none'}"
