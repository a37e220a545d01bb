"""What both registration backends share: images at several resolutions, starting points, a measure of likeness."""

from dataclasses import dataclass

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.images.geometry import Geometry
from deepradiomics.images.volume import Volume
from deepradiomics.prepare.affine import AffineTransform
from deepradiomics.prepare.resample import index_map

LEVEL_VOXELS = (6_000, 40_000, 160_000)
"""Voxels of the fixed image at each level, coarse to fine; small images have fewer levels."""

BINS = 32
MINIMUM_OVERLAP = 0.25


@dataclass(frozen=True, eq=False)
class Level:
    """Fixed and moving image at one resolution: smoothed, nearly isotropic, grey levels in [0, 1].

    Args:
        fixed, moving: float32 volumes.
        spacing_mm: the resolution aimed at; axes that are coarser already stay as they are.
    """

    fixed: Volume
    moving: Volume
    spacing_mm: float


def build_pyramid(fixed: Volume, moving: Volume, level_voxels: tuple[int, ...] = LEVEL_VOXELS) -> list[Level]:
    """Return the levels from coarse to fine.

    Raises:
        InputError: an image has NaN or infinite voxels, is constant, or has an axis of fewer than four voxels.
    """
    spacings: list[float] = []
    for wanted in sorted(level_voxels, reverse=True):
        spacing = _spacing_for(fixed.geometry, wanted)
        if not spacings or spacing > 1.5 * spacings[-1]:  # a small image has no finer level to offer
            spacings.append(spacing)
    fixed, moving = _unit_range(fixed, "fixed"), _unit_range(moving, "moving")
    levels: list[Level] = []
    for spacing in spacings:  # fine to coarse, each made from the one before: smoothing small images costs little
        fixed, moving = _shrink(fixed, spacing), _shrink(moving, spacing)
        levels.append(Level(fixed, moving, spacing))
    return levels[::-1]


def _unit_range(volume: Volume, role: str) -> Volume:
    name = f"The {role} image {volume.name}".strip()
    voxels = volume.voxels
    if min(voxels.shape) < 4:
        raise InputError(
            f"{name} has size {volume.geometry.size}; registration needs at least 4 voxels along each axis."
        )
    if voxels.dtype.kind == "f" and not np.isfinite(voxels).all():
        raise InputError(f"{name} has NaN or infinite voxels. Replace them before registration.")
    step = tuple(slice(None, None, max(1, n // 48)) for n in voxels.shape)
    low, high = np.percentile(voxels[step], (0.5, 99.5))  # a few very bright voxels must not set the scale
    if high <= low:
        low, high = float(voxels.min()), float(voxels.max())
    if high <= low:
        raise InputError(f"{name} is constant, so nothing can be registered to it.")
    unit = voxels.astype(np.float32)
    unit -= np.float32(low)
    unit *= np.float32(1 / (high - low))
    return Volume(np.clip(unit, 0, 1, out=unit), volume.geometry)


def _spacing_for(geometry: Geometry, voxels: int) -> float:
    """Isotropic spacing at which the grid would have about this many voxels, no axis being made finer than it is."""
    grid, extent = np.array(geometry.spacing_mm), np.array(geometry.extent_mm)
    low, high = grid.min(), extent.max()
    for _ in range(40):
        middle = np.sqrt(low * high)
        if np.prod(np.maximum(extent / np.maximum(middle, grid), 4)) > voxels:
            low = middle
        else:
            high = middle
    return float(high)


def _shrink(volume: Volume, spacing_mm: float) -> Volume:
    """Smooth what the coarser grid cannot show, and resample. Axes already as coarse stay as they are."""
    from scipy.ndimage import gaussian_filter

    wanted = np.maximum(spacing_mm, np.array(volume.geometry.spacing_mm))
    size = np.rint(np.array(volume.geometry.extent_mm) / wanted)
    size = np.clip(size, np.minimum(volume.geometry.size, 4), volume.geometry.size).astype(int)
    goal = volume.geometry.resized(size.tolist())
    volume = _mean_of_blocks(volume, np.maximum(np.array(volume.geometry.size) // size, 1))
    if volume.geometry.size == goal.size and volume.geometry.is_close(goal):
        return volume
    ratio = np.array(goal.spacing_mm) / np.array(volume.geometry.spacing_mm)
    sigma = np.sqrt(np.maximum(ratio**2 - 1, 0)) / 2  # voxels
    smooth = gaussian_filter(volume.voxels, sigma[::-1], mode="nearest", truncate=2.5)
    return _nearly_everywhere(Volume(smooth, volume.geometry), goal)


def _mean_of_blocks(volume: Volume, factors: np.ndarray) -> Volume:
    """Average blocks of whole voxels (x, y, z factors); an incomplete last block is left out."""
    if (factors == 1).all():
        return volume
    fx, fy, fz = (int(f) for f in factors)
    x, y, z = (n // f for n, f in zip(volume.geometry.size, (fx, fy, fz), strict=True))
    blocks = volume.voxels[: z * fz, : y * fy, : x * fx].reshape(z, fz, y, fy, x, fx)
    first = (factors - 1) / 2
    grid = volume.geometry
    geometry = Geometry(
        (x, y, z),
        tuple(np.array(grid.spacing_mm) * factors),  # type: ignore[arg-type]
        tuple(grid.index_to_physical(first).tolist()),
        grid.direction,
    )
    return Volume(blocks.mean(axis=(1, 3, 5), dtype=np.float32), geometry)


def _nearly_everywhere(volume: Volume, goal: Geometry) -> Volume:
    """Linear resampling that repeats the border instead of filling where a block was left out."""
    from scipy.ndimage import affine_transform

    matrix = index_map(goal, volume.geometry)[2::-1, 2::-1]
    offset = index_map(goal, volume.geometry)[2::-1, 3]
    voxels = affine_transform(volume.voxels, matrix, offset, goal.shape, order=1, mode="nearest", prefilter=False)
    return Volume(voxels, goal)


def starts(level: Level) -> list[AffineTransform]:
    """Return translations to begin from: the scanner's coordinates, image centres, centres of mass; none twice."""
    fixed, moving = level.fixed, level.moving
    centres = np.array(moving.geometry.centre_mm) - np.array(fixed.geometry.centre_mm)
    masses = _centre_of_mass(moving) - _centre_of_mass(fixed)
    offsets: list[np.ndarray] = []
    for offset in (np.zeros(3), centres, masses):
        if all(np.linalg.norm(offset - other) > level.spacing_mm / 2 for other in offsets):
            offsets.append(offset)
    return [AffineTransform.translation(offset) for offset in offsets]


def _centre_of_mass(volume: Volume) -> np.ndarray:
    weights = volume.voxels.astype(np.float64)
    weights = np.where(weights > weights.mean(), weights, 0)  # background is not anatomy
    total = weights.sum()
    index = [
        float((weights.sum(axis=tuple(a for a in range(3) if a != 2 - k)) @ np.arange(n)) / total)
        for k, n in enumerate(volume.geometry.size)
    ]
    return volume.geometry.index_to_physical(index)


def similarity(fixed: Volume, moving: Volume, transform: AffineTransform, metric: str) -> float:
    """Return how alike two images in [0, 1] are under a transform; larger is better, −inf where they hardly overlap.

    "mi": mutual information in nats of a 32 × 32 joint histogram over the overlap. "ncc": |correlation| there.
    """
    from scipy.ndimage import affine_transform

    matrix = index_map(fixed.geometry, moving.geometry, transform)[2::-1, 2::-1]  # x, y, z → z, y, x
    offset = index_map(fixed.geometry, moving.geometry, transform)[2::-1, 3]
    warped = affine_transform(moving.voxels, matrix, offset, fixed.voxels.shape, order=1, cval=-1.0, prefilter=False)
    covered = warped >= 0
    if covered.mean() < MINIMUM_OVERLAP:
        return float("-inf")
    a, b = fixed.voxels[covered].astype(np.float64), warped[covered].astype(np.float64)
    if metric == "ncc":
        a, b = a - a.mean(), b - b.mean()
        return float(abs(a @ b) / np.sqrt(max((a @ a) * (b @ b), 1e-30)))
    cells = (a * (BINS - 1) + 0.5).astype(np.int64) * BINS + (b * (BINS - 1) + 0.5).astype(np.int64)
    joint = np.bincount(cells, minlength=BINS * BINS).reshape(BINS, BINS) / cells.size  # (fixed level, moving level)
    chance = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    filled = joint > 0
    return float((joint[filled] * np.log(joint[filled] / chance[filled])).sum())
