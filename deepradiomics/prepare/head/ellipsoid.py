"""An ellipsoid in the middle of an image, where no one drew the organ: a place to look at, never a reader's contour."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deepradiomics.errors import InputError, MaskError
from deepradiomics.images.geometry import Geometry
from deepradiomics.images.volume import Mask

PROSTATE_AXES_MM = (50.0, 40.0, 45.0)
ELLIPSOID_NOTE = "ellipsoid in the middle of the image: not a reader's contour"


def central_ellipsoid(geometry: Geometry, axes_mm: Sequence[float] = PROSTATE_AXES_MM) -> Mask:
    """Return the voxels whose centres lie in an ellipsoid around the grid's centre, label 1.

    Args:
        geometry: the image's grid; the mask lies on it.
        axes_mm: full lengths from left to right, front to back and head to foot (the patient's axes, LPS); the default
            is a prostate of about 47 mL.

    Raises:
        InputError: a length is not a positive number.
        MaskError: the grid is so coarse that no voxel's centre lies inside.

    >>> int(central_ellipsoid(Geometry((3, 3, 3)), (2, 2, 2)).labels.sum())  # the middle and its six neighbours
    7
    """
    axes = np.asarray(axes_mm, float)
    if axes.shape != (3,) or not np.isfinite(axes).all() or axes.min() <= 0:
        raise InputError(f"axes_mm: expected three positive lengths (x, y, z), got {tuple(axes_mm)}.")
    distance = np.zeros(geometry.shape)
    steps = [np.arange(n) - (n - 1) / 2 for n in geometry.size]  # voxels from the middle, along the index axes
    to_lps = geometry.axes * np.array(geometry.spacing_mm)
    for lps in range(3):
        x, y, z = (to_lps[lps, axis] * steps[axis] for axis in range(3))
        distance += ((x[None, None, :] + y[None, :, None] + z[:, None, None]) / (axes[lps] / 2)) ** 2
    inside = distance <= 1 + 1e-9
    if not inside.any():
        raise MaskError(
            f"An ellipsoid of {tuple(axes.tolist())} mm holds no voxel of a grid of spacing {geometry.spacing_mm} mm; "
            "make it larger."
        )
    return Mask(inside, geometry, name="ellipsoid", source=ELLIPSOID_NOTE, segments={1: ELLIPSOID_NOTE})
