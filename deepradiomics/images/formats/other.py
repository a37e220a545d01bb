"""Formats that this package does not know itself, such as PNG, TIFF or VTK: as ITK reads them."""

from pathlib import Path

import SimpleITK as sitk

from deepradiomics.errors import GeometryError
from deepradiomics.headers.regular import printable
from deepradiomics.images.formats.stored import StoredImage
from deepradiomics.images.geometry import Geometry
from deepradiomics.images.itk_files import read_itk


def read_other(path: Path) -> StoredImage:
    """Read a format that this package does not know itself, such as PNG, TIFF or VTK.

    Raises:
        InputError: as :func:`read_itk`.
        GeometryError: neither flat nor three-dimensional.
    """
    image = read_itk(path)
    if image.GetDimension() == 4 and image.GetSize()[3] == 1:
        image = image[:, :, :, 0]
    dimension = image.GetDimension()
    if dimension not in (2, 3):
        raise GeometryError(
            f"{printable(path)}: expected a 3-D image, got {dimension}-D of size {image.GetSize()}. Take one volume "
            "of it."
        )
    components = image.GetNumberOfComponentsPerPixel()
    if dimension == 2:
        image = sitk.JoinSeries([image])
    geometry = Geometry(image.GetSize(), image.GetSpacing(), image.GetOrigin(), image.GetDirection())
    notes: tuple[str, ...] = ()
    if geometry == Geometry(geometry.size):
        notes = (
            "The file gives no spacing, position or orientation: 1 mm between voxels is assumed, along the patient's "
            "axes.",
        )
    voxels = sitk.GetArrayFromImage(image).reshape(1, *geometry.shape, components)
    return StoredImage(voxels, geometry, dimension, path, notes)
