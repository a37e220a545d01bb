"""Read volumes and masks: NIfTI, NRRD, MHA/MHD, DICOM series, and MRNet's bare ``.npy`` arrays."""

import os
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from deepradiomics.errors import InputError
from deepradiomics.images.case import VIEWS
from deepradiomics.images.convert import mask_from_sitk, volume_from_sitk
from deepradiomics.images.dicom import is_dicom, read_dicom
from deepradiomics.images.geometry import Geometry
from deepradiomics.images.nifti import is_nifti, scan_nifti
from deepradiomics.images.volume import Mask, Volume

SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")

# ITK asks one reader after the other whether a file is its own, and the HDF5 library behind some is not made for
# threads: those that prepare cases read one at a time.
_ONE_READER = threading.Lock()

# MRNet's arrays are (slices, rows, columns) and carry neither spacing nor directions. Assumed: 160 mm in plane over
# 256 pixels, 4 mm between slices, all three stacks centred on the same point, rows and columns as radiologists read.
MRNET_SPACING_MM = (0.625, 0.625, 4.0)
_MRNET_AXES = {  # where columns (x), rows (y) and slices (z) lead, LPS
    "axial": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "coronal": ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
    "sagittal": ((0, 1, 0), (0, 0, -1), (1, 0, 0)),
}


def read_volume(path: str | os.PathLike[str], *, plane: str | None = None) -> Volume:
    """Read one grey-level image.

    Args:
        path: an image file, a folder with one DICOM series, or any file of a series.
        plane: ``axial``, ``coronal`` or ``sagittal``; needed for ``.npy`` arrays, which carry no geometry.

    Raises:
        InputError: the file is missing, unreadable, not a grey-level image, or an ``.npy`` without ``plane``.
        GeometryError: the image is not three-dimensional, or its axes are sheared.
    """
    path = Path(path)
    if path.suffix == ".npy":
        return _read_mrnet(path, plane)
    if path.is_dir() or (path.is_file() and is_dicom(path)):
        with _ONE_READER:
            return read_dicom(path)
    nan = _scanned(path)
    volume = volume_from_sitk(_read_image(path), name=_stem(path), source=path.name)
    return volume if nan is None else _with_nan(volume, nan)


def read_mask(path: str | os.PathLike[str]) -> Mask:
    """Read a label image (whole numbers, 0 = background).

    Raises:
        InputError: the file is missing or unreadable.
        MaskError: the voxels are not whole numbers.
    """
    path = Path(path)
    if path.is_dir():
        with _ONE_READER:
            volume = read_dicom(path)
        return Mask(volume.voxels, volume.geometry, volume.name, volume.source)
    _scanned(path)
    return mask_from_sitk(_read_image(path), name=_stem(path), source=path.name)


def _scanned(path: Path) -> np.ndarray | None:
    return scan_nifti(path) if is_nifti(path) and path.is_file() else None


def _with_nan(volume: Volume, where: np.ndarray) -> Volume:
    """Put NaN back where ITK's NIfTI reader put 0."""
    voxels = volume.voxels.copy()
    voxels.reshape(-1)[where] = np.nan
    return replace(volume, voxels=voxels)


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").rsplit(".", 1)[0]


def _read_image(path: Path) -> sitk.Image:
    if not path.exists():
        raise InputError(f"{path}: this file does not exist.")
    try:
        with _ONE_READER:
            image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        reason = " ".join(str(error).split("ERROR:")[-1].split())[-300:] or "unknown reason"
        raise InputError(
            f"{path}: this file could not be read as an image ({reason}). "
            f"Expected one of {', '.join(SUFFIXES)} or a DICOM series."
        ) from error
    if image.GetDimension() == 4 and image.GetSize()[3] == 1:
        image = image[:, :, :, 0]
    return image


def _read_mrnet(path: Path, plane: str | None) -> Volume:
    if plane not in VIEWS:
        raise InputError(
            f"{path}: a .npy array carries no directions, so its plane must be given as one of {', '.join(VIEWS)}; "
            f"got {plane!r}."
        )
    if not path.exists():
        raise InputError(f"{path}: this file does not exist.")
    try:
        voxels = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise InputError(f"{path}: this is not a readable NumPy array ({error}).") from error
    if voxels.ndim != 3:
        raise InputError(f"{path}: expected an array (slices, rows, columns), got shape {voxels.shape}.")
    size = voxels.shape[::-1]
    direction = np.array(_MRNET_AXES[plane], float).T
    half = (np.array(size) - 1) / 2 * np.array(MRNET_SPACING_MM)
    geometry = Geometry(size, MRNET_SPACING_MM, tuple(-(direction @ half)), tuple(direction.ravel()))
    note = (
        f"{plane}: the array carries no spacing or directions; canonical {plane} axes, spacing "
        f"{MRNET_SPACING_MM} mm and a centred field of view are assumed."
    )
    return Volume(voxels, geometry, name=f"{plane} {path.stem}", source=path.name, notes=(note,))
