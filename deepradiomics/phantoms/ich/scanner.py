"""The CT scanner: the grid of each visit, how the patient lies in it, and each site's noise and kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from deepradiomics.images import Geometry
from deepradiomics.phantoms.ich.head import Field, Points
from deepradiomics.phantoms.shared import turn

Size = Literal["small", "clinical"]


@dataclass(frozen=True)
class Protocol:
    """Size (x, y, z) and spacing of a stack."""

    size: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]


PROTOCOLS: dict[Size, Protocol] = {
    "small": Protocol((96, 112, 52), (2.0, 2.0, 3.0)),
    "clinical": Protocol((448, 448, 32), (0.5, 0.5, 5.0)),
}
# site: noise SD (HU) in the brain at the small protocol, in-plane smoothing (mm) of the noise, sharpening of the image
SITES: dict[str, tuple[float, float, float]] = {"A": (3.2, 1.4, 0.0), "B": (4.4, 0.8, 0.2), "C": (2.4, 1.8, -0.4)}


@dataclass(frozen=True)
class Visit:
    """One visit: how the head lies (angles in radians about x, y, z; middle in LPS mm), the grid's turn and offset."""

    angles: tuple[float, float, float]
    middle_mm: tuple[float, float, float]
    grid_tilt: float
    offset_mm: tuple[float, float, float]
    noise: float  # factor on the site's noise

    @classmethod
    def draw(cls, rng: np.random.Generator, near: Visit | None = None) -> Visit:
        """A visit; ``near``: the patient's earlier one, from which they lie up to about 8° and 15 mm away."""
        spread = 0.07 if near is None else 0.05
        angles = tuple(float(a) for a in rng.normal(0, spread, 3).clip(-0.14, 0.14))
        middle = (0.0, -10.0, 60.0) if near is None else near.middle_mm
        moved = rng.uniform(-7, 7, 3)
        return cls(
            angles,  # type: ignore[arg-type]
            tuple(float(m + d) for m, d in zip(middle, moved, strict=True)),  # type: ignore[arg-type]
            float(rng.normal(0, 0.03)),
            tuple(float(v) for v in rng.uniform(-3, 3, 3)),  # type: ignore[arg-type]
            float(rng.uniform(0.85, 1.2)),
        )

    @property
    def pose(self) -> NDArray[np.float64]:
        """(4, 4): the head's frame to the scanner's LPS space, rigid."""
        pose = np.eye(4)
        pose[:3, :3] = turn(self.angles)
        pose[:3, 3] = self.middle_mm
        return pose


def visit_grid(protocol: Protocol, visit: Visit) -> Geometry:
    """The visit's grid: its middle is the head's, a little above the brain's, so that the skull base is still seen."""
    axes = turn((visit.grid_tilt, 0.0, 0.0))
    middle = np.array(visit.middle_mm) + np.array(visit.offset_mm) + axes @ np.array([0.0, 0.0, 12.0])
    origin = middle - axes @ ((np.array(protocol.size) - 1) / 2 * np.array(protocol.spacing_mm))
    return Geometry(protocol.size, protocol.spacing_mm, tuple(origin.tolist()), tuple(axes.ravel()))  # type: ignore[arg-type]


def head_points(grid: Geometry, pose: NDArray[np.float64]) -> Points:
    """The voxel centres in the head's frame: three arrays (z, y, x), mm."""
    matrix = np.linalg.inv(pose) @ grid.affine
    i, j, k = (np.arange(n, dtype=np.float32) for n in grid.size)
    rows = [[np.float32(v) for v in row] for row in matrix[:3]]
    x, y, z = (
        row[0] * i[None, None, :] + row[1] * j[None, :, None] + row[2] * k[:, None, None] + row[3] for row in rows
    )
    return x, y, z


def acquire(
    image: Field, site: str, visit: Visit, spacing_mm: tuple[float, float, float], rng: np.random.Generator, much: float
) -> NDArray[np.int16]:
    """The image as this site's scanner gives it, whole Hounsfield units; ``much`` is a factor on the noise."""
    noise_hu, grain_mm, sharp = SITES[site]
    in_plane = (0.0, grain_mm / spacing_mm[1] / 2.355, grain_mm / spacing_mm[0] / 2.355)
    noise = gaussian_filter(rng.standard_normal(image.shape, dtype=np.float32), in_plane, truncate=3.0)
    noise *= np.float32(much * noise_hu * visit.noise / max(float(noise.std()), 1e-6))
    blurred = gaussian_filter(image, (0.0, 0.8, 0.8), truncate=2.0)
    sharpened = image + np.float32(sharp) * (image - blurred)
    return np.rint(np.clip(sharpened + noise, -1024, 3071)).astype(np.int16)
