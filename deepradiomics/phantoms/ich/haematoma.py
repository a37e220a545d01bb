"""Haematomas: where they lie, how large, how irregular, how mixed their density is, and how they push and swell.

A haematoma is the set where  ρ(q) − 1 − irregularity · noise(q) − lobe(q) < level,  with q = (p − centre) / radius and
ρ the ellipsoid's own radius. The level is found so that the volume is the one asked for, within the brain. Expansion
raises it and adds a lobe.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from deepradiomics.phantoms.ich.head import Field, Points, field

LEAST_ML, MOST_ML, MEDIAN_ML = 1.2, 70.0, 13.0
# location: share, middle on the left side (mm), how far it varies, preferred half axes
LOCATIONS: dict[
    str, tuple[float, tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]
] = {
    "putamen": (0.45, (28, -2, 6), (3, 6, 4), (0.8, 1.25, 1.0)),
    "thalamus": (0.25, (14, 14, 8), (3, 4, 4), (0.95, 1.1, 1.0)),
    "lobar": (0.22, (36, 0, 30), (8, 38, 8), (1.0, 1.15, 0.9)),
    "cerebellum": (0.08, (20, 48, -34), (7, 6, 4), (1.1, 0.95, 0.9)),
}
_REACH = 2.4  # a haematoma lies within this many radii of its middle
_STEPS = 44  # points along an edge of the box on which volumes are found


@dataclass(frozen=True)
class Haematoma:
    """One haematoma. ``irregularity``, ``heterogeneity`` and ``swirl`` run from 0 to 1.

    ``grown_ml`` is what the follow-up adds to ``volume_ml`` (negative: it shrank).
    """

    location: str
    centre_mm: tuple[float, float, float]
    half_axes: tuple[float, float, float]  # relative, product 1
    turn: float
    volume_ml: float
    grown_ml: float
    irregularity: float
    heterogeneity: float
    swirl: float
    density_hu: float
    oedema_mm: float
    texture: int

    @property
    def radius_mm(self) -> float:
        """Radius of the ball of this volume."""
        return float((self.volume_ml * 1000 * 3 / (4 * math.pi)) ** (1 / 3))


@dataclass(frozen=True)
class Surface:
    """Haematoma with the level that gives it its volume: at baseline, or grown."""

    haematoma: Haematoma
    volume_ml: float
    level: float
    lobe: float  # strength of the lobe that expansion adds
    oedema_mm: float
    density_hu: float

    def distance(self, p: Points, brain: Field) -> Field:
        """Nearly the signed distance to the surface, mm, negative inside; never outside the brain."""
        signed = (_shape(self.haematoma, p, self.lobe) - np.float32(self.level)) * np.float32(self.haematoma.radius_mm)
        return np.maximum(signed, brain)


def surface(haematoma: Haematoma, brain: Callable[[Points], Field], *, followup: bool) -> Surface:
    """Find the level at which the haematoma has its volume, within the brain (signed distance, negative inside)."""
    h = haematoma
    # The baseline's level must not depend on expansion, so the lobe appears at follow-up only.
    lobe = min(0.6, max(0.0, h.grown_ml) / h.volume_ml) if followup else 0.0
    wanted = h.volume_ml + (h.grown_ml if followup else 0.0)
    reach = _REACH * h.radius_mm * max(1.0, (wanted / h.volume_ml) ** (1 / 3))
    line = (np.arange(_STEPS, dtype=np.float32) + np.float32(0.5)) / np.float32(_STEPS / 2) - 1
    z, y, x = (np.float32(reach) * v for v in np.meshgrid(line, line, line, indexing="ij"))
    p = tuple(v + np.float32(c) for v, c in zip((x, y, z), h.centre_mm, strict=True))
    shape = np.where(brain(p) < 0, _shape(h, p, lobe), np.float32(np.inf))  # type: ignore[arg-type]
    cell_ml = (2 * reach / _STEPS) ** 3 / 1000
    count = wanted / cell_ml
    ordered = np.sort(shape, axis=None)
    first = min(int(count), ordered.size - 2)
    level = float(ordered[first] + (count - first) * (ordered[first + 1] - ordered[first])) if first >= 0 else -1.0
    oedema_mm, density_hu = h.oedema_mm * (1.4 if followup else 1.0), h.density_hu - (3.0 if followup else 0.0)
    return Surface(h, wanted, level, lobe, oedema_mm, density_hu)


def pushed(p: Points, surfaces: tuple[Surface, ...], brain: Field) -> Points:
    """Where the tissue at these points lay before the haematomas pushed it aside as balls would; the skull stays."""
    x, y, z = p
    for surface in surfaces:
        h = surface.haematoma
        d = [v - np.float32(c) for v, c in zip((x, y, z), h.centre_mm, strict=True)]
        r = np.sqrt(d[0] ** 2 + d[1] ** 2 + d[2] ** 2) + np.float32(1e-3)
        moved = np.float32(0.45 * surface.volume_ml * 1000 * 3 / (4 * math.pi))  # the rest is destroyed, not moved
        before = np.cbrt(np.maximum(r**3 - moved, np.float32(0.02) * r**3))
        fade = np.clip(-brain / np.float32(18), 0, 1) * np.exp(
            -((r / np.float32(75)) ** 2)
        )  # nothing moves at the skull
        scale = 1 + (before / r - 1) * fade
        x, y, z = (np.float32(c) + v * scale for v, c in zip(d, h.centre_mm, strict=True))
    return x.astype(np.float32), y.astype(np.float32), z.astype(np.float32)


def paint_haematoma(image: Field, p: Points, surface: Surface, distance: Field, brain: Field, edge_mm: float) -> None:
    """Draw the oedema ring and the haematoma into the image (HU), in place."""
    h = surface.haematoma
    ring = np.clip(np.float32(1.5) - distance / np.float32(surface.oedema_mm / 1.5), 0, 1) * (brain < 0) * (image < 60)
    image += ring * np.float32(0.9) * (np.minimum(np.float32(19), image) - image)
    near = distance < np.float32(3)
    if not near.any():
        return
    q = tuple(v[near] for v in np.broadcast_arrays(*p))
    hu = np.float32(surface.density_hu) + np.float32(1 + 8 * h.heterogeneity) * field(h.texture + 1, 3.3, q)  # type: ignore[arg-type]
    for place in _swirls(h):
        away = sum((v - np.float32(c)) ** 2 for v, c in zip(q, place, strict=True))
        wide = 2 * (0.30 * h.radius_mm) ** 2
        hu -= np.float32(26 * h.swirl) * np.exp(-away / np.float32(wide))
    share = np.clip(np.float32(0.5) - distance[near] / np.float32(edge_mm), 0, 1)
    image[near] += share * (hu - image[near])


def _swirls(h: Haematoma) -> list[tuple[float, float, float]]:
    """Middles of the dark areas of fresh, unclotted blood."""
    rng = np.random.default_rng(h.texture + 7)
    places = []
    for _ in range(2):
        away = rng.standard_normal(3)
        away *= 0.42 * h.radius_mm / np.linalg.norm(away)
        x, y, z = (float(c + a) for c, a in zip(h.centre_mm, away, strict=True))
        places.append((x, y, z))
    return places


def _shape(h: Haematoma, p: Points, lobe: float) -> Field:
    cos, sin = math.cos(h.turn), math.sin(h.turn)
    x, y, z = ((v - np.float32(c)) / np.float32(h.radius_mm) for v, c in zip(p, h.centre_mm, strict=True))
    u, v = np.float32(cos) * x + np.float32(sin) * y, np.float32(cos) * y - np.float32(sin) * x
    a, b, c = (np.float32(w) for w in h.half_axes)
    rho = np.sqrt((u / a) ** 2 + (v / b) ** 2 + (z / c) ** 2)
    scaled = tuple(np.float32(14) * w for w in (u, v, z))  # the noise scales with the haematoma
    bumps = field(h.texture, 5.0, scaled)  # type: ignore[arg-type]
    fine = field(h.texture + 2, 3.0, tuple(np.float32(18) * w for w in (u, v, z)))  # type: ignore[arg-type]
    rough = np.float32(0.30 * h.irregularity) * bumps + np.float32(0.10 * h.irregularity) * fine
    shape = rho - 1 - rough * np.clip(2.2 - rho, 0, 1)
    if lobe:
        rng = np.random.default_rng(h.texture + 5)
        away = rng.standard_normal(3)
        away *= 0.85 / np.linalg.norm(away)
        near = (u - np.float32(away[0])) ** 2 + (v - np.float32(away[1])) ** 2 + (z - np.float32(away[2])) ** 2
        shape = shape - np.float32(lobe) * np.exp(-near / np.float32(2 * 0.45**2))
    return np.asarray(shape, np.float32)
