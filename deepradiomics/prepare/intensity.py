"""Normalise grey levels: MR has no unit, so each image is put on a common scale before anything is compared."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from deepradiomics.errors import InputError

Normalisation = Literal["zscore", "percentile", "none"]

PERCENTILES = (1.0, 99.0)


@dataclass(frozen=True)
class GreyScale:
    """The linear map grey ↦ (grey − offset) / scale, learned on one image."""

    offset: float
    scale: float

    def apply(self, voxels: np.ndarray) -> np.ndarray:
        """Return the mapped voxels; float64 stays float64, everything else becomes float32."""
        voxels = np.asarray(voxels)
        dtype = np.float64 if voxels.dtype == np.float64 else np.float32
        return ((voxels.astype(np.float64) - self.offset) / self.scale).astype(dtype)


def grey_scale(
    voxels: np.ndarray, method: Normalisation = "zscore", *, inside: np.ndarray | None = None, name: str = "image"
) -> GreyScale:
    """Learn the map that normalises an image.

    Args:
        voxels: any shape.
        method: "zscore" (mean 0, population standard deviation 1), "percentile" (1st percentile to 0,
            99th to 1, not clipped) or "none".
        inside: bool, same shape: the voxels that count, for example those in the field of view; None for all.
        name: what an error calls the image.

    Raises:
        InputError: no voxel, a NaN or infinite one, or a constant image.
    """
    values = np.asarray(voxels, np.float64)
    values = values.ravel() if inside is None else values[inside]
    if not values.size:
        raise InputError(f"{name}: no voxel lies inside the field of view, so grey levels cannot be normalised.")
    if not np.isfinite(values).all():
        bad = int(values.size - np.isfinite(values).sum())
        raise InputError(f"{name}: {bad} of {values.size} voxels are NaN or infinite. Replace them before analysis.")
    if method == "none":
        return GreyScale(0.0, 1.0)
    if method == "zscore":
        offset, scale = float(values.mean()), float(values.std())
    elif method == "percentile":
        low, high = np.percentile(values, PERCENTILES)
        offset, scale = float(low), float(high - low)
    else:
        raise InputError(f"method: expected zscore, percentile or none, got {method!r}.")
    if scale <= 1e-9 * max(1.0, abs(offset)):
        raise InputError(
            f"{name}: the image is constant (every voxel about {offset:g}), so its grey levels carry no information. "
            "Check that the right file was chosen and that it was exported completely."
        )
    return GreyScale(offset, scale)


def normalise(
    voxels: np.ndarray, method: Normalisation = "zscore", *, inside: np.ndarray | None = None, name: str = "image"
) -> np.ndarray:
    """Return normalised voxels (float32; float64 for float64 input). Arguments and errors as :func:`grey_scale`.

    >>> normalise(np.array([1.0, 3.0]))
    array([-1.,  1.])
    """
    return grey_scale(voxels, method, inside=inside, name=name).apply(voxels)
