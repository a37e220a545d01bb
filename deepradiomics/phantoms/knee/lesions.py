"""Planted lesions: where each patient group has one, and what its texture is.

The two groups of a task differ in the patch of the 2×2×2 grid over the region of interest and in the texture, so that
no single feature finds all patients and a choice per patient is worth something. Every texture leaves the lesion's mean
grey level as it is, so that brightness alone gives nothing away:

    smooth-bright   a bright core in a darker rim          fine-grain   noise of about 3 mm
    coarse-grain    noise of about 7 mm                    striated     bands 7 mm apart
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.ndimage import gaussian_filter

from deepradiomics.phantoms.knee.anatomy import WORLD_SPACING_MM, Field, world_axes

Texture = Literal["smooth-bright", "coarse-grain", "fine-grain", "striated"]
Group = Literal["A", "B"]

ROI_SIZE_MM = (52.8, 76.8, 45.6)  # (x, y, z): half the depth, half the width, 38 of 128 rows of the sagittal view
_EDGE_MM = 2.0  # a lesion fades over this distance
_MARGIN_MM = 4.0  # a centre keeps this distance from the borders of its patch


@dataclass(frozen=True)
class Plan:
    """A patient group's lesion: mean centre (mm from the joint's middle, LPS), texture, strength by view."""

    centre_mm: tuple[float, float, float]
    texture: Texture
    contrast: dict[str, float]


_ACL = {"axial": 0.48, "coronal": 0.64, "sagittal": 0.82}
_MENISCUS = {"axial": 0.48, "coronal": 0.95, "sagittal": 0.86}
_OTHER = {"axial": 1.25, "coronal": 1.0, "sagittal": 0.9}
PLANS: dict[tuple[str, Group], Plan] = {
    ("acl", "A"): Plan((-11, 16, 12), "coarse-grain", _ACL),  # lateral wall of the notch
    ("acl", "B"): Plan((9, -14, -12), "fine-grain", _ACL),  # tibial insertion
    ("meniscus", "A"): Plan((20, 18, -10), "smooth-bright", _MENISCUS),  # medial, posterior horn
    ("meniscus", "B"): Plan((-20, -10, -10), "striated", _MENISCUS),  # lateral, anterior horn
    ("abnormality", "A"): Plan((20, -12, 14), "coarse-grain", _OTHER),  # medial condyle
    ("abnormality", "B"): Plan((-20, -14, 13), "fine-grain", _OTHER),  # lateral condyle
}


@dataclass(frozen=True)
class Lesion:
    """One planted lesion, the truth of the phantom.

    `patch` counts 1 … 8 over the 2×2×2 grid of the region of interest on the canonical sagittal grid: z (right to
    left) slowest, then y (superior to inferior), x (anterior to posterior) fastest. `centre_mm` is LPS in the physical
    space of the sagittal view; `contrast` is the strength of the texture in each view.
    """

    task: str
    group: Group
    patch: int
    centre_mm: tuple[float, float, float]
    radius_mm: float
    texture: Texture
    contrast: dict[str, float]


def plan_lesion(task: str, group: Group, rng: np.random.Generator) -> Lesion:
    """Draw the lesion of one patient; its centre varies but stays inside its patch. Centre from the joint's middle."""
    plan = PLANS[task, group]
    centre = np.array(plan.centre_mm) + rng.uniform(-3.5, 3.5, 3)
    half = np.array(ROI_SIZE_MM) / 2 - _MARGIN_MM
    side = np.sign(plan.centre_mm)
    centre = side * np.clip(side * centre, _MARGIN_MM, half)
    strength = float(rng.uniform(0.8, 1.2))
    contrast = {view: round(value * strength, 3) for view, value in plan.contrast.items()}
    x, y, z = (round(float(c), 2) for c in centre)
    return Lesion(
        task, group, patch_of((x, y, z)), (x, y, z), round(float(rng.uniform(8, 11)), 2), plan.texture, contrast
    )


def patch_of(centre_mm: tuple[float, float, float]) -> int:
    """Number 1 … 8 of the patch that holds a point given from the middle of the region of interest (LPS)."""
    x, y, z = centre_mm
    return 1 + 4 * (x > 0) + 2 * (z < 0) + (y > 0)


def add_lesion(image: Field, lesion: Lesion, amplitude: float, seed: tuple[int, ...]) -> None:
    """Add a lesion's texture to a view's world image in place.

    Args:
        image: (z, y, x) world image.
        lesion: its centre counted from the joint's middle.
        amplitude: grey-level change of contrast 1.
        seed: of the texture; the same for all views, for they image the same tissue.
    """
    box, weight, radius = _ball(lesion)
    pattern = _pattern(lesion, weight, radius, np.random.default_rng(seed))
    image[box] += np.float32(amplitude) * weight * pattern


def _ball(lesion: Lesion) -> tuple[tuple[slice, slice, slice], Field, Field]:
    """The part of the world around a lesion; there its weight (1 inside, 0 outside) and distance from its centre."""
    centre = lesion.centre_mm[::-1]
    reach = lesion.radius_mm + _EDGE_MM
    slices, squares = [], []
    for axis, middle in zip(world_axes(), centre, strict=True):
        inside = np.flatnonzero(np.abs(axis - middle) <= reach)
        slices.append(slice(int(inside[0]), int(inside[-1]) + 1))
        squares.append((axis[slices[-1]] - np.float32(middle)) ** 2)
    radius = np.sqrt(squares[0][:, None, None] + squares[1][None, :, None] + squares[2][None, None, :])
    weight = np.clip((lesion.radius_mm + _EDGE_MM / 2 - radius) / _EDGE_MM, 0, 1).astype(np.float32)
    return (slices[0], slices[1], slices[2]), weight, radius


def _pattern(lesion: Lesion, weight: Field, radius: Field, rng: np.random.Generator) -> Field:
    """The texture on the weight's grid: under the weight its mean is 0 and its variance 1."""
    if lesion.texture == "smooth-bright":
        raw = np.clip((0.75 * lesion.radius_mm - radius) / _EDGE_MM, 0, 1).astype(np.float32)
    elif lesion.texture == "striated":
        normal = rng.standard_normal(3)
        normal[2] *= 0.2  # bands change little along the slices of the sagittal view, which would blur them
        normal /= np.linalg.norm(normal)
        grid = np.indices(weight.shape, dtype=np.float32) * np.float32(WORLD_SPACING_MM)
        phase = np.tensordot(normal.astype(np.float32), grid, axes=1)
        raw = np.sin(2 * np.pi / 7.0 * phase + rng.uniform(0, 2 * np.pi)).astype(np.float32)
    else:
        sigma_mm = 3.0 if lesion.texture == "coarse-grain" else 1.3
        raw = gaussian_filter(rng.standard_normal(weight.shape).astype(np.float32), sigma_mm / WORLD_SPACING_MM)
    total = weight.sum()
    raw = raw - (raw * weight).sum() / total
    return raw / np.sqrt((raw * raw * weight).sum() / total)
