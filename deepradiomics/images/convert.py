"""Volumes and masks from whatever the user hands in: a path, a SimpleITK image, or what is one already."""

import os

import SimpleITK as sitk

from deepradiomics.errors import InputError
from deepradiomics.images.masks.slicer import describes_segments, mask_of_image
from deepradiomics.images.read import read_mask, read_volume
from deepradiomics.images.sitk import geometry_of, plain_pixels
from deepradiomics.images.volume import Mask, Volume

ImageLike = Volume | sitk.Image | str | os.PathLike[str]
MaskLike = Mask | sitk.Image | str | os.PathLike[str]
"""What functions take for an image and a mask: a path, a SimpleITK image, or what is read already."""


def volume_from_sitk(image: sitk.Image, name: str = "", source: str = "", notes: tuple[str, ...] = ()) -> Volume:
    """Copy a scalar 3-D SimpleITK image into a Volume.

    Raises:
        GeometryError: not 3-D.
        InputError: several components per voxel (RGB, vector), or a LabelMap.
    """
    image = plain_pixels(image, name or source or "image")
    if image.GetNumberOfComponentsPerPixel() != 1:
        raise InputError(
            f"{name or source or 'image'}: expected one grey value per voxel, got "
            f"{image.GetNumberOfComponentsPerPixel()} components (colour or vector image). Convert it to grey first."
        )
    return Volume(sitk.GetArrayFromImage(image), geometry_of(image, name or source), name, source, notes)


def mask_from_sitk(image: sitk.Image, name: str = "", source: str = "") -> Mask:
    """Copy a 3-D SimpleITK label image into a Mask; of a ``.seg.nrrd`` all layers, names, colours and terms."""
    image = plain_pixels(image, labels=True)
    if describes_segments(image.GetMetaDataKeys()):
        return mask_of_image(image, name, source)
    volume = volume_from_sitk(image, name, source)
    return Mask(volume.voxels, volume.geometry, name, source)


def as_volume(value: ImageLike, *, plane: str | None = None) -> Volume:
    """Return a Volume from a path, a SimpleITK image or a Volume."""
    if isinstance(value, Volume):
        return value
    if isinstance(value, sitk.Image):
        return volume_from_sitk(value)
    if isinstance(value, str | os.PathLike):
        return read_volume(value, plane=plane)
    raise InputError(f"image: expected a path, a SimpleITK image or a Volume, got {type(value).__name__}.")


def as_mask(value: MaskLike) -> Mask:
    """Return a Mask from a path, a SimpleITK image or a Mask."""
    if isinstance(value, Mask):
        return value
    if isinstance(value, sitk.Image):
        return mask_from_sitk(value)
    if isinstance(value, str | os.PathLike):
        return read_mask(value)
    raise InputError(f"mask: expected a path, a SimpleITK image or a Mask, got {type(value).__name__}.")
