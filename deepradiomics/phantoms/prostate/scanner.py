"""The scanner: one T2 stack and one diffusion stack (ADC and high-b), each on its own oblique grid.

T2 has fine pixels; ADC and high-b share coarse ones with their own origin, directions and size, and the patient has
moved by up to a millimetre between the two. Magnitude images have Rician noise; the coil brightens one side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from deepradiomics.images import Geometry
from deepradiomics.phantoms.prostate.body import Field, Points
from deepradiomics.phantoms.shared import turn

Size = Literal["small", "clinical"]
MODALITIES = ("t2", "highb", "adc")
MOST_SHIFT_MM = 1.0


@dataclass(frozen=True)
class Protocol:
    """Size (x, y, z) and spacing of the T2 stack and of the diffusion stack."""

    t2_size: tuple[int, int, int]
    t2_mm: tuple[float, float, float]
    dwi_size: tuple[int, int, int]
    dwi_mm: tuple[float, float, float]


PROTOCOLS: dict[Size, Protocol] = {
    "small": Protocol((104, 104, 24), (1.0, 1.0, 3.0), (48, 56, 23), (2.0, 2.0, 3.0)),
    "clinical": Protocol((320, 320, 24), (0.5, 0.5, 3.0), (84, 104, 23), (2.0, 2.0, 3.0)),
}


@dataclass(frozen=True)
class Session:
    """One visit to the scanner: where the gland lies, how each stack is angled, gains, noise, and the movement.

    ``noise_t2`` and ``noise_highb`` are standard deviations as shares of the gland's own grey level.
    """

    isocentre_mm: tuple[float, float, float]
    t2_turn: tuple[float, float, float]
    dwi_turn: tuple[float, float, float]
    dwi_offset_mm: tuple[float, float, float]
    shift_mm: tuple[float, float, float]
    gain_t2: float
    gain_highb: float
    noise_t2: float
    noise_highb: float
    noise_adc: float
    bias: tuple[float, ...]

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Session:
        def three(low: float, high: float) -> tuple[float, float, float]:
            x, y, z = (float(v) for v in rng.uniform(low, high, 3))
            return x, y, z

        away = rng.standard_normal(3)
        shift = away / np.linalg.norm(away) * MOST_SHIFT_MM * rng.random()
        return cls(
            (float(rng.uniform(-6, 6)), float(rng.uniform(-30, 10)), float(rng.uniform(-20, 40))),
            three(-0.035, 0.035),
            three(-0.05, 0.05),
            three(-4, 4),
            (float(shift[0]), float(shift[1]), float(shift[2])),
            float(rng.uniform(0.7, 1.4)),
            float(rng.uniform(0.7, 1.4)),
            float(rng.uniform(0.025, 0.06)),
            float(rng.uniform(0.05, 0.12)),
            float(rng.uniform(45, 75)),
            tuple(float(v) for v in rng.normal(0, 0.06, 9)),
        )


def frame(tilt: float) -> NDArray[np.float64]:
    """(3, 3): columns are the gland's own axes in LPS; slices across the gland lean by the tilt about the x axis."""
    return turn((tilt, 0.0, 0.0))


def grids(protocol: Protocol, session: Session, tilt: float) -> tuple[Geometry, Geometry]:
    """The T2 grid and the diffusion grid."""
    t2 = _grid(protocol.t2_size, protocol.t2_mm, frame(tilt) @ turn(session.t2_turn), session.isocentre_mm, (0, 0, 0))
    dwi = _grid(
        protocol.dwi_size,
        protocol.dwi_mm,
        frame(tilt) @ turn(session.dwi_turn),
        session.isocentre_mm,
        session.dwi_offset_mm,
    )
    return t2, dwi


def points(geometry: Geometry, session: Session, tilt: float, *, moved: bool) -> Points:
    """The voxel centres in the gland's frame: three arrays (z, y, x), mm; ``moved``: after the patient's shift."""
    start = np.array(session.isocentre_mm) + (np.array(session.shift_mm) if moved else 0.0)
    to_frame = frame(tilt).T
    steps = to_frame @ geometry.affine[:3, :3]
    first = to_frame @ (np.array(geometry.origin_mm) - start)
    i, j, k = (np.arange(n, dtype=np.float32) for n in geometry.size)
    x, y, z = (
        (steps[axis, 0] * i[None, None, :] + steps[axis, 1] * j[None, :, None] + steps[axis, 2] * k[:, None, None])
        + first[axis]
        for axis in range(3)
    )
    return x.astype(np.float32), y.astype(np.float32), z.astype(np.float32)


def magnitude(image: Field, gain: float, sigma: float, bias: tuple[float, ...], rng: np.random.Generator) -> NDArray:
    """A magnitude image in scanner units (int16): coil sensitivity, gain, Rician noise (sigma in the image's units)."""
    signal = image * _bias_field(image.shape, bias)
    real = signal + np.float32(sigma) * rng.standard_normal(image.shape, dtype=np.float32)
    imaginary = np.float32(sigma) * rng.standard_normal(image.shape, dtype=np.float32)
    return np.rint(gain * np.sqrt(real**2 + imaginary**2)).astype(np.int16)


def diffusion_map(image: Field, sigma: float, rng: np.random.Generator) -> NDArray:
    """An ADC map in 1e-6 mm²/s (int16): noise, and 0 where there is too little signal to fit."""
    noisy = image + np.float32(sigma) * rng.standard_normal(image.shape, dtype=np.float32)
    return np.rint(np.where(image < 100, 0, np.clip(noisy, 0, 4000))).astype(np.int16)


def _grid(
    size: tuple[int, int, int],
    spacing: tuple[float, float, float],
    axes: NDArray[np.float64],
    centre: tuple[float, float, float],
    offset_mm: tuple[float, float, float],
) -> Geometry:
    middle = np.array(centre) + axes @ np.array(offset_mm)
    origin = middle - axes @ ((np.array(size) - 1) / 2 * np.array(spacing))
    return Geometry(size, spacing, tuple(float(o) for o in origin), tuple(axes.ravel()))  # type: ignore[arg-type]


def _bias_field(shape: tuple[int, ...], bias: tuple[float, ...]) -> Field:
    """A smooth factor near 1 from three numbers an axis: slope, curvature, and a twist with the next axis."""
    axes = [np.linspace(-1, 1, n, dtype=np.float32) for n in shape]
    z, y, x = np.meshgrid(*axes, indexing="ij", sparse=True)
    field = np.zeros(shape, np.float32)
    for number, (first, next_) in enumerate(((z, y), (y, x), (x, z))):
        slope, curve, twist = (np.float32(b) for b in bias[3 * number : 3 * number + 3])
        field = field + slope * first + curve * (first**2 - np.float32(1 / 3)) + twist * first * next_
    return np.exp(field)
