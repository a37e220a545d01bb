"""Resampling as PyRadiomics does it: a grid aligned with the mask's corner, cut to the ROI and a margin.

The grid is the mask's, at the new spacing, with the same outer corner; only the voxels that cover the ROI's box and
``padDistance`` more are made. The image is interpolated as set, the mask by nearest neighbour.
"""

import numpy as np
import SimpleITK as sitk

from deepradiomics import kernels as compiled
from deepradiomics.errors import GeometryError, InputError, MaskError
from deepradiomics.radiomics.memory import RESAMPLED_DEFAULT_GB, VARIABLE, Budget
from deepradiomics.radiomics.settings.settings import Settings
from deepradiomics.radiomics.wording import told_apart

MASK_BYTES = 18  # a voxel of the new mask, twice while it is handed over, and what is asked of it, as measured
AXES_TOLERANCE = 1e-12  # of the direction cosines, for grids whose axes are the same


def resample_pair(
    image: sitk.Image,
    mask: sitk.Image,
    settings: Settings,
    name: str,
    threads: int | None = None,
    budget: Budget | None = None,
) -> tuple[sitk.Image, sitk.Image]:
    """Return image and mask on the new grid.

    Args:
        image: grey-level image.
        mask: label image (uint32); it may lie on another grid than the image.
        settings: spacing (x, y, z), 0 keeping the mask's own, interpolator, pad distance and label.
        name: what messages call the mask.
        threads: how many to use.
        budget: what the new images may take; None takes the default.

    Raises:
        InputError: the new images would be larger than the budget.
        GeometryError: the ROI reaches outside the image.
        MaskError: no voxel of the label is left.
    """
    old = np.array(mask.GetSpacing())
    asked = np.array(settings.resampled_spacing_mm, float)
    lower, size = _roi_box(image, mask, settings.label, name)
    spacing = np.where((asked == 0) | (size == 1), old, asked)  # a single slice is left as it is
    if np.allclose(np.array(image.GetSpacing()), spacing):
        return _cropped_pair(
            image, sitk.Resample(mask, image, sitk.Transform(), sitk.sitkNearestNeighbor), settings, name
        )
    ratio = old / spacing
    first = np.maximum(np.floor((lower - 0.5) * ratio - settings.pad_distance), 0)
    last = np.ceil((lower + size - 0.5) * ratio + settings.pad_distance)
    last = np.minimum(last, np.ceil(np.array(mask.GetSize()) * ratio) - 1)
    # the outer corner stays: the first new centre lies half a new voxel from it
    origin = 0.5 * (spacing - old) / old + first / ratio
    _require_room(last - first + 1, spacing, old, image, budget or Budget())
    grid = sitk.ResampleImageFilter()
    grid.SetOutputSpacing(spacing.tolist())
    grid.SetOutputDirection(mask.GetDirection())
    grid.SetSize((last - first + 1).astype(int).tolist())
    grid.SetOutputOrigin(mask.TransformContinuousIndexToPhysicalPoint(origin.tolist()))
    chosen = settings.interpolator
    grid.SetOutputPixelType(image.GetPixelID())
    grid.SetInterpolator(getattr(sitk, chosen) if isinstance(chosen, str) else chosen)
    new_image = _fast_bspline(image, grid, threads)
    if new_image is None:
        new_image = grid.Execute(image)
    grid.SetOutputPixelType(mask.GetPixelID())
    grid.SetInterpolator(sitk.sitkNearestNeighbor)
    new_mask = grid.Execute(mask)
    if not (sitk.GetArrayViewFromImage(new_mask) == settings.label).any():
        raise MaskError(
            f"{name}: no voxel of label {settings.label} is left after resampling to {spacing.round(4).tolist()} mm. "
            "Take a smaller resampledPixelSpacing."
        )
    return new_image, new_mask


def _require_room(
    size: np.ndarray, spacing_mm: np.ndarray, old_mm: np.ndarray, image: sitk.Image, budget: Budget
) -> None:
    """Refuse a new grid that the budget cannot hold, before any of it is made."""
    need = float(np.prod(size)) * (2 * image.GetSizeOfPixelComponent() + MASK_BYTES)
    room = max(budget.gigabytes, RESAMPLED_DEFAULT_GB) if budget.is_default else budget.gigabytes
    if need <= room * 1e9:
        return
    needed, there = told_apart(need / 1e9, room)
    raise InputError(
        f"setting resampledPixelSpacing: at {spacing_mm.round(6).tolist()} mm the region's box would have "
        f"{' x '.join(f'{n:.0f}' for n in size)} voxels (x, y, z) and need about {needed} GB, the budget is {there} "
        f"GB. The mask's own spacing is {old_mm.round(4).tolist()} mm: is the new one a slip? Otherwise take a larger "
        f"one, or raise max_memory_gb (or the variable {VARIABLE})."
    )


def _fast_bspline(image: sitk.Image, grid: sitk.ResampleImageFilter, threads: int | None) -> sitk.Image | None:
    """Our own B-spline where numba is there, the grids' axes agree and ITK's values are sure to be met; else None."""
    same_axes = np.allclose(image.GetDirection(), grid.GetOutputDirection(), rtol=0, atol=AXES_TOLERANCE)
    if (
        grid.GetInterpolator() != sitk.sitkBSpline
        or image.GetDimension() != 3
        or not same_axes
        or not compiled.available()
    ):
        return None
    from deepradiomics.radiomics.region.bspline import resample_axes

    first = np.array(image.TransformPhysicalPointToContinuousIndex(grid.GetOutputOrigin()))[::-1]
    step = np.array(grid.GetOutputSpacing())[::-1] / np.array(image.GetSpacing())[::-1]
    size = np.array(grid.GetSize(), int)[::-1]
    resampled = resample_axes(sitk.GetArrayViewFromImage(image), first, step, size, threads)
    if resampled is None:
        return None
    result = sitk.GetImageFromArray(resampled)
    result.SetSpacing(grid.GetOutputSpacing())
    result.SetOrigin(grid.GetOutputOrigin())
    result.SetDirection(grid.GetOutputDirection())
    return result


def _cropped_pair(image: sitk.Image, mask: sitk.Image, settings: Settings, name: str) -> tuple[sitk.Image, sitk.Image]:
    """Cut both to the ROI's box and ``padDistance`` more: what filters see of an image that keeps its spacing."""
    lower, size = _label_box(mask, settings.label, name)
    pad = settings.pad_distance
    first = np.maximum(lower - pad, 0)
    last = np.minimum(lower + size + pad, mask.GetSize())
    box = tuple(slice(int(lo), int(up)) for lo, up in zip(first, last, strict=True))
    return image[box], mask[box]


def resampled_mask(image: sitk.Image, mask: sitk.Image, settings: Settings, name: str) -> sitk.Image:
    """Return the mask on the image's grid (setting ``correctMask``), by nearest neighbour.

    Raises:
        GeometryError: the ROI reaches outside the image.
        MaskError: no voxel of the label is left.
    """
    _roi_box(image, mask, settings.label, name)
    moved = sitk.Resample(mask, image, sitk.Transform(), sitk.sitkNearestNeighbor)
    if not (sitk.GetArrayViewFromImage(moved) == settings.label).any():
        raise MaskError(f"{name}: no voxel of label {settings.label} is left on the image's grid.")
    return moved


def _roi_box(image: sitk.Image, mask: sitk.Image, label: int, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return first voxel and size (x, y, z) of the label's box, after checking that it lies within the image."""
    lower, size = _label_box(mask, label, name)
    corners = [
        image.TransformPhysicalPointToContinuousIndex(mask.TransformContinuousIndexToPhysicalPoint(point.tolist()))
        for point in (lower - 0.5, lower + size - 0.5)
    ]
    tolerance = 1e-3
    low, high = np.min(corners, axis=0), np.max(corners, axis=0)
    if (low < -0.5 - tolerance).any() or (high > np.array(image.GetSize()) - 0.5 + tolerance).any():
        raise GeometryError(
            f"{name}: the ROI reaches outside the image: it spans voxels {np.round(low, 2).tolist()} to "
            f"{np.round(high, 2).tolist()} (x, y, z) of an image of {image.GetSize()}. Are mask and image of one exam?"
        )
    return lower, size


def _label_box(mask: sitk.Image, label: int, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return first voxel and size (x, y, z) of the label's box."""
    inside = sitk.GetArrayViewFromImage(mask) == label
    places = [np.flatnonzero(inside.any(axis=tuple(set(range(inside.ndim)) - {axis}))) for axis in range(inside.ndim)]
    if len(places[0]) == 0:
        raise MaskError(f"{name}: no voxel has label {label}.")
    lower, last = (np.array([axis[end] for axis in places])[::-1] for end in (0, -1))
    return lower, last - lower + 1
