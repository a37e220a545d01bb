"""Geometry: where a grid of voxels lies in the patient (LPS millimetres)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from deepradiomics.errors import GeometryError


@dataclass(frozen=True)
class Geometry:
    """A regular grid of voxels in LPS space (x to the patient's left, y to posterior, z to superior).

    Args:
        size: number of voxels along the index axes (x, y, z).
        spacing_mm: distance of voxel centres along the index axes (x, y, z).
        origin_mm: centre of voxel (0, 0, 0), LPS.
        direction: nine numbers, row-major as in SimpleITK; its columns are the unit directions of the index axes.

    Raises:
        GeometryError: sizes or spacings not positive, values not finite, or directions not orthonormal.

    >>> g = Geometry((4, 4, 2), (1.0, 1.0, 3.0), (10.0, 0.0, 0.0))
    >>> g.index_to_physical([1, 0, 1]).tolist()
    [11.0, 0.0, 3.0]
    """

    size: tuple[int, int, int]
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0)
    origin_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    direction: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)

    def __post_init__(self) -> None:
        for name, count, kind in (("size", 3, int), ("spacing_mm", 3, float), ("origin_mm", 3, float)):
            values = tuple(kind(v) for v in getattr(self, name))
            if len(values) != count:
                raise GeometryError(f"{name}: expected {count} values (x, y, z), got {len(values)}.")
            object.__setattr__(self, name, values)
        object.__setattr__(self, "direction", tuple(float(v) for v in np.ravel(self.direction)))
        if min(self.size) < 1:
            raise GeometryError(f"size: expected at least one voxel along each axis, got {self.size}.")
        numbers = np.array([*self.spacing_mm, *self.origin_mm, *self.direction])
        if len(self.direction) != 9 or not np.isfinite(numbers).all():
            raise GeometryError("direction, spacing and origin must be 9, 3 and 3 finite numbers.")
        if min(self.spacing_mm) <= 0:
            raise GeometryError(f"spacing_mm: expected positive distances, got {self.spacing_mm}.")
        axes = self.axes
        if not np.allclose(axes.T @ axes, np.eye(3), atol=1e-3):
            raise GeometryError(
                "direction: the index axes are not orthonormal (sheared or scaled grid). "
                f"Resample the image onto a regular grid first; got {np.round(axes, 4).tolist()}."
            )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of the voxel array (z, y, x)."""
        return self.size[2], self.size[1], self.size[0]

    @property
    def axes(self) -> np.ndarray:
        """(3, 3): columns are the unit directions of the index axes x, y, z in LPS."""
        return np.array(self.direction).reshape(3, 3)

    @cached_property
    def affine(self) -> np.ndarray:
        """(4, 4): index (x, y, z, 1) to LPS millimetres."""
        affine = np.eye(4)
        affine[:3, :3] = self.axes * np.array(self.spacing_mm)
        affine[:3, 3] = self.origin_mm
        affine.setflags(write=False)
        return affine

    @cached_property
    def inverse_affine(self) -> np.ndarray:
        """(4, 4): LPS millimetres to index (x, y, z, 1)."""
        inverse = np.linalg.inv(self.affine)
        inverse.setflags(write=False)
        return inverse

    @property
    def ijk_to_ras(self) -> np.ndarray:
        """(4, 4): index to RAS millimetres, as 3D Slicer stores it."""
        return np.diag([-1.0, -1.0, 1.0, 1.0]) @ self.affine

    @property
    def extent_mm(self) -> tuple[float, float, float]:
        """Length of the grid along its index axes (x, y, z), from outer voxel edge to outer voxel edge."""
        return tuple(n * s for n, s in zip(self.size, self.spacing_mm, strict=True))  # type: ignore[return-value]

    @property
    def centre_mm(self) -> tuple[float, float, float]:
        """Centre of the grid, LPS."""
        return tuple(self.index_to_physical((np.array(self.size) - 1) / 2).tolist())

    def index_to_physical(self, points: Any) -> np.ndarray:
        """Map continuous indices (..., 3) in (x, y, z) to LPS millimetres (..., 3)."""
        return np.asarray(points, float) @ self.affine[:3, :3].T + self.affine[:3, 3]

    def physical_to_index(self, points: Any) -> np.ndarray:
        """Map LPS millimetres (..., 3) to continuous indices (..., 3) in (x, y, z)."""
        return np.asarray(points, float) @ self.inverse_affine[:3, :3].T + self.inverse_affine[:3, 3]

    def corners_mm(self) -> np.ndarray:
        """(8, 3): the outer corners (voxel edges) in LPS."""
        unit = np.array([[x, y, z] for z in (0, 1) for y in (0, 1) for x in (0, 1)], float)
        return self.index_to_physical(unit * np.array(self.size) - 0.5)

    def crop(self, start: Sequence[int], size: Sequence[int]) -> "Geometry":
        """Return the sub-grid of ``size`` (x, y, z) that begins at voxel ``start`` (x, y, z)."""
        origin = tuple(self.index_to_physical(start).tolist())
        return Geometry(tuple(size), self.spacing_mm, origin, self.direction)  # type: ignore[arg-type]

    def resized(self, size: Sequence[int]) -> "Geometry":
        """Return a grid with the same outer edges and another number of voxels (x, y, z)."""
        spacing = np.array(self.extent_mm) / np.array(size, float)
        first = np.array(self.size) / np.array(size, float) / 2 - 0.5
        origin = self.index_to_physical(first)
        return Geometry(tuple(size), tuple(spacing), tuple(origin), self.direction)  # type: ignore[arg-type]

    def is_close(self, other: "Geometry", tolerance_mm: float = 1e-3) -> bool:
        """Tell whether both grids have the same size and all voxel centres within ``tolerance_mm``."""
        return self.size == other.size and bool(np.abs(self.corners_mm() - other.corners_mm()).max() <= tolerance_mm)

    @classmethod
    def from_affine(cls, affine: Any, size: Sequence[int]) -> "Geometry":
        """Make a geometry from a (4, 4) index-to-LPS matrix without shear and a size (x, y, z)."""
        affine = np.asarray(affine, float)
        spacing = np.linalg.norm(affine[:3, :3], axis=0)
        if not np.isfinite(spacing).all() or spacing.min() <= 0:
            raise GeometryError(f"affine: its columns must have a finite, positive length, got {spacing.tolist()}.")
        direction = affine[:3, :3] / spacing
        return cls(tuple(size), tuple(spacing), tuple(affine[:3, 3]), tuple(direction.ravel()))  # type: ignore[arg-type]

    def to_dict(self) -> dict[str, list[float]]:
        """Plain lists for JSON."""
        return {
            "size": list(self.size),
            "spacing_mm": list(self.spacing_mm),
            "origin_mm": list(self.origin_mm),
            "direction": list(self.direction),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Geometry":
        """Inverse of :meth:`to_dict`."""
        return cls(values["size"], values["spacing_mm"], values["origin_mm"], values["direction"])
