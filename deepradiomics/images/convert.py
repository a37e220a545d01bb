"""Between our images and SimpleITK's, and from whatever the user hands in."""

import os
from typing import Any

import numpy as np
import SimpleITK as sitk

from deepradiomics.errors import GeometryError, InputError
from deepradiomics.images.geometry import Geometry
from deepradiomics.images.volume import Mask, Volume

LABEL_MAPS = (sitk.sitkLabelUInt8, sitk.sitkLabelUInt16, sitk.sitkLabelUInt32, sitk.sitkLabelUInt64)


def geometry_of(image: sitk.Image, name: str = "") -> Geometry:
    """Return the geometry of a 3-D SimpleITK image.

    Raises:
        GeometryError: the image is not three-dimensional.
    """
    if image.GetDimension() != 3:
        raise GeometryError(
            f"{name or 'image'}: expected a 3-D image, got {image.GetDimension()}-D of size {image.GetSize()}. "
            "Take one frame of a series, or stack slices into a volume."
        )
    return Geometry(image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection())


def plain_pixels(image: sitk.Image, name: str = "image", *, labels: bool = False) -> sitk.Image:
    """Return the image with one stored value a voxel; a run-length coded LabelMap is unfolded where labels are meant.

    Nothing may be asked of a LabelMap before: SimpleITK ends the whole process at some of its questions.

    Raises:
        InputError: a LabelMap where grey values are meant.
    """
    if image.GetPixelID() not in LABEL_MAPS:
        return image
    if not labels:
        raise InputError(f"{name}: expected grey values, got a SimpleITK LabelMap. Is it the mask? Give the image.")
    return sitk.LabelMapToLabel(image)


def volume_from_sitk(image: sitk.Image, name: str = "", source: str = "", notes: tuple[str, ...] = ()) -> Volume:
    """Copy a scalar 3-D SimpleITK image into a Volume.

    Raises:
        GeometryError: not 3-D.
        InputError: several components a voxel (RGB, vector), or a LabelMap.
    """
    image = plain_pixels(image, name or source or "image")
    if image.GetNumberOfComponentsPerPixel() != 1:
        raise InputError(
            f"{name or source or 'image'}: expected one grey value a voxel, got "
            f"{image.GetNumberOfComponentsPerPixel()} components (colour or vector image). Convert it to grey first."
        )
    return Volume(sitk.GetArrayFromImage(image), geometry_of(image, name or source), name, source, notes)


def mask_from_sitk(image: sitk.Image, name: str = "", source: str = "") -> Mask:
    """Copy a 3-D SimpleITK label image into a Mask; segment names of a ``.seg.nrrd`` header are kept."""
    image = plain_pixels(image, labels=True)
    volume = volume_from_sitk(image, name, source)
    names: dict[int, str] = {}
    keys = set(image.GetMetaDataKeys())
    for i in range(sum(1 for k in keys if k.endswith("_LabelValue"))):
        if {f"Segment{i}_LabelValue", f"Segment{i}_Name"} <= keys:
            names[int(image.GetMetaData(f"Segment{i}_LabelValue"))] = image.GetMetaData(f"Segment{i}_Name")
    return Mask(volume.voxels, volume.geometry, name, source, names)


def to_sitk(image: Volume | Mask) -> sitk.Image:
    """Return a SimpleITK image with the same voxels and geometry."""
    array = image.voxels if isinstance(image, Volume) else image.labels
    if array.dtype.kind == "b":
        array = array.astype(np.uint8)
    if array.dtype == np.float16:
        array = array.astype(np.float32)
    result = sitk.GetImageFromArray(np.asarray(array, order="C"))
    result.SetSpacing(image.geometry.spacing_mm)
    result.SetOrigin(image.geometry.origin_mm)
    result.SetDirection(image.geometry.direction)
    return result


def as_volume(value: Any, *, plane: str | None = None) -> Volume:
    """Return a Volume from a path, a SimpleITK image or a Volume."""
    if isinstance(value, Volume):
        return value
    if isinstance(value, sitk.Image):
        return volume_from_sitk(value)
    if isinstance(value, str | os.PathLike):
        from deepradiomics.images.read import read_volume

        return read_volume(value, plane=plane)
    raise InputError(f"image: expected a path, a SimpleITK image or a Volume, got {type(value).__name__}.")


def as_mask(value: Any) -> Mask:
    """Return a Mask from a path, a SimpleITK image or a Mask."""
    if isinstance(value, Mask):
        return value
    if isinstance(value, sitk.Image):
        return mask_from_sitk(value)
    if isinstance(value, str | os.PathLike):
        from deepradiomics.images.read import read_mask

        return read_mask(value)
    raise InputError(f"mask: expected a path, a SimpleITK image or a Mask, got {type(value).__name__}.")
