"""The region of a case by its name: a mask that the manifest names, or an ellipsoid where nobody drew one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from deepradiomics.cohort.manifest import ManifestRow
from deepradiomics.errors import InputError, MaskError
from deepradiomics.images import Mask, Volume, read_mask
from deepradiomics.prepare.ellipsoid import central_ellipsoid

ELLIPSOID = "ellipsoid"
MANY_LABELS = 20  # more different values are no zones of a region but grey levels


def roi_mask(row: ManifestRow, roi: str, reference: Volume) -> Mask:
    """Read a region of a case; it stays on the grid it was drawn on.

    Args:
        row: the case.
        roi: a region of the manifest's columns `mask_<roi>`; "mask" for the column `mask`; "ellipsoid" for a prostate's
            size in the middle of the reference image, which says in its name that no reader drew it.
        reference: the image in whose middle the ellipsoid lies; otherwise unused.

    Returns:
        a mask with the single label 1: all of the file's labels together (zones of a gland make the gland).

    Raises:
        InputError: the case lacks that region, or its file cannot be read; the message names case and column.
        MaskError: the mask is empty, or no mask but an image of grey levels.
    """
    if roi == ELLIPSOID:
        return central_ellipsoid(reference.geometry)
    column, path = roi_file(row, roi)
    try:
        mask = read_mask(path)
    except MaskError as error:
        raise MaskError(f"Case {row.id}, column {column}: {error}") from error
    except InputError as error:
        raise InputError(f"Case {row.id}, column {column}: {error}") from error
    if not mask.labels_present():
        raise MaskError(
            f"Case {row.id}, column {column}: the mask {path.name} is empty. Draw the region again, or leave the cell "
            "empty if the case has none."
        )
    labels = mask.labels_present()
    if len(labels) > MANY_LABELS or labels[0] < 0:
        raise MaskError(
            f"Case {row.id}, column {column}: {path.name} holds {len(labels)} different values from {labels[0]} to "
            f"{labels[-1]}, where a region has a few labels. Is it a grey-level image? Name the mask there."
        )
    return Mask(mask.labels != 0, mask.geometry, mask.name, mask.source, {1: roi})


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
