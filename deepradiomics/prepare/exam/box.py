"""Box: a region of interest as a rectangular block anywhere in the patient, at any angle (LPS millimetres)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepradiomics.errors import GeometryError, InputError, MaskError
from deepradiomics.images.geometry import Geometry
from deepradiomics.images.volume import Mask
from deepradiomics.prepare.affine import AffineTransform
from deepradiomics.prepare.orientation import match_axes


@dataclass(frozen=True)
class Box:
    """A rectangular block.

    Args:
        centre_mm: its centre (x, y, z), LPS.
        size_mm: its edge lengths along its own axes.
        axes: (3, 3) whose columns are the unit directions of its edges in LPS, as nested rows or an array;
            the patient's axes when left out.

    Raises:
        GeometryError: an edge is not positive, a number not finite, or the axes are not orthonormal.

    >>> Box.from_bounds((0, 0, 0), (2, 4, 6)).centre_mm
    (1.0, 2.0, 3.0)
    """

    centre_mm: tuple[float, float, float]
    size_mm: tuple[float, float, float]
    axes: tuple[tuple[float, ...], ...] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))

    def __post_init__(self) -> None:
        centre, size, axes = (np.asarray(v, float) for v in (self.centre_mm, self.size_mm, self.axes))
        if centre.shape != (3,) or size.shape != (3,) or axes.shape != (3, 3):
            raise GeometryError(
                "Box: expected centre_mm (3), size_mm (3) and axes (3, 3), "
                f"got shapes {centre.shape}, {size.shape} and {axes.shape}."
            )
        if not all(np.isfinite(v).all() for v in (centre, size, axes)):
            raise GeometryError("Box: centre_mm, size_mm and axes must be finite numbers.")
        if size.min() <= 0:
            raise GeometryError(f"Box: every edge of size_mm must be longer than 0, got {size.tolist()}.")
        if not np.allclose(axes.T @ axes, np.eye(3), atol=1e-3):
            raise GeometryError(f"Box: the columns of axes must be orthonormal, got {axes.tolist()}.")
        object.__setattr__(self, "centre_mm", tuple(centre.tolist()))
        object.__setattr__(self, "size_mm", tuple(size.tolist()))
        object.__setattr__(self, "axes", tuple(tuple(row) for row in axes.tolist()))

    @classmethod
    def from_geometry(cls, geometry: Geometry) -> "Box":
        """Return the block that a grid fills, outer voxel edge to outer voxel edge."""
        return cls(geometry.centre_mm, geometry.extent_mm, geometry.axes)  # type: ignore[arg-type]

    @classmethod
    def from_fractions(cls, geometry: Geometry, fractions_zyx: Sequence[float]) -> "Box":
        """Return the central part of an image, in whole voxels (see :func:`central_start_and_size`)."""
        start, size = central_start_and_size(geometry.shape, fractions_zyx)
        return cls.from_geometry(geometry.crop(start[::-1], size[::-1]))

    @classmethod
    def from_bounds(cls, lo: Sequence[float], hi: Sequence[float]) -> "Box":
        """Return the block along the patient's axes between two corners (x, y, z), LPS millimetres."""
        low, high = np.asarray(lo, float), np.asarray(hi, float)
        return cls(tuple((low + high) / 2), tuple(high - low))

    @classmethod
    def from_mask(cls, mask: Mask, label: int = 1, margin_mm: float = 0.0, *, axes: np.ndarray | None = None) -> "Box":
        """Return the smallest block around the voxels of a label (their outer edges), grown by a margin.

        Args:
            mask: labels and their place.
            label: which segment.
            margin_mm: added on each side.
            axes: (3, 3) columns the block shall follow; the mask's own axes when None.

        Raises:
            MaskError: the label is absent or has a single voxel.
        """
        where = np.argwhere(mask.region(label))  # (N, 3) z, y, x in ascending order
        if len(where) < 2:
            raise MaskError(
                f"Mask {mask.name or mask.source}: label {label} has one voxel only, which is no region to analyse. "
                "Draw the segment again, or check that it was saved on the right image."
            )
        # Only the two ends of each row along x can touch the block: few points to turn into corners.
        _, first = np.unique(where[:, :2], axis=0, return_index=True)
        ends = where[np.concatenate([first, np.append(first[1:], len(where)) - 1]), ::-1]
        unit = np.array([[i, j, k] for i in (-0.5, 0.5) for j in (-0.5, 0.5) for k in (-0.5, 0.5)])
        corners = mask.geometry.index_to_physical((ends[:, None, :] + unit).reshape(-1, 3))
        along = mask.geometry.axes if axes is None else np.asarray(axes, float)
        local = corners @ along
        low, high = local.min(axis=0) - margin_mm, local.max(axis=0) + margin_mm
        return cls(tuple(along @ ((low + high) / 2)), tuple(high - low), along)  # type: ignore[arg-type]

    @property
    def axes_array(self) -> np.ndarray:
        """(3, 3) float64: columns are the edge directions."""
        return np.array(self.axes)

    def grid(self, shape_zyx: Sequence[int]) -> Geometry:
        """Return the grid of ``shape_zyx`` voxels that fills the block; index x runs along the first axis."""
        size = np.array(shape_zyx[::-1])
        spacing = np.array(self.size_mm) / size
        origin = np.array(self.centre_mm) - self.axes_array @ ((np.array(self.size_mm) - spacing) / 2)
        return Geometry(tuple(size), tuple(spacing), tuple(origin), tuple(self.axes_array.ravel()))  # type: ignore[arg-type]

    def corners_mm(self) -> np.ndarray:
        """(8, 3): the corners in LPS; the first axis changes fastest."""
        unit = np.array([[x, y, z] for z in (-0.5, 0.5) for y in (-0.5, 0.5) for x in (-0.5, 0.5)])
        return np.array(self.centre_mm) + (unit * np.array(self.size_mm)) @ self.axes_array.T

    def contains(self, points: Any, tolerance_mm: float = 1e-6) -> np.ndarray:
        """Tell which points (..., 3) in LPS lie inside or on the surface: bool (...)."""
        local = (np.asarray(points, float) - np.array(self.centre_mm)) @ self.axes_array
        return (np.abs(local) <= np.array(self.size_mm) / 2 + tolerance_mm).all(axis=-1)

    def aligned_to(self, axes: np.ndarray) -> "Box":
        """Return the same block with its axes renamed and flipped to come nearest to the columns of ``axes``.

        A block drawn by hand may call any edge its first. A network, however, must see left as left.
        """
        matches = match_axes(self.axes_array, np.asarray(axes, float))
        columns = np.stack([sign * self.axes_array[:, column] for column, sign in matches], axis=1)
        size = tuple(self.size_mm[column] for column, _ in matches)
        return Box(self.centre_mm, size, columns)  # type: ignore[arg-type]

    def transformed(self, transform: AffineTransform) -> "Box":
        """Return the block moved by an affine.

        Exact while the affine keeps the edges at right angles (rigid, or scaled along the edges). A shear makes
        a slanted block: the result is then the smallest block around it whose axes are the nearest orthonormal ones.
        """
        edges = transform.array[:3, :3] @ (self.axes_array * np.array(self.size_mm))  # columns: moved edges
        u, _, vt = np.linalg.svd(edges / np.linalg.norm(edges, axis=0))
        axes = u @ vt  # polar decomposition: the orthonormal axes nearest to the moved ones
        size = np.abs(axes.T @ edges).sum(axis=1)
        return Box(tuple(transform.apply(self.centre_mm)), tuple(size), axes)  # type: ignore[arg-type]

    def overlaps(self, geometry: Geometry) -> bool:
        """Tell whether the block and the volume of a grid share some space (separating-axis test)."""
        other = Box.from_geometry(geometry)
        a, b = self.axes_array, other.axes_array
        crosses = np.cross(a.T[:, None, :], b.T[None, :, :]).reshape(9, 3)
        offset = np.array(other.centre_mm) - np.array(self.centre_mm)
        for axis in np.concatenate([a.T, b.T, crosses]):
            length = np.linalg.norm(axis)
            if length < 1e-9:
                continue  # parallel edges: their cross product separates nothing
            axis = axis / length
            reach = np.abs(axis @ a) @ np.array(self.size_mm) / 2 + np.abs(axis @ b) @ np.array(other.size_mm) / 2
            if abs(axis @ offset) >= reach:
                return False
        return True

    def to_dict(self) -> dict[str, Any]:
        """Plain lists for JSON; ``axes`` as three rows, so its columns are the edge directions."""
        return {
            "centre_mm": list(self.centre_mm),
            "size_mm": list(self.size_mm),
            "axes": [list(row) for row in self.axes],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Box":
        """Inverse of :meth:`to_dict`; ``axes`` may be left out.

        Raises:
            InputError: a key is missing or unknown.
        """
        unknown = set(values) - {"centre_mm", "size_mm", "axes"}
        if unknown or not {"centre_mm", "size_mm"} <= set(values):
            raise InputError(f"Box: expected the keys centre_mm, size_mm and axes (optional), got {sorted(values)}.")
        return cls(**values)


def central_start_and_size(
    shape_zyx: Sequence[int], fractions_zyx: Sequence[float]
) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Return start and size (z, y, x) of the central block: counts rounded half up, at least one voxel.

    Raises:
        InputError: a fraction is not in (0, 1].

    >>> central_start_and_size((32, 128, 128), (0.5, 0.3, 0.5))
    ((8, 45, 32), (16, 38, 64))
    """
    if len(fractions_zyx) != 3 or not all(0 < f <= 1 for f in fractions_zyx):
        raise InputError(
            f"roi_fractions: expected three numbers (z, y, x) above 0 and at most 1, got {tuple(fractions_zyx)}."
        )
    size = tuple(max(1, int(n * f + 0.5)) for n, f in zip(shape_zyx, fractions_zyx, strict=True))
    start = tuple((n - m) // 2 for n, m in zip(shape_zyx, size, strict=True))
    return start, size  # type: ignore[return-value]
