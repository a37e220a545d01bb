"""A synthetic head on CT, in Hounsfield units at any points asked for: scalp, skull, cerebrospinal fluid, brain.

Coordinates are millimetres from the middle of the brain in the head's own frame: x to the patient's left, y to
posterior, z to superior. Edges are as wide as a voxel, so that coarse grids show partial volume.

          ╭─ scalp ─╮           interhemispheric fissure, falx
        ╭─┴─ skull ─┴─╮               ╭──┬──╮
        │ sulci, CSF  │             ╱ )  │  ( ╲   ← lateral ventricles
        │  cortex     │            │ ▒▒  ║  ▒▒ │  ← caudate, putamen, thalamus
        │ white matter│             ╲    │    ╱
        ╰─────────────╯               ╰──┴──╯
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

Field = NDArray[np.float32]
Points = tuple[Field, Field, Field]

AIR_HU = -1000.0
TISSUES_HU = {
    "skin": 45.0, "fat": -95.0, "muscle": 55.0, "cortical bone": 1250.0, "diploe": 620.0, "csf": 7.0, "grey": 39.0,
    "white": 30.0, "deep grey": 40.0, "falx": 52.0, "cerebellum": 37.0, "brain stem": 32.0, "globe": 12.0,
}  # fmt: skip
_INNER = (65.0, 82.0, 70.0)  # half axes of the inner table (x, y, z upwards)
_BELOW = 1.45  # the skull reaches further down than up
_LATTICE, _LATTICE_MM = 72, 3.0  # the box of the folds' field


@dataclass(frozen=True)
class Head:
    """One person's head. Lengths in mm; ``texture`` is the seed of folds and diploe.

    ``atrophy`` is 0 (young) to 1: wide sulci and ventricles.
    """

    scale: tuple[float, float, float]
    skull_mm: float
    scalp_mm: float
    atrophy: float
    grey_hu: float
    pineal_hu: float
    choroid_hu: float
    texture: int

    @classmethod
    def draw(cls, age: float, male: bool, rng: np.random.Generator) -> Head:
        """A head as it may be at this age (years)."""
        size = (1.02 if male else 0.975) * rng.normal(1, 0.02)
        x, y, z = (float(v) for v in size * rng.normal(1, 0.02, 3))
        atrophy = float(np.clip((age - 40) / 50 + rng.normal(0, 0.15), 0, 1))
        return cls(
            (x, y, z), float(rng.uniform(5.5, 8.0)), float(rng.uniform(4.5, 7.5)), atrophy, float(rng.normal(0, 0.8)),
            float(rng.uniform(60, 250)), float(rng.uniform(40, 220)), int(rng.integers(2**31)),
        )  # fmt: skip

    def inner_distance(self, p: Points) -> Field:
        """Nearly the signed distance to the inner table of the skull, mm, negative inside."""
        x, y, z = p
        a, b, c = (np.float32(h * s) for h, s in zip(_INNER, self.scale, strict=True))
        tall = np.where(z > 0, c, c * np.float32(_BELOW))
        blunt = 1 + np.float32(0.07) * np.clip(y / b, -1, 1)  # broader at the back
        level = np.sqrt((x / (a * blunt)) ** 2 + (y / b) ** 2 + (z / tall) ** 2)
        return ((level - 1) * np.float32(70)).astype(np.float32)

    def brain_distance(self, p: Points) -> Field:
        """Nearly the signed distance to where haematomas may lie: the brain above the skull base, negative inside."""
        _, y, z = p
        base = np.where(y < 12, np.float32(-28), np.float32(-50)) - z
        return np.maximum(self.inner_distance(p) + np.float32(2.5 + 1.5 * self.atrophy), base)


def paint_head(p: Points, head: Head, edge_mm: float, *, inner: Points | None = None) -> Field:
    """Hounsfield units at the points (any shape).

    Args:
        p: points in the head's frame, mm.
        head: whose head.
        edge_mm: width of the edges between tissues.
        inner: where the brain at these points was before a haematoma pushed it away; None: nothing pushed.
    """
    image = np.full(np.broadcast_shapes(*(v.shape for v in p)), AIR_HU, np.float32)
    edge = np.float32(edge_mm)

    def fill(distance: Field, hu: float | str | Field, width: float = 1.0) -> None:
        value = np.float32(TISSUES_HU[hu]) if isinstance(hu, str) else hu
        share = np.clip(np.float32(0.5) - distance / (edge * np.float32(width)), 0, 1)
        image[...] += share * (value - image)

    table = head.inner_distance(p)
    _shell(p, table, head, fill)
    q = p if inner is None else inner
    _brain(q, table, head, fill)
    _base(p, table, head, fill)
    _hardening(p, table, image)
    return image


def _shell(p: Points, table: Field, head: Head, fill) -> None:  # type: ignore[no-untyped-def]
    _, y, z = p
    bone = np.float32(head.skull_mm) * (1 + np.float32(0.25) * (np.abs(y) / 90) ** 2)
    scalp = table - bone - np.float32(head.scalp_mm)
    fill(scalp, "skin")
    fill(scalp + np.float32(1.8), "fat")
    low = np.maximum(table - bone - np.float32(head.scalp_mm * 0.55), z - np.float32(20))
    fill(np.maximum(low, np.abs(y + 15) - np.float32(38)), "muscle")  # temporalis
    fill(np.maximum(low, np.float32(45) - y), "muscle")
    fill(table - bone, "cortical bone")
    spongy = np.abs(table - bone / 2) - (bone / 2 - np.float32(1.7))
    fill(spongy, np.float32(TISSUES_HU["diploe"]) + 130 * field(head.texture + 1, 3.0, p))
    fill(table, "csf")


def _brain(q: Points, table: Field, head: Head, fill) -> None:  # type: ignore[no-untyped-def]
    x, y, z = q
    side = (np.abs(x), y, z)
    wide = np.float32(0.6 + 1.9 * head.atrophy)  # mm of fluid outside the brain and in the sulci
    inside = head.inner_distance(q) + wide  # negative in the brain
    grey, white = TISSUES_HU["grey"] + head.grey_hu, TISSUES_HU["white"] + 0.6 * head.grey_hu
    fill(np.maximum(inside, table + 1), np.float32(grey), 1.2)
    radius = np.sqrt(x**2 + y**2 + z**2) + np.float32(1e-3)
    on_sphere = tuple(np.float32(64) * v / radius + np.float32(0.10) * v for v in q)
    fold = np.abs(field(head.texture, 5.0, on_sphere)) * np.float32(5.5) * (radius / 64)  # type: ignore[arg-type]
    deep = np.float32(9 + 5 * head.atrophy) + 4 * field(head.texture + 2, 9.0, q)
    ribbon = np.maximum(np.float32(3.2) - fold, -(deep + np.float32(3.2)) - inside)  # < 0 away from a sulcus
    core = np.maximum(inside + np.float32(3.4), np.minimum(ribbon, inside + deep + np.float32(3)))
    fill(core, np.float32(white), 1.4)
    fill(np.maximum(np.maximum(fold - wide * np.float32(0.55), -inside - deep), table), "csf", 1.3)

    middle = np.abs(x)
    for centre, half in (((13, -21, 12), (4.5, 10, 9)), ((27, -3, 4), (5.5, 17, 11)), ((11.5, 13, 6), (8.5, 13, 9))):
        fill(ellipsoid(side, centre, half), "deep grey", 1.3)
    fill(np.maximum(np.abs(middle - 39) - np.float32(1.3), ellipsoid(side, (39, -4, 4), (6, 21, 13))), np.float32(grey))
    fill(ellipsoid(side, (47, -8, 2), (8, 15, 1.5 + 1.5 * head.atrophy)), "csf")  # Sylvian fissure
    callosum = ellipsoid(q, (0, 0, 16), (30, 42, 20))
    fissure = np.maximum(middle - np.float32(0.6) - wide * np.float32(0.35), -callosum)
    fissure = np.maximum(fissure, np.float32(-12) - z)
    fill(np.maximum(fissure, table), "csf")
    fill(np.maximum(np.maximum(middle - np.float32(0.7), -callosum - 4), np.float32(-8) - z) + 0 * y, "falx")
    grow = 0.75 + 0.75 * head.atrophy
    for centre, half in (  # lateral ventricles: frontal horn, body, trigone, occipital horn, temporal horn
        ((7.5, -27, 11), (3.6, 12, 7)), ((9, -8, 18), (4.6, 20, 5)), ((14, 14, 18), (5, 16, 5)),
        ((22, 31, 10), (5, 9, 8)), ((24, 44, 7), (3, 10, 4)), ((32, 5, -16), (1.6, 12, 2)),
    ):  # fmt: skip
        fill(ellipsoid(side, centre, tuple(grow * h if n != 1 else h for n, h in enumerate(half))), "csf", 1.2)
    fill(ellipsoid(q, (0, 4, 2), (1.3 + 2.2 * head.atrophy, 14, 9)), "csf", 1.2)  # third ventricle
    fill(ellipsoid(q, (0, -14, -20), (11, 8, 5)), "csf")  # suprasellar cistern
    fill(ellipsoid(q, (0, 31, -3), (9, 3.5, 5)), "csf")  # quadrigeminal cistern
    fill(ellipsoid(q, (0, 27, 3), (2.2, 2.2, 2.2)), np.float32(head.pineal_hu))
    fill(ellipsoid(side, (21, 30, 9), (2.0, 3.5, 3.0)), np.float32(head.choroid_hu))
    _posterior_fossa(q, table, head, fill)


def _posterior_fossa(q: Points, table: Field, head: Head, fill) -> None:  # type: ignore[no-untyped-def]
    x, y, z = q
    roof = z + np.float32(16) + np.float32(0.28) * np.abs(x) - np.float32(0.20) * (y - 40)  # < 0 below the tentorium
    tent = np.maximum(np.maximum(roof - 1, -roof - 1), np.maximum(np.float32(18) - y, table))
    below = np.maximum(np.maximum(roof + 2, np.float32(16) - y), table + np.float32(2.5))
    folia = np.float32(TISSUES_HU["cerebellum"]) + 2.5 * np.sin(np.float32(1.1) * (y + np.float32(0.6) * np.abs(x)))
    fill(below, folia.astype(np.float32))
    fill(tent, "falx")
    fill(ellipsoid(q, (0, 12, -34), (20, 16, 30)), "csf")
    fill(ellipsoid(q, (0, 13, -34), (15, 13, 34)), "brain stem")
    fill(ellipsoid(q, (0, 31, -36), (6 + 3 * head.atrophy, 5, 8)), "csf")  # fourth ventricle


def _base(p: Points, table: Field, head: Head, fill) -> None:  # type: ignore[no-untyped-def]
    x, y, z = p
    side = (np.abs(x), y, z)
    floor = np.maximum(z + np.float32(26) + np.float32(0.18) * (y + 40), y + np.float32(22))  # the face's roof
    fill(np.maximum(floor - 2, table - 3), "cortical bone")
    fill(np.maximum(floor + 2, table + 3), "fat")
    fill(ellipsoid(side, (31, -62, -42), (12, 12, 12)), "globe")
    fill(ellipsoid(side, (17, -50, -44), (2.0, 30, 18)), "cortical bone")
    fill(ellipsoid(p, (0, -52, -46), (14, 26, 16)), np.float32(-700) + 350 * field(head.texture + 3, 3.0, p))  # ethmoid
    turned = ((side[0] + y) * np.float32(0.7071), (y - side[0]) * np.float32(0.7071), z)
    petrous = ellipsoid(turned, (40, -22, -40), (8.0, 24, 8.5))
    fill(np.maximum(petrous, table - 4), np.float32(1150) + 250 * field(head.texture + 4, 3.0, p))
    fill(ellipsoid(p, (0, -16, -42), (12, 9, 12)), "diploe")  # clivus
    fill(ellipsoid(p, (0, -78 * head.scale[1], -8), (14, 5, 9)), np.float32(-900))  # frontal sinus


def _hardening(p: Points, table: Field, image: Field) -> None:
    """Beam hardening, light: brighter under the skull, a dark bar between the petrous bones. Changes the image."""
    x, y, z = p
    inside = table < 0
    image += inside * np.float32(5) * np.exp(table / np.float32(6))
    bar = np.exp(-(((z + 40) / np.float32(7)) ** 2) - ((y - 14) / np.float32(9)) ** 2) * (np.abs(x) < 45)
    image -= inside * np.float32(12) * bar.astype(np.float32)


def ellipsoid(p: Sequence[Field], centre: Sequence[float], half: Sequence[float]) -> Field:
    """Nearly the signed distance of an ellipsoid, mm, negative inside."""
    square = sum(((v - np.float32(m)) / np.float32(h)) ** 2 for v, m, h in zip(p, centre, half, strict=True))
    distance: Field = ((np.sqrt(square) - 1) * np.float32(min(half))).astype(np.float32)
    return distance


def field(seed: int, smooth_mm: float, p: Points) -> Field:
    """A random field of mean 0 and SD 1 that belongs to the place: its value at points in the head's frame."""
    lattice = _lattice(seed, round(smooth_mm / _LATTICE_MM, 3))
    # The lattice repeats itself every 216 mm, so that no point lies outside.
    index = [np.asarray(v) / np.float32(_LATTICE_MM) + np.float32(_LATTICE / 2) for v in (p[2], p[1], p[0])]
    shape = np.broadcast_shapes(*(v.shape for v in index))
    flat = np.stack([np.broadcast_to(v, shape).ravel() for v in index])
    return map_coordinates(lattice, flat, order=1, mode="grid-wrap", output=np.float32).reshape(shape)


_KEPT: dict[tuple[int, float], Field] = {}  # baseline and follow-up of one person ask for the same


def _lattice(seed: int, sigma: float) -> Field:
    key = (seed, sigma)
    if key not in _KEPT:
        while len(_KEPT) >= 16:
            _KEPT.pop(next(iter(_KEPT)), None)
        noise = np.random.default_rng(seed).standard_normal((_LATTICE,) * 3, dtype=np.float32)
        smooth = gaussian_filter(noise, sigma, mode="wrap", truncate=3.0)
        _KEPT[key] = smooth / np.float32(max(float(smooth.std()), math.ulp(1.0)))
    return _KEPT[key]
