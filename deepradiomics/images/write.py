"""Write volumes and masks: whole or not at all, in the format of the file's suffix."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from deepradiomics.errors import GeometryError, InputError
from deepradiomics.files import atomic_file
from deepradiomics.images.convert import to_sitk
from deepradiomics.images.nifti import require_written
from deepradiomics.images.read import SUFFIXES
from deepradiomics.images.volume import Mask, Volume

_WRITABLE = tuple(s for s in SUFFIXES if s not in (".nhdr", ".mhd"))  # one file each, so that it can be moved whole


def write_volume(volume: Volume, path: str | os.PathLike[str]) -> Path:
    """Write a volume as NIfTI, NRRD or MHA, chosen by the suffix; compressed.

    Raises:
        InputError: unknown suffix, folder not writable, or no space left.
    """
    return _write(to_sitk(volume), Path(path))


def write_image(image: sitk.Image, path: str | os.PathLike[str]) -> Path:
    """Write a SimpleITK image of two or three dimensions as :func:`write_volume` does."""
    return _write(image, Path(path))


def write_mask(mask: Mask, path: str | os.PathLike[str]) -> Path:
    """Write a label image as NIfTI, NRRD or MHA, chosen by the suffix; compressed."""
    return _write(to_sitk(mask), Path(path))


def write_stack(volumes: Sequence[Volume], path: str | os.PathLike[str]) -> Path:
    """Write volumes of one grid as one 4-D image (x, y, z, volume); a single volume is written as plain 3-D.

    Raises:
        GeometryError: the volumes do not share one grid.
        InputError: no volumes, or as :func:`write_volume`.
    """
    if not volumes:
        raise InputError(f"{path}: there is nothing to write.")
    if any(not v.geometry.is_close(volumes[0].geometry) for v in volumes):
        raise GeometryError(f"{path}: all volumes of a stack must share one grid.")
    images = [to_sitk(v) for v in volumes]
    return _write(images[0] if len(images) == 1 else sitk.JoinSeries(images), Path(path))


def _write(image: sitk.Image, path: Path) -> Path:
    if not path.name.endswith(_WRITABLE):
        raise InputError(f"{path}: unknown image format; use one of {', '.join(_WRITABLE)}.")
    if image.GetPixelID() in (sitk.sitkInt64, sitk.sitkUInt64):
        values = sitk.GetArrayViewFromImage(image)
        if np.abs(values).max(initial=0) < 2**31:
            image = sitk.Cast(image, sitk.sitkInt32)  # not every reader knows 64-bit integers
    with atomic_file(path) as temporary:
        try:
            sitk.WriteImage(image, str(temporary), useCompression=True)
        except RuntimeError as error:
            raise InputError(
                f"{path}: the image could not be written ({' '.join(str(error).split())[-200:]}). "
                "Is there space on the disk, and may you write here?"
            ) from error
        require_written(temporary, path)
    return path
