"""Where a node's voxels and points lie in the world, its parent transforms included.

Slicer keeps a volume's own matrix (voxel indices → its local RAS) and, above it, any number of parent transforms
(local RAS → world RAS). Here both become one `Geometry` in LPS where that is possible exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import vtk
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

from deepradiomics.errors import InputError
from deepradiomics.images import Geometry

RAS_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])  # its own inverse
ORTHOGONAL_TOLERANCE = 1e-3  # as Geometry accepts


@dataclass(frozen=True)
class Placement:
    """Where a volume node lies in the world.

    Attributes
    ----------
    geometry
        A world grid in LPS. If `exact`, it is the node's own voxels: same indices, same values.
    exact
        False below a shear or a non-linear transform: no regular grid in the world has the node's voxels, so
        `geometry` is a grid around them, along the nearest perpendicular axes, and voxels must be resampled.
    """

    geometry: Geometry
    exact: bool


def placement(node: Any) -> Placement:
    """Where the voxels of a volume node lie in the world.

    Rigid parent transforms, reflections, and scalings along the voxel axes are exact: they only change the geometry.
    Raises InputError if the node holds no image.
    """
    size = _size(node)
    parent = node.GetParentTransformNode()
    local = ijk_to_ras(node)
    if parent is None or parent.IsTransformToWorldLinear():
        affine = RAS_LPS @ world_matrix(node) @ local  # index → LPS world
        axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
        if np.allclose(axes.T @ axes, np.eye(3), atol=ORTHOGONAL_TOLERANCE):
            return Placement(Geometry.from_affine(affine, size), exact=True)
    lattice = _lattice(-0.5 * np.ones(3), np.array(size) - 0.5, 9)  # (729, 3) indices, corners and faces included
    world = to_world(node, lattice @ local[:3, :3].T + local[:3, 3]) * (-1.0, -1.0, 1.0)
    return Placement(_grid_around(lattice, world), exact=False)


def ijk_to_ras(node: Any) -> np.ndarray:
    """(4, 4): voxel index (x, y, z, 1) → the node's local RAS, below its parent transforms."""
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return array_of(matrix)


def world_matrix(node: Any) -> np.ndarray:
    """(4, 4): local RAS → world RAS of a transformable node whose parent transforms are all linear."""
    parent, matrix = node.GetParentTransformNode(), vtk.vtkMatrix4x4()
    if parent is not None and not parent.GetMatrixTransformToWorld(matrix):
        raise InputError(f"'{node.GetName()}' lies under a non-linear transform, which no matrix describes")
    return array_of(matrix)


def to_world(node: Any, points: np.ndarray) -> np.ndarray:
    """Points (n, 3) in the node's local RAS → world RAS, through any parent transforms."""
    return _through(node, points, "GetTransformToWorld")


def from_world(node: Any, points: np.ndarray) -> np.ndarray:
    """Points (n, 3) in world RAS → the node's local RAS; the inverse of `to_world`."""
    return _through(node, points, "GetTransformFromWorld")


def fit_axes(before: np.ndarray, after: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The perpendicular axes nearest to the images of x, y, z, and the length of each image of a unit step.

    `before`, `after`: (n, 3) points and where they went. An affine is fitted (least squares); its columns' lengths are
    returned, and as axes the orthogonal factor of its normalised columns (polar decomposition).
    """
    design = np.hstack([before, np.ones((len(before), 1))])
    steps = np.linalg.lstsq(design, after, rcond=None)[0][:3].T  # columns: image of a unit step along x, y, z
    lengths = np.linalg.norm(steps, axis=0)
    u, _, v = np.linalg.svd(steps / lengths)
    return u @ v, lengths


def array_of(matrix: Any) -> np.ndarray:
    """A vtkMatrix4x4 as a (4, 4) array."""
    return np.array([[matrix.GetElement(i, j) for j in range(4)] for i in range(4)])


def matrix_of(array: np.ndarray) -> Any:
    """A (4, 4) array as a vtkMatrix4x4."""
    matrix = vtk.vtkMatrix4x4()
    for i, j in product(range(4), range(4)):
        matrix.SetElement(i, j, float(array[i, j]))
    return matrix


def _through(node: Any, points: np.ndarray, which: str) -> np.ndarray:
    parent = node.GetParentTransformNode()
    points = np.ascontiguousarray(points, dtype=float)
    if parent is None:
        return points
    if parent.IsTransformToWorldLinear():
        matrix = world_matrix(node)
        if which == "GetTransformFromWorld":
            matrix = np.linalg.inv(matrix)
        return points @ matrix[:3, :3].T + matrix[:3, 3]
    transform = vtk.vtkGeneralTransform()
    getattr(parent, which)(transform)
    still, moved = vtk.vtkPoints(), vtk.vtkPoints()
    still.SetData(numpy_to_vtk(points, deep=True))
    moved.SetDataTypeToDouble()
    transform.TransformPoints(still, moved)
    return np.array(vtk_to_numpy(moved.GetData()))


def _grid_around(lattice: np.ndarray, world: np.ndarray) -> Geometry:
    axes, spacing = fit_axes(lattice, world)
    along = world @ axes  # coordinates along the new axes
    low, high = along.min(axis=0), along.max(axis=0)
    size = np.maximum(np.ceil((high - low) / spacing - 1e-6).astype(int), 1)
    first = axes @ ((low + high) / 2 - (size - 1) / 2 * spacing)
    return Geometry(tuple(size.tolist()), tuple(spacing), tuple(first), tuple(axes.ravel()))  # type: ignore[arg-type]


def _lattice(low: np.ndarray, high: np.ndarray, count: int) -> np.ndarray:
    ticks = [np.linspace(low[axis], high[axis], count) for axis in range(3)]
    return np.stack(np.meshgrid(*ticks, indexing="ij"), axis=-1).reshape(-1, 3)


def _size(node: Any) -> tuple[int, int, int]:
    image = node.GetImageData()
    if image is None or 0 in image.GetDimensions() or image.GetPointData().GetScalars() is None:
        raise InputError(f"volume '{node.GetName()}' holds no image; load or choose another one")
    if image.GetNumberOfScalarComponents() != 1:
        raise InputError(
            f"volume '{node.GetName()}' has {image.GetNumberOfScalarComponents()} numbers a voxel (a colour image, or "
            "images over time in one); one grey value per voxel is needed: take one of them out with the Vector to "
            "Scalar Volume module"
        )
    return image.GetDimensions()
