"""The region of a case by its name: a mask that the manifest names, or an ellipsoid where nobody drew one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from deepradiomics.cohort.manifest import ManifestRow
from deepradiomics.errors import InputError, MaskError
from deepradiomics.images import Mask, Volume
from deepradiomics.images.reading import Reading
from deepradiomics.prepare.head.ellipsoid import central_ellipsoid

ELLIPSOID = "ellipsoid"
MANY_LABELS = 20  # more different values are no zones of a region but grey levels


def roi_mask(
    row: ManifestRow, roi: str, reference: Volume, reading: Reading | None = None, *, others: Iterable[Volume] = ()
) -> Mask:
    """Read a region of a case; it stays on the grid it was drawn on.

    Args:
        row: the case; its reading says which labels of the file make the region.
        roi: a region of the manifest's columns `mask_<roi>`; "mask" for the column `mask`; "ellipsoid" for a prostate's
            size in the middle of the reference image, which says in its name that no reader drew it.
        reference: the image that the mask was drawn on, in whose middle the ellipsoid lies.
        reading: taken instead of the row's.
        others: further images of the case, one of which the mask may have been drawn on instead.

    Returns:
        a mask with the single label 1, and notes that say which label of the file it is where none was named.

    Raises:
        InputError: the case lacks that region, or its file cannot be read; the message names case and column.
        MaskError: the mask is empty, lacks what is named, has several labels and none is named, or is no mask but an
            image of grey levels.
    """
    if roi == ELLIPSOID:
        return central_ellipsoid(reference.geometry)
    column, path = roi_file(row, roi)
    reading = reading if reading is not None else reading_of(row)
    where = f"Case {row.id}, column {column}"
    try:
        mask = reading.read_drawn(path, reference, others)
    except InputError as error:
        raise type(error)(f"{where}: {error}") from error
    labels = mask.labels_present()
    if not labels:
        raise MaskError(
            f"{where}: the mask {path.name} is empty. Draw the region again, or leave the cell empty if the case has "
            "none."
        )
    one_named = reading.label is not None or reading.segment is not None
    if not one_named and not mask.segment_names and (len(labels) > MANY_LABELS or labels[0] < 0):
        raise MaskError(
            f"{where}: {path.name} holds {len(labels)} different values from {labels[0]} to {labels[-1]}, where a "
            "region has a few labels. Is it a grey-level image? Name the mask there, or the label that is meant."
        )
    try:
        return reading.region(mask, f"column {column}", name=roi)
    except MaskError as error:
        raise MaskError(f"Case {row.id}, {error}") from error


def reading_of(row: ManifestRow) -> Reading:
    """How the files of a case are read: as its cohort's, with the label or segment that the row itself names."""
    return row.reading.for_row(row.region, row.segment)


def has_roi(row: ManifestRow, roi: str) -> bool:
    """Tell whether the case names a file of this region (the ellipsoid is there for everyone)."""
    return roi == ELLIPSOID or (row.mask is not None if roi == "mask" else roi in row.masks)


def roi_file(row: ManifestRow, roi: str) -> tuple[str, Path]:
    """The manifest's column of a region, and the file that the case names there.

    Raises:
        InputError: the case names none; the message lists the regions it has.
    """
    column = "mask" if roi == "mask" else f"mask_{roi}"
    path = row.mask if roi == "mask" else row.masks.get(roi)
    if path is None:
        raise InputError(
            f"Case {row.id}, column {column}: this case has no region {roi!r}; it has {_known(row)}. "
            f"Name its mask there, or choose another ROI ({ELLIPSOID!r} needs no mask)."
        )
    return column, path


def _known(row: ManifestRow) -> str:
    names: Sequence[str] = [*(["mask"] if row.mask else []), *row.masks]
    return ", ".join(names) or "none"
