"""Refuse the images that nothing can be computed from, naming case and view."""

from collections.abc import Sequence

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.images.case import Case
from deepradiomics.images.volume import Volume


def usable_views(case: Case, views: Sequence[str]) -> dict[str, Volume]:
    """Return the wanted views in their order.

    Raises:
        InputError: a view is missing, has NaN or infinite voxels, or is constant.
    """
    missing = [view for view in views if view not in case.views]
    if missing:
        raise InputError(
            f"Case {case.id}: the {', '.join(missing)} view is missing (given: {', '.join(case.views)}). "
            "Give the file, or let it be reformatted from another view."
        )
    for view in views:
        voxels = case.views[view].voxels
        if voxels.dtype.kind == "f" and not np.isfinite(voxels).all():
            bad = int(voxels.size - np.isfinite(voxels).sum())
            raise InputError(
                f"Case {case.id}, {view} view: {bad} of {voxels.size} voxels are NaN or infinite. "
                "Replace them (for example by the background value) before analysis."
            )
        if voxels.min() == voxels.max():
            raise InputError(
                f"Case {case.id}, {view} view: the image is constant (every voxel {voxels.flat[0]:g}). "
                "Check that the right file was chosen and that it was exported completely."
            )
    return {view: case.views[view] for view in views}
