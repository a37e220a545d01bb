"""Resample images and masks onto another grid, through an affine when they do not lie on top of each other."""

from typing import Literal

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.images.geometry import Geometry
from deepradiomics.images.sitk import to_sitk
from deepradiomics.images.volume import Mask, Volume
from deepradiomics.prepare.affine import AffineTransform

Interpolation = Literal["linear", "bspline", "nearest"]


def resample(
    volume: Volume,
    grid: Geometry,
    *,
    transform: AffineTransform | None = None,
    interpolation: Interpolation = "linear",
    fill: float = 0.0,
) -> Volume:
    """Return ``volume`` on ``grid``.

    Args:
        volume: image to read from (the moving image).
        grid: where the result lies (the fixed grid).
        transform: maps points of the grid's space to the volume's space; None when both share one space.
        interpolation: "linear", "bspline" (third order) or "nearest".
        fill: value of voxels whose centre lies outside the volume (its outer voxel edges).

    Returns:
        Volume of float32 (float64 stays float64; "nearest" keeps the type).
    """
    import SimpleITK as sitk

    methods = {"linear": sitk.sitkLinear, "bspline": sitk.sitkBSpline, "nearest": sitk.sitkNearestNeighbor}
    if interpolation not in methods:
        raise InputError(f"interpolation: expected one of {', '.join(methods)}, got {interpolation!r}.")
    voxels = volume.voxels
    if interpolation != "nearest" and voxels.dtype not in (np.float32, np.float64):
        voxels = voxels.astype(np.float32)
    if (transform is None or transform.is_identity()) and grid == volume.geometry:
        return Volume(voxels, grid, volume.name, volume.source, volume.notes)
    if not voxels.dtype.isnative or voxels.dtype.kind == "b" or voxels.dtype == np.float16:
        voxels = voxels.astype(np.float32)
    image = to_sitk(Volume(voxels, volume.geometry))
    resampled = sitk.GetArrayFromImage(
        sitk.Resample(
            image,
            grid.size,
            (transform or AffineTransform.identity()).to_sitk(),
            methods[interpolation],
            grid.origin_mm,
            grid.spacing_mm,
            grid.direction,
            float(fill),
        )
    )
    return Volume(resampled, grid, volume.name, volume.source, volume.notes)


def resample_mask(mask: Mask, grid: Geometry, *, transform: AffineTransform | None = None) -> Mask:
    """Return ``mask`` on ``grid`` by nearest neighbour; 0 outside. Arguments as in :func:`resample`.

    The rule is that of :func:`nearest_cells`: the label of the mask voxel in which the target's centre lies.
    """
    if (transform is None or transform.is_identity()) and grid == mask.geometry:
        return mask
    matrix = index_map(grid, mask.geometry, transform)
    labels = take_nearest(mask.labels, matrix, grid.shape)
    covered = {label: take_nearest(region, matrix, grid.shape) for label, region in mask.covered.items()}
    return Mask(labels, grid, mask.name, mask.source, mask.segments, covered, mask.notes, mask.frame_of_reference)


def index_map(grid: Geometry, source: Geometry, transform: AffineTransform | None = None) -> np.ndarray:
    """(4, 4): index (x, y, z, 1) of ``grid`` to continuous index of ``source``, through ``transform``."""
    middle = np.eye(4) if transform is None else transform.array
    return source.inverse_affine @ middle @ grid.affine


TIE = 1e-6
"""Voxels. A point this close to the border of two cells belongs to the upper one, whatever the rounding noise."""


def nearest_cells(matrix: np.ndarray, shape: tuple[int, int, int], size: tuple[int, int, int]) -> list[np.ndarray]:
    """For each voxel of a target of ``shape`` (z, y, x): the source cell its centre lies in.

    Cell i covers the continuous indices [i − ½, i + ½). ``matrix`` maps target index to source index (x, y, z).

    Returns:
        Three int arrays (z, y, x): source x, y, z; −1 in all three outside the source's ``size`` (x, y, z).
    """
    # A row of the matrix is a sum of three one-dimensional terms: broadcasting replaces a (z, y, x, 3) array of points.
    z, y, x = np.ogrid[: shape[0], : shape[1], : shape[2]]
    cells = []
    outside = np.zeros(shape, bool)
    for row, count in zip(matrix[:3], size, strict=True):
        cell = np.floor(row[0] * x + row[1] * y + (row[2] * z + (row[3] + 0.5 + TIE))).astype(np.int64)
        outside |= (cell < 0) | (cell >= count)
        cells.append(cell)
    for cell in cells:
        cell[outside] = -1
    return cells


def take_nearest(array: np.ndarray, matrix: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Sample ``array`` (z, y, x) at the nearest cells; 0 outside. Slice by slice, so memory stays small."""
    result = np.zeros(shape, array.dtype)
    size = array.shape[::-1]
    for z in range(shape[0]):
        plane = matrix.copy()
        plane[:, 3] += matrix[:, 2] * z
        x_cell, y_cell, z_cell = nearest_cells(plane, (1, *shape[1:]), size)
        inside = x_cell >= 0
        result[z][inside[0]] = array[z_cell[inside], y_cell[inside], x_cell[inside]]
    return result


def field_of_view(grid: Geometry, source: Geometry, transform: AffineTransform | None = None) -> np.ndarray:
    """Tell which voxel centres of ``grid`` lie inside ``source`` (its outer voxel edges): bool (z, y, x)."""
    return nearest_cells(index_map(grid, source, transform), grid.shape, source.size)[0] >= 0
