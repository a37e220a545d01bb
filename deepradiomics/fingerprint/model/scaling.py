"""Scaling: the pool is standardised with the mean and SD of the training split, and constant columns are dropped.

z = (f - mean) / SD, clipped to ±clip_z, so that one wild texture value in a new patient cannot decide alone. A feature
that mathematics leaves undefined (NaN, such as a correlation within one grey level) takes the mean, z = 0, and so
contributes nothing; a column undefined in most training cases is dropped.
Nothing here ever sees validation or test data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from deepradiomics.errors import BundleError, InputError
from deepradiomics.files.reading import UNUSABLE, reason

_PREFIX = "scaling."


@dataclass(frozen=True, eq=False)
class Scaling:
    """What was learned from the training split.

    Args:
        kept: indices of the pool's columns in use, ascending, int (D,).
        mean: their means (D,).
        sd: their standard deviations (D,), positive.
        clip_z: largest |z|; 0 leaves z as it is.
        pool_size: columns of the whole pool, P ≥ D.

    Raises:
        InputError: shapes, order or signs are wrong.
    """

    kept: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    clip_z: float
    pool_size: int

    def __post_init__(self) -> None:
        kept = np.asarray(self.kept, dtype=np.int64)
        mean, sd = np.asarray(self.mean, dtype=np.float64), np.asarray(self.sd, dtype=np.float64)
        if kept.ndim != 1 or kept.size == 0 or mean.shape != kept.shape or sd.shape != kept.shape:
            raise InputError(f"scaling: expected equal vectors, got {kept.shape}, {mean.shape} and {sd.shape}.")
        if (np.diff(kept) <= 0).any() or kept[0] < 0 or kept[-1] >= self.pool_size:
            raise InputError(f"scaling: kept columns must ascend within the pool of {self.pool_size} columns.")
        if not (np.isfinite(mean).all() and np.isfinite(sd).all() and (sd > 0).all()) or self.clip_z < 0:
            raise InputError("scaling: expected finite means, positive standard deviations and clip_z ≥ 0.")
        for name, array in (("kept", kept), ("mean", mean), ("sd", sd)):
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        return int(self.kept.size)

    def transform(self, pool: np.ndarray) -> np.ndarray:
        """Pool (N, P) → z (N, D), float32; undefined values become 0.

        Raises:
            InputError: another number of columns.
        """
        pool = np.asarray(pool, dtype=np.float64)
        if pool.ndim != 2 or pool.shape[1] != self.pool_size:
            raise InputError(f"pool: expected (N, {self.pool_size}) feature values, got {pool.shape}.")
        values = pool[:, self.kept]
        values = np.where(np.isfinite(values), values, self.mean)
        z = (values - self.mean) / self.sd
        if self.clip_z > 0:
            z = np.clip(z, -self.clip_z, self.clip_z)
        return z.astype(np.float32)

    def to_tensors(self) -> dict[str, np.ndarray]:
        """Arrays for the bundle."""
        numbers = np.array([self.clip_z, self.pool_size], dtype=np.float64)
        return {
            f"{_PREFIX}kept": self.kept.astype(np.int32),
            f"{_PREFIX}mean": self.mean,
            f"{_PREFIX}sd": self.sd,
            f"{_PREFIX}clip_z_and_pool_size": numbers,
        }

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, np.ndarray]) -> Scaling:
        """Inverse of :meth:`to_tensors`.

        Raises:
            BundleError: an array is missing.
        """
        try:
            clip_z, pool_size = (float(number) for number in tensors[f"{_PREFIX}clip_z_and_pool_size"])
            kept, mean, sd = (tensors[f"{_PREFIX}{name}"] for name in ("kept", "mean", "sd"))
        except UNUSABLE as error:
            raise BundleError(f"bundle: the tensors of the feature scaling are missing ({reason(error)}).") from error
        if kept.dtype.kind not in "iu" or not pool_size.is_integer() or not np.isfinite(clip_z):
            raise BundleError("bundle: the columns of the feature scaling are no whole numbers. Copy the bundle again.")
        return cls(kept, mean, sd, clip_z, int(pool_size))


def fit_scaling(pool: np.ndarray, *, use: np.ndarray | None = None, clip_z: float = 5.0) -> Scaling:
    """Learn the scaling from the training cases' pool (N, P).

    A column is dropped when it is constant (its range is within rounding of its size), undefined in more than half of
    the cases, or not in ``use``.

    Raises:
        InputError: fewer than two cases, or no column is left.
    """
    pool = np.asarray(pool, dtype=np.float64)
    if pool.ndim != 2 or pool.shape[0] < 2:
        raise InputError(f"pool: expected at least two training cases (N, P), got shape {pool.shape}.")
    known = np.isfinite(pool)
    usable = known.sum(axis=0) > max(1, len(pool) // 2)
    if use is not None:
        usable &= np.asarray(use, dtype=bool)
    high = np.where(known, pool, -np.inf).max(axis=0, where=usable, initial=-np.inf)
    low = np.where(known, pool, np.inf).min(axis=0, where=usable, initial=np.inf)
    size = np.maximum(np.abs(high), np.abs(low))
    kept = np.flatnonzero(usable & (high - low > 1e-9 * size))
    if kept.size == 0:
        raise InputError("pool: every feature is the same in all training cases; are the images all alike?")
    values = np.where(known[:, kept], pool[:, kept], np.nan)
    return Scaling(kept, np.nanmean(values, axis=0), np.nanstd(values, axis=0), clip_z, pool.shape[1])
