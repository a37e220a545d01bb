"""Which grid the frames of a DICOM SEG lie on.

Only frames with content need be stored, so that the frames alone may not tell where the slices between them lie::

    image   | | | | | | | | | | |          with the image: its grid, if the frames lie on its slices
    frames      | |       |   |            without: the smallest grid that holds them, slices between being empty
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deepradiomics.errors import GeometryError
from deepradiomics.images.geometry import Geometry
from deepradiomics.images.masks.axes import Order, inverse_order, reordered_geometry, reordered_mask, signed_axes
from deepradiomics.images.masks.seg_frames import Frame, Plane
from deepradiomics.images.volume import Mask

_ON_GRID = 0.1  # voxels: what nearest neighbours would put there anyway
_EVEN = 0.05  # slice distances: positions further from a multiple are no stack


@dataclass(frozen=True, eq=False)
class Placement:
    """A grid, and the first voxel (x, y, z) of each frame on it.

    Where the frames run along other axes than the image, ``image`` is its grid and ``order`` the way back to its axes.
    """

    geometry: Geometry
    columns: np.ndarray
    rows: np.ndarray
    slices: np.ndarray
    shape: tuple[int, int]
    notes: tuple[str, ...] = ()
    image: Geometry | None = None
    order: Order = ()

    def place(self, n: int) -> tuple[Any, ...]:
        """Where frame n lies in an array (z, y, x) of the grid."""
        y, x = int(self.rows[n]), int(self.columns[n])
        return int(self.slices[n]), slice(y, y + self.shape[0]), slice(x, x + self.shape[1])

    def turned_back(self, mask: Mask) -> Mask:
        """The mask with the axes of the image that it was put onto."""
        return mask if self.image is None else reordered_mask(mask, self.order, self.image)


def place_frames(
    frames: list[Frame], plane: Plane, shape: tuple[int, int], reference: Geometry | None, where: str
) -> Placement:
    """Put frames of ``shape`` (rows, columns) onto the reference's grid, or onto one of their own.

    Raises:
        GeometryError: the frames are no stack, or nothing tells how far apart the slices are.
    """
    positions = np.array([frame.position_mm for frame in frames])
    order = None if reference is None else signed_axes(plane.axes, reference)
    if reference is None or order is None:
        return _own_grid(positions, plane, shape, 0.0, where)
    grid = reordered_geometry(reference, order)
    if not _on_slices(positions, plane, grid):
        return _own_grid(positions, plane, shape, 0.0, where)
    placement = _on_image(positions, plane, shape, grid)
    if placement is None:
        return _own_grid(positions, plane, shape, grid.spacing_mm[2], where)
    if order == tuple((axis, 1) for axis in range(3)):
        return replace(placement, geometry=reference)
    return replace(placement, image=reference, order=inverse_order(order))


def _on_slices(positions: np.ndarray, plane: Plane, grid: Geometry) -> bool:
    """Whether the frames lie on slices of the image and are as far apart: not those of a thicker series beside it."""
    heights = grid.physical_to_index(positions)[:, 2]
    if np.abs(heights - np.rint(heights)).max() > _ON_GRID:
        return False
    image_mm = grid.spacing_mm[2]
    if plane.slice_mm:
        return abs(plane.slice_mm / image_mm - 1) < _EVEN
    steps = np.diff(np.unique(np.rint(heights)))
    if len(steps) and steps.min() == 1:
        return True
    # Frames of 5 mm each 5 mm on an image each 1 mm are thick slices; frames of 1 mm each 5 mm are sparse.
    thick = plane.thickness_mm / image_mm
    return thick < 1 + _EVEN or not (len(steps) and abs(thick / steps.min() - 1) < _EVEN)


def _on_image(positions: np.ndarray, plane: Plane, shape: tuple[int, int], grid: Geometry) -> Placement | None:
    """The frames on the image's grid; None where they do not lie on its slices, or reach beyond it."""
    step = grid.inverse_affine[:3, :3] @ (plane.axes[:, :2] * np.array(plane.pixel_mm))  # (3, 2): voxels a pixel
    span = np.array([shape[1], shape[0]])
    if np.abs((step - np.eye(3)[:, :2]) * span).max() > _ON_GRID:
        return None
    first = grid.physical_to_index(positions)  # (frames, 3)
    cells = np.rint(first).astype(np.int64)
    shift = first - cells
    if np.abs(shift[:, 2]).max() > _ON_GRID:
        return None
    notes: tuple[str, ...] = ()
    if np.abs(shift[:, :2]).max() > _ON_GRID:
        aside = first[:, :2] - first[0, :2]
        if np.abs(aside - np.rint(aside)).max() <= _ON_GRID:
            return None  # another grid in plane, by the same part of a pixel in all slices: resampled like any mask
        notes = (
            "The slices of the segmentation slip sideways (a tilted gantry): each was moved by up to half a pixel onto "
            "the grid of the image.",
        )
    if plane.thickness_mm > 1.5 * grid.spacing_mm[2] and not plane.slice_mm and len(np.unique(cells[:, 2])) == 1:
        notes += (
            f"The one slice of the segmentation is {plane.thickness_mm:.4g} mm thick; it became one of the image, "
            f"whose slices lie {grid.spacing_mm[2]:.4g} mm apart.",
        )
    last = cells + np.array([*(span - 1), 0])
    if (cells < 0).any() or (last >= grid.size).any():
        return None
    return Placement(grid, cells[:, 0], cells[:, 1], cells[:, 2], shape, notes)


def _own_grid(
    positions: np.ndarray, plane: Plane, shape: tuple[int, int], image_slice_mm: float, where: str
) -> Placement:
    along = (positions - positions[0]) @ plane.axes  # (frames, 3): mm along columns, rows and normal
    pixel = np.array(plane.pixel_mm)
    cells = np.rint(along[:, :2] / pixel)
    if np.abs(along[:, :2] / pixel - cells).max() > _ON_GRID:
        raise GeometryError(
            f"{where}: its frames slip sideways (a tilted gantry?), so that they are no regular grid by themselves. "
            "Give the image that it was drawn on, or resample both onto a regular grid."
        )
    distances = _distances(along[:, 2], 0.01 * float(pixel.min()))
    slice_mm, notes = _slice_distance(distances, plane, image_slice_mm, where)
    slices = np.rint((along[:, 2] - distances[0]) / slice_mm).astype(np.int64)
    if slices.max() > 0:  # the headers' rounding adds up over a stack: the positions themselves are right
        slice_mm = float((distances[-1] - distances[0]) / slices.max())
    low = cells.min(axis=0)
    high = cells.max(axis=0)
    size = (int(high[0] - low[0]) + shape[1], int(high[1] - low[1]) + shape[0], int(slices.max()) + 1)
    origin = positions[0] + plane.axes @ np.array([*(low * pixel), distances[0]])
    grid = Geometry(size, (*plane.pixel_mm, slice_mm), tuple(origin.tolist()), tuple(plane.axes.ravel().tolist()))
    first = (cells - low).astype(np.int64)
    return Placement(grid, first[:, 0], first[:, 1], slices, shape, notes)


def _distances(heights: np.ndarray, tolerance_mm: float) -> np.ndarray:
    """Heights of the slices in ascending order, each once."""
    ordered = np.sort(heights)
    return ordered[np.r_[True, np.diff(ordered) > tolerance_mm]]


def _slice_distance(
    heights: np.ndarray, plane: Plane, image_slice_mm: float, where: str
) -> tuple[float, tuple[str, ...]]:
    """How far apart slices are, so that every frame lies on one; and what is to be noted of it."""
    nearest = float(np.diff(heights).min()) if len(heights) > 1 else 0.0
    if image_slice_mm and _even(heights, image_slice_mm):
        return image_slice_mm, ()
    if plane.slice_mm and _even(heights, plane.slice_mm):
        if nearest > 1.5 * plane.slice_mm:
            return plane.slice_mm, (
                f"Frames of the segmentation lie at least {nearest:.4g} mm apart; its SpacingBetweenSlices of "
                f"{plane.slice_mm:.4g} mm was taken as the distance of slices, those between being empty.",
            )
        return plane.slice_mm, ()
    contradicted = f" (its SpacingBetweenSlices says {plane.slice_mm:.4g} mm)" if plane.slice_mm else ""
    if nearest and _even(heights, nearest):
        if contradicted:
            return nearest, (f"The frames of the segmentation lie {nearest:.4g} mm apart{contradicted}.",)
        if plane.thickness_mm and abs(plane.thickness_mm / nearest - 1) > _EVEN:
            return nearest, (
                f"The distance of slices, {nearest:.4g} mm, is that of the segmentation's frames; their thickness is "
                f"{plane.thickness_mm:.4g} mm.",
            )
        return nearest, ()
    if nearest and plane.thickness_mm and _even(heights, plane.thickness_mm):
        return plane.thickness_mm, (
            f"The frames of the segmentation lie multiples of their thickness apart, which was taken as the distance "
            f"of slices: {plane.thickness_mm:.4g} mm{contradicted}.",
        )
    what = "its frames lie at uneven distances" if nearest else "it has a single slice and no SpacingBetweenSlices"
    raise GeometryError(
        f"{where}: {what}, so that nothing tells how far apart its slices are. Give the image that it was drawn on "
        f"(one whose slices hold the frames){contradicted}."
    )


def _even(heights: np.ndarray, distance_mm: float) -> bool:
    """Whether all slices lie on multiples of a distance; it is fitted first, as headers round it."""
    if len(heights) < 2:
        return True
    along = heights - heights[0]
    steps = np.rint(along / distance_mm)
    if len(np.unique(steps)) < len(steps):
        return False
    fitted = along[-1] / steps[-1]
    return bool(abs(fitted / distance_mm - 1) < 0.02 and np.abs(along / fitted - steps).max() < _EVEN)
