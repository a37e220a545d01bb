"""Where the samples of an NRRD lie: which of its axes are directions in space, and where those lead."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepradiomics.errors import GeometryError
from deepradiomics.headers.nrrd import NrrdHeader
from deepradiomics.headers.regular import printable
from deepradiomics.images.formats.stored import flat_matrix, numbers_of, placed
from deepradiomics.images.geometry import Geometry

_SPACES = {  # sign of each axis towards LPS
    "right-anterior-superior": (-1, -1, 1),
    "ras": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1),
    "las": (1, -1, 1),
    "left-posterior-superior": (1, 1, 1),
    "lps": (1, 1, 1),
}
_NO_PATIENT = ("scanner-xyz", "3d-right-handed", "3d-left-handed")
_TO_MM = {
    "": 1.0, "mm": 1.0, "millimeter": 1.0, "millimeters": 1.0, "millimetre": 1.0, "millimetres": 1.0,
    "m": 1e3, "meter": 1e3, "meters": 1e3, "metre": 1e3, "metres": 1e3, "cm": 10.0, "centimeter": 10.0,
    "centimeters": 10.0, "centimetre": 10.0, "centimetres": 10.0, "um": 1e-3, "µm": 1e-3, "μm": 1e-3, "micron": 1e-3,
    "microns": 1e-3, "micrometer": 1e-3, "micrometers": 1e-3, "micrometre": 1e-3, "micrometres": 1e-3,
    "nm": 1e-6, "nanometer": 1e-6, "nanometers": 1e-6,
}  # fmt: skip
_DOMAIN = ("domain", "space", "time", "???", "none")


@dataclass(frozen=True)
class NrrdGrid:
    """The grid, and which stored axis is which.

    Attributes
    ----------
    geometry
        The grid in LPS.
    dimensions
        3, or 2 for a flat image.
    space
        The stored axes (fastest is 0) that are x, y and, but for a flat image, z.
    frame
        The stored axis along which whole images follow each other, or None.
    component
        The stored axis that holds the values of one voxel, or None.
    shape
        (frames, z, y, x, components).
    notes
        What was assumed.
    """

    geometry: Geometry
    dimensions: int
    space: tuple[int, ...]
    frame: int | None
    component: int | None
    shape: tuple[int, ...]
    notes: tuple[str, ...]

    def transposed(self, dimension: int) -> list[int]:
        """The order of the stored array's axes (slowest first) that gives frames, z, y, x, components."""
        wanted = [self.frame, *reversed(self.space), self.component]
        named = [axis for axis in wanted if axis is not None]
        single = [axis for axis in range(dimension) if axis not in named]
        return [dimension - 1 - axis for axis in (*single, *named)]


def nrrd_grid(header: NrrdHeader, sizes: tuple[int, ...], path: Path) -> NrrdGrid:
    """Say where the samples lie.

    Raises:
        GeometryError: axes that are no image, no spacing, sheared, or units that are not known.
    """
    name = printable(path)
    columns = _directions(header, sizes, name)
    kinds = header.fields.get("kinds", "").lower().split() or ["???"] * len(sizes)
    if len(kinds) != len(sizes):
        raise GeometryError(f"{name}: expected {len(sizes)} kinds, got {header.fields['kinds'][:80]!r}.")
    spatial = [axis for axis in range(len(sizes)) if (columns[axis] is not None if columns else kinds[axis] in _DOMAIN)]
    others = [axis for axis in range(len(sizes)) if axis not in spatial and sizes[axis] > 1]
    frames = spatial[3:]
    if len(spatial) not in (2, 3, 4) or len(others) > 1:
        raise GeometryError(
            f"{name}: expected a 3-D image, got {len(sizes)} axes of sizes {sizes} (kinds {' '.join(kinds)}), "
            f"{len(spatial)} of them in space. Take one volume of it."
        )
    space = tuple(spatial[:3])
    if columns:
        matrix, origin, notes = _in_space(header, columns, space, name)
        what = "space directions"
    else:
        matrix, origin, notes = _without_space(header, sizes, space, name)
        what = "spacings"
    if len(space) == 2:
        matrix = flat_matrix(matrix[:, 0], matrix[:, 1])
    size = (*(sizes[axis] for axis in space), 1)[:3]
    geometry, rounded = placed(path, matrix, origin, size, what)
    frame = frames[0] if frames else None
    component = others[0] if others else None
    shape = (1 if frame is None else sizes[frame], *geometry.shape, 1 if component is None else sizes[component])
    return NrrdGrid(geometry, len(space), space, frame, component, shape, notes + rounded)


def _directions(header: NrrdHeader, sizes: tuple[int, ...], name: str) -> list[np.ndarray | None]:
    """The vector of each axis, None for those that are none in space; empty without space directions."""
    text = header.fields.get("space directions", "")
    if not text:
        return []
    columns: list[np.ndarray | None] = []
    for vector in text.replace(")", ") ").split() if ", " not in text else _vectors(text):
        columns.append(None if vector.lower() == "none" else _vector(vector, _space_dimension(header, name), name))
    if len(columns) != len(sizes):
        raise GeometryError(
            f"{name}: expected {len(sizes)} space directions, one for each axis, got {text[:120]!r}. Correct the "
            "header."
        )
    return columns


def _vectors(text: str) -> list[str]:
    return text.replace(", ", ",").replace("( ", "(").replace(" )", ")").replace(")", ") ").split()


def _vector(text: str, length: int, name: str) -> np.ndarray:
    if not (text.startswith("(") and text.endswith(")")):
        raise GeometryError(f"{name}: expected a vector such as (1,0,0), got {text[:80]!r}. Correct the header.")
    parts = text[1:-1].split(",")
    if len(parts) != length:
        raise GeometryError(
            f"{name}: expected a vector of {length} numbers with decimal points, got {text[:80]!r}. Correct the header."
        )
    return np.array(numbers_of(" ".join(parts), length, f"{name}: vector {text[:80]}"))


def _space_dimension(header: NrrdHeader, name: str) -> int:
    space, number = header.fields.get("space", "").lower(), header.fields.get("space dimension", "")
    if space in _SPACES or space in _NO_PATIENT:
        return 3
    if space or number not in ("2", "3", "4"):
        raise GeometryError(
            f"{name}: its space {space or number or 'is not given and'!r} is not read; expected "
            "right-anterior-superior, "
            "left-anterior-superior or left-posterior-superior."
        )
    return int(number)


def _in_space(
    header: NrrdHeader, columns: list[np.ndarray | None], space: tuple[int, ...], name: str
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """(3, axes) and (3,) in LPS millimetres."""
    dimension = _space_dimension(header, name)
    vectors = np.stack([column for axis in space if (column := columns[axis]) is not None], axis=1)
    notes: tuple[str, ...] = ()
    text = header.fields.get("space origin", "")
    if text:
        origin = _vector(_vectors(text)[0], dimension, name)
    else:
        origin = np.zeros(dimension)
        notes += ("The header gives no space origin: the first voxel is laid at (0, 0, 0).",)
    scale, unit_notes = _units(header.fields.get("space units", ""), dimension, "space units", name)
    if any(factor != 1 for factor in _units(header.fields.get("units", ""), len(columns), "units", name)[0]):
        raise GeometryError(f"{name}: it has space directions and units of its axes; NRRD allows space units alone.")
    vectors, origin = vectors * scale[:, None], origin * scale
    if dimension == 4:  # (x, y, z, t): the fourth must not mix with space
        if np.abs(vectors[3]).max() > 0:
            raise GeometryError(f"{name}: its axes in space lead into time as well. Resample the image first.")
        vectors, origin = vectors[:3], origin[:3]
    if dimension == 2:
        vectors, origin = np.vstack([vectors, np.zeros(len(space))]), np.append(origin, 0.0)
        if len(space) != 2:
            raise GeometryError(f"{name}: {len(space)} axes cannot lie in a plane.")
    named = header.fields.get("space", "").lower()
    if named in _SPACES:
        sign = np.array(_SPACES[named], float)
        return vectors * sign[:, None], origin * sign, notes + unit_notes
    if dimension >= 3 and len(space) == 3 and (named or dimension == 3):
        notes += (
            f"The header's space ({named or 'space dimension 3'}) does not say how the patient lies: it is taken as "
            "left-posterior-superior, and which side is left is not known.",
        )
    return vectors, origin, notes + unit_notes


def _without_space(
    header: NrrdHeader, sizes: tuple[int, ...], space: tuple[int, ...], name: str
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    count = len(sizes)
    texts = {field: header.fields.get(field, "") for field in ("spacings", "axis mins", "axis maxs")}
    values = {
        field: np.array(numbers_of(text, count, f"{name}: {field}"))[list(space)] if text else None
        for field, text in texts.items()
    }
    lengths, low, high = values["spacings"], values["axis mins"], values["axis maxs"]
    kinds = header.fields.get("centerings", header.fields.get("centers", "")).lower().split() or ["cell"] * count
    node = np.array([kinds[axis] == "node" if axis < len(kinds) else False for axis in space])
    if lengths is None and low is not None and high is not None:
        lengths = (high - low) / np.maximum(1, np.array([sizes[axis] for axis in space]) - node)
    if header.fields.get("space") or lengths is None:
        raise GeometryError(
            f"{name}: its header gives no {'space directions' if header.fields.get('space') else 'spacing'} (distances "
            "of voxels). Nothing is guessed: add space directions in millimetres to the header."
        )
    scale, unit_notes = _units(header.fields.get("units", ""), count, "units", name)
    scale = scale[list(space)]
    origin = np.zeros(3)
    if low is not None and np.isfinite(low).all():
        origin[: len(space)] = (low + np.where(node, 0.0, 0.5 * lengths)) * scale
    matrix = np.zeros((3, len(space)))
    matrix[range(len(space)), range(len(space))] = lengths * scale
    note = (
        "The header gives spacing but no space (position and orientation in the patient): the grid is laid along the "
        "patient's axes as 3D Slicer does, and which side is left is not known.",
    )
    return matrix, origin, (*note, *unit_notes)


def _units(text: str, count: int, field: str, name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Millimetres in one unit of each axis, and a note where that is not 1."""
    if not text:
        return np.ones(count), ()
    quoted = text.split('"')[1::2] if '"' in text else text.split()
    if len(quoted) != count:
        raise GeometryError(f"{name}: expected {count} {field}, got {text[:80]!r}. Correct the header.")
    unknown = [unit for unit in quoted if unit.strip().lower() not in _TO_MM]
    if unknown and field == "space units":
        raise GeometryError(
            f"{name}: its {field} {', '.join(map(repr, unknown))} are not read; expected mm, cm, m or um. Correct them."
        )
    factors = np.array([_TO_MM.get(unit.strip().lower(), 1.0) for unit in quoted])
    if (factors == 1).all():
        return factors, ()
    return factors, (f"The header's {field} ({', '.join(quoted)}) were turned into millimetres.",)
