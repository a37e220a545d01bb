"""The scanner: three stacks of thick slices through one knee, each with its own contrast, blur, bias field and noise.

The planes and their contrasts follow a usual protocol: sagittal proton density, coronal T1, axial proton density with
fat suppression. The patient moves a little between stacks, so the views fit each other only within 1 to 2 mm.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import affine_transform, gaussian_filter

from deepradiomics.images import Geometry, Volume
from deepradiomics.phantoms.knee.anatomy import WORLD_SHAPE, WORLD_SPACING_MM, Field, Tissue

T = Tissue
PIXELS = 128
PIXEL_MM = 1.2
SLICES = 24


@dataclass(frozen=True)
class Protocol:
    """One stack: where its index axes lead (LPS), slice distance, slice profile, and the grey level of each tissue."""

    axes: tuple[tuple[int, int, int], ...]  # directions of x, y, z
    slice_mm: float
    weighting: str
    grey: dict[Tissue, float]
    lesion: float  # grey-level change of a lesion of contrast 1


PROTOCOLS: dict[str, Protocol] = {
    "axial": Protocol(
        ((1, 0, 0), (0, 1, 0), (0, 0, 1)), 4.4, "PD fat-suppressed",
        {T.AIR: 0.0, T.SKIN: 0.45, T.FAT: 0.22, T.MUSCLE: 0.42, T.CORTEX: 0.07, T.MARROW: 0.28, T.CARTILAGE: 0.62,
         T.MENISCUS: 0.13, T.LIGAMENT: 0.18, T.TENDON: 0.10, T.FLUID: 0.88, T.VESSEL: 0.75, T.FAT_PAD: 0.27}, 0.18,
    ),
    "coronal": Protocol(
        ((1, 0, 0), (0, 0, -1), (0, 1, 0)), 4.8, "T1",
        {T.AIR: 0.0, T.SKIN: 0.35, T.FAT: 0.92, T.MUSCLE: 0.34, T.CORTEX: 0.06, T.MARROW: 0.74, T.CARTILAGE: 0.42,
         T.MENISCUS: 0.12, T.LIGAMENT: 0.16, T.TENDON: 0.10, T.FLUID: 0.26, T.VESSEL: 0.20, T.FAT_PAD: 0.80}, -0.21,
    ),
    "sagittal": Protocol(
        ((0, 1, 0), (0, 0, -1), (1, 0, 0)), 4.4, "PD",
        {T.AIR: 0.0, T.SKIN: 0.40, T.FAT: 0.86, T.MUSCLE: 0.40, T.CORTEX: 0.06, T.MARROW: 0.62, T.CARTILAGE: 0.52,
         T.MENISCUS: 0.11, T.LIGAMENT: 0.20, T.TENDON: 0.08, T.FLUID: 0.70, T.VESSEL: 0.30, T.FAT_PAD: 0.74}, 0.21,
    ),
}  # fmt: skip
_GRAIN = {T.MARROW: 0.045, T.MUSCLE: 0.05, T.FAT: 0.05, T.FAT_PAD: 0.07, T.LIGAMENT: 0.03}  # of the tissue's own grey


def texture_field(rng: np.random.Generator) -> Field:
    """Unit-variance grain over the world: trabeculae, muscle fibres and septa, finer across than along the leg."""
    noise = gaussian_filter(rng.standard_normal(WORLD_SHAPE).astype(np.float32), (1.6, 0.9, 0.9))
    coarse = gaussian_filter(rng.standard_normal(WORLD_SHAPE).astype(np.float32), 4.0)
    return (0.85 * noise / noise.std() + 0.53 * coarse / coarse.std()).astype(np.float32)


def world_image(view: str, tissue: NDArray[np.uint8], grain: Field, strength: float) -> Field:
    """Grey levels of the world in one view's contrast, before lesions: (z, y, x)."""
    grey = np.array([PROTOCOLS[view].grey[t] for t in Tissue], np.float32)
    rough = np.array([PROTOCOLS[view].grey[t] * _GRAIN.get(t, 0.02) * strength for t in Tissue], np.float32)
    image: Field = grey[tissue] + rough[tissue] * grain
    return image


def view_geometry(view: str, isocentre_mm: NDArray[np.float64]) -> Geometry:
    """The stack's grid, centred on the joint's middle."""
    protocol = PROTOCOLS[view]
    direction = np.array(protocol.axes, float).T  # columns are the index axes
    size, spacing = (PIXELS, PIXELS, SLICES), (PIXEL_MM, PIXEL_MM, protocol.slice_mm)
    origin = isocentre_mm - direction @ ((np.array(size) - 1) / 2 * spacing)
    x, y, z = (float(o) for o in origin)
    return Geometry(size, spacing, (x, y, z), tuple(float(d) for d in direction.ravel()))


def scan(
    view: str, image: Field, isocentre_mm: NDArray[np.float64], rng: np.random.Generator, *, moved: bool
) -> Volume:
    """Acquire one stack: patient's motion, slice profile and blur, bias field, noise, scanner units (int16).

    Args:
        view: axial, coronal or sagittal.
        image: the world in this view's contrast (z, y, x), its middle at `isocentre_mm` (LPS).
        isocentre_mm: the joint's middle in scanner coordinates.
        rng: of this stack.
        moved: False for the reference stack, whose coordinates the truth table uses.
    """
    geometry = view_geometry(view, isocentre_mm)
    pose = _pose(rng, moved)  # (4, 4): millimetres from the middle, stack to world
    blur_mm = rng.uniform(0.42, 0.5) * PIXEL_MM
    profile_mm = 0.32 * PROTOCOLS[view].slice_mm
    along = np.abs(np.array(PROTOCOLS[view].axes[2]))[::-1]  # the slice axis among the world's (z, y, x)
    blurred = gaussian_filter(image, np.where(along > 0, profile_mm, blur_mm) / WORLD_SPACING_MM)

    # index (x, y, z) of the stack → mm from the middle → moved → world index (z, y, x); scipy wants (z, y, x) to itself
    to_middle = geometry.affine.copy()
    to_middle[:3, 3] -= isocentre_mm
    to_index = np.diag([1 / WORLD_SPACING_MM] * 3 + [1.0])
    to_index[:3, 3] = (np.array(WORLD_SHAPE[::-1]) - 1) / 2
    flip = np.eye(4)[[2, 1, 0, 3]]
    matrix = flip @ to_index @ pose @ to_middle @ flip
    signal = affine_transform(blurred, matrix, output_shape=geometry.shape, order=1, output=np.float32)

    signal *= _bias_field(geometry.shape, rng)
    sigma = float(rng.uniform(0.014, 0.02))
    real = signal + sigma * rng.standard_normal(geometry.shape, dtype=np.float32)
    imaginary = sigma * rng.standard_normal(geometry.shape, dtype=np.float32)
    gain = float(rng.uniform(700, 1100))
    voxels = np.rint(gain * np.sqrt(real**2 + imaginary**2)).astype(np.int16)  # magnitude: Rician noise
    note = f"SYNTHETIC knee phantom, {PROTOCOLS[view].weighting} weighting imitated: computed, not acquired."
    return Volume(voxels, geometry, name=f"SYNTHETIC knee {view}", source="deepradiomics phantom", notes=(note,))


def _pose(rng: np.random.Generator, moved: bool) -> NDArray[np.float64]:
    """A small rotation (about 1°) and shift (about 0.7 mm) of the patient between stacks."""
    angles, shift = np.deg2rad(rng.normal(0, 0.8, 3)), rng.normal(0, 0.6, 3)
    pose = np.eye(4)
    if not moved:
        return pose
    for axis, angle in enumerate(np.clip(angles, -0.03, 0.03)):
        turn, (i, j) = np.eye(4), [(1, 2), (0, 2), (0, 1)][axis]
        turn[i, i] = turn[j, j] = math.cos(angle)
        turn[i, j], turn[j, i] = -math.sin(angle), math.sin(angle)
        pose = pose @ turn
    pose[:3, 3] = np.clip(shift, -1.5, 1.5)
    return pose


def _bias_field(shape: tuple[int, int, int], rng: np.random.Generator) -> Field:
    """A smooth factor between about 0.85 and 1.15: the coil's uneven sensitivity."""
    field = np.zeros(shape, np.float32)
    axes = [np.linspace(-1, 1, n, dtype=np.float32) for n in shape]
    for number, axis in enumerate(axes):
        line = rng.normal(0, 0.035) * axis + rng.normal(0, 0.03) * (axis**2 - np.float32(1 / 3))
        field += line.astype(np.float32).reshape([-1 if i == number else 1 for i in range(3)])
    return np.exp(field)
