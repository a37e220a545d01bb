"""Read volumes and masks: NIfTI, NRRD, MHA/MHD, DICOM series, and MRNet's bare ``.npy`` arrays."""

import os
from dataclasses import replace
from pathlib import Path

from deepradiomics.errors import InputError
from deepradiomics.headers.metaimage import read_metaimage_header
from deepradiomics.headers.regular import file_kind, printable, require_there
from deepradiomics.images import dicom
from deepradiomics.images.formats.metaimage import read_metaimage
from deepradiomics.images.formats.mrnet import read_mrnet
from deepradiomics.images.formats.nifti import nifti_texts, read_nifti
from deepradiomics.images.formats.nrrd import nrrd_header, read_nrrd
from deepradiomics.images.formats.other import read_other
from deepradiomics.images.formats.stored import StoredImage
from deepradiomics.images.itk_files import itk_texts, itk_turn
from deepradiomics.images.masks.dicom import mask_object, mask_of_series, read_mask_object, refuse_mask_object
from deepradiomics.images.masks.nifti_names import names_in_nifti
from deepradiomics.images.options import MaskOptions, ReadOptions
from deepradiomics.images.volume import Mask, Volume

SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")


def read_volume(
    path: str | os.PathLike[str], *, plane: str | None = None, options: ReadOptions | None = None
) -> Volume:
    """Read one grey-level image.

    Args:
        path: an image file, a folder with one DICOM series, or any file of a series.
        plane: ``axial``, ``coronal`` or ``sagittal``; needed for ``.npy`` arrays, which carry no geometry.
        options: which stack, what stands in for missing positions, uptake values; None: as the file says.

    Raises:
        InputError: the file is missing, unreadable, not a grey-level image, or an ``.npy`` without ``plane``.
        GeometryError: the image is not three-dimensional, or its axes are sheared.
    """
    path = Path(path)
    require_there(path)
    if path.is_dir() or (path.is_file() and dicom.is_dicom(path)):
        refuse_mask_object(path)
        with itk_turn():
            return dicom.read_dicom(path, options)
    if file_kind(path) == "npy":
        return read_mrnet(path, plane)
    return read_stored(path).volume()


def read_mask(
    path: str | os.PathLike[str], *, reference: Volume | None = None, options: MaskOptions | None = None
) -> Mask:
    """Read a label image (whole numbers, 0 = background), a DICOM SEG or an RTSTRUCT.

    Args:
        path: a label image, a Slicer segmentation, a DICOM SEG or RTSTRUCT, or a folder with one of these.
        reference: the image that it was drawn on; an RTSTRUCT, which has no grid of its own, needs it.
        options: the threshold of fractions, and whether another frame of reference is accepted.

    Raises:
        InputError: the file is missing or unreadable.
        MaskError: the voxels are not whole numbers.
    """
    path = Path(path)
    require_there(path)
    if (object_file := mask_object(path)) is not None:
        with itk_turn():
            return read_mask_object(object_file, reference, options or MaskOptions())
    if path.is_dir() or (path.is_file() and dicom.is_dicom(path)):
        with itk_turn():
            return mask_of_series(dicom.read_dicom(path))
    mask = read_stored(path).mask()
    return replace(mask, segments=names_in_nifti(path)) if file_kind(path) == "nifti" else mask


def read_stored(path: str | os.PathLike[str]) -> StoredImage:
    """Read an image file as it is: flat or not, one or several frames, one or several values per voxel.

    Args:
        path: a file of any format but DICOM and ``.npy``; it is told by its content.

    Raises:
        InputError: the file is missing, no plain file, damaged, of another length than its header promises, above the
            size limit, or of a format that is not read.
        GeometryError: a grid that is sheared or not given.
    """
    path = Path(path)
    kind = file_kind(path)
    try:
        if kind in ("nifti", "analyze") or (path.suffix.lower() == ".img" and path.with_suffix(".hdr").exists()):
            return read_nifti(path)
        if kind == "nrrd":
            return read_nrrd(path)
        if kind == "metaimage":
            return read_metaimage(path)
    except OSError as error:
        raise InputError(f"{printable(path)}: this file cannot be read ({error.strerror or error}).") from error
    if kind == "npy":
        raise InputError(f"{printable(path)}: a .npy array carries no geometry, so it is no image for this purpose.")
    return read_other(path)


def is_stored(path: str | os.PathLike[str]) -> bool:
    """Whether :func:`read_stored` is the reader for this path: a file that is neither DICOM nor a bare array.

    Raises:
        InputError: the file is missing or no plain file.
    """
    path = Path(path)
    require_there(path)
    return not path.is_dir() and file_kind(path) != "npy" and not dicom.is_dicom(path)


def header_texts(path: str | os.PathLike[str]) -> dict[str, str]:
    """The texts that a file's header carries, such as NIfTI's ``descrip``; none of a file that cannot be read."""
    path = Path(path)
    try:
        kind = file_kind(path)
        if kind == "nifti":
            return nifti_texts(path)
        if kind == "nrrd":
            return nrrd_header(path)
        if kind == "metaimage":
            return read_metaimage_header(path).fields
    except (InputError, OSError):  # reading the image itself tells what is wrong
        return {}
    return {} if kind == "npy" else itk_texts(path)
