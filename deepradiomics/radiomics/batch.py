"""extract_patches: the features of every patch in every view of one exam, in one call."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepradiomics.errors import GeometryError, InputError, MaskError
from deepradiomics.images import Volume
from deepradiomics.progress import Progress, silent
from deepradiomics.radiomics.compute import feature_table
from deepradiomics.radiomics.extract import ENGINE_VERSION, undefined_reasons
from deepradiomics.radiomics.preprocess import check_roi, normalised, same_grid
from deepradiomics.radiomics.region import Region
from deepradiomics.radiomics.settings import Settings


@dataclass(frozen=True, eq=False)
class PatchFeatures:
    """Features of J patches in V views.

    Args:
        values: (J, V, K) float64; NaN where a feature is not defined.
        feature_names: (K,) full keys, as in :func:`deepradiomics.radiomics.extract`.
        diagnostics: grey levels (J, V), ``warnings`` and ``undefined`` (patch and view -> feature -> reason).
    """

    values: np.ndarray
    feature_names: tuple[str, ...]
    diagnostics: dict[str, Any]


def extract_patches(
    images: Sequence[Volume],
    patches: np.ndarray,
    params: Any = None,
    *,
    foreground: np.ndarray | None = None,
    device: str = "auto",
    progress: Progress | None = None,
) -> PatchFeatures:
    """Compute the features of each patch of each image; equal to one :func:`extract` for every pair.

    Args:
        images: V volumes on one grid.
        patches: (z, y, x) whole numbers: 0 outside, patches 1 ... J.
        params: as for :func:`extract`; the images are on their grid already, so settings that resample or re-segment
            are refused.
        foreground: bool (z, y, x) that restricts every patch, or None.
        device: as for :func:`extract`.
        progress: told how far the work is.

    Raises:
        InputError: no image, NaN, or settings that cannot be used here.
        GeometryError: images, patches and foreground differ in grid or shape.
        MaskError: a patch has no voxel or too few; the message names it.
    """
    settings, report = Settings.from_params(params), progress or silent
    _refuse(settings)
    labels = _checked_labels(images, patches, foreground)
    count = int(patches.max())
    if settings.normalize:
        images = [normalised(image.require_finite(), settings) for image in images]
    spacing = tuple(images[0].geometry.spacing_mm[::-1])
    boxes = _boxes(labels, count, patches)
    regions = []
    for j, box in enumerate(boxes, start=1):
        inside = labels[box] == j
        check_roi(inside, settings, f"patch {j}")
        for v, image in enumerate(images):
            name = f"patch {j}, {image.name or f'view {v + 1}'}"
            values = np.asarray(image.voxels[box])
            if values.dtype.kind == "f" and not np.isfinite(values[inside]).all():
                raise InputError(f"{name}: NaN or infinite grey values in the patch. Replace them first.")
            regions.append(Region(values, inside, spacing, inside, name))  # type: ignore[arg-type]
    report(0.1, "features of patches")
    views = len(images)
    first_view = [k - k % views for k in range(len(regions))]  # the shape of a patch is the same in every view
    table = feature_table(regions, settings, device=device, shape_of=first_view)
    undefined = {
        region.name: undefined_reasons(table.names, row) for region, row in zip(regions, table.values, strict=True)
    }
    diagnostics = {
        "engine_version": ENGINE_VERSION,
        "backend": table.backend,
        "settings": settings.to_dict()["setting"],
        "grey_levels": table.n_levels.reshape(count, views).tolist() if len(table.n_levels) else None,
        "warnings": [*settings.notes, *table.warnings],
        "undefined": {name: reasons for name, reasons in undefined.items() if reasons},
    }
    report(1.0, "features of patches")
    return PatchFeatures(table.values.reshape(count, views, -1), table.names, diagnostics)


def _refuse(settings: Settings) -> None:
    for key, value in (
        ("resampledPixelSpacing", settings.resampled_spacing_mm),
        ("resegmentRange", settings.resegment_range),
    ):
        if value is not None:
            raise InputError(f"setting {key}: patches are cut from images that are prepared already; remove it.")


def _checked_labels(images: Sequence[Volume], patches: np.ndarray, foreground: np.ndarray | None) -> np.ndarray:
    """Return the patch labels, zero outside the foreground, after checking that all shapes agree."""
    if not images:
        raise InputError("images: expected at least one volume, got none.")
    grid = images[0].geometry
    for image in images[1:]:
        if not same_grid(grid, image.geometry):
            raise GeometryError(
                f"images: all views must lie on one grid; {image.name or 'a view'} has size {image.geometry.size} and "
                f"spacing {image.geometry.spacing_mm}, the first has {grid.size} and {grid.spacing_mm}."
            )
    for name, array in (("patches", patches), ("foreground", foreground)):
        if array is not None and array.shape != grid.shape:
            raise GeometryError(f"{name}: expected shape (z, y, x) {grid.shape}, got {array.shape}.")
    if patches.dtype.kind not in "iu":
        raise InputError(f"patches: expected whole numbers, got {patches.dtype}.")
    if patches.max() < 1:
        raise MaskError("patches: there is none; expected labels 1 to J.")
    return patches if foreground is None else np.where(foreground, patches, 0)


def _boxes(labels: np.ndarray, count: int, patches: np.ndarray) -> list[tuple[slice, slice, slice]]:
    from scipy.ndimage import find_objects

    boxes = find_objects(labels, count)
    for j, box in enumerate(boxes, start=1):
        if box is None:
            there = int(np.count_nonzero(patches == j))
            why = f"none of its {there} voxels is foreground" if there else "no voxel has this label"
            raise MaskError(f"patch {j} of {count} is empty: {why}. Move the ROI, or take a coarser patch grid.")
    return boxes
