"""Write volumes and masks: whole or not at all, in the format of the file's suffix."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from deepradiomics.errors import GeometryError, InputError
from deepradiomics.files.atomic import atomic_file
from deepradiomics.headers.regular import printable
from deepradiomics.images.itk_files import itk_turn, writable_name
from deepradiomics.images.masks.slicer_write import segmentation_image
from deepradiomics.images.read import SUFFIXES, read_stored
from deepradiomics.images.sitk import to_sitk
from deepradiomics.images.volume import Mask, Volume

_WRITABLE = tuple(s for s in SUFFIXES if s not in (".nhdr", ".mhd"))  # one file each, so that it can be moved whole


def write_volume(volume: Volume, path: str | os.PathLike[str]) -> Path:
    """Write a volume as NIfTI, NRRD or MHA, chosen by the suffix; compressed.

    Raises:
        InputError: unknown suffix, folder not writable, or no space left.
    """
    return write_image(to_sitk(volume), path)


def write_mask(mask: Mask, path: str | os.PathLike[str]) -> Path:
    """Write a label image as NIfTI, NRRD or MHA, chosen by the suffix; compressed.

    NRRD keeps names, colours and terms of the segments, as Slicer reads them (``.seg.nrrd``), and segments that overlap
    in layers of their own.

    Raises:
        InputError: unknown suffix, folder not writable, no space left, or overlapping segments in another format.
    """
    path = Path(path)
    segmentation = path.name.endswith(".seg.nrrd")
    if path.name.endswith(".nrrd") and (segmentation or mask.segments or mask.covered):
        return write_image(segmentation_image(mask), path)
    if mask.covered:
        raise InputError(
            f"{printable(path)}: segments of this mask overlap, which this format cannot hold. Write it as "
            ".seg.nrrd, or "
            "one segment at a time."
        )
    return write_image(to_sitk(mask), path)


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
    return write_image(images[0] if len(images) == 1 else sitk.JoinSeries(images), path)


def write_image(image: sitk.Image, path: str | os.PathLike[str], *, compression_level: int = -1) -> Path:
    """Write a SimpleITK image of two to four dimensions as :func:`write_volume` does.

    Args:
        image: the image.
        path: where to.
        compression_level: 1 (fast) to 9 (small); -1: as the format likes it.
    """
    path = Path(path)
    if not path.name.endswith(_WRITABLE):
        raise InputError(f"{printable(path)}: unknown image format; use one of {', '.join(_WRITABLE)}.")
    if image.GetPixelID() in (sitk.sitkInt64, sitk.sitkUInt64):
        values = sitk.GetArrayViewFromImage(image)
        if np.abs(values).max(initial=0) < 2**31:
            image = sitk.Cast(image, sitk.sitkInt32)  # not every reader knows 64-bit integers
    with atomic_file(path) as temporary:
        try:
            with itk_turn(), writable_name(temporary) as name:
                sitk.WriteImage(image, name, useCompression=True, compressionLevel=compression_level)
        except RuntimeError as error:
            raise InputError(
                f"{printable(path)}: the image could not be written ({' '.join(str(error).split())[-200:]}). "
                "Is there space on the disk, and may you write here?"
            ) from error
        _require_written(image, temporary, path)
    return path


def _require_written(image: sitk.Image, temporary: Path, path: Path) -> None:
    """Read back what was written: ITK is silent about a full disk, and about numbers that a locale has spoilt."""
    try:
        written = read_stored(temporary)
    except InputError as error:
        raise InputError(
            f"{printable(path)}: the image could not be written whole. Is there space on the disk? Nothing was "
            "overwritten."
        ) from error
    axes = min(3, image.GetDimension())
    spacing, origin = image.GetSpacing()[:axes], image.GetOrigin()[:axes]
    if not (
        np.allclose(written.geometry.spacing_mm[:axes], spacing, rtol=1e-3)
        and np.allclose(written.geometry.origin_mm[:axes], origin, rtol=1e-3, atol=1e-2)
    ):
        raise InputError(
            f"{printable(path)}: the image was not written as it is (spacing {spacing}, read back "
            f"{written.geometry.spacing_mm[:axes]}). Nothing was overwritten."
        )
