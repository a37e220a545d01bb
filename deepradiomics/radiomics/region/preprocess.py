"""From image and mask to the cropped region: bring onto one grid, resample, crop, re-segment, check.

The order and the arithmetic are PyRadiomics', and the resampling is SimpleITK's, so that the numbers agree.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import SimpleITK as sitk

from deepradiomics.errors import GeometryError, InputError, MaskError
from deepradiomics.images import Geometry, ImageLike, Mask, MaskLike, Volume, mask_from_sitk, to_sitk, volume_from_sitk
from deepradiomics.radiomics.memory import Budget, told_when_full
from deepradiomics.radiomics.region.diagnostics import Told
from deepradiomics.radiomics.region.inputs import Inputs, load, normalised, one_channel
from deepradiomics.radiomics.region.region import Region
from deepradiomics.radiomics.region.regions import alone
from deepradiomics.radiomics.region.resampling import resample_pair, resampled_mask
from deepradiomics.radiomics.settings.settings import Settings
from deepradiomics.radiomics.wording import told_apart

__all__ = [
    "Prepared",
    "check_roi",
    "normalised",
    "on_one_grid",
    "one_channel",
    "prepare",
    "prepare_region",
    "resegmented",
    "same_grid",
]

DEFAULT_TOLERANCE = 1e-6  # ITK's: origin and spacing in voxels, directions as they are
CENTRE_TOLERANCE_VOXELS = 1e-3  # voxel centres that lie this close are the same, however the headers round
BSPLINE_VOXELS = 4
_ROUNDED = 1 + 1e-9  # a limit met but for rounding is met
_TOLERANT = "; if only the headers are rounded, raise geometryTolerance"


@dataclass(frozen=True, eq=False)
class Prepared:
    """A region ready for features, and the images it was cut from.

    Args:
        region: the ROI, cropped to its box.
        image: the whole image that filters see: normalised, and resampled or cropped where the settings say so.
        mask: the labels on the same grid, before re-segmentation.
        lower: first voxel (z, y, x) of the region's box in that image.
        notes: what a user should know, one sentence each.
        diagnostics: PyRadiomics' entries about image and mask at each step, where the settings ask for them.
        dimensions: 3, or 2 for a flat image.
    """

    region: Region
    image: Volume
    mask: Mask
    lower: tuple[int, int, int]
    notes: tuple[str, ...]
    diagnostics: dict[str, Any] = field(default_factory=dict)
    dimensions: int = 3

    @property
    def box(self) -> tuple[slice, slice, slice]:
        """Where the region lies in the image, (z, y, x)."""
        ends = zip(self.lower, self.region.mask.shape, strict=True)
        return tuple(slice(first, first + size) for first, size in ends)  # type: ignore[return-value]


def prepare(image: ImageLike, mask: MaskLike, settings: Settings) -> Prepared:
    """Return the cropped region of one label.

    Args:
        image, mask: paths, SimpleITK images or our own objects.
        settings: the steps to take, and the label.

    Raises:
        InputError: NaN in the image, a constant image that should be normalised, or an unreadable file.
        GeometryError: the mask lies on another grid and may not be moved.
        MaskError: the mask is empty, lacks the label, or its ROI is too small.
    """
    return prepare_region(load(image, mask, settings), settings)


def prepare_region(
    inputs: Inputs, settings: Settings, threads: int | None = None, budget: Budget | None = None
) -> Prepared:
    """Return the cropped region of one label of what was loaded; see :func:`prepare`.

    A resampled image must fit into the budget, which is told before it is made.
    """
    with told_when_full(inputs.image.name or "image"):
        return _prepared(inputs, settings, threads, budget or Budget())


def _prepared(inputs: Inputs, settings: Settings, threads: int | None, budget: Budget) -> Prepared:
    volume, labels = inputs.image, alone(inputs.mask, settings.label)
    name = labels.name or "mask"
    inside = labels.region(settings.label)  # the label must be there before anything else is done
    diagnostics = Told(inputs, settings)
    diagnostics.of_original(inside)
    resampling = settings.resampled_spacing_mm is not None and settings.interpolator is not None
    if resampling:
        volume, labels = _resampled(volume.require_finite(), labels, settings, inputs.dimensions, threads, budget)
        diagnostics.of_step("interpolated", labels.region(settings.label), labels.geometry, volume)
    volume, labels, note = on_one_grid(volume, labels, settings)
    inside = labels.region(settings.label)
    if note:
        diagnostics.of_step("corrected", inside, labels.geometry, volume)
    lower, upper = check_roi(inside, settings, name)
    if settings.pre_crop and not resampling:
        margin = settings.pad_distance
        volume, labels = _cropped(volume, labels, lower - margin, upper + margin)
        inside = labels.region(settings.label)
        lower, upper = check_roi(inside, settings, name)
    texture = inside
    if settings.resegment_range is not None:
        texture = resegmented(volume.voxels, inside, settings)
        lower, upper = check_roi(texture, settings, f"{name} after re-segmentation")
        diagnostics.of_step("resegmented", texture, labels.geometry, volume)
    box = tuple(slice(lo, up) for lo, up in zip(lower, upper, strict=True))
    values = np.asarray(volume.voxels[box])
    bad = ~np.isfinite(values[texture[box]]) if values.dtype.kind == "f" else np.zeros(1, bool)
    if bad.any():
        raise InputError(
            f"{volume.name or 'image'}: {int(bad.sum())} of the {bad.size} voxels in the ROI are NaN or infinite. "
            "Replace them, or leave them out of the mask."
        )
    # PyRadiomics cuts the shape's mask to the box of the re-segmented one
    shape_mask = texture[box] if settings.resegment_shape else inside[box]
    spacing = tuple(volume.geometry.spacing_mm[::-1])
    region = Region(values, texture[box].copy(), spacing, shape_mask.copy(), f"label {settings.label}")  # type: ignore[arg-type]
    first = tuple(int(v) for v in lower)
    notes = (note,) if note else ()
    return Prepared(region, volume, labels, first, notes, diagnostics.entries, inputs.dimensions)  # type: ignore[arg-type]


def _resampled(
    volume: Volume, labels: Mask, settings: Settings, dimensions: int, threads: int | None, budget: Budget
) -> tuple[Volume, Mask]:
    """Resample image and mask as the settings say; a flat image within its plane."""
    asked = settings.resampled_spacing_mm or ()
    if len(asked) != dimensions:
        raise InputError(
            f"setting resampledPixelSpacing: expected {dimensions} values for this {dimensions}-dimensional image, "
            f"got {list(asked)}."
        )
    size = volume.geometry.size[:dimensions]
    if settings.interpolator in ("sitkBSpline", sitk.sitkBSpline) and min(size) < BSPLINE_VOXELS:
        raise InputError(
            f"{volume.name or 'image'}: it has {size} voxels ({'x, y, z'[: 3 * dimensions - 2]}). B-spline resampling "
            "needs at least four along each axis: with fewer, ITK gives other values from run to run. "
            "Choose interpolator sitkLinear."
        )
    image, mask = to_sitk(volume), _as_uint32(labels)
    if dimensions == 2:
        image, mask = image[:, :, 0], mask[:, :, 0]
    moved = resample_pair(image, mask, settings, labels.name or "mask", threads, budget)
    if dimensions == 2:
        moved = sitk.JoinSeries([moved[0]]), sitk.JoinSeries([moved[1]])
    return (
        volume_from_sitk(moved[0], volume.name, volume.source, volume.notes),
        mask_from_sitk(moved[1], labels.name, labels.source),
    )


def _cropped(
    volume: Volume, labels: Mask, lower: Sequence[int] | np.ndarray, upper: Sequence[int] | np.ndarray
) -> tuple[Volume, Mask]:
    """Cut both, which share a grid, to a box (z, y, x), as far as it lies inside."""
    first = np.maximum(lower, 0)
    last = np.minimum(upper, volume.voxels.shape)
    box = tuple(slice(lo, up) for lo, up in zip(first, last, strict=True))
    old = volume.geometry
    origin = tuple(old.index_to_physical(first[::-1]))
    grid = Geometry(tuple((last - first)[::-1]), old.spacing_mm, origin, old.direction)  # type: ignore[arg-type]
    return replace(volume, voxels=volume.voxels[box], geometry=grid), replace(
        labels, labels=labels.labels[box], geometry=grid
    )


def resegmented(voxels: np.ndarray, inside: np.ndarray, settings: Settings) -> np.ndarray:
    """Return the part of an ROI whose grey values lie within the range set, bool (z, y, x).

    Raises:
        MaskError: at most one voxel is left.
    """
    values = voxels[inside]
    limits = sorted(settings.resegment_range or ())
    if settings.resegment_mode == "relative":
        limits = [values.max() * limit for limit in limits]
    elif settings.resegment_mode == "sigma":
        mean, sd = np.mean(values), np.std(values)
        limits = [mean + sd * limit for limit in limits]
    in_range = values >= limits[0]
    if len(limits) == 2:
        in_range &= values <= limits[1]
    if in_range.sum() <= 1:
        raise MaskError(
            f"resegmentRange {list(settings.resegment_range or ())} ({settings.resegment_mode}): only "
            f"{int(in_range.sum())} of {len(values)} voxels lie within it (their values: {values.min():g} to "
            f"{values.max():g}). Widen the range."
        )
    result = np.zeros(inside.shape, bool)
    result[inside] = in_range
    return result


def check_roi(inside: np.ndarray, settings: Settings, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounding box (lower, upper + 1), each (z, y, x), of a non-empty ROI that is large enough.

    Raises:
        MaskError: one voxel, too few dimensions, or too few voxels.
    """
    lower, upper = np.empty(3, int), np.empty(3, int)
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        places = np.flatnonzero(inside.any(axis=others))
        lower[axis], upper[axis] = places[0], places[-1] + 1
    dimensions = int(((upper - lower) > 1).sum())
    if dimensions == 0:
        raise MaskError(f"{name}: the ROI is a single voxel; no features can be computed. Draw a larger region.")
    if dimensions < settings.minimum_roi_dimensions:
        raise MaskError(
            f"{name}: the ROI extends over {dimensions} dimension{'s' * (dimensions > 1)} (voxels along z, y, x: "
            f"{(upper - lower).tolist()}), at least {settings.minimum_roi_dimensions} are needed "
            "(setting minimumROIDimensions)."
        )
    count = int(np.count_nonzero(inside))
    if settings.minimum_roi_size is not None and count <= settings.minimum_roi_size:
        raise MaskError(
            f"{name}: the ROI has {count} voxels, more than {settings.minimum_roi_size} are needed "
            "(setting minimumROISize)."
        )
    return lower, upper


def _as_uint32(mask: Mask) -> sitk.Image:
    return sitk.Cast(to_sitk(mask), sitk.sitkUInt32)


def on_one_grid(volume: Volume, mask: Mask, settings: Settings) -> tuple[Volume, Mask, str]:
    """Return both on the image's grid, with a note when the mask had to be resampled."""
    if same_grid(volume.geometry, mask.geometry, settings.geometry_tolerance):
        return volume, replace(mask, geometry=volume.geometry), ""
    if not settings.correct_mask:
        a, b = volume.geometry, mask.geometry
        raise GeometryError(
            f"{f'mask {mask.name}'.strip()}: it does not lie on the image's grid.\n"
            f"  image: size {a.size}, spacing {_short(a.spacing_mm)} mm, origin {_short(a.origin_mm)}, "
            f"directions {_short(a.direction)}\n"
            f"  mask:  size {b.size}, spacing {_short(b.spacing_mm)} mm, origin {_short(b.origin_mm)}, "
            f"directions {_short(b.direction)}\n"
            f"{_difference(a, b, settings.geometry_tolerance)} If both show the same anatomy, set correctMask to true "
            f"to resample the mask onto the image{_TOLERANT if a.size == b.size else ''}."
        )
    moved = mask_from_sitk(resampled_mask(to_sitk(volume), _as_uint32(mask), settings, mask.name or "mask"), mask.name)
    return volume, moved, f"{mask.name or 'mask'}: resampled onto the image's grid (nearest neighbour)."


def same_grid(a: Geometry, b: Geometry, tolerance: float | None = None) -> bool:
    """Tell whether two grids are the same but for the rounding of headers.

    Without ``tolerance`` voxel centres may differ by a thousandth of a voxel; with it, origin and spacing may differ
    by that part of a voxel and directions by that number, as ITK compares them.
    """
    if a.size != b.size:
        return False
    if np.abs(a.corners_mm() - b.corners_mm()).max() <= CENTRE_TOLERANCE_VOXELS * min(a.spacing_mm) * _ROUNDED:
        return True
    tolerance = DEFAULT_TOLERANCE if tolerance is None else tolerance
    length = tolerance * a.spacing_mm[0]
    return (
        np.allclose(a.origin_mm, b.origin_mm, rtol=0, atol=length)
        and np.allclose(a.spacing_mm, b.spacing_mm, rtol=0, atol=length)
        and np.allclose(a.direction, b.direction, rtol=0, atol=tolerance)
    )


def _difference(a: Geometry, b: Geometry, tolerance: float | None) -> str:
    """Say how far two grids are apart, and how far they may be."""
    if a.size != b.size:
        return "Their sizes differ; no tolerance helps."
    apart = np.linalg.norm(a.corners_mm() - b.corners_mm(), axis=1).max()
    allowed = DEFAULT_TOLERANCE if tolerance is None else tolerance
    far, near = told_apart(apart, CENTRE_TOLERANCE_VOXELS * min(a.spacing_mm))
    return (
        f"Voxels lie up to {far} mm apart; allowed are {near} mm, or "
        f"headers that differ by at most {allowed:g} of a voxel (geometryTolerance)."
    )


def _short(values: tuple[float, ...]) -> list[float]:
    return [round(float(v), 4) for v in values]
