"""Whether a registration can be believed: two questions that the likeness it climbed does not answer.

Does the anatomy agree place by place? The fixed image is cut into blocks; each looks for the shift along x, y and z at
which the moved image resembles it most (squared correlation, which does not mind another contrast). Where the
registration is right, all blocks stay where they are; where it is not, they pull in all directions. And: would the
image fit as well turned or mirrored? The 47 other ways of laying axes onto axes are tried, the best of them improved.

Measured on real images and phantoms with known truth: docs/results/registration_quality.csv.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from itertools import permutations, product
from typing import Any

import numpy as np

from deepradiomics.images.geometry import Geometry
from deepradiomics.images.volume import Volume
from deepradiomics.prepare.affine import AffineTransform
from deepradiomics.prepare.registration.pyramid import Level, similarity
from deepradiomics.prepare.resample import index_map

BLOCK_VOXELS = 10
REACH_VOXELS = 4
RESEMBLES = 0.3  # squared correlation from which a block has found its like
STRUCTURE = 0.002  # variance, of grey levels 0 to 1, below which a block shows nothing
COVERED = 0.6  # share of a block that the moved image must cover
FEW_BLOCKS = 0.2  # share of blocks with their like below which nothing in the images agrees
RIGID_VOXELS, AFFINE_VOXELS = 0.4, 1.5  # residuals above which the result is not believed; anatomies differ
ALIKE = 0.997  # a turned or mirrored image that reaches this share of the likeness fits as well
BETTER = 1.02  # share it must reach where the registration has failed anyway, or where anatomies differ


@dataclass(frozen=True)
class RegistrationQuality:
    """What speaks for a registration.

    Attributes
    ----------
    likeness_before
        Likeness in the scanner's coordinates, without any registration; None where the images do not overlap there.
    likeness_otherwise
        The best likeness of the image turned or mirrored; None where no such way overlaps.
    otherwise
        ``turned`` or ``mirrored``: which that was.
    residual_voxels
        Median shift that the blocks of the fixed image still ask for, in voxels of the finest level; None where no
        block found its like.
    residual_mm
        The same in millimetres.
    blocks
        Number of blocks with structure that both images cover.
    blocks_alike
        Number of them that found their like.
    warnings
        Why the registration may have failed, one sentence each; empty where nothing speaks against it.
    """

    likeness_before: float | None
    likeness_otherwise: float | None
    otherwise: str
    residual_voxels: float | None
    residual_mm: float | None
    blocks: int
    blocks_alike: int
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"warnings": list(self.warnings)}


def registration_quality(
    levels: list[Level],
    transform: AffineTransform,
    metric: str,
    kind: str,
    likeness: float,
    improve: Callable[[AffineTransform, Level], AffineTransform],
) -> RegistrationQuality:
    """Judge a transform.

    Args:
        levels: images at several resolutions, coarse to fine.
        transform: from the fixed image's space to the moving image's.
        metric: "mi" or "ncc".
        kind: "rigid" or "affine".
        likeness: what the transform reaches on the finest level.
        improve: climbs from a transform on a level, rigidly.
    """
    finest = levels[-1]
    before = similarity(finest.fixed, finest.moving, AffineTransform.identity(), metric)
    otherwise, name = _otherwise(levels, transform, metric, improve)
    voxels, millimetres, blocks, alike = local_residual(finest, transform)
    quality = RegistrationQuality(
        _finite(before),
        _finite(otherwise),
        name if np.isfinite(otherwise) else "",
        _finite(voxels),
        _finite(millimetres),
        blocks,
        alike,
    )
    return replace(quality, warnings=tuple(_warnings(quality, likeness, kind)))


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _warnings(quality: RegistrationQuality, likeness: float, kind: str) -> list[str]:
    advice = "Look at the registered image before you use it."
    if quality.blocks_alike < max(3, FEW_BLOCKS * quality.blocks):
        return [
            f"The registration found nothing that agrees: {quality.blocks_alike} of {quality.blocks} parts of the "
            "image resemble what now lies on them, no more than by chance. Do both images show the same anatomy? "
            f"{advice}"
        ]
    warnings = []
    limit = RIGID_VOXELS if kind == "rigid" else AFFINE_VOXELS
    assert quality.residual_voxels is not None
    if quality.residual_voxels > limit:
        unmoved = quality.likeness_before is not None and likeness <= quality.likeness_before
        no_better = " and the images are no more alike than before it" if unmoved else ""
        one_patient = " Are both scans of one patient?" if kind == "rigid" else ""
        warnings.append(
            f"The registration may have failed: half of the image lies {quality.residual_mm:.1f} mm or more from what "
            f"it resembles{no_better}.{one_patient} {advice}"
        )
    share = ALIKE if kind == "rigid" and not warnings else BETTER
    if quality.likeness_otherwise is not None and quality.likeness_otherwise > share * likeness:
        doubt = {"mirrored": "Are left and right exchanged in one of them?", "turned": "Is one of them turned round?"}
        warnings.append(
            f"The moving image fits as well or better when it is {quality.otherwise} (likeness "
            f"{quality.likeness_otherwise:.3f}, as registered {likeness:.3f}). {doubt[quality.otherwise]} {advice}"
        )
    return warnings


def local_residual(level: Level, transform: AffineTransform) -> tuple[float, float, int, int]:
    """The shift that blocks of the fixed image still ask for, looked for along each axis by itself.

    True for small shifts, a rough measure of large ones.

    Returns:
        Its median, weighted by the blocks' contrast, in voxels and in millimetres (NaN where no block found its like);
        number of blocks with structure that both images cover, and of those that found their like.
    """
    from scipy.ndimage import affine_transform

    fixed = level.fixed.voxels.astype(np.float64)
    matrix = index_map(level.fixed.geometry, level.moving.geometry, transform)[2::-1]  # x, y, z → z, y, x
    moved = affine_transform(
        level.moving.voxels, matrix[:, 2::-1], matrix[:, 3], fixed.shape, order=1, cval=np.nan, prefilter=False
    )
    blocks = _Blocks(fixed)
    here, contrast = blocks.resemblance(moved, (0, 0, 0))
    usable = np.isfinite(here) & (contrast > STRUCTURE)
    shifts, best = np.zeros((3, *here.shape)), np.where(usable, here, 0)
    for axis in range(3):
        reach = min(REACH_VOXELS, fixed.shape[axis] // 4)
        if reach == 0:
            continue
        steps = [tuple(step if other == axis else 0 for other in range(3)) for step in range(-reach, reach + 1)]
        profile = np.stack([blocks.resemblance(moved, step)[0] if any(step) else here for step in steps])
        profile[np.isnan(profile)] = -1.0
        shifts[axis] = _peak(profile) - reach
        best = np.maximum(best, profile.max(axis=0))
    alike = usable & (best > RESEMBLES)
    if not alike.any():
        return float("nan"), float("nan"), int(usable.sum()), 0
    spacing = np.array(level.fixed.geometry.spacing_mm)[::-1].reshape(3, 1, 1, 1)
    weights = np.sqrt(contrast[alike])
    voxels, millimetres = (
        _weighted_median(np.sqrt((size**2).sum(axis=0))[alike], weights) for size in (shifts, shifts * spacing)
    )
    return voxels, millimetres, int(usable.sum()), int(alike.sum())


class _Blocks:
    """The fixed image (z, y, x) in blocks, and how well each resembles what a shifted image lays on it."""

    def __init__(self, fixed: np.ndarray) -> None:
        counts = [max(1, round(n / BLOCK_VOXELS)) for n in fixed.shape]
        self._starts = [
            np.linspace(0, n, count + 1).astype(int)[:-1] for n, count in zip(fixed.shape, counts, strict=True)
        ]
        self._fixed = fixed
        self._sizes = self._sums(np.ones_like(fixed))

    def _sums(self, values: np.ndarray) -> np.ndarray:
        for axis, starts in enumerate(self._starts):
            values = np.add.reduceat(values, starts, axis)
        return values

    def resemblance(self, moved: np.ndarray, step: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Squared correlation of each block (NaN where too little is covered or nothing is seen), and its variance."""
        other = np.full_like(moved, np.nan)
        source = tuple(slice(max(0, k), n + min(0, k)) for k, n in zip(step, moved.shape, strict=True))
        target = tuple(slice(max(0, -k), n + min(0, -k)) for k, n in zip(step, moved.shape, strict=True))
        other[target] = moved[source]
        covered = np.isfinite(other)
        a, b = np.where(covered, self._fixed, 0.0), np.where(covered, other, 0.0)
        count = self._sums(covered.astype(np.float64))
        with np.errstate(divide="ignore", invalid="ignore"):
            mean_a, mean_b = self._sums(a) / count, self._sums(b) / count
            variance_a = self._sums(a * a) / count - mean_a**2
            variance_b = self._sums(b * b) / count - mean_b**2
            squared = (self._sums(a * b) / count - mean_a * mean_b) ** 2 / (variance_a * variance_b)
        seen_enough = (count >= COVERED * self._sizes) & (variance_a > 1e-5) & (variance_b > 1e-5)
        return np.where(seen_enough, squared, np.nan), np.nan_to_num(variance_a)


def _peak(profile: np.ndarray) -> np.ndarray:
    """Where the profile (steps, …) is highest, between its steps by a parabola."""
    top = profile.argmax(axis=0)
    inner = np.clip(top, 1, len(profile) - 2)
    low, middle, high = (np.take_along_axis(profile, (inner + k)[None], axis=0)[0] for k in (-1, 0, 1))
    bend = low - 2 * middle + high
    with np.errstate(divide="ignore", invalid="ignore"):
        fine = np.where((bend < 0) & (inner == top), 0.5 * (low - high) / bend, 0.0)
    return top + np.clip(fine, -0.5, 0.5)


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])


def _otherwise(
    levels: list[Level],
    transform: AffineTransform,
    metric: str,
    improve: Callable[[AffineTransform, Level], AffineTransform],
) -> tuple[float, str]:
    """The best likeness of the moving image turned or mirrored, and which of the two; −inf where nothing overlaps."""
    fixed_grid, moving_grid = levels[0].fixed.geometry, levels[0].moving.geometry
    mirror = [Level(level.fixed, _mirrored(level.moving), level.spacing_mm) for level in levels]
    reflection = _reflection(moving_grid)
    motion = _rigid(transform, np.array(fixed_grid.centre_mm))
    best, name = float("-inf"), ""
    for kind, stack in (("turned", levels), ("mirrored", mirror)):
        ways = [
            AffineTransform.about(turn, fixed_grid.centre_mm).then(motion)
            for turn in _axes_onto_axes(proper=kind == "turned")
            if not np.allclose(turn, np.eye(3))
        ]
        if kind == "mirrored":
            ways = [way.then(reflection) for way in ways]
        likeness = [similarity(stack[0].fixed, stack[0].moving, way, metric) for way in ways]
        if not np.isfinite(max(likeness)):
            continue
        way = improve(ways[int(np.argmax(likeness))], stack[0])
        if len(stack) > 1:
            way = improve(way, stack[-1])
        if kind == "turned" and _nearly_same(way, transform, fixed_grid):
            continue
        reached = similarity(stack[-1].fixed, stack[-1].moving, way, metric)
        if reached > best:
            best, name = reached, kind
    return best, name


def _axes_onto_axes(*, proper: bool) -> list[np.ndarray]:
    """The 24 rotations (proper), or 24 mirrorings, that lay axes onto axes, (3, 3) each."""
    matrices = []
    for order, signs in product(permutations(range(3)), product((1, -1), repeat=3)):
        matrix = np.zeros((3, 3))
        matrix[range(3), order] = signs
        if (np.linalg.det(matrix) > 0) == proper:
            matrices.append(matrix)
    return matrices


def _rigid(transform: AffineTransform, centre: np.ndarray) -> AffineTransform:
    """The motion nearest to a transform: the same place of the centre, the nearest rotation."""
    left, _, right = np.linalg.svd(transform.array[:3, :3])
    return AffineTransform.about(left @ right, centre, transform.apply(centre[None])[0] - centre)


def _mirrored(volume: Volume) -> Volume:
    """The voxels in reverse order along x, on the same grid."""
    return Volume(volume.voxels[:, :, ::-1], volume.geometry)


def _reflection(grid: Geometry) -> AffineTransform:
    """Where the points of an image lie after :func:`_mirrored`."""
    axis = grid.axes[:, 0]
    return AffineTransform.about(np.eye(3) - 2 * np.outer(axis, axis), grid.centre_mm)


def _nearly_same(way: AffineTransform, transform: AffineTransform, grid: Geometry) -> bool:
    """Whether the turned image has found back to the registration itself."""
    corners = grid.corners_mm()
    distances = np.linalg.norm(way.apply(corners) - transform.apply(corners), axis=1)
    return bool(distances.max() < 0.1 * np.linalg.norm(grid.extent_mm))
