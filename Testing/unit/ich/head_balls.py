"""SYNTHETIC heads for tests of single parts: a ball of brain in a shell of bone, a haematoma, noise. Nobody's images.

The phantoms of the package are richer; these are quick, and their truth can be written down in a line.
"""

import csv
from pathlib import Path

import numpy as np

from deepradiomics.images import Geometry, Mask, Volume, write_mask, write_volume

Triple = tuple[float, float, float]


def head(
    *,
    spacing_mm: Triple = (2.0, 2.0, 2.0),
    size: int = 64,
    radius_mm: float = 10.0,
    centre_mm: Triple = (0.0, 0.0, 0.0),
    density_hu: float = 65.0,
    seed: int = 0,
) -> tuple[Volume, Mask]:
    """A head of 150 mm with one spherical haematoma; as many slices as 128 mm need."""
    count = (size, size, max(8, round(128 / spacing_mm[2])))
    origin = tuple(-(n - 1) / 2 * s for n, s in zip(count, spacing_mm, strict=True))
    grid = Geometry(count, spacing_mm, origin)  # type: ignore[arg-type]
    distance = _distance(grid, np.zeros(3))
    voxels = np.full(grid.shape, -1000.0)
    voxels[distance < 75] = 800.0
    voxels[distance < 68] = 32.0
    mask = ball_mask(grid, centre_mm, radius_mm)
    voxels[mask.labels > 0] = density_hu
    voxels += np.random.default_rng(seed).normal(0, 4, grid.shape)
    return Volume(voxels.astype(np.float32), grid, name="SYNTHETIC head"), mask


def ball_mask(grid: Geometry, centre_mm: object, radius_mm: float) -> Mask:
    """Label 1 where voxel centres lie in a ball."""
    return Mask((_distance(grid, np.asarray(centre_mm, float)) <= radius_mm).astype(np.uint8), grid)


def oblique(degrees: Triple, spacing_mm: Triple, size: tuple[int, int, int] = (100, 110, 40)) -> Geometry:
    """A grid turned about the three axes."""
    turned = np.eye(3)
    for axis, angle in enumerate(np.radians(degrees)):
        c, s = np.cos(angle), np.sin(angle)
        i, j = [n for n in range(3) if n != axis]
        turn = np.eye(3)
        turn[i, i], turn[j, j], turn[i, j], turn[j, i] = c, c, -s, s
        turned = turned @ turn
    return Geometry(size, spacing_mm, (-30.0, 12.0, 44.0), tuple(turned.ravel()))


def write_heads(folder: Path, cases: int = 12, *, seed: int = 0, column: str = "image") -> Path:
    """Write heads with haematomas of other size, place and density, and their manifest.csv."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.txt").write_text("SYNTHETIC: balls in balls.\n", encoding="utf-8")
    rows = []
    for case in range(cases):
        name = f"ball-s{seed}-{case:02d}"
        volume, mask = head(
            spacing_mm=(4.0, 4.0, 4.0), size=40, radius_mm=rng.uniform(7, 20), centre_mm=tuple(rng.uniform(-25, 25, 3)),
            density_hu=rng.uniform(45, 85), seed=1000 * seed + case,
        )  # fmt: skip
        write_volume(volume, folder / f"{name}_ct.nii.gz")
        write_mask(mask, folder / f"{name}_mask.nii.gz")
        patient = f"p{seed}-{case // 2 if case < 4 else case}"  # the first four scans are of two patients
        rows.append({"id": name, "patient": patient, column: f"{name}_ct.nii.gz", "mask": f"{name}_mask.nii.gz"})
    with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return folder / "manifest.csv"


def _distance(grid: Geometry, centre: np.ndarray) -> np.ndarray:
    z, y, x = np.indices(grid.shape)
    return np.linalg.norm(grid.index_to_physical(np.stack([x, y, z], axis=-1)) - centre, axis=-1)
