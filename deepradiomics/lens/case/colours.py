"""Between which values a map's colours run, wherever it is drawn: in the report, in a figure, in the scene.

One voxel must not decide what all others look like, nor must the region's border. A window that reaches the outermost
voxels of a region sees its capsule, half of which is another tissue: contrast there is ten times that of the inside,
and a scale that ends there leaves the inside dark. So the ends are percentiles of the interior::

    region  ░░░░░░░░░░      ░  outermost voxels
            ░▒▒▒▒▒▒▒▒░      ▒  voxels whose window (kernel radius 1) holds one of them
            ░▒██████▒░      █  interior: 1st and 99th percentile of these
            ░▒▒▒▒▒▒▒▒░
            ░░░░░░░░░░

Values beyond the ends keep the colour of the end.
"""

from __future__ import annotations

import numpy as np

RANGE_PERCENT = (1.0, 99.0)
LEAST_INTERIOR, LEAST_SHARE = 100, 0.1
"""Voxels, and share of the region, that the interior must have to stand for it."""


def signed_range(low: float, high: float) -> tuple[float, float] | None:
    """The colours' ends as far below 0 as above, for a map whose range holds both signs; None for any other.

    >>> signed_range(-2.0, 5.0), signed_range(0.0, 5.0)
    ((-5.0, 5.0), None)
    """
    if not low < 0 < high:
        return None
    reach = max(-low, high)
    return -reach, reach


def colour_range(
    values: np.ndarray, kernel_radius: int = 1, percent: tuple[float, float] = RANGE_PERCENT
) -> tuple[float, float]:
    """Lowest and highest colour of a map: two percentiles of the region's interior.

    Args:
        values: (z, y, x), NaN outside the region and where undefined.
        kernel_radius: voxels on each side of a window's centre.
        percent: the percentiles.

    Returns:
        Two numbers, the second the larger one, also where all values are equal; (0, 1) without any value. Where the
        interior is too small to stand for the region (:data:`LEAST_INTERIOR`, :data:`LEAST_SHARE`), less is left out of
        its border, down to nothing.
    """
    known = np.isfinite(values)
    if not known.any():
        return 0.0, 1.0
    inside = values[_interior(known, kernel_radius + 1)]
    low, high = (float(value) for value in np.percentile(inside, percent))
    if not _apart(low, high):
        low, high = float(inside.min()), float(inside.max())
    if not _apart(low, high):
        half = 0.5 * abs(low) or 0.5
        low, high = low - half, high + half
    return low, high


def _interior(known: np.ndarray, border: int) -> np.ndarray:
    from scipy.ndimage import binary_erosion

    least = max(LEAST_INTERIOR, LEAST_SHARE * known.sum())
    for voxels in range(border, 0, -1):
        # The image's own edge is a border too: windows are cut there.
        interior = binary_erosion(known, np.ones((3,) * known.ndim), iterations=voxels)
        if interior.sum() >= least:
            return interior
    return known


def _apart(low: float, high: float) -> bool:
    return high - low > 1e-9 * max(abs(low), abs(high))
