"""IBSI's image processing: interpolate image and ROI, round, re-segment, discretise.

Two masks leave it. The morphological mask is the ROI as drawn, and shape is taken from it; the intensity mask lacks
the voxels that re-segmentation took out, and grey values are taken from it. IBSI IF9H, ECJF, 4R0B.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deepradiomics.errors import InputError, MaskError
from deepradiomics.images import ImageLike, MaskLike, Volume
from deepradiomics.radiomics.ibsi.interpolation import EXACT_DECIMALS, interpolated, interpolated_roi, kind_of, new_grid
from deepradiomics.radiomics.region.inputs import Inputs, load, normalised
from deepradiomics.radiomics.region.preprocess import check_roi, on_one_grid, resegmented
from deepradiomics.radiomics.region.region import MAXIMUM_BINS, MAXIMUM_LEVELS, LevelRegion
from deepradiomics.radiomics.region.regions import alone
from deepradiomics.radiomics.settings.settings import Settings

PARTIAL_VOLUME = 0.5
"""An interpolated ROI voxel belongs to the ROI when at least this part of it is inside."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """An image and its two masks, ready for features.

    Args:
        image: the interpolated (and rounded) image.
        morphological, intensity: bool (z, y, x) on the image's grid.
        stages: (name, size (x, y, z), voxels in the ROI, mean, minimum and maximum in the ROI) of each stage.
        notes: what was done on the way.
        dimensions: 3, or 2 for a flat image (one slice).
    """

    image: Volume
    morphological: np.ndarray
    intensity: np.ndarray
    stages: dict[str, dict[str, Any]]
    notes: tuple[str, ...]
    dimensions: int = 3

    @property
    def box(self) -> tuple[slice, slice, slice]:
        """The smallest box (z, y, x) that holds the morphological mask, and so both."""
        places = [np.flatnonzero(self.morphological.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
        return tuple(slice(int(f[0]), int(f[-1]) + 1) for f in places)  # type: ignore[return-value]


def prepare(image: ImageLike, mask: MaskLike, settings: Settings) -> Prepared:
    """Return image and masks of one label as IBSI prescribes.

    Args:
        image, mask: paths, SimpleITK images or our own objects.
        settings: the steps to take, and the label.

    Raises:
        InputError: a setting that IBSI has no place for, NaN in the image, or an unreadable file.
        GeometryError: the mask lies on another grid and may not be moved.
        MaskError: the mask lacks the label, or its ROI is too small at some stage.
    """
    return prepare_inputs(loaded(image, mask, settings), settings)


def loaded(image: ImageLike, mask: MaskLike, settings: Settings) -> Inputs:
    """Read and normalise, without cutting outliers off: ``removeOutliers`` acts on the ROI here."""
    return load(image, mask, replace(settings, remove_outliers=None))


def loaded_again(inputs: Inputs, settings: Settings) -> Inputs:
    """Return what was loaded as :func:`loaded` would give it."""
    plain = replace(settings, remove_outliers=None)
    image = normalised(inputs.original.require_finite(), plain) if settings.normalize else inputs.original
    return replace(inputs, image=image, cache={})


def prepare_inputs(inputs: Inputs, settings: Settings) -> Prepared:
    """Return image and masks of one label of what was loaded; see :func:`prepare`."""
    for _, type_settings in settings.per_image_type():
        refuse(type_settings)
    if inputs.dimensions == 2 and any(a.startswith("3D") for a in settings.aggregation):
        raise InputError(
            "setting aggregation: the image is two-dimensional; choose 2D_averaged, 2D_slice_merged or the 2.5D ones, "
            f"not {[a for a in settings.aggregation if a.startswith('3D')]}."
        )
    volume, labels = inputs.image.require_finite(), alone(inputs.mask, settings.label)
    name = labels.name or "mask"
    labels.region(settings.label)  # the label must be there before anything else is done
    volume, labels, note = on_one_grid(volume, labels, settings)
    inside = labels.region(settings.label)
    stages = {"initial": _stage(volume, inside)}
    grid = volume.geometry
    volume = _on_ibsis_grid(volume, settings, inputs.cache)
    if volume.geometry != grid:
        kind = kind_of(settings.interpolator or "sitkLinear")
        inside = interpolated_roi(inside, grid, volume.geometry, kind, PARTIAL_VOLUME)
        if not inside.any():
            raise MaskError(
                f"{name}: no voxel of label {settings.label} is left after interpolation to "
                f"{np.round(volume.geometry.spacing_mm, 4).tolist()} mm. Take a smaller resampledPixelSpacing."
            )
    check_roi(inside, settings, name)
    stages["interpolated"] = _stage(volume, inside)
    intensity = _resegmented(volume.voxels, inside, settings)
    check_roi(intensity, settings, f"{name} after re-segmentation")
    stages["resegmented"] = _stage(volume, intensity)
    return Prepared(volume, inside, intensity, stages, (note,) if note else (), inputs.dimensions)


def _on_ibsis_grid(volume: Volume, settings: Settings, cache: dict[str, Any]) -> Volume:
    """Interpolate and round the image as set; computed once for all labels."""
    if "ibsi" in cache:
        return cache["ibsi"]
    if settings.resampled_spacing_mm is not None and settings.interpolator is not None:
        kind, old = kind_of(settings.interpolator), volume.geometry
        grid = new_grid(old, settings.resampled_spacing_mm)
        volume = Volume(interpolated(volume.voxels, old, grid, kind), grid, volume.name, volume.source, volume.notes)
    if settings.round_intensities:
        volume = replace(volume, voxels=np.rint(np.asarray(volume.voxels, float).round(EXACT_DECIMALS)))
    cache["ibsi"] = volume
    return volume


def refuse(settings: Settings) -> None:
    """Raise InputError for settings that have no place in IBSI's definitions."""
    for key, is_set, instead in (
        ("force2D", settings.force_2d, "choose the aggregations 2D_… or 2.5D_…"),
        ("symmetricalGLCM", not settings.symmetrical_glcm, "IBSI's matrices are symmetrical; remove it"),
        ("weightingNorm", settings.weighting_norm is not None, "choose an aggregation …_averaged or …_merged"),
        ("voxelArrayShift", settings.voxel_array_shift != 0, "IBSI's Energy takes grey values as they are; remove it"),
        ("numericDiagnostics", settings.numeric_diagnostics, "the diagnostics hold them under 'ibsi'; remove it"),
        ("resegmentShape", settings.resegment_shape, "shape is taken from the mask as drawn; remove it"),
    ):
        if is_set:
            raise InputError(f'setting {key}: it has no place in standard="ibsi"; {instead}.')
    if settings.resampled_spacing_mm is not None and len(settings.resampled_spacing_mm) != 3:
        raise InputError(
            f"setting resampledPixelSpacing: expected three spacings (x, y, z), got "
            f"{list(settings.resampled_spacing_mm)}; 0 keeps an axis as it is."
        )


def _resegmented(voxels: np.ndarray, inside: np.ndarray, settings: Settings) -> np.ndarray:
    """Return the intensity mask: the ROI within the range set and without outliers, each judged on the whole ROI."""
    intensity = inside
    if settings.resegment_range is not None:
        intensity = intensity & resegmented(voxels, inside, settings)
    if settings.remove_outliers is not None:
        limit = float(settings.remove_outliers)
        outliers = replace(settings, resegment_range=(-limit, limit), resegment_mode="sigma")
        intensity = intensity & resegmented(voxels, inside, outliers)
    return intensity


def discretise(values: np.ndarray, mask: np.ndarray, settings: Settings, name: str, *, own_units: bool) -> LevelRegion:
    """Return the grey levels of a region, cropped to its box: fixed bin count (K15C) or fixed bin size (Q3RU).

    Bins of fixed size start at the lower end of the re-segmentation range, where there is one, else at the ROI's
    minimum.

    Args:
        values: grey values (z, y, x).
        mask: the intensity mask, bool (z, y, x).
        settings: bin width or count, and re-segmentation range.
        name: what messages call the region.
        own_units: the values are the image's; a response map has other units, so that the range means nothing there.

    Raises:
        InputError: the ROI spans more grey levels than a texture matrix can hold.
    """
    x = values[mask].astype(float)
    low, high = x.min(), x.max()
    if settings.bin_count is not None:
        width = high - low
        scaled = np.zeros(len(x)) if width == 0 else np.floor(settings.bin_count * ((x - low) / width))
        levels = np.minimum(scaled, settings.bin_count - 1) + 1
    else:
        if own_units and settings.resegment_range is not None and settings.resegment_mode == "absolute":
            low = min(settings.resegment_range)
        if (high - low) / settings.bin_width > MAXIMUM_BINS:
            raise InputError(
                f"{name}: its grey values span {(high - low) / settings.bin_width:.0f} bins of width "
                f"{settings.bin_width:g}, at most {MAXIMUM_BINS} are possible. Take a binWidth of about "
                f"{(high - low) / 64:.3g}, or a binCount of 32 to 64."
            )
        levels = np.floor((x - low) / settings.bin_width) + 1
    present, index = np.unique(levels.astype(np.int64), return_inverse=True)
    if len(present) > MAXIMUM_LEVELS:
        raise InputError(
            f"{name}: it has {len(present)} grey levels, at most {MAXIMUM_LEVELS} are possible. Take a larger binWidth "
            "(16 to 128 levels are usual), or a binCount."
        )
    box = tuple(slice(places.min(), places.max() + 1) for places in np.nonzero(mask))
    codes = np.zeros(mask.shape, np.int32)
    codes[mask] = index + 1
    return LevelRegion(np.ascontiguousarray(codes[box]), present)


def _stage(volume: Volume, inside: np.ndarray) -> dict[str, Any]:
    """Return what IBSI's diagnostic features describe: image and ROI at one stage of the processing."""
    values, voxels = volume.voxels[inside], volume.voxels
    places = [np.flatnonzero(inside.any(axis=tuple(a for a in range(3) if a != axis))) for axis in (2, 1, 0)]
    return {
        "size": volume.geometry.size,
        "spacing_mm": volume.geometry.spacing_mm,
        "image_mean": float(voxels.mean(dtype=float)),
        "image_minimum": float(voxels.min()),
        "image_maximum": float(voxels.max()),
        "roi_box": tuple(int(f[-1] - f[0] + 1) for f in places),
        "roi_voxels": int(np.count_nonzero(inside)),
        "roi_mean": float(values.mean(dtype=float)),
        "roi_minimum": float(values.min()),
        "roi_maximum": float(values.max()),
    }
