"""Shape of a flat ROI: size and form of one slice, whatever its grey values. Formulas as in PyRadiomics' shape2D.

The outline runs through the middles of the edges between a pixel inside and one outside (marching squares, the plane's
case of Lorensen and Cline, Comput Graph 21 (1987) 163). A square of four pixel centres is a configuration from 0 to 15:

    0 ----- 1       corner c adds 2**c when it lies inside; v runs from 0 to 3, u from 0 to 1
    |       |       one corner: a triangle of 1/8 of a pixel is inside; three corners: all but such a triangle
    3 ----- 2       two neighbours: one half; two opposite corners: two triangles, which do not join

Area and outline depend on how often each configuration occurs only, so no contour is ever followed.
"""

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.radiomics.features.diameters import largest_distances
from deepradiomics.radiomics.features.shape import principal_variances

AXES = ("z", "y", "x")
# by configuration: how many eighths of the square lie inside, and how many of its corners the outline cuts off
EIGHTHS_INSIDE = np.array([0, 1, 1, 4, 1, 2, 4, 7, 1, 4, 2, 7, 4, 7, 7, 8])
CUT_CORNERS = np.array([0, 1, 1, 0, 1, 2, 0, 1, 1, 0, 2, 1, 0, 1, 1, 0])
ALONG_U, ALONG_V = np.array([3, 12]), np.array([6, 9])  # configurations crossed by one straight line


def shape2d_features(mask: np.ndarray, spacing_mm: tuple[float, float, float], flat_axis: int) -> dict[str, float]:
    """Return the shape features of one flat region.

    Args:
        mask: bool (z, y, x); all of its voxels lie in one slice across ``flat_axis``.
        spacing_mm: voxel spacing (z, y, x).
        flat_axis: the numpy axis (0, 1, 2 for z, y, x) that leaves the plane, PyRadiomics' ``force2Ddimension``.

    Returns:
        lengths in mm, areas in mm²; Elongation is NaN for a single pixel.

    Raises:
        InputError: the region is empty or spans more than one slice.
    """
    plane = _only_slice(mask, flat_axis)
    v, u = (spacing for axis, spacing in enumerate(spacing_mm) if axis != flat_axis)
    perimeter, area = outline(plane, (v, u))
    minor, major = principal_variances(plane, (v, u))
    circle = 2 * np.sqrt(np.pi * area)  # outline of the disc of this area
    features = {
        "Elongation": np.sqrt(minor / major) if major > 0 else np.nan,
        "MajorAxisLength": 4 * np.sqrt(major),
        "MaximumDiameter": largest_distances(_vertices(plane), (1.0, v, u))[0],
        "MeshSurface": area,
        "MinorAxisLength": 4 * np.sqrt(minor),
        "Perimeter": perimeter,
        "PerimeterSurfaceRatio": perimeter / area,
        "PixelSurface": np.count_nonzero(plane) * v * u,
        "Sphericity": circle / perimeter,
        "SphericalDisproportion": perimeter / circle,
    }
    return {name: float(value) for name, value in features.items()}


def outline(plane: np.ndarray, spacing_mm: tuple[float, float]) -> tuple[float, float]:
    """Return the length (mm) of a mask's outline and the area (mm²) that it encloses.

    Args:
        plane: bool (v, u).
        spacing_mm: pixel spacing (v, u).
    """
    padded = np.pad(plane, 1).astype(np.uint8)
    corners = (padded[:-1, :-1], padded[:-1, 1:], padded[1:, 1:], padded[1:, :-1])
    squares = sum(corner << c for c, corner in enumerate(corners))
    counts = np.bincount(np.ravel(squares), minlength=16)
    v, u = spacing_mm
    length = u * counts[ALONG_U].sum() + v * counts[ALONG_V].sum() + np.hypot(v, u) / 2 * (CUT_CORNERS @ counts)
    return float(length), float(EIGHTHS_INSIDE @ counts / 8 * v * u)


def _only_slice(mask: np.ndarray, flat_axis: int) -> np.ndarray:
    """Return the one slice that holds the region."""
    if flat_axis not in (0, 1, 2):
        raise InputError(f"shape2D: flat_axis (force2Ddimension) must be 0 (z), 1 (y) or 2 (x), got {flat_axis!r}.")
    held = np.flatnonzero(mask.any(axis=tuple(axis for axis in range(3) if axis != flat_axis)))
    if len(held) == 0:
        raise InputError("shape2D: the region is empty.")
    if held[-1] > held[0]:
        raise InputError(
            f"shape2D: the region spans {held[-1] - held[0] + 1} slices along {AXES[flat_axis]} (force2Ddimension "
            f"{flat_axis}), expected one. Keep one slice of the mask, set force2Ddimension to the axis that leaves its "
            "plane, or take the family shape instead."
        )
    return np.take(mask, held[0], axis=flat_axis)


def _vertices(plane: np.ndarray) -> np.ndarray:
    """Return the outline's vertices (V, 3) as doubled pixel coordinates (0, v, u): odd where between two pixels."""
    padded = np.pad(plane, 1).view(np.int8)
    edges = []
    for axis in range(2):
        edge = np.argwhere(np.diff(padded, axis=axis)) * 2
        edge[:, axis] += 1
        edges.append(np.pad(edge, ((0, 0), (1, 0))))
    return np.concatenate(edges)
