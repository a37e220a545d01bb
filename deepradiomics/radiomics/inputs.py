"""From what a caller gives (paths, SimpleITK images, our own objects) to one image and one label map, normalised.

A two-dimensional image becomes a volume of one slice; features then stay within the plane.
"""

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from deepradiomics.errors import GeometryError, InputError, MaskError
from deepradiomics.images import Mask, Volume, as_mask, as_volume, to_sitk
from deepradiomics.images.convert import plain_pixels
from deepradiomics.images.nifti import is_nifti, scan_nifti
from deepradiomics.radiomics.settings import Settings


@dataclass(frozen=True, eq=False)
class Inputs:
    """An image and a label map, before any label is chosen; the work on them is shared by all labels.

    Args:
        image: grey values, normalised where the settings say so.
        mask: the labels; they may lie on another grid.
        original: the image as it was read.
        dimensions: 3, or 2 for a flat image (a volume of one slice).
        cache: what was computed once for all labels.
    """

    image: Volume
    mask: Mask
    original: Volume
    dimensions: int = 3
    cache: dict[str, Any] = field(default_factory=dict)


def load(image: Any, mask: Any, settings: Settings) -> Inputs:
    """Read and normalise.

    Args:
        image, mask: paths, SimpleITK images or our own objects; 3-D, or both 2-D.
        settings: normalisation, and the channel of a mask with several.

    Raises:
        InputError: an unreadable file, a colour image, NaN or a constant image where it should be normalised.
        GeometryError: image and mask differ in the number of dimensions.
        MaskError: labels that are not whole numbers, or a channel that is not there.
    """
    image, mask = opened_image(image), opened_mask(mask)
    flat = [isinstance(given, sitk.Image) and given.GetDimension() == 2 for given in (image, mask)]
    if flat[0] and not flat[1]:
        raise GeometryError("mask: the image is two-dimensional, so the mask must be too. Take one slice of it.")
    if flat[1] and not flat[0]:
        raise GeometryError("mask: it is two-dimensional, the image is not. Give a mask of the image's size.")
    if flat[0]:
        image, mask = sitk.JoinSeries([image]), sitk.JoinSeries([mask])
    original, labels = as_volume(image), as_mask(one_channel(mask, settings.label_channel))
    volume = normalised(original.require_finite(), settings) if settings.normalize else original
    return Inputs(volume, labels, original, 2 if flat[0] else 3)


def opened_image(image: Any) -> Any:
    """Read an image where it is a path: a Volume, or a two-dimensional SimpleITK image.

    Raises:
        InputError: the file is missing, unreadable or no grey-level image.
    """
    special = _special_file(image)
    if special is not None:
        return special
    if isinstance(image, sitk.Image):
        return plain_pixels(image)
    return as_volume(image) if isinstance(image, str | os.PathLike) else image


def opened_mask(mask: Any) -> Any:
    """Read a mask where it is a path: a Mask, or a SimpleITK image that is two-dimensional or has several channels.

    Raises:
        InputError: the file is missing or unreadable.
        MaskError: labels that are not whole numbers.
    """
    special = _special_file(mask, channels=True)
    if special is not None:
        return special
    if isinstance(mask, sitk.Image):
        return plain_pixels(mask, labels=True)
    return as_mask(mask) if isinstance(mask, str | os.PathLike) else mask


def plane_settings(settings: Settings, dimensions: int) -> Settings:
    """Return settings that keep to the plane when the image is two-dimensional; IBSI's aggregations do that alone."""
    return settings.in_plane() if dimensions == 2 and settings.standard != "ibsi" else settings


def normalised(volume: Volume, settings: Settings) -> Volume:
    """Centre the whole image at its mean, scale it to its standard deviation, cut outliers off, multiply.

    Raises:
        InputError: the image is constant.
    """
    if volume.voxels.min() == volume.voxels.max():
        raise InputError(
            f"{volume.name or 'image'}: it is constant ({volume.voxels.flat[0]}), so it cannot be normalised. "
            "Is it the right file? Otherwise set normalize to false."
        )
    image = sitk.Normalize(to_sitk(volume))
    voxels = sitk.GetArrayFromImage(image)
    if settings.remove_outliers is not None:
        limit = settings.remove_outliers
        voxels[voxels > limit] = limit
        voxels[voxels < -limit] = -limit
    return replace(volume, voxels=voxels * voxels.dtype.type(settings.normalize_scale))


def one_channel(mask: Any, channel: int) -> Any:
    """Take one component of a vector mask (overlapping segments)."""
    mask = plain_pixels(mask, labels=True) if isinstance(mask, sitk.Image) else mask
    if not isinstance(mask, sitk.Image) or mask.GetNumberOfComponentsPerPixel() == 1:
        return mask
    count = mask.GetNumberOfComponentsPerPixel()
    if channel >= count:
        raise MaskError(f"label_channel {channel}: the mask has {count} channels, 0 to {count - 1}.")
    return sitk.VectorIndexSelectionCast(mask, channel)


def _special_file(given: Any, channels: bool = False) -> sitk.Image | None:
    """Read a 2-D image file, or a mask of several channels, here; None for all that the usual readers read."""
    if not isinstance(given, str | os.PathLike) or not Path(given).is_file():
        return None
    path = Path(given)
    header = _header(path)
    if header is None or not (header.GetDimension() == 2 or (channels and header.GetNumberOfComponents() > 1)):
        return None
    nan = scan_nifti(path) if is_nifti(path) else None
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise InputError(f"{path}: this file is damaged or cut short. Copy or export it again.") from error
    if nan is None or channels:
        return image
    voxels = sitk.GetArrayFromImage(image)  # ITK's NIfTI reader has put 0 where NaN was
    voxels.reshape(-1)[nan] = float("nan")
    whole = sitk.GetImageFromArray(voxels)
    whole.CopyInformation(image)
    return whole


def _header(path: Path) -> sitk.ImageFileReader | None:
    reader = sitk.ImageFileReader()
    try:
        reader.SetFileName(str(path))
        reader.ReadImageInformation()
    except RuntimeError:
        return None
    return reader
