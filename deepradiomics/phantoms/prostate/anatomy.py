"""The prostate and its surroundings painted at any points asked for, in the grey levels of T2, ADC and high-b.

Each tissue has a grey level in each channel. Edges are as wide as a voxel, so that coarse grids show partial volume.
Grain and lesion belong to the place, not to the grid: T2 and diffusion show the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from deepradiomics.phantoms.prostate.body import Body, Channels, Field, Fill, Points, ellipsoid, gland_distance
from deepradiomics.phantoms.prostate.pelvis import surroundings

LATTICE_MM, LATTICE = 1.0, 84  # the box of the gland's grain

# tissue: T2 (scanner units at gain 1), ADC (1e-6 mm²/s), high-b (scanner units at gain 1)
TISSUES: dict[str, Channels] = {
    "fat": {"t2": 520, "adc": 160, "highb": 9},
    "muscle": {"t2": 125, "adc": 1150, "highb": 17},
    "marrow": {"t2": 400, "adc": 260, "highb": 10},
    "cortex": {"t2": 45, "adc": 0, "highb": 4},
    "urine": {"t2": 900, "adc": 2900, "highb": 8},
    "bladder wall": {"t2": 150, "adc": 1250, "highb": 26},
    "bowel wall": {"t2": 185, "adc": 1250, "highb": 30},
    "gas": {"t2": 25, "adc": 0, "highb": 3},
    "peripheral": {"t2": 530, "adc": 1720, "highb": 42},
    "transition": {"t2": 290, "adc": 1380, "highb": 40},
    "capsule": {"t2": 120, "adc": 1150, "highb": 34},
    "stroma": {"t2": 120, "adc": 1020, "highb": 27},
    "urethra": {"t2": 480, "adc": 1650, "highb": 38},
    "vesicle": {"t2": 600, "adc": 1900, "highb": 36},
    "vessel": {"t2": 330, "adc": 1500, "highb": 30},
}


@dataclass(frozen=True)
class Focus:
    """A lesion, or the faint area of a man without one: an ellipsoid, and what it does to each image at its middle."""

    centre_mm: tuple[float, float, float]
    half_axes_mm: tuple[float, float, float]
    t2: float  # factors on the tissue's own level
    adc: float
    highb: float
    edge_mm: float = 1.0


@dataclass(frozen=True)
class Look:
    """What belongs to all of the gland: grain as a share of its grey levels, and the peripheral zone's ADC factor."""

    fine: float
    coarse: float
    peripheral_adc: float


def paint(p: Points, body: Body, focus: Focus, look: Look, channels: Sequence[str], edge_mm: float) -> dict[str, Field]:
    """Grey levels at the points (any shape) in each channel asked for: t2, adc, highb. Later solids cover earlier."""
    image = {name: np.full(p[0].shape, TISSUES["fat"][name], np.float32) for name in channels}

    def fill(distance: Field, tissue: str | Channels, edge: float = edge_mm) -> None:
        values = TISSUES[tissue] if isinstance(tissue, str) else tissue
        part = np.clip(np.float32(0.5) - distance / np.float32(edge), 0, 1)
        for name in channels:
            image[name] += part * (np.float32(values[name]) - image[name])

    surroundings(p, body, fill)
    _gland(p, body, fill)
    gland = gland_distance(p, body)
    inside = np.clip(np.float32(0.5) - gland / np.float32(edge_mm), 0, 1)
    zone = ellipsoid(p, body.transition_centre_mm, body.transition_axes_mm)
    peripheral = inside * np.clip(zone / np.float32(edge_mm) + np.float32(0.5), 0, 1)
    fine, coarse = grain(p, body)
    lesion = inside * np.clip(0.5 - ellipsoid(p, focus.centre_mm, focus.half_axes_mm) / np.float32(focus.edge_mm), 0, 1)
    share = {"t2": (1.0, 1.0), "adc": (0.35, 0.6), "highb": (0.35, 0.6)}  # of the grain that each image shows
    for name in channels:
        factor = 1 + inside * (look.fine * share[name][0] * fine + look.coarse * share[name][1] * coarse)
        if name == "adc":
            factor *= (1 + inside * (body.adc_base - 1)) * (1 + peripheral * (look.peripheral_adc - 1))
        image[name] *= (factor * (1 + lesion * (getattr(focus, name) - 1))).astype(np.float32)
    return image


def grain(p: Points, body: Body) -> tuple[Field, Field]:
    """Fine (about 1 mm) and coarse (about 5 mm) grain of the gland, unit variance, the same whatever grid asks."""
    rng = np.random.default_rng(body.texture)
    lattice = (LATTICE,) * 3
    index = np.stack([v / np.float32(LATTICE_MM) + np.float32((LATTICE - 1) / 2) for v in p[::-1]])
    near = ((index > 0) & (index < LATTICE - 1)).all(axis=0)
    fields = []
    for sigma in (0.8, 4.0):
        noise = gaussian_filter(rng.standard_normal(lattice, dtype=np.float32), sigma / LATTICE_MM, truncate=3)
        field = np.zeros(p[0].shape, np.float32)
        field[near] = map_coordinates(noise / noise.std(), index[:, near], order=1, mode="nearest")
        fields.append(field)
    return fields[0], fields[1]


def _gland(p: Points, body: Body, fill: Fill) -> None:
    a, b, c = body.half_axes_mm
    gland = gland_distance(p, body)
    fill(gland - np.float32(0.6), "capsule")
    fill(gland, "peripheral")
    zone, half = body.transition_centre_mm, body.transition_axes_mm
    transition = np.maximum(ellipsoid(p, zone, half), gland)
    fill(transition - np.float32(0.5), "capsule")
    fill(transition, "transition")
    for nodule in body.nodules:
        centre = [m + s * h for m, s, h in zip(zone, nodule.place, half, strict=True)]
        ball = np.maximum(ellipsoid(p, centre, [nodule.radius * h for h in half]), transition)
        fill(ball - np.float32(0.4), "capsule")
        fill(ball, {"t2": nodule.t2, "adc": nodule.adc, "highb": 40.0})
    front = ellipsoid(p, (0, -0.95 * b, 0), (0.5 * a, 0.30 * b, 0.85 * c))
    fill(np.maximum(front, gland), "stroma", 2.0)
    fill(np.maximum(ellipsoid(p, (0, 0.05 * b, -0.2 * c), (2.4, 2.4, 0.8 * c)), gland), "urethra")
