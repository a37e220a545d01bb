"""From a manifest's row to a Case: the images it names, with errors that name the case and the column."""

from __future__ import annotations

from deepradiomics.cohort.manifest import ManifestRow
from deepradiomics.cohort.roi import reading_of
from deepradiomics.errors import InputError
from deepradiomics.images import VIEWS, Case


def load_case(row: ManifestRow) -> Case:
    """Read the views and the mask of one row.

    Raises:
        InputError: a file cannot be read or holds values that are not finite.
    """
    reading = reading_of(row)
    views = {}
    for view, path in row.views.items():
        try:
            plane = view if view in VIEWS else None
            views[view] = reading.read_volume(path, plane=plane).require_finite()
        except InputError as error:
            raise type(error)(f"Case {row.id}, column {view}: {error}") from error
    mask = None
    if row.mask is not None:
        try:
            images = list(views.values())
            mask = reading.read_drawn(row.mask, images[0], images[1:]) if images else reading.read_mask(row.mask)
        except InputError as error:
            raise type(error)(f"Case {row.id}, column mask: {error}") from error
    return Case(row.id, views, mask)
