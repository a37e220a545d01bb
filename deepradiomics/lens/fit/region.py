"""The images of a case, and its region on the grid of each of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from deepradiomics.cohort.manifest import ManifestRow
from deepradiomics.cohort.roi import reading_of
from deepradiomics.errors import GeometryError, InputError, MaskError
from deepradiomics.images import Geometry, Mask, Volume
from deepradiomics.prepare.resample import resample_mask


def load_images(row: ManifestRow, modalities: Sequence[str]) -> dict[str, Volume]:
    """Read the modalities of a case.

    Raises:
        InputError: a cell is empty, or a file cannot be read or holds NaN; the message names case and column.
    """
    images = {}
    for name in modalities:
        if name not in row.views:
            raise InputError(f"Case {row.id}, column view_{name}: this cell is empty; name a file there.")
        try:
            images[name] = reading_of(row).read_volume(row.views[name]).require_finite()
        except InputError as error:
            raise type(error)(f"Case {row.id}, column view_{name}: {error}") from error
    return images


def region_on(mask: Mask, volume: Volume, *, case: str, modality: str, roi: str) -> tuple[Mask, tuple[str, ...]]:
    """The region on a modality's own grid (nearest voxel), label 1, and a note where a part of it is not imaged.

    Raises:
        GeometryError: the region lies outside this modality.
        MaskError: it lies between its voxels.
    """
    points = mask.geometry.index_to_physical(np.argwhere(mask.union())[:, ::-1])
    outside = 1 - _share_inside(points, volume.geometry)
    if outside == 1:
        raise GeometryError(
            f"Case {case}: the ROI {roi} lies outside modality {modality} (the mask covers {_box(points)}, the image "
            f"{_box(volume.geometry.corners_mm())}). Do image and mask belong to the same examination?"
        )
    on_grid = resample_mask(Mask(mask.union(), mask.geometry, roi), volume.geometry)
    if not on_grid.union().any():
        raise MaskError(
            f"Case {case}: the ROI {roi} is so small that no voxel of modality {modality} "
            f"({' x '.join(f'{step:g}' for step in volume.geometry.spacing_mm)} mm) has its centre in it."
        )
    notes = (
        () if outside <= 0 else (f"{outside:.0%} of the ROI {roi} lie outside modality {modality}".replace("%", " %"),)
    )
    return on_grid, notes


def _share_inside(points: NDArray[np.float64], geometry: Geometry) -> float:
    """Part of the points (n, 3) that lie within the grid's outer voxel edges."""
    index = geometry.physical_to_index(points)
    return float(((index >= -0.5 - 1e-6) & (index < np.array(geometry.size) - 0.5 + 1e-6)).all(axis=1).mean())


def _box(points: NDArray[np.float64]) -> str:
    low, high = points.min(axis=0), points.max(axis=0)
    return ", ".join(f"{axis} {a:.0f} to {b:.0f}" for axis, a, b in zip("LPS", low, high, strict=True)) + " mm"
