"""SYNTHETIC: small cohorts of two modalities on two grids, tables of embeddings that carry their radiomics, a lens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from deepradiomics.cohort import Manifest, ManifestRow, read_manifest, write_manifest
from deepradiomics.images import Geometry, Mask, Volume, write_mask, write_volume
from deepradiomics.lens.config import LensConfig
from deepradiomics.lens.encoders.embeddings import Embeddings

T2 = Geometry((20, 18, 10), (1.0, 1.0, 2.0), (-9.5, -8.5, -9.0))
ADC = Geometry((12, 11, 9), (1.8, 1.8, 2.2), (-9.4, -9.2, -8.6))
PARAMS = """
imageType: {Original: {}, Wavelet: {}}
featureClass:
  firstorder: [Mean, Variance, Skewness, 90Percentile]
  glcm: [Contrast, Correlation]
setting: {binWidth: 25}
"""
N_FEATURES = 6 * 9  # four and two features of the original and of eight wavelet images


def ellipsoid(geometry: Geometry, centre: Sequence[float] = (0, 0, 0), radius: float = 6.0) -> np.ndarray:
    """Voxels (z, y, x) within a ball."""
    points = geometry.index_to_physical(np.indices(geometry.shape)[::-1].transpose(1, 2, 3, 0))
    return (((points - np.array(centre)) ** 2).sum(axis=-1) < radius**2).astype(np.uint8)


def cohort(
    folder: Path, cases: int = 16, *, patients: int | None = None, centre: Sequence[float] = (0, 0, 0), seed: int = 0
) -> Path:
    """Write a cohort and return its manifest; textures differ from case to case in roughness and contrast.

    Args:
        folder: made if absent.
        cases: scans.
        patients: men they belong to, dealt in turn; every scan another man when None.
        centre: of the gland, LPS millimetres.
        seed: of everything.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for n in range(cases):
        case, files = f"c{n:02d}", {}
        rough, strong = rng.uniform(0, 1), rng.uniform(0.5, 2)
        for name, geometry, level in (("t2", T2, 300.0), ("adc", ADC, 1200.0)):
            noise = rng.normal(0, 1, geometry.shape)
            smooth = (noise + np.roll(noise, 1, 1) + np.roll(noise, 1, 2) + np.roll(noise, 1, 0)) / 2
            voxels = level + 60 * strong * (rough * noise + (1 - rough) * smooth)
            files[name] = folder / f"{case}_{name}.nrrd"
            write_volume(Volume(voxels.astype(np.float32), geometry, name), files[name])
        gland = folder / f"{case}_gland.nrrd"
        write_mask(Mask(ellipsoid(T2, centre), T2, "gland"), gland)
        owner = None if patients is None else f"man{n % patients}"
        rows.append(ManifestRow(case, files, patient=owner, masks={"gland": gland}))
    (folder / "README.txt").write_text("SYNTHETIC: noise in two modalities.\n", encoding="utf-8")
    manifest = Manifest(tuple(rows), ("t2", "adc"), (), folder / "manifest.csv", rois=("gland",))
    return write_manifest(manifest, folder / "manifest.csv")


def read(path: Path) -> Manifest:
    """Read a manifest of :func:`cohort`."""
    return read_manifest(path, need_labels=False)


def params(folder: Path, text: str = PARAMS) -> Path:
    """A parameter file of few features, so that tests stay quick."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "features.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def config(folder: Path, **changes: object) -> LensConfig:
    """A lens small enough for sixteen cases."""
    given = {"preset": "tiny", "hidden": 4, "epochs": 20, "bootstraps": 20, "params": str(params(folder))}
    return LensConfig.from_dict({**given, **changes})


def embeddings(ids: Sequence[str], d: int = 5, seed: int = 0, drift: float = 0.0) -> Embeddings:
    """A table of numbers; ``drift`` adds other numbers, as a fine-tuning would."""
    rng = np.random.default_rng([seed, d])
    values = rng.normal(size=(len(ids), d))
    return Embeddings(tuple(ids), values + drift * rng.normal(size=values.shape))
