"""StoredImage: what one image file holds, before it is asked to be a volume or a mask."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from deepradiomics.errors import GeometryError, InputError, MaskError
from deepradiomics.headers.regular import printable
from deepradiomics.images.geometry import Geometry
from deepradiomics.images.masks.slicer import describes_segments, mask_of_layers
from deepradiomics.images.volume import Mask, Volume
from deepradiomics.public import one_line

_EXACT = 1e-5  # directions nearer than this to right angles are taken as they stand: rounding of 32-bit numbers
_TOLERANCE = 1e-3  # farther off, the grid is sheared
_SPACING_MM = (1e-5, 1e5)
_FARTHEST_MM = 1e7


@one_line
@dataclass(frozen=True, eq=False)
class StoredImage:
    """Voxels as the file means them, with their place and all that was noted.

    Args:
        voxels: (frames, z, y, x, components); real numbers.
        geometry: the grid in LPS; a flat image is one slice.
        dimensions: 3, or 2 for a flat image.
        path: the file.
        notes: what was assumed or done on the way, one sentence each.
        header: texts of the header, such as those of Slicer's segments.
    """

    voxels: np.ndarray
    geometry: Geometry
    dimensions: int
    path: Path
    notes: tuple[str, ...] = ()
    header: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The file's name without its endings."""
        return stem(self.path)

    @property
    def source(self) -> str:
        """The file's name."""
        return printable(self.path.name)

    @property
    def frames(self) -> int:
        """Number of images of this grid."""
        return self.voxels.shape[0]

    @property
    def components(self) -> int:
        """Number of values a voxel."""
        return self.voxels.shape[4]

    def volume(self, *, frame: int | None = None, flat: bool = False) -> Volume:
        """One grey-level image.

        Args:
            frame: which of several; None: there must be one.
            flat: a flat image is accepted, as a volume of one slice.

        Raises:
            GeometryError: flat, or several frames.
            InputError: several values per voxel.
        """
        return Volume(self._grey(frame, flat), self.geometry, self.name, self.source, self.notes)

    def mask(self, *, channel: int | None = None, flat: bool = False) -> Mask:
        """One label image; of a Slicer segmentation all segments of all layers.

        Args:
            channel: which of several values per voxel holds the labels; None: there must be one.
            flat: a flat image is accepted, as a volume of one slice.

        Raises:
            GeometryError: flat, or several frames.
            InputError: several values per voxel and no channel.
            MaskError: labels that are not whole numbers, or no such channel.
        """
        if channel is not None and not 0 <= channel < self.components:
            raise MaskError(
                f"label_channel {channel}: the mask has {self.components} channels, 0 to {self.components - 1}."
            )
        if channel is None and describes_segments(self.header):
            self._require_dimensions(flat)
            layers = [frame[..., layer] for frame in self.voxels for layer in range(self.components)]
            mask = mask_of_layers(layers, self.geometry, self.header, self.name, self.source)
            return replace(mask, notes=(*self.notes, *mask.notes))
        labels = self._grey(None, flat) if channel is None else self._frame(None, flat)[..., channel]
        return Mask(labels, self.geometry, self.name, self.source, notes=self.notes)

    def _grey(self, frame: int | None, flat: bool) -> np.ndarray:
        if self.components != 1:
            raise InputError(
                f"{self.source}: expected one grey value per voxel, got {self.components} components (colour or vector "
                "image). Convert it to grey first."
            )
        return self._frame(frame, flat)[..., 0]

    def _frame(self, frame: int | None, flat: bool) -> np.ndarray:
        if frame is None and self.frames != 1:
            raise GeometryError(
                f"{self.source}: expected a 3-D image, got 4-D of size {(*self.geometry.size, self.frames)}: "
                f"{self.frames} volumes (0 to {self.frames - 1}). Take one of them, and save it as a file of its own."
            )
        self._require_dimensions(flat)
        return self.voxels[frame or 0]

    def _require_dimensions(self, flat: bool) -> None:
        if self.dimensions == 2 and not flat:
            raise GeometryError(
                f"{self.source}: expected a 3-D image, got 2-D of size {self.geometry.size[:2]}. "
                "Stack slices into a volume."
            )


def stem(path: Path) -> str:
    """A file's name without its endings, as people call the image."""
    return printable(path.name.removesuffix(".gz").rsplit(".", 1)[0])


def placed(
    path: Path, matrix: np.ndarray, origin: np.ndarray, size: tuple[int, ...], what: str
) -> tuple[Geometry, tuple[str, ...]]:
    """The grid that a header describes; directions off by rounding become the nearest ones at right angles.

    Args:
        path: the file, for messages.
        matrix: (3, 3): columns lead from voxel to voxel along x, y and z, LPS millimetres.
        origin: (3,): centre of the first voxel, LPS millimetres.
        size: number of voxels along x, y and z.
        what: the header's fields, for messages: ``sform``.

    Raises:
        GeometryError: numbers that are not finite or cannot be millimetres of a patient, or sheared axes.
    """
    name = printable(path)
    numbers = np.concatenate([matrix.ravel(), origin])
    if not np.isfinite(numbers).all():
        raise GeometryError(f"{name}: its {what} holds numbers that are not finite. Its header is damaged.")
    spacing = np.linalg.norm(matrix, axis=0)
    low, high = _SPACING_MM
    if spacing.min() < low or spacing.max() > high or np.abs(origin).max() > _FARTHEST_MM:
        raise GeometryError(
            f"{name}: its {what} gives distances of {tuple(spacing.tolist())} mm between voxels and the first at "
            f"{tuple(origin.tolist())} mm; no image lies so. Correct the header."
        )
    axes = matrix / spacing
    off = float(np.abs(axes.T @ axes - np.eye(3)).max())
    notes: tuple[str, ...] = ()
    if off > _TOLERANCE:
        raise GeometryError(
            f"{name}: the index axes of its {what} are not orthonormal (sheared grid): two of them lean by "
            f"{np.degrees(np.arcsin(min(1.0, off))):.2f}° from right angles. Resample the image onto a regular grid "
            "first."
        )
    if off > _EXACT:
        u, _, v = np.linalg.svd(axes)
        axes = u @ v
        notes = (
            f"The directions of the {what} are off right angles by {np.degrees(off):.2g}° (rounded numbers); the "
            "nearest "
            "ones at right angles are used.",
        )
    x, y, z = size
    return Geometry((x, y, z), tuple(spacing.tolist()), tuple(origin.tolist()), tuple(axes.ravel().tolist())), notes


def flat_matrix(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(3, 3): the axes of a flat image and, at right angles to them, one slice of 1 mm."""
    normal = np.cross(first, second)
    length = np.linalg.norm(normal)
    return np.stack([first, second, normal / length if length > 0 else np.zeros(3)], axis=1)


def numbers_of(text: str, count: int | None, where: str) -> list[float]:
    """Numbers of a header's field, whatever the locale.

    Raises:
        GeometryError: another count, or text that is no number, such as one with a decimal comma.
    """
    numbers = text.split()
    try:
        values = [float(word.replace("_", "?").encode("ascii")) for word in numbers]  # digits of other scripts are none
    except ValueError as error:
        comma = " with a decimal point, not a comma" if "," in text else ""
        raise GeometryError(f"{where}: expected numbers{comma}, got {text[:80]!r}. Correct the header.") from error
    if count is not None and len(values) != count:
        raise GeometryError(f"{where}: expected {count} numbers, got {text[:80]!r}. Correct the header.")
    return values


def native(array: np.ndarray) -> np.ndarray:
    """The same numbers in the machine's byte order."""
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def scaled(array: np.ndarray, slope: float, intercept: float) -> np.ndarray:
    """Stored values × slope + intercept: float32 where that holds each value exactly, else float64."""
    if (slope, intercept) == (1.0, 0.0):
        return array
    exact = array.astype(np.float64) * slope + intercept
    with np.errstate(over="ignore"):
        short = exact.astype(np.float32)
    return short if np.array_equal(short, exact, equal_nan=True) else exact
