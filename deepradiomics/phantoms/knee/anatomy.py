"""A right knee drawn from simple solids: which tissue fills each voxel of a 1.25 mm world.

Coordinates are millimetres from the middle of the joint line, LPS: x to the patient's left (medial in a right knee),
y to posterior, z to superior. Solids are signed distances (negative inside), deformed by a smooth random field and
resized by a few random factors, so that no two patients are alike.

          quadriceps │femur│            z
             patella ()   │             │  y →
              fat pad ╲ ╭─╯ACL          └────  (sagittal section)
       patellar tendon │▔tibia
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

WORLD_SPACING_MM = 1.25
WORLD_SHAPE = (128, 128, 96)  # (z, y, x)

Field = NDArray[np.float32]
Points = tuple[Field, Field, Field]
Corner = tuple[float, float, float]

_LARGEST_SHIFT_MM = 6.0
_MUSCLES: tuple[tuple[Corner, Corner], ...] = (  # bellies: centre and half axes (x, y, z)
    ((27, -24, 78), (26, 25, 52)), ((-28, -22, 80), (26, 25, 50)), ((0, -30, 96), (22, 18, 44)),
    ((-27, 36, 72), (22, 20, 72)), ((22, 40, 66), (22, 19, 72)), ((42, 18, 62), (13, 20, 64)),
    ((21, 42, -44), (24, 17, 66)), ((-22, 42, -44), (22, 17, 64)), ((-2, 27, -50), (26, 10, 34)),
    ((-30, -8, -72), (20, 20, 50)), ((0, 42, -90), (40, 22, 44)), ((-4, 20, -84), (30, 16, 36)),
)  # fmt: skip


class Tissue(IntEnum):
    """What a voxel is made of; the number indexes the scanner's contrast tables."""

    AIR = 0
    SKIN = 1
    FAT = 2
    MUSCLE = 3
    CORTEX = 4
    MARROW = 5
    CARTILAGE = 6
    MENISCUS = 7
    LIGAMENT = 8
    TENDON = 9
    FLUID = 10
    VESSEL = 11
    FAT_PAD = 12


@dataclass(frozen=True)
class Body:
    """One patient's own measures, all near 1 or in mm."""

    size: float
    condyle: float
    plateau: float
    patella: float
    fat_mm: float
    muscle: float
    cartilage_mm: float
    effusion: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Body:
        def about(centre: float, spread: float) -> float:
            return float(centre * (1 + spread * np.clip(rng.standard_normal(), -2, 2)))

        return cls(
            about(1, 0.025),
            about(1, 0.02),
            about(1, 0.02),
            about(1, 0.05),
            about(7, 0.15),
            about(1, 0.05),
            about(2.4, 0.08),
            about(1, 0.15),
        )


def world_axes() -> tuple[Field, Field, Field]:
    """Coordinates of the world's voxel centres along z, y and x, mm from the joint's middle."""
    z, y, x = (((np.arange(n) - (n - 1) / 2) * WORLD_SPACING_MM).astype(np.float32) for n in WORLD_SHAPE)
    return z, y, x


def draw_tissues(body: Body, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The tissue of every world voxel, (z, y, x). Later solids cover earlier ones."""
    everywhere = _deformed_points(body, rng)
    tissue = np.full(WORLD_SHAPE, Tissue.AIR, np.uint8)
    _draw_soft_tissue(tissue, everywhere, body)

    def part(low: Corner, high: Corner) -> tuple[NDArray[np.uint8], Points]:
        where = _block(low, high)
        return tissue[where], (everywhere[0][where], everywhere[1][where], everywhere[2][where])

    inner, p = part((-46, -58, -46), (46, 44, 70))  # all that belongs to the joint
    inner[_ellipsoid(p, (0, -30, 4), (24, 15, 19)) < 0] = Tissue.FAT_PAD
    inner[_ellipsoid(p, (0, -31, 52), (19, 3.2 * body.effusion, 15)) < 0] = Tissue.FLUID  # suprapatellar pouch
    bones, q = part((-44, -54, -90), (44, 44, 90))
    femur, tibia = _femur(q, body.condyle), _tibia(q, body.plateau)
    _draw_fluid(bones, q, femur, body.cartilage_mm)
    for ligament in _ligaments(p):
        inner[ligament < 0] = Tissue.LIGAMENT
    front, r = part((-18, -58, -46), (18, -20, 90))
    for tendon in _tendons(r):
        front[tendon < 0] = Tissue.TENDON
    inner[_menisci(p)] = Tissue.MENISCUS

    x, y, z = q
    bones[(femur < body.cartilage_mm) & (z < 34) & ((y < 0) | (np.abs(x) > 7))] = Tissue.CARTILAGE
    plateau = ((x / 34) ** 2 + ((y - 6) / 22) ** 2 < 1) & (np.abs(x) > 5) & (z > -8)
    bones[(tibia < body.cartilage_mm) & plateau] = Tissue.CARTILAGE
    kneecap, r = part((-24, -54, 6), (24, -28, 56))
    patella = _ellipsoid(r, (0, -41, 30), (19 * body.patella, 9, 19 * body.patella))
    kneecap[(patella < body.cartilage_mm + 0.6) & (r[1] > -41)] = Tissue.CARTILAGE
    beside, r = part((-44, 10, -90), (-20, 32, -8))
    fibula = np.minimum(_capsule(r, (-33, 21, -24), (-30, 20, -90), 5.5), _ellipsoid(r, (-33, 21, -21), (8, 8, 9)))
    for view, bone in ((bones, femur), (bones, tibia), (kneecap, patella), (beside, fibula)):
        view[bone < 0] = Tissue.CORTEX
        view[bone < -1.5] = Tissue.MARROW
    return tissue


def _draw_soft_tissue(tissue: NDArray[np.uint8], p: Points, body: Body) -> None:
    """Skin, fat, muscles and vessels of the whole leg."""
    depth = _depth_below_skin(p)
    tissue[depth > 0] = Tissue.SKIN
    tissue[depth > 1.6] = Tissue.FAT
    nearest = np.full(WORLD_SHAPE, 99, np.float32)  # distance to the muscles' bellies: the nearest and the second
    second = nearest.copy()
    for centre, semi in _MUSCLES:
        reach = [body.muscle * s + 1 for s in semi]
        where = _block(
            [c - r for c, r in zip(centre, reach, strict=True)], [c + r for c, r in zip(centre, reach, strict=True)]
        )
        belly = _ellipsoid((p[0][where], p[1][where], p[2][where]), centre, [body.muscle * s for s in semi])
        second[where] = np.minimum(second[where], np.maximum(nearest[where], belly))
        nearest[where] = np.minimum(nearest[where], belly)
    fascia = depth > body.fat_mm
    tissue[fascia & (nearest < 0) & (second - nearest > 1.2)] = Tissue.MUSCLE  # fat planes lie between bellies
    for across, back in ((2.0, 33.0), (-5.0, 37.0)):
        tissue[(p[0] - across) ** 2 + (p[1] - back) ** 2 < 3.6**2] = Tissue.VESSEL


def _draw_fluid(tissue: NDArray[np.uint8], p: Points, femur: Field, cartilage_mm: float) -> None:
    """A film around the femur's cartilage and between the joint's surfaces."""
    x, y, z = p
    joint = (np.abs(x) < 36) & (y > -32) & (y < 36) & (z > -6) & (z < 30)
    film = (np.abs(femur) < cartilage_mm + 1.6) & joint
    between = (z > -4) & (z < 6) & (((x / 36) ** 2 + ((y - 5) / 24) ** 2) < 1)
    tissue[film | between] = Tissue.FLUID


def _block(low: Sequence[float], high: Sequence[float]) -> tuple[slice, slice, slice]:
    """The world's part that surely holds all model points between two corners (x, y, z), whatever the patient."""
    slices = []
    for axis, lowest, highest in zip(world_axes(), low[::-1], high[::-1], strict=True):
        margin = _LARGEST_SHIFT_MM + 0.06 * max(abs(lowest), abs(highest))  # 0.06: the largest change of size
        inside = np.flatnonzero((axis >= lowest - margin) & (axis <= highest + margin))
        slices.append(slice(int(inside[0]), int(inside[-1]) + 1))
    return slices[0], slices[1], slices[2]


def _deformed_points(body: Body, rng: np.random.Generator) -> Points:
    """World points in the model's own space: scaled, and shifted by up to about 2 mm by a smooth random field."""
    z, y, x = world_axes()
    grid = np.broadcast_arrays(x[None, None, :], y[None, :, None], z[:, None, None])
    moved = []
    for axis in grid:
        shift = rng.standard_normal((6, 6, 5)).astype(np.float32)  # on a coarse grid, then smoothly refined
        for n in WORLD_SHAPE:  # the refined axis goes last, so that three turns refine all three
            shift = np.tensordot(shift, _smooth_weights(shift.shape[0], n), axes=(0, 1))
        moved.append(
            axis / np.float32(body.size) + np.clip(np.float32(2.2) * shift, -_LARGEST_SHIFT_MM, _LARGEST_SHIFT_MM)
        )
    return moved[0], moved[1], moved[2]


def _smooth_weights(coarse: int, fine: int) -> Field:
    """(fine, coarse): Gaussian weights that interpolate a coarse line smoothly; each row adds to 1."""
    position = (np.arange(fine) + 0.5) * coarse / fine - 0.5
    weights = np.exp(-((position[:, None] - np.arange(coarse)) ** 2) / (2 * 0.6**2))
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def _depth_below_skin(p: Points) -> Field:
    """Millimetres below the skin's surface, negative outside."""
    x, y, z = p
    anterior = np.interp(z, (-80, -40, 0, 32, 80), (-43, -43, -51, -58, -56)).astype(np.float32)
    posterior = np.interp(z, (-80, -40, 0, 40, 80), (62, 60, 54, 54, 60)).astype(np.float32)
    half_width = np.interp(z, (-80, -30, 0, 25, 80), (48, 48, 50, 53, 58)).astype(np.float32)
    half_depth = (posterior - anterior) / 2
    radius = np.sqrt((x / half_width) ** 2 + ((y - (anterior + posterior) / 2) / half_depth) ** 2)
    return (1 - radius) * np.minimum(half_width, half_depth)


def _femur(p: Points, size: float) -> Field:
    medial = _ellipsoid(p, (21, 7, 25), (18 * size, 29, 21))
    lateral = _ellipsoid(p, (-21, 6, 25), (18 * size, 28, 21))
    trochlea = _ellipsoid(p, (0, -6, 30), (31 * size, 20, 17))
    shaft = _capsule(p, (0, -5, 40), (0, -9, 120), 14)
    bone = _smooth_union(_smooth_union(_smooth_union(medial, lateral, 4), trochlea, 5), shaft, 14)
    notch = _capsule(p, (0, 6, 2), (0, 32, 14), 9)
    groove = _ellipsoid(p, (0, -31, 32), (9, 7, 26))
    return np.maximum(np.maximum(bone, -notch), -groove)


def _tibia(p: Points, size: float) -> Field:
    x, y, z = p
    half_width = np.interp(z, (-80, -50, -25, -4), (13, 15, 27, 38 * size)).astype(np.float32)
    half_depth = np.interp(z, (-80, -50, -25, -4), (15, 17, 23, 25 * size)).astype(np.float32)
    middle = np.interp(z, (-80, -25, -4), (2, 2, 6)).astype(np.float32)
    side = (np.sqrt((x / half_width) ** 2 + ((y - middle) / half_depth) ** 2) - 1) * half_depth
    dish = 1.2 * np.exp(-((np.abs(x) - 20) ** 2) / 120)  # each condyle rests in a shallow dish
    eminence = 7 * np.exp(-(np.abs(x) ** 2) / 26 - ((y - 6) ** 2) / 90)
    top = z + 4 + dish - eminence
    tuberosity = _ellipsoid(p, (-2, -19, -36), (10, 9, 15))
    body = -_smooth_union(-side, -top, 5)  # the plateau's rim is rounded
    return _smooth_union(body, tuberosity, 6)


def _menisci(p: Points) -> NDArray[np.bool_]:
    """Two wedges, thick outside, open towards the notch."""
    x, y, z = p
    both = np.zeros(x.shape, bool)
    for middle, wide, deep in ((20.0, 18.0, 22.0), (-20.0, 17.5, 19.0)):
        ring = np.sqrt(((x - middle) / wide) ** 2 + ((y - 6) / deep) ** 2)
        half_height = 0.4 + 5.5 * (ring - 0.5) / 0.5
        both |= (ring > 0.5) & (ring < 1) & (np.abs(z - 0.5) < half_height) & (np.abs(x) > 6)
    return both


def _ligaments(p: Points) -> list[Field]:
    acl = _capsule(p, (-7, 19, 17), (3, -8, -2), 4.2)
    pcl = np.minimum(_capsule(p, (6, 4, 13), (4, 22, 8), 4.2), _capsule(p, (4, 22, 8), (0, 30, -12), 4.0))
    mcl = _capsule(p, (40, 4, 26), (34, 2, -34), 2.0)
    lcl = _capsule(p, (-40, 8, 24), (-35, 20, -16), 2.2)
    return [acl, pcl, mcl, lcl]


def _tendons(p: Points) -> list[Field]:
    """Flat bands: capsules in a space squeezed sideways."""
    x, y, z = p
    flat = (x * np.float32(0.25), y, z)
    patellar = _capsule(flat, (0, -45, 18), (0, -29, -38), 2.6)
    quadriceps = _capsule(flat, (0, -43, 42), (0, -36, 95), 3.2)
    return [patellar, quadriceps]


def _ellipsoid(p: Points, centre: Sequence[float], semi: Sequence[float]) -> Field:
    """Nearly the signed distance of an ellipsoid: exact at its surface to first order."""
    squares = [((axis - np.float32(c)) / np.float32(s)) ** 2 for axis, c, s in zip(p, centre, semi, strict=True)]
    level = np.sqrt(squares[0] + squares[1] + squares[2] + np.float32(1e-6))
    steep = [square * np.float32(1 / s**2) for square, s in zip(squares, semi, strict=True)]
    slope = np.sqrt(steep[0] + steep[1] + steep[2] + np.float32(1e-9))
    distance: Field = level * (level - 1) / slope
    return distance


def _capsule(p: Points, start: Sequence[float], end: Sequence[float], radius: float) -> Field:
    """Signed distance of a line of finite thickness with round ends."""
    a, line = np.array(start, np.float32), np.array(end, np.float32) - np.array(start, np.float32)
    dx, dy, dz = (axis - a[i] for i, axis in enumerate(p))
    along = np.clip((dx * line[0] + dy * line[1] + dz * line[2]) / np.float32(line @ line), 0, 1)
    dx, dy, dz = dx - along * line[0], dy - along * line[1], dz - along * line[2]
    distance: Field = np.sqrt(dx * dx + dy * dy + dz * dz) - np.float32(radius)
    return distance


def _smooth_union(a: Field, b: Field, blend_mm: float) -> Field:
    """Union whose inner edge is rounded over `blend_mm`."""
    overlap = np.maximum(np.float32(blend_mm) - np.abs(a - b), 0) / np.float32(blend_mm)
    union: Field = np.minimum(a, b) - overlap * overlap * np.float32(blend_mm / 4)
    return union
