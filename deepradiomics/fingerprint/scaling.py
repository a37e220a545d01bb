"""Scaling: the pool is standardised with the mean and SD of the training split, and constant columns are dropped.

z = (f - mean) / SD, clipped to ±clip_z, so that one wild texture value in a new patient cannot decide alone.
Nothing here ever sees validation or test data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from deepradiomics.errors import BundleError, InputError

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
        """Pool (N, P) → z (N, D), float32.

        Raises:
            InputError: another number of columns, or a value in use is not finite.
        """
        pool = np.asarray(pool, dtype=np.float64)
        if pool.ndim != 2 or pool.shape[1] != self.pool_size:
            raise InputError(f"pool: expected (N, {self.pool_size}) feature values, got {pool.shape}.")
        values = pool[:, self.kept]
        bad = np.argwhere(~np.isfinite(values))
        if bad.size:
            raise InputError(
                f"pool: {len(bad)} feature values are NaN or infinite (first: case {bad[0, 0] + 1}, column "
                f"{self.kept[bad[0, 1]] + 1}). Is a patch of one grey level or outside the image?"
            )
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
            clip_z, pool_size = tensors[f"{_PREFIX}clip_z_and_pool_size"]
            kept, mean, sd = (tensors[f"{_PREFIX}{name}"] for name in ("kept", "mean", "sd"))
        except (KeyError, ValueError) as error:
            raise BundleError(f"bundle: the tensors of the feature scaling are missing ({error}).") from error
        return cls(kept, mean, sd, float(clip_z), int(pool_size))


def fit_scaling(pool: np.ndarray, *, use: np.ndarray | None = None, clip_z: float = 5.0) -> Scaling:
    """Learn the scaling from the training cases' pool (N, P).

    A column is dropped when it is constant (its range is within rounding of its size) or not in ``use``.

    Raises:
        InputError: fewer than two cases, a value that is not finite, or every column is constant.
    """
    pool = np.asarray(pool, dtype=np.float64)
    if pool.ndim != 2 or pool.shape[0] < 2:
        raise InputError(f"pool: expected at least two training cases (N, P), got shape {pool.shape}.")
    allowed = np.ones(pool.shape[1], dtype=bool) if use is None else np.asarray(use, dtype=bool)
    if not np.isfinite(pool[:, allowed]).all():
        case, column = np.argwhere(~np.isfinite(np.where(allowed, pool, 0.0)))[0]
        raise InputError(f"pool: training case {case + 1} has a feature that is NaN or infinite (column {column + 1}).")
    spread = np.ptp(np.where(allowed, pool, 0.0), axis=0)
    size = np.abs(np.where(allowed, pool, 0.0)).max(axis=0)
    kept = np.flatnonzero(allowed & (spread > 1e-9 * size))
    if kept.size == 0:
        raise InputError("pool: every feature is the same in all training cases; are the images all alike?")
    return Scaling(kept, pool[:, kept].mean(axis=0), pool[:, kept].std(axis=0), clip_z, pool.shape[1])
