"""CT series scanned with a tilted gantry: their slices are put straight, so that the grid is regular again.

The slices of such a series stand obliquely to the table's movement: each lies a little further along its own rows than
the one before. A reader that ignores this shears the head, and takes the table's step for the distance of the slices.

::

      /  /  /  /            |  |  |  |
     /  /  /  /      →      |  |  |  |     each slice is moved in its own plane by what it had slipped
    /  /  /  /              |  |  |  |
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from deepradiomics.errors import GeometryError
from deepradiomics.images.geometry import Geometry
from deepradiomics.images.volume import Volume

STRAIGHT_DEGREES = 0.3
"""Less is taken as rounding in the headers."""

_EVEN_MM = 0.5  # slices that slip by uneven amounts were not scanned by one tilted gantry


def straighten(volume: Volume, positions_mm: np.ndarray) -> Volume:
    """Return the volume on a regular grid where its slices slip in their own plane; unchanged where they do not.

    Args:
        volume: slices in order, rows and columns right, the third axis at right angles.
        positions_mm: (slices, 3): where each slice's first voxel really lies, LPS, in the same order.

    Raises:
        GeometryError: the slices slip by uneven amounts.
    """
    count = len(positions_mm)
    if count < 2:
        return volume
    axes = volume.geometry.axes
    relative = (positions_mm - positions_mm[0]) @ axes  # (slices, 3): along rows, columns and normal
    step = relative[-1] / (count - 1)
    degrees = float(np.degrees(np.arctan2(np.hypot(step[0], step[1]), abs(step[2]))))
    if degrees < STRAIGHT_DEGREES or step[2] == 0:
        return volume
    if np.abs(relative - np.arange(count)[:, None] * step).max() > _EVEN_MM:
        raise GeometryError(
            f"{volume.name or 'series'}: its slices slip sideways by uneven amounts, so they are no regular stack. "
            "Export the series again, or resample it onto a regular grid."
        )
    spacing = (*volume.geometry.spacing_mm[:2], abs(float(step[2])))
    slips = relative[:, :2] / spacing[:2]  # (slices, 2): voxels along x and y
    low = np.floor(np.minimum(slips.min(axis=0), 0)).astype(int)
    high = np.ceil(np.maximum(slips.max(axis=0), 0)).astype(int)
    voxels = _shifted(volume.voxels, slips - low, tuple(high - low))
    size = (voxels.shape[2], voxels.shape[1], count)
    origin = positions_mm[0] + axes[:, :2] @ (low * spacing[:2])
    direction = axes.copy()
    direction[:, 2] *= np.sign(step[2])
    grid = Geometry(size, spacing, tuple(origin.tolist()), tuple(direction.ravel().tolist()))
    note = f"The gantry was tilted by {degrees:.1f}°; the slices were moved in their planes onto a regular grid."
    return replace(volume, voxels=voxels, geometry=grid, notes=(*volume.notes, note))


def _shifted(voxels: np.ndarray, slips: np.ndarray, more: tuple[int, ...]) -> np.ndarray:
    """Each slice moved by ``slips`` (x, y) voxels ≥ 0 on a canvas ``more`` (x, y) voxels larger; outside is darkest."""
    from scipy import ndimage

    count, rows, columns = voxels.shape
    dark = voxels.min()
    sheared = np.full((count, rows + more[1], columns + more[0]), dark, voxels.dtype)
    for k, (x, y) in enumerate(slips):
        canvas = np.full(sheared.shape[1:], float(dark))
        canvas[:rows, :columns] = voxels[k]
        moved = ndimage.shift(canvas, (y, x), order=1, mode="constant", cval=float(dark))
        sheared[k] = np.rint(moved) if voxels.dtype.kind in "iu" else moved
    return sheared
