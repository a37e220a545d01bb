"""Registration problems whose answer is known: an image moved by a drawn affine, made noisy, recoloured, cropped."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepradiomics.images import Geometry, Volume, read_mask, read_volume
from deepradiomics.prepare import AffineTransform, resample

ROTATION_DEG = 10.0
TRANSLATION_MM = 10.0
SCALE = 0.10
SHEAR = 0.05
CROP = 0.10
NOISE = 0.03

RANGE_TEXT = (
    f"rotation ±{ROTATION_DEG:g}° about each axis, translation ±{TRANSLATION_MM:g} mm, scale {1 - SCALE:g} to "
    f"{1 + SCALE:g} and shear ±{SHEAR:g} along each axis (all uniform); moving image: B-spline warp, up to {CROP:.0%} "
    "of the field of view cut off on each side, grey levels to the power 0.6 to 1.6, Gaussian noise of "
    f"{NOISE:.0%} of the range"
)


@dataclass(frozen=True)
class Problem:
    """A fixed image, landmarks in it (N, 3) LPS mm, a moving image, and the affine between them."""

    fixed: Volume
    moving: Volume
    landmarks: np.ndarray
    truth: AffineTransform

    def error_voxels(self, found: AffineTransform) -> float:
        """Mean distance of the landmarks from where they belong, in voxels of the fixed image."""
        landed = self.truth.inverse().apply(found.apply(self.landmarks))
        index = self.fixed.geometry.physical_to_index(landed) - self.fixed.geometry.physical_to_index(self.landmarks)
        return float(np.linalg.norm(index, axis=1).mean())


def draw_affine(rng: np.random.Generator, centre_mm: np.ndarray) -> AffineTransform:
    """Draw an affine about a centre from the stated range."""
    rx, ry, rz = np.deg2rad(rng.uniform(-ROTATION_DEG, ROTATION_DEG, 3))
    turn = (
        np.array([[1, 0, 0], [0, np.cos(rx), -np.sin(rx)], [0, np.sin(rx), np.cos(rx)]])
        @ np.array([[np.cos(ry), 0, np.sin(ry)], [0, 1, 0], [-np.sin(ry), 0, np.cos(ry)]])
        @ np.array([[np.cos(rz), -np.sin(rz), 0], [np.sin(rz), np.cos(rz), 0], [0, 0, 1]])
    )
    shear = np.eye(3)
    shear[np.triu_indices(3, 1)] = rng.uniform(-SHEAR, SHEAR, 3)
    scale = np.diag(rng.uniform(1 - SCALE, 1 + SCALE, 3))
    offset = rng.uniform(-TRANSLATION_MM, TRANSLATION_MM, 3)
    return AffineTransform.about(turn @ shear @ scale, centre_mm, offset)


def make_problem(fixed: Volume, landmarks: np.ndarray, seed: int) -> Problem:
    """Move, recolour, blur by noise and crop ``fixed``."""
    rng = np.random.default_rng(seed)
    truth = draw_affine(rng, np.array(fixed.geometry.centre_mm))
    size = np.array(fixed.geometry.size)
    before, after = np.floor(rng.uniform(0, CROP, (2, 3)) * size).astype(int)
    grid = fixed.geometry.crop(before.tolist(), (size - before - after).tolist())
    low, high = np.percentile(fixed.voxels, (0.5, 99.5))
    darkest = float(fixed.voxels.min())
    warped = resample(fixed, grid, transform=truth.inverse(), interpolation="bspline", fill=darkest).voxels
    unit = np.clip((warped - low) / (high - low), 0, 1.2)
    unit = unit ** rng.uniform(0.6, 1.6) + rng.normal(0, NOISE, unit.shape)
    return Problem(fixed, Volume((1000 * unit).astype(np.float32), grid, "moved"), landmarks, truth)


def synthetic_anatomy(size: tuple[int, int, int] = (64, 60, 28), seed: int = 0) -> tuple[Volume, np.ndarray]:
    """A body of some thirty soft ellipsoids on an oblique, anisotropic grid, and 100 landmarks inside it."""
    rng = np.random.default_rng(seed)
    angle = np.deg2rad(12)
    axes = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    spacing = np.array([1.5, 1.5, 3.0])
    origin = -axes @ ((np.array(size) - 1) * spacing / 2) + (12, -30, 40)
    geometry = Geometry(size, tuple(spacing), tuple(origin), tuple(axes.ravel()))
    half = np.array(geometry.extent_mm) / 2
    index = np.stack(np.meshgrid(*[np.arange(n) for n in geometry.shape], indexing="ij"), axis=-1)[..., ::-1]
    local = (index - (np.array(size) - 1) / 2) * spacing / half  # (z, y, x, 3) in -1..1
    radius = np.linalg.norm(local / [0.8, 0.75, 0.85], axis=-1)
    image = 80.0 / (1 + np.exp((radius - 1) * 25))
    for _ in range(30):
        centre, widths = rng.uniform(-0.5, 0.5, 3), rng.uniform(0.08, 0.25, 3)
        distance = np.linalg.norm((local - centre) / widths, axis=-1)
        image += rng.uniform(-60, 90) / (1 + np.exp((distance - 1) * 8)) * (radius < 1)
    image += rng.normal(0, 2, image.shape)
    inside = np.argwhere(radius < 0.9)[:, ::-1]
    landmarks = geometry.index_to_physical(inside[rng.choice(len(inside), 100, replace=False)])
    return Volume(image.astype(np.float32), geometry, "synthetic"), landmarks


def _spread(where: np.ndarray, geometry: Geometry, seed: int = 1, count: int = 200) -> np.ndarray:
    index = np.argwhere(where)[:, ::-1]
    chosen = np.random.default_rng(seed).choice(len(index), count, replace=False)
    return geometry.index_to_physical(index[chosen])


def lung(data: Path) -> tuple[Volume, np.ndarray]:
    """Lung CT and those of its 100 published landmarks that lie in the published (cropped) image: 51."""
    folder = data / "elastix_lung_pair"
    volume = read_volume(folder / "baseline_3DCT_lung.mha")
    lines = (folder / "3DCT_lung_baseline_landmarks.txt").read_text(encoding="utf-8").split("\n")[2:]
    points = np.array([[float(v) for v in line.split()] for line in lines if line.strip()])
    index = volume.geometry.physical_to_index(points)
    return volume, points[((index >= 0) & (index <= np.array(volume.geometry.size) - 1)).all(axis=1)]


def knee(data: Path) -> tuple[Volume, np.ndarray]:
    """Sagittal knee MR, oblique directions; 200 landmarks in tissue."""
    volume = read_volume(data / "knee_mri_mese" / "knee_mese_echo1_te6.3ms.nii.gz")
    tissue = volume.voxels > 0.15 * np.percentile(volume.voxels, 99)
    return volume, _spread(tissue, volume.geometry)


def brain(data: Path) -> tuple[Volume, np.ndarray]:
    """FLAIR of the head, oblique directions; 200 landmarks in the brain."""
    folder = data / "longitudinal_ms_mri" / "patient01"
    volume = read_volume(folder / "study1_FLAIR_defaced.nii.gz")
    mask = read_mask(folder / "study1_FLAIR_brainmask.nii.gz")
    return volume, _spread(mask.labels > 0, volume.geometry)


ANATOMIES: dict[str, Callable[[Path], tuple[Volume, np.ndarray]]] = {"lung": lung, "knee": knee, "brain": brain}
