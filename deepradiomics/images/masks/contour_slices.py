"""On which slice of an image each contour of a region lies.

::

    image    |   |   |   |   |        contours on its slices: taken as they are
    contours     :   :                contours between them: each slice takes the nearest, with a note
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepradiomics.errors import GeometryError
from deepradiomics.images.geometry import Geometry

_FLAT = 0.1  # slices: contours that rise and fall by more are not planar
_ON_SLICE = 0.1  # slices: contours further from a slice lie between slices
_FARTHEST = 1e7  # voxels: coordinates beyond are no place in a patient


@dataclass(frozen=True, eq=False)
class PlanarContours:
    """(points, 2) column and row in pixels, of each slice that has contours; and what is to be noted."""

    by_slice: Mapping[int, list[np.ndarray]]
    notes: tuple[str, ...] = ()


def slice_axis(contours: Mapping[int, Sequence[np.ndarray]], grid: Geometry) -> int:
    """Along which index axis (0 x, 1 y, 2 z) the contours are flat: 2, unless all are flat along another one only."""
    rise = np.zeros(3)
    for region in contours.values():
        for points in region:
            rise = np.maximum(rise, np.ptp(grid.physical_to_index(points), axis=0))
    flat = [axis for axis in (2, 1, 0) if rise[axis] <= _FLAT]
    return flat[0] if flat else 2


def contours_on_slices(contours: Sequence[np.ndarray], grid: Geometry, where: str) -> PlanarContours:
    """Put the contours (points, 3; LPS) of one region onto the slices of a grid.

    Raises:
        GeometryError: a contour is not planar, not parallel to the slices, or wildly far away.
    """
    if not contours:
        return PlanarContours({})
    points = [grid.physical_to_index(contour) for contour in contours]
    for number, contour in enumerate(points, start=1):
        if np.abs(contour).max() > _FARTHEST:
            raise GeometryError(f"{where}, contour {number}: its coordinates are no place in a patient.")
        if np.ptp(contour[:, 2]) > _FLAT:
            raise GeometryError(
                f"{where}, contour {number}: it does not lie in a slice of the image, but reaches over "
                f"{np.ptp(contour[:, 2]):.2f} slices. Give the image that it was drawn on."
            )
    planes, plane_of = _planes(np.array([contour[:, 2].mean() for contour in points]))
    flat: dict[int, list[np.ndarray]] = {}
    copies = 0
    for contour, plane in zip(points, plane_of, strict=True):
        outline = contour[:, :2]
        earlier = flat.setdefault(plane, [])
        if any(_same(outline, other) for other in earlier):
            copies += 1
        else:
            earlier.append(outline)
    notes = [f"{copies} contours stand there twice; each was taken once."] if copies else []
    taken, more = _slices(planes, grid.size[2])
    by_slice = {k: flat[plane] for k, plane in taken.items()}
    return PlanarContours(by_slice, (*notes, *more))


def _same(first: np.ndarray, second: np.ndarray) -> bool:
    return first.shape == second.shape and bool(np.abs(first - second).max() < 1e-3)


def _planes(heights: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """Heights (in slices) of the planes that contours lie in, ascending, and the plane of each contour."""
    order = np.argsort(heights, kind="stable")
    starts = np.r_[True, np.diff(heights[order]) > _FLAT]
    plane = np.cumsum(starts) - 1
    middle = np.bincount(plane, heights[order]) / np.bincount(plane)
    of_contour = np.empty(len(heights), np.int64)
    of_contour[order] = plane
    return middle, of_contour.tolist()


def _slices(planes: np.ndarray, count: int) -> tuple[dict[int, int], Iterable[str]]:
    """The plane that each slice takes, and notes."""
    nearest = np.rint(planes).astype(np.int64)
    off = np.abs(planes - nearest)
    distance = float(np.diff(planes).min()) if len(planes) > 1 else 1.0
    notes: list[str] = []
    if off.max() <= _ON_SLICE and len(np.unique(nearest)) == len(nearest):
        taken = {int(k): plane for plane, k in enumerate(nearest)}
        if len(planes) > 2 and distance > 1.5:
            notes.append(
                f"its contours lie on slices at least {round(distance)} apart; the slices between have none and are "
                "empty."
            )
    else:
        reach = max(1.0, distance) / 2
        low, high = int(np.floor(planes[0] - reach)), int(np.ceil(planes[-1] + reach))
        slices = np.arange(max(low, 0), min(high, count - 1) + 1)
        taken = {}
        for k in slices.tolist():
            plane = int(np.abs(planes - k).round(6).argmin())
            if -reach - 1e-6 <= k - planes[plane] < reach - 1e-6:
                taken[k] = plane
        unused = len(planes) - len(set(taken.values()))
        notes.append(
            f"its contours lie up to {off.max():.2f} slices off the slices of the image; each slice took the nearest "
            f"contours within {reach:.2f} slices"
            + (f", {unused} planes of contours were not needed." if unused else ".")
        )
    inside = {k: plane for k, plane in taken.items() if 0 <= k < count}
    lost = int(((nearest < 0) | (nearest >= count)).sum())
    if lost:
        notes.append(f"its contours in {lost} planes lie above or below the image and were left out.")
    return inside, notes
