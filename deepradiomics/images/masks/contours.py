"""From closed planar contours to pixels.

The rule: a pixel belongs to the region when its centre lies inside by the even-odd rule, over all contours of the
slice together, so that a contour within another one cuts a hole, and the bridge of a keyhole contour encloses nothing.
A centre on an edge belongs to the region on the edge's right (greater column), or below (greater row) where the edge
runs along the row: regions that share an edge share no pixel, and leave none between them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_DIGITS = 6  # of a pixel: edges nearer than this to a centre run through it


def rasterised(contours: Sequence[np.ndarray], shape: tuple[int, int]) -> tuple[np.ndarray, tuple[slice, slice]]:
    """The pixels inside closed contours.

    Args:
        contours: (points, 2) each: column and row in pixels, 0 being the centre of the first pixel; not repeated at the
            end.
        shape: rows and columns of the slice.

    Returns:
        bool (rows, columns) of a box around the contours, cut to the slice, and where in the slice that box lies.

    >>> square = np.array([[0.5, 0.5], [2.5, 0.5], [2.5, 2.5], [0.5, 2.5]])
    >>> region, place = rasterised([square], (4, 4))
    >>> region.tolist(), place
    ([[True, True], [True, True]], (slice(1, 3, None), slice(1, 3, None)))
    """
    corners = [np.round(np.asarray(contour, float), _DIGITS) for contour in contours]
    ends = [np.roll(contour, -1, axis=0) for contour in corners]
    x0, y0 = np.concatenate(corners).T
    x1, y1 = np.concatenate(ends).T
    low, high = np.minimum(y0, y1), np.maximum(y0, y1)
    top, bottom = _clipped(low.min(), shape[0]), _clipped(high.max(), shape[0])
    left = _clipped(min(x0.min(), x1.min()), shape[1])
    right = _clipped(max(x0.max(), x1.max()), shape[1])
    place = slice(top, bottom), slice(left, right)
    # Row r crosses an edge where low <= r < high: a corner counts once, an edge along the row not at all.
    first = np.clip(np.ceil(low), top, bottom).astype(np.int64)
    last = np.clip(np.ceil(high), top, bottom).astype(np.int64)
    crossings = last - first
    edge = np.repeat(np.arange(len(low)), crossings)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(crossings) - crossings, crossings) + first[edge]
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = (x1 - x0) / (y1 - y0)
    x = np.round(x0[edge] + (row - y0[edge]) * slope[edge], _DIGITS)
    column = np.clip(np.ceil(x), left, right).astype(np.int64) - left
    width = right - left
    turns = np.bincount((row - top) * (width + 1) + column, minlength=(bottom - top) * (width + 1))
    inside = np.cumsum(turns.reshape(bottom - top, width + 1), axis=1)[:, :width] % 2 == 1
    return inside, place


def cross(contours: Sequence[np.ndarray], shape: tuple[int, int]) -> bool:
    """Whether pixels of two contours overlap without one being within the other, as neither parts nor holes do."""
    boxes = [(contour.min(axis=0), contour.max(axis=0)) for contour in contours]
    regions: dict[int, np.ndarray] = {}

    def region_of(n: int) -> np.ndarray:
        if n not in regions:
            regions[n] = np.zeros(shape, bool)
            inside, place = rasterised([contours[n]], shape)
            regions[n][place] = inside
        return regions[n]

    for n, (low, high) in enumerate(boxes):
        for m, (other_low, other_high) in enumerate(boxes[:n]):
            if (low > other_high).any() or (high < other_low).any():
                continue
            both = int((region_of(n) & region_of(m)).sum())
            if both and both < min(int(region_of(n).sum()), int(region_of(m).sum())):
                return True
    return False


def _clipped(position: float, count: int) -> int:
    """The first pixel whose centre lies at or after a position, within 0 and ``count``."""
    return int(np.clip(np.ceil(position), 0, count))
