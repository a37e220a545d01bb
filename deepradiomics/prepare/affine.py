"""AffineTransform: where a point of the fixed space lies in the moving space (LPS millimetres)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepradiomics.errors import GeometryError, InputError
from deepradiomics.files.atomic import atomic_file
from deepradiomics.images.itk_files import itk_turn, readable_name, writable_name

if TYPE_CHECKING:
    import SimpleITK

TRANSFORM_SUFFIXES = (".tfm", ".h5", ".txt")


@dataclass(frozen=True)
class AffineTransform:
    """A physical-space affine in ITK's convention: it maps points of the FIXED (output) to the MOVING (input) space.

    Resampling asks, for every voxel of the output, where to read in the input; so the transform points
    "backwards". 3D Slicer reads the file written here as a linear transform node which, put above the moving
    volume, brings it onto the fixed one.

    Args:
        matrix: (4, 4) acting on homogeneous LPS points; last row 0 0 0 1. Any array-like; stored as nested tuples.

    Raises:
        GeometryError: not (4, 4), not finite, not affine, or not invertible.

    >>> shift = AffineTransform.translation((5.0, 0.0, 0.0))
    >>> shift.apply([1.0, 2.0, 3.0]).tolist()
    [6.0, 2.0, 3.0]
    """

    matrix: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        matrix = np.asarray(self.matrix, float)
        if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
            raise GeometryError(f"AffineTransform: expected a finite (4, 4) matrix, got shape {matrix.shape}.")
        if not np.allclose(matrix[3], (0, 0, 0, 1), atol=1e-9):
            raise GeometryError(f"AffineTransform: the last row must be 0 0 0 1, got {matrix[3].tolist()}.")
        if abs(np.linalg.det(matrix[:3, :3])) < 1e-9:
            raise GeometryError("AffineTransform: the matrix cannot be inverted (it flattens space).")
        object.__setattr__(self, "matrix", tuple(tuple(map(float, row)) for row in matrix))

    @property
    def array(self) -> np.ndarray:
        """The matrix as a new (4, 4) float64 array."""
        return np.array(self.matrix)

    @classmethod
    def identity(cls) -> "AffineTransform":
        """The transform that moves nothing."""
        return cls(np.eye(4))  # type: ignore[arg-type]

    @classmethod
    def translation(cls, offset_mm: Any) -> "AffineTransform":
        """Add ``offset_mm`` (x, y, z) to every point."""
        matrix = np.eye(4)
        matrix[:3, 3] = offset_mm
        return cls(matrix)  # type: ignore[arg-type]

    @classmethod
    def about(cls, linear: Any, centre_mm: Any, offset_mm: Any = (0.0, 0.0, 0.0)) -> "AffineTransform":
        """x ↦ linear · (x − centre) + centre + offset, with ``linear`` (3, 3)."""
        linear, centre = np.asarray(linear, float), np.asarray(centre_mm, float)
        matrix = np.eye(4)
        matrix[:3, :3] = linear
        matrix[:3, 3] = centre + np.asarray(offset_mm, float) - linear @ centre
        return cls(matrix)  # type: ignore[arg-type]

    def apply(self, points: Any) -> np.ndarray:
        """Map points (..., 3) in LPS millimetres from the fixed to the moving space."""
        matrix = self.array
        return np.asarray(points, float) @ matrix[:3, :3].T + matrix[:3, 3]

    def inverse(self) -> "AffineTransform":
        """Return the transform from the moving to the fixed space."""
        return AffineTransform(np.linalg.inv(self.array))  # type: ignore[arg-type]

    def then(self, other: "AffineTransform") -> "AffineTransform":
        """Return the transform that applies this one first and ``other`` afterwards."""
        return AffineTransform(other.array @ self.array)  # type: ignore[arg-type]

    def is_identity(self, tolerance: float = 1e-9) -> bool:
        """Tell whether nothing moves (entries within ``tolerance``)."""
        return bool(np.abs(self.array - np.eye(4)).max() <= tolerance)

    def to_sitk(self) -> "SimpleITK.AffineTransform":
        """Return the same map as a SimpleITK transform."""
        import SimpleITK as sitk

        transform = sitk.AffineTransform(3)
        transform.SetMatrix(self.array[:3, :3].ravel().tolist())
        transform.SetTranslation(self.array[:3, 3].tolist())
        return transform

    @classmethod
    def from_sitk(cls, transform: "SimpleITK.Transform") -> "AffineTransform":
        """Read any linear SimpleITK transform (rigid, similarity, affine, or a chain of these)."""
        if transform.GetDimension() != 3 or not transform.IsLinear():
            raise InputError(
                f"Expected a linear transform of 3-D points, got {transform.GetName()} "
                f"of dimension {transform.GetDimension()}. Deformable transforms are not supported here."
            )
        origin = np.array(transform.TransformPoint((0.0, 0.0, 0.0)))
        matrix = np.eye(4)
        matrix[:3, :3] = np.stack([transform.TransformPoint(tuple(unit)) for unit in np.eye(3)], axis=1)
        matrix[:3, :3] -= origin[:, None]
        matrix[:3, 3] = origin
        return cls(matrix)  # type: ignore[arg-type]

    def write(self, path: str | Path) -> None:
        """Write an ITK transform file (.tfm, .txt or .h5), which 3D Slicer loads as a linear transform node."""
        import SimpleITK as sitk

        path = Path(path)
        _require_suffix(path)
        with atomic_file(path) as temporary, itk_turn(), writable_name(temporary) as name:
            sitk.WriteTransform(self.to_sitk(), name)

    @classmethod
    def read(cls, path: str | Path) -> "AffineTransform":
        """Read a linear ITK transform file.

        Raises:
            InputError: the file is missing, unreadable, or holds no linear 3-D transform.
        """
        import SimpleITK as sitk

        path = Path(path)
        _require_suffix(path)
        if not path.is_file():
            raise InputError(f"Transform file not found: {path}.")
        try:
            with itk_turn(), readable_name(path) as name:
                transform = sitk.ReadTransform(name)
        except RuntimeError as error:
            raise InputError(f"{path} could not be read as an ITK transform file.") from error
        return cls.from_sitk(transform)

    def to_dict(self) -> dict[str, Any]:
        """Plain lists for JSON."""
        return {"matrix": [list(row) for row in self.matrix], "space": "LPS", "maps": "fixed to moving"}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "AffineTransform":
        """Inverse of :meth:`to_dict`."""
        return cls(values["matrix"])


def _require_suffix(path: Path) -> None:
    if path.suffix.lower() not in TRANSFORM_SUFFIXES:
        raise InputError(f"{path}: expected a transform file ending in {', '.join(TRANSFORM_SUFFIXES)}.")
