"""The one entrance for masks that are DICOM objects."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from deepradiomics.errors import InputError, MaskError
from deepradiomics.images.masks.dicom_file import MASK_OBJECTS, RTSTRUCT, mask_object, sop_class
from deepradiomics.images.masks.rtstruct import read_rtstruct
from deepradiomics.images.masks.seg import read_seg
from deepradiomics.images.options import MaskOptions
from deepradiomics.images.pairing import check_frame
from deepradiomics.images.volume import Mask, Volume

_MOST_VALUES = 1024  # more different values than a label image has


def read_mask_object(path: Path, reference: Volume | None, options: MaskOptions) -> Mask:
    """Read the DICOM SEG or RTSTRUCT of a file that :func:`mask_object` gave.

    Raises:
        MaskError: another frame of reference than the image's, unless the options accept it; or as its reader.
    """
    if sop_class(path) == RTSTRUCT:
        mask = read_rtstruct(path, reference=reference, options=options)
    else:
        mask = read_seg(path, reference=None if reference is None else reference.geometry, options=options)
    if reference is not None:
        check_frame(reference, mask, options)
    return mask


def refuse_mask_object(path: Path) -> None:
    """Say that a DICOM SEG or RTSTRUCT is no image.

    Raises:
        InputError: the file is one, or the folder holds nothing else.
    """
    if path.is_dir():
        files = [file for file in path.iterdir() if file.is_file()]
        if len(files) != 1:
            return
        path = files[0]
    kind = MASK_OBJECTS.get(sop_class(path) or "")
    if kind:
        raise InputError(f"{path}: expected an image, got a mask ({kind}). Give the image that it was drawn on.")


def mask_of_series(volume: Volume) -> Mask:
    """A DICOM image series that holds labels, as a mask.

    Raises:
        MaskError: its values are grey values, not labels.
    """
    mask = Mask(volume.voxels, volume.geometry, volume.name, volume.source, notes=volume.notes)
    values = np.unique(mask.labels)
    if values[0] < 0 or len(values) > _MOST_VALUES or _grainy(mask.labels):
        raise MaskError(
            f"{mask.called}: expected a mask (DICOM SEG, RTSTRUCT or a label image), got an image of {len(values)} "
            f"values from {values[0]} to {values[-1]}. Were image and mask exchanged?"
        )
    note = f"The mask is a DICOM image series; its {len(values)} values were read as labels."
    return replace(mask, notes=(*mask.notes, note), frame_of_reference=volume.frame_of_reference)


def _grainy(labels: np.ndarray) -> bool:
    """Whether most neighbours along the rows differ, other than at the background: so do grey values, not labels."""
    left, right = labels[..., :-1], labels[..., 1:]
    both = (left != 0) & (right != 0)
    return bool(both.any() and (left[both] == right[both]).mean() < 0.5)


__all__ = ["mask_object", "mask_of_series", "read_mask_object", "refuse_mask_object"]
