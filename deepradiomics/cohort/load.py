"""From a manifest's row to a Case: the images it names, with errors that name the case and the column."""

from __future__ import annotations

from deepradiomics.cohort.manifest import ManifestRow
from deepradiomics.errors import InputError
from deepradiomics.images import Case, read_mask, read_volume


def load_case(row: ManifestRow) -> Case:
    """Read the views and the mask of one row.

    Raises:
        InputError: a file cannot be read or holds values that are not finite.
    """
    views = {}
    for view, path in row.views.items():
        try:
            views[view] = read_volume(path, plane=view).require_finite()
        except InputError as error:
            raise InputError(f"Case {row.id}, column {view}: {error}") from error
    mask = None
    if row.mask is not None:
        try:
            mask = read_mask(row.mask)
        except InputError as error:
            raise InputError(f"Case {row.id}, column mask: {error}") from error
    return Case(row.id, views, mask)
