"""A man's prostate as solids: its size and shape, its zones and nodules, drawn for each patient from a seed.

Coordinates are millimetres from the gland's middle in the gland's own frame: x to the patient's left, y to posterior,
z to superior, tilted as oblique axial slices are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]
Points = tuple[Field, Field, Field]
Channels = dict[str, float]

MEDIAN_ML, LEAST_ML, MOST_ML = 42.0, 20.0, 90.0
_AXES = (24.5, 16.5, 22.0)  # half axes of a gland of _AXES_ML
_AXES_ML = 4 / 3 * math.pi * math.prod(_AXES) / 1000


class Fill(Protocol):
    """Paint a tissue where a signed distance is negative, over an edge of some millimetres."""

    def __call__(self, distance: Field, tissue: str | Channels, edge: float = ..., /) -> None: ...


@dataclass(frozen=True)
class Nodule:
    """A benign nodule of the transition zone: its place as shares of that zone, radius, and its grey levels."""

    place: tuple[float, float, float]
    radius: float
    t2: float
    adc: float


@dataclass(frozen=True)
class Body:
    """One patient's pelvis: the gland's volume and shape, its neighbours, its nodules. Lengths in mm."""

    volume_ml: float
    flatness: float
    transition: float
    tilt: float
    rectum_mm: float
    gas: bool
    bladder_mm: float
    width: float
    adc_base: float
    nodules: tuple[Nodule, ...]
    texture: int

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Body:
        volume = float(np.clip(MEDIAN_ML * np.exp(rng.normal(0, 0.34)), LEAST_ML, MOST_ML))
        nodules = []
        for side in (-1, 1) * 3:
            place = (side * rng.uniform(0.25, 0.6), rng.uniform(-0.45, 0.45), rng.uniform(-0.6, 0.6))
            bright = rng.random() < 0.55
            t2, adc = (rng.uniform(380, 520), rng.uniform(1480, 1700)) if bright else (rng.uniform(190, 240), 1200.0)
            nodules.append(Nodule(place, rng.uniform(0.22, 0.42), float(t2), float(adc)))
        return cls(
            volume,
            float(rng.uniform(0.94, 1.06)),
            float(rng.uniform(0.63, 0.68) + 0.08 * math.log(volume / 42)),
            float(rng.normal(0.30, 0.05)),
            float(rng.uniform(11, 16)),
            bool(rng.random() < 0.6),
            float(rng.uniform(26, 38)),
            float(rng.uniform(0.96, 1.04)),
            float(rng.normal(1, 0.025)),
            tuple(nodules),
            int(rng.integers(2**31)),
        )

    @property
    def half_axes_mm(self) -> tuple[float, float, float]:
        """Half axes (x, y, z) of the gland before it is shaped."""
        scale = (self.volume_ml / _AXES_ML) ** (1 / 3)
        return _AXES[0] * scale / self.flatness, _AXES[1] * scale * self.flatness, _AXES[2] * scale

    @property
    def transition_axes_mm(self) -> tuple[float, float, float]:
        a, b, c = self.half_axes_mm
        return a * (self.transition + 0.04), b * self.transition, c * (self.transition + 0.08)

    @property
    def transition_centre_mm(self) -> tuple[float, float, float]:
        _, b, c = self.half_axes_mm
        return 0.0, -0.22 * b, 0.10 * c


def gland_distance(p: Points, body: Body) -> Field:
    """Nearly the signed distance to the gland's surface, mm, negative inside: wide base, narrow apex, hollow back."""
    x, y, z = p
    a, b, c = body.half_axes_mm
    taper = 1 + np.float32(0.16) * np.clip(z / np.float32(c), -1, 1)  # wider above, as the gland's base is
    hollow = np.float32(0.10 * b) * np.exp(-((x / np.float32(0.5 * a)) ** 2)) * (y > 0)
    level = np.sqrt((x / (np.float32(a) * taper)) ** 2 + ((y + hollow) / (np.float32(b) * taper)) ** 2 + (z / c) ** 2)
    distance: Field = ((level - 1) * np.float32(b)).astype(np.float32)
    return distance


def ellipsoid(p: Points, centre: Sequence[float], half: Sequence[float]) -> Field:
    """Nearly the signed distance of an ellipsoid, mm, negative inside."""
    square = sum(((v - np.float32(m)) / np.float32(h)) ** 2 for v, m, h in zip(p, centre, half, strict=True))
    distance: Field = ((np.sqrt(square) - 1) * np.float32(min(half))).astype(np.float32)
    return distance
