"""Heads made of ellipsoids, by hand and in no time: what tests of segmentation need. SYNTHETIC."""

import csv
from pathlib import Path

import numpy as np

from deepradiomics.ich.segmenter.config import SegmenterConfig, SegmenterTraining
from deepradiomics.images import Geometry, Mask, Volume, write_mask, write_volume
from deepradiomics.prepare.head.head import HeadRecipe

SHAPE, SPACING = (32, 68, 58), (3.0, 3.0, 5.0)  # (z, y, x) and (x, y, z)
CENTRE = (5.0, -3.0, 8.0)  # of the brain, LPS: not the middle of the image
BRAIN_HU, BLOOD_HU = 32.0, 66.0
RECIPE = HeadRecipe(size_zyx=(16, 16, 16), spacing_mm=12.0)


def grid(spacing: tuple[float, float, float] = SPACING, shape: tuple[int, int, int] = SHAPE) -> Geometry:
    size = shape[::-1]
    origin = tuple(-(count - 1) / 2 * step for count, step in zip(size, spacing, strict=True))
    return Geometry(size, spacing, origin)  # type: ignore[arg-type]


def points(geometry: Geometry) -> np.ndarray:
    """(z, y, x, 3): LPS of all voxel centres."""
    index = np.stack(np.meshgrid(*(np.arange(n) for n in geometry.shape), indexing="ij"), -1)[..., ::-1]
    return geometry.index_to_physical(index)


def ball_head(
    blood_mm: tuple[float, float, float] = (25.0, 0.0, 10.0),
    radius_mm: float = 18.0,
    *,
    geometry: Geometry | None = None,
    seed: int = 0,
    noise_hu: float = 4.0,
) -> tuple[Volume, Mask]:
    """A head (air, scalp, skull, brain) with a ball of blood at ``blood_mm`` from the middle of the brain."""
    geometry = geometry or grid()
    at = points(geometry) - CENTRE
    axes = np.array([66.0, 80.0, 60.0])

    def inside(extra: float) -> np.ndarray:
        return ((at / (axes + extra)) ** 2).sum(-1) < 1

    voxels = np.full(geometry.shape, -1000.0)
    for extra, level in ((14.0, 40.0), (9.0, 900.0), (0.0, BRAIN_HU)):
        voxels[inside(extra)] = level
    blood = (np.linalg.norm(at - blood_mm, axis=-1) < radius_mm) & inside(0.0)
    voxels[blood] = BLOOD_HU
    voxels += np.random.default_rng(seed).normal(0, noise_hu, voxels.shape)
    voxels = np.clip(np.rint(voxels), -1024, 3071).astype(np.int16)
    return Volume(voxels, geometry, "head"), Mask(blood.astype(np.uint8), geometry, "blood")


def write_heads(folder: Path, cases: int, seed: int = 0) -> Path:
    """Write heads and their manifest; every third patient has two scans."""
    generator = np.random.default_rng(seed)
    rows = []
    for n in range(cases):
        side = -1 if generator.random() < 0.5 else 1
        place = (side * generator.uniform(15, 35), generator.uniform(-30, 30), generator.uniform(-15, 20))
        volume, mask = ball_head(place, generator.uniform(14, 24), seed=seed + n)
        files = {"image": Path("ct") / f"head{n:02d}.nii.gz", "mask": Path("ct") / f"head{n:02d}-mask.nii.gz"}
        write_volume(volume, folder / files["image"])
        write_mask(mask, folder / files["mask"])
        patient = f"person{n - 1 if n % 3 == 2 else n:02d}"
        rows.append({
            "id": f"head{n:02d}", "patient": patient, "image": files["image"].as_posix(),
            "mask": files["mask"].as_posix(), "value_mrs": n % 7, "sex": "FM"[n % 2],
        })  # fmt: skip
    (folder / "README.txt").write_text("SYNTHETIC heads of ellipsoids\n", encoding="utf-8")
    return write_rows(folder / "manifest.csv", rows)


def write_rows(path: Path, rows: list[dict[str, object]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return path


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def config(scales: str = "dual", **training: object) -> SegmenterConfig:
    """Small enough for a second of training."""
    chosen = {"epochs": 3, "batch_size": 2, "learning_rate": 5e-3, "shift_mm": 6.0, **training}
    return SegmenterConfig("tiny", scales, (4, 6, 8), 2, RECIPE, SegmenterTraining(**chosen))  # type: ignore[arg-type]
