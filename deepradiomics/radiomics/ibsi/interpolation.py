"""IBSI's interpolation: a grid with the old one's centre, its size rounded up, edges continued outwards.

    old  |  o  |  o  |  o  |  o  |        4 voxels of 3 mm
    new |  x  |  x  |  x  | ...           ceil(12 / 2) = 6 voxels of 2 mm, both centres at the same place

Along one axis interpolation is a matrix, so three small matrix products give the new image. IBSI VTM2, 026Q, QCY4.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.images import Geometry

Kind = Literal["nearest", "linear", "cubic"]
KINDS: dict[str | int, Kind] = {
    "sitkNearestNeighbor": "nearest",
    "sitkLinear": "linear",
    "sitkBSpline": "cubic",
    1: "nearest",
    2: "linear",
    3: "cubic",
}
_ORDER = {"nearest": 0, "linear": 1, "cubic": 3}
EXACT_DECIMALS = 6
"""Interpolated values are rounded to this many decimals before they are compared or rounded: halves are exact."""


def kind_of(interpolator: str | int) -> Kind:
    """Return our word for a PyRadiomics interpolator.

    Raises:
        InputError: an interpolator that IBSI does not describe.
    """
    if interpolator not in KINDS:
        raise InputError(
            f"interpolator {interpolator!r}: IBSI describes sitkLinear, sitkBSpline (cubic spline) and "
            "sitkNearestNeighbor; choose one of these."
        )
    return KINDS[interpolator]


def new_grid(old: Geometry, spacing_mm: Sequence[float]) -> Geometry:
    """Return IBSI's interpolation grid.

    Args:
        old: the image's grid.
        spacing_mm: wanted spacing (x, y, z); 0 keeps the old one along that axis (0 for z: interpolation in slices).
    """
    size, spacing, first = [], [], []
    for n, s, wanted in zip(old.size, old.spacing_mm, spacing_mm, strict=True):
        t = float(wanted) or s
        m = max(1, int(np.ceil(round(n * s / t, EXACT_DECIMALS))))  # 60 * 3 / 2 is 90, whatever the last bit says
        size.append(m)
        spacing.append(t)
        first.append((n - 1 - (m - 1) * t / s) / 2)
    origin = old.index_to_physical(first)
    return Geometry(tuple(size), tuple(spacing), tuple(origin.tolist()), old.direction)  # type: ignore[arg-type]


def axis_matrix(n: int, spacing_mm: float, m: int, new_spacing_mm: float, kind: Kind) -> np.ndarray:
    """Return the matrix (m, n) that interpolates n values of one line at the m new places."""
    from scipy.ndimage import map_coordinates

    step = new_spacing_mm / spacing_mm
    places = (n - 1 - (m - 1) * step) / 2 + np.arange(m) * step
    if kind == "nearest":
        return np.eye(n)[np.clip(np.floor(places + 0.5).astype(int), 0, n - 1)]
    units = np.eye(n)
    if n == 1:
        return np.ones((m, 1))
    return np.stack([map_coordinates(u, [places], order=_ORDER[kind], mode="nearest") for u in units], axis=1)


def interpolated(voxels: np.ndarray, old: Geometry, new: Geometry, kind: Kind) -> np.ndarray:
    """Return the image on the new grid, float64 (z, y, x); values beyond the edge are those at the edge.

    Args:
        voxels: (z, y, x) on the old grid.
        old, new: the grids; new comes from :func:`new_grid`.
        kind: nearest, linear or cubic (spline).
    """
    result = np.asarray(voxels, float)
    for axis in range(3):
        xyz = 2 - axis
        n, m = old.size[xyz], new.size[xyz]
        s, t = old.spacing_mm[xyz], new.spacing_mm[xyz]
        if n == m and s == t:
            continue
        matrix = axis_matrix(n, s, m, t, kind)
        result = np.moveaxis(np.tensordot(matrix, result, axes=(1, axis)), 0, axis)
    return np.ascontiguousarray(result)


def interpolated_roi(inside: np.ndarray, old: Geometry, new: Geometry, kind: Kind, partial_volume: float) -> np.ndarray:
    """Return where at least a part of the new voxel lies in the ROI, bool (z, y, x); linear, or nearest for labels.

    Only the ROI's box is worked on: elsewhere the old mask adds nothing.

    Args:
        inside: bool (z, y, x) on the old grid, not empty.
        old, new: the grids.
        kind: ``nearest`` for nearest neighbour, else linear.
        partial_volume: the part of a voxel that must lie inside.
    """
    result = np.zeros(new.shape, bool)
    part, rows = inside, []
    for axis in range(3):
        xyz = 2 - axis
        places = np.flatnonzero(inside.any(axis=tuple({0, 1, 2} - {axis})))
        first, last = places[0], places[-1] + 1
        matrix = axis_matrix(
            old.size[xyz],
            old.spacing_mm[xyz],
            new.size[xyz],
            new.spacing_mm[xyz],
            "nearest" if kind == "nearest" else "linear",
        )[:, first:last]
        reached = np.flatnonzero(matrix.any(axis=1))
        if len(reached) == 0:
            return result
        rows.append(slice(reached[0], reached[-1] + 1))
        cut = part.take(range(first, last), axis)
        part = np.moveaxis(np.tensordot(matrix[rows[-1]], cut.astype(float), axes=(1, axis)), 0, axis)
    result[tuple(rows)] = part.round(EXACT_DECIMALS) >= partial_volume
    return result
