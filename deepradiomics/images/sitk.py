"""Between our images and SimpleITK's: grids and voxels, nothing read and nothing written."""

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
    """Return the image with one stored value per voxel; a run-length coded LabelMap is unfolded where labels are meant.

    Nothing may be asked of a LabelMap before: SimpleITK ends the whole process at some of its questions.

    Raises:
        InputError: a LabelMap where grey values are meant.
    """
    if image.GetPixelID() not in LABEL_MAPS:
        return image
    if not labels:
        raise InputError(f"{name}: expected grey values, got a SimpleITK LabelMap. Is it the mask? Give the image.")
    return sitk.LabelMapToLabel(image)


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
