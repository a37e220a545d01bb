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
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

Field = NDArray[np.float32]
Points = tuple[Field, Field, Field]
Level = float | np.floating[Any] | Field

AIR_HU = -1000.0
TISSUES_HU = {
    "skin": 45.0, "soft tissue": 40.0, "fat": -95.0, "muscle": 55.0, "cortical bone": 1250.0, "diploe": 620.0,
    "csf": 7.0, "grey": 39.0, "white": 30.0, "deep grey": 40.0, "falx": 52.0, "cerebellum": 37.0,
    "brain stem": 32.0, "globe": 12.0,
}  # fmt: skip
INNER_MM = (65.0, 82.0, 70.0)  # half axes of the inner table (x, y, z upwards)
_BELOW = 1.45  # the skull reaches further down than up
_LATTICE, _LATTICE_MM = 72, 3.0  # the box of the folds' field


class Fill(Protocol):
    """Paint a tissue where a signed distance is negative, over an edge some voxels wide."""

    def __call__(self, distance: Field, hu: Level | str, width: float = ..., /) -> None: ...


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
            (x, y, z),
            float(rng.uniform(5.5, 8.0)),
            float(rng.uniform(4.5, 7.5)),
            atrophy,
            float(rng.normal(0, 0.8)),
            float(rng.uniform(60, 250)),
            float(rng.uniform(40, 220)),
            int(rng.integers(2**31)),
        )

    def inner_distance(self, p: Points) -> Field:
        """Nearly the signed distance to the inner table of the skull, mm, negative inside."""
        x, y, z = p
        a, b, c = (np.float32(h * s) for h, s in zip(INNER_MM, self.scale, strict=True))
        tall = np.where(z > 0, c, c * np.float32(_BELOW))
        blunt = 1 + np.float32(0.07) * np.clip(y / b, -1, 1)  # broader at the back
        level = np.sqrt((x / (a * blunt)) ** 2 + (y / b) ** 2 + (z / tall) ** 2).astype(np.float32)
        return ((level - 1) * np.float32(70)).astype(np.float32)

    def outer_distance(self, p: Points) -> Field:
        """Nearly the signed distance to just outside the skin, mm: beyond it is nothing but air."""
        return self.inner_distance(p) - np.float32(1.3 * self.skull_mm + self.scalp_mm + 4)

    def brain_distance(self, p: Points) -> Field:
        """Nearly the signed distance to where haematomas may lie: the brain above the skull base, negative inside."""
        _, y, z = p
        base = np.where(y < 12, np.float32(-28), np.float32(-50)) - z
        return np.maximum(self.inner_distance(p) + np.float32(2.5 + 1.5 * self.atrophy), base)

    def place(self, centre_mm: tuple[float, float, float]) -> tuple[float, float, float]:
        """Where a place of the model head lies in this one."""
        x, y, z = (c * s for c, s in zip(centre_mm, self.scale, strict=True))
        return x, y, z

    def paint(self, p: Points, edge_mm: float, inner: Points) -> Field:
        """Hounsfield units at the points; ``inner`` is where they lay before a haematoma pushed them."""
        return paint_head(p, self, edge_mm, inner=inner)


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

    def fill(distance: Field, hu: Level | str, width: float = 1.0, /) -> None:
        value = np.float32(TISSUES_HU[hu]) if isinstance(hu, str) else np.asarray(hu, np.float32)
        share = np.clip(np.float32(0.5) - distance / (edge * np.float32(width)), 0, 1)
        image[...] += share * (value - image)

    table = head.inner_distance(p)
    _shell(p, table, head, fill)
    q = p if inner is None else inner
    _brain(q, table, head, fill)
    _base(p, table, head, fill)
    _hardening(p, table, image)
    return image


def _shell(p: Points, table: Field, head: Head, fill: Fill) -> None:
    _, y, z = p
    bone = (np.float32(head.skull_mm) * (1 + np.float32(0.25) * (np.abs(y) / 90) ** 2)).astype(np.float32)
    scalp = table - bone - np.float32(head.scalp_mm)
    fill(scalp, "skin")
    fill(scalp + np.float32(1.8), "fat")
    low = np.maximum(table - bone - np.float32(head.scalp_mm * 0.55), z - np.float32(20))
    fill(np.maximum(low, np.abs(y + 15) - np.float32(38)), "muscle")  # temporalis
    fill(np.maximum(low, np.float32(45) - y), "muscle")
    fill(table - bone, "cortical bone")
    spongy = (np.abs(table - bone / 2) - (bone / 2 - 1.7)).astype(np.float32)
    fill(spongy, np.float32(TISSUES_HU["diploe"]) + 130 * field(head.texture + 1, 3.0, p, spongy < 3))
    fill(table, "csf")


def _brain(q: Points, table: Field, head: Head, fill: Fill) -> None:
    x, y, z = q
    middle, side = np.abs(x), (np.abs(x), y, z)
    wide = np.float32(0.6 + 1.7 * head.atrophy)  # mm of fluid outside the brain
    inside = head.inner_distance(q) + wide  # negative in the brain
    grey, white = np.float32(TISSUES_HU["grey"] + head.grey_hu), np.float32(TISSUES_HU["white"] + 0.6 * head.grey_hu)
    fill(np.maximum(inside, table + 1), grey, 1.2)
    fold, deep = _folds(q, inside, head)
    ribbon = np.maximum(np.float32(3.4) - fold, -(deep + np.float32(3.2)) - inside)  # < 0 away from a sulcus
    core = np.maximum(inside + np.float32(3.4), np.minimum(ribbon, inside + deep + np.float32(3)))
    fill(core, white, 1.4)
    sulcus = np.maximum(fold - np.float32(0.55 + 0.75 * head.atrophy), -inside - deep)
    fill(np.maximum(sulcus, table), "csf", 1.2)

    for centre, half in (((13, -21, 12), (4.5, 10, 9)), ((26, -2, 4), (5.5, 17, 11)), ((11, 13, 6), (8.5, 13, 9))):
        fill(ellipsoid(side, centre, half), "deep grey", 1.3)  # caudate, lentiform nucleus, thalamus
    insula = np.maximum(np.abs(middle - 38) - np.float32(1.6), ellipsoid(side, (38, -4, 2), (6, 22, 14)))
    fill(insula, grey)
    gap = np.float32(0.7 + 1.6 * head.atrophy)
    fill(np.maximum(np.abs(middle - 41) - gap, ellipsoid(side, (41, -6, 0), (6, 20, 11))), "csf")  # insular cistern
    lean = z - np.float32(0.25) * (y + 6) - np.float32(1)
    sylvian = np.maximum(np.abs(lean) - gap, ellipsoid(side, (54, -2, 0), (15, 24, 16)))
    fill(np.maximum(sylvian, table), "csf")
    callosum = ellipsoid(q, (0, 0, 14), (30, 44, 20))
    low = np.maximum(np.float32(-14) - z, table)
    fill(np.maximum(np.maximum(middle - np.float32(0.5) - wide * np.float32(0.35), -callosum), low), "csf")
    fill(np.maximum(np.maximum(middle - np.float32(0.6), np.float32(3) - callosum), low), "falx")
    _ventricles(q, head, fill)
    fill(ellipsoid(q, (0, -14, -19), (12, 7, 5)), "csf")  # suprasellar cistern
    fill(ellipsoid(q, (0, 31, -4), (10, 3.5, 5)), "csf")  # quadrigeminal cistern
    fill(ellipsoid(q, (0, 27, 4), (2.2, 2.2, 2.2)), np.float32(head.pineal_hu))
    fill(ellipsoid(side, (20, 31, 10), (2.0, 3.5, 3.0)), np.float32(head.choroid_hu))
    _posterior_fossa(q, table, head, fill)


def _folds(q: Points, inside: Field, head: Head) -> tuple[Field, Field]:
    """Distance (mm) to the nearest sulcus, a sheet that runs inwards from the surface, and how deep sulci reach."""
    x, y, z = q
    where = (inside < 6) & (inside > -32)
    radius = np.sqrt(x**2 + y**2 + z**2) + np.float32(1e-3)
    on_sphere = tuple(np.float32(62) * v / radius + np.float32(0.12) * v for v in q)
    fold = np.abs(field(head.texture, 4.6, on_sphere, where)) * np.float32(5.0) * (radius / 66)  # type: ignore[arg-type]
    deep = np.float32(13 + 4 * head.atrophy) + 4 * field(head.texture + 2, 9.0, q, where)
    return np.where(where, fold, np.float32(99)), deep


def _ventricles(q: Points, head: Head, fill: Fill) -> None:
    """Lateral ventricles (frontal horn, body, trigone, occipital and temporal horn) and the third."""
    side = (np.abs(q[0]), q[1], q[2])
    grow = 0.95 + 0.75 * head.atrophy
    solids = (
        ((8.0, -25, 10), (4.0, 13, 8)),
        ((10, -6, 19), (5.0, 22, 5.5)),
        ((15, 16, 18), (5.5, 15, 6)),
        ((22, 31, 9), (5.5, 9, 9)),
        ((25, 44, 6), (3.2, 12, 4.5)),
        ((32, 5, -16), (1.6, 12, 2)),
    )
    for centre, half in solids:
        fill(ellipsoid(side, centre, (grow * half[0], half[1], grow * half[2])), "csf", 1.2)
    fill(ellipsoid(q, (0, 4, 0), (1.4 + 2.2 * head.atrophy, 14, 9)), "csf", 1.2)


def _posterior_fossa(q: Points, table: Field, head: Head, fill: Fill) -> None:
    x, y, z = q
    roof = z + np.float32(14) + np.float32(0.45) * np.abs(x) - np.float32(0.10) * (y - 40)  # < 0 below the tentorium
    border = np.float32(19) + np.float32(0.25) * np.abs(x) - y  # < 0 behind the petrous ridge
    below = np.maximum(np.maximum(roof, border), table + np.float32(2.0))
    folia = np.float32(TISSUES_HU["cerebellum"]) + 2 * np.sin(np.float32(1.3) * (y + np.float32(0.5) * np.abs(x)))
    fill(below, folia.astype(np.float32))
    fill(np.maximum(np.abs(roof) - np.float32(0.9), np.maximum(border, table)), "falx")
    cistern = np.maximum(ellipsoid(q, (0, 14, -40), (20, 15, 32)), z + np.float32(10))
    fill(np.maximum(cistern, y - np.float32(20)), "csf")
    fill(ellipsoid(q, (0, 15, -38), (15, 12, 32)), "brain stem")
    fill(ellipsoid(q, (0, 30, -38), (6 + 3 * head.atrophy, 4, 8)), "csf")  # fourth ventricle


def _base(p: Points, table: Field, head: Head, fill: Fill) -> None:
    """Skull base and face: orbits with globes, ethmoid cells, sphenoid wings, petrous bones, clivus, frontal sinus."""
    x, y, z = p
    side = (np.abs(x), y, z)
    fossa = np.where(y < 19 + np.float32(0.25) * side[0], np.float32(45), np.float32(55) - np.float32(0.1) * side[0])
    below = np.maximum(z + fossa, table).astype(np.float32)  # < 0 under the middle and the posterior fossa
    fill(below, "cortical bone")
    fill(below + np.float32(4), "muscle")
    axis = np.hypot(x, y - np.float32(19))
    fill(np.maximum(below - 2, axis - np.float32(13)), "csf")  # foramen magnum
    fill(np.maximum(below - 2, axis - np.float32(7)), "brain stem")
    floor = np.maximum(z + np.float32(27) + np.float32(0.22) * (y + 40), y + np.float32(26))  # < 0: face
    within = np.maximum(floor, table + 1)
    fill(np.maximum(floor - np.float32(1.5), table), "cortical bone")
    fill(np.maximum(within + np.float32(1.5), 20 - side[0]), "fat")
    fill(np.maximum(within + np.float32(1.5), side[0] - 18), "soft tissue")
    fill(ellipsoid(side, (33, -60, -40), (12, 12, 12)), "globe")
    fill(ellipsoid(side, (29, -46, -40), (2.5, 16, 3)), "muscle")  # optic nerve and muscles
    fill(np.maximum(np.abs(side[0] - np.float32(17)) - np.float32(1.2), within), "cortical bone")
    cells = np.maximum(ellipsoid(p, (0, -52, -44), (14, 26, 15)), within)
    fill(cells, np.float32(-650) + 420 * field(head.texture + 3, 3.0, p, cells < 3))  # ethmoid
    fill(ellipsoid(side, (36, -27, -30), (24, 4, 5)) - np.float32(0.3), "cortical bone")  # sphenoid wing
    turned = ((side[0] + y) * np.float32(0.7071), (y - side[0]) * np.float32(0.7071), z)
    petrous = np.maximum(ellipsoid(turned, (38, -22, -42), (8.0, 25, 9.0)), table - 4)
    fill(petrous, np.float32(1150) + 250 * field(head.texture + 4, 3.0, p, petrous < 3))
    fill(ellipsoid(p, (0, -8, -44), (14, 9, 14)), "diploe")  # clivus
    fill(ellipsoid(side, (9, -84 * head.scale[1], -6), (9, 4, 9)), np.float32(-900))  # frontal sinus


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


def field(seed: int, smooth_mm: float, p: Points, where: NDArray[np.bool_] | None = None) -> Field:
    """A random field of mean 0 and SD 1 that belongs to the place: its value at points in the head's frame.

    ``where`` spares the work elsewhere: there the result is 0.
    """
    lattice = _lattice(seed, round(smooth_mm / _LATTICE_MM, 3))
    axes = np.broadcast_arrays(p[2], p[1], p[0])
    wanted = [v.ravel() if where is None else v[where] for v in axes]
    # The lattice repeats itself every 216 mm, so that no point lies outside.
    index = np.stack(wanted) / np.float32(_LATTICE_MM) + np.float32(_LATTICE / 2)
    values = map_coordinates(lattice, index, order=1, mode="grid-wrap", output=np.float32)
    if where is None:
        return np.asarray(values.reshape(axes[0].shape), np.float32)
    result = np.zeros(axes[0].shape, np.float32)
    result[where] = values
    return result


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
