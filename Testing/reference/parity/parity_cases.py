"""The cases on which our features are held against PyRadiomics': real images, patches, and random images and masks.

Each case is image, mask (SimpleITK) and a PyRadiomics parameter dictionary. Random cases come from fixed seeds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "default": {},
    "bin count 32": {"binCount": 32},
    "bin width 3.7": {"binWidth": 3.7},
    "resampled 2 mm": {"resampledPixelSpacing": [2, 2, 2]},
    "resampled in plane, linear": {"resampledPixelSpacing": [1.5, 1.5, 0], "interpolator": "sitkLinear"},
    "normalised": {"normalize": True, "normalizeScale": 100, "removeOutliers": 3, "binWidth": 10},
    "re-segmented, sigma": {"resegmentRange": [-2, 1], "resegmentMode": "sigma"},
    "re-segmented, relative, shape too": {
        "resegmentRange": [0.3], "resegmentMode": "relative", "resegmentShape": True,
    },
    "distances 1 and 2, alpha 1": {"distances": [1, 2], "gldm_a": 1},
    "weighted, asymmetrical": {"weightingNorm": "euclidean", "symmetricalGLCM": False, "voxelArrayShift": 500},
}  # fmt: skip
REAL = ("brain1", "brain2", "breast1")
PATCH_SHAPE, PATCH_GRID = (16, 38, 64), 2
RANDOM_CASES = 30


@dataclass(frozen=True)
class ParityCase:
    """One comparison; ``load`` needs the folder of the real images for kinds ``real`` and ``patch``."""

    name: str
    kind: str
    params: dict[str, Any]
    load: Callable[[Path | None], tuple[sitk.Image, sitk.Image]]


def all_cases() -> list[ParityCase]:
    """Return every case, cheapest configuration first within each image."""
    cases = [
        ParityCase(
            f"{image}, {name}", "real", {"setting": setting}, lambda folder, image=image: real_pair(folder, image)
        )
        for image in REAL
        for name, setting in CONFIGURATIONS.items()
    ]
    cases += [
        ParityCase(f"patch {j} of brain1", "patch", {"setting": {"label": j}}, lambda folder: patch_pair(folder))
        for j in range(1, PATCH_GRID**3 + 1)
    ]
    cases += [
        ParityCase(f"random {seed}", "random", random_params(seed), lambda folder, seed=seed: random_pair(seed))
        for seed in range(RANDOM_CASES)
    ]
    return cases


def real_pair(folder: Path | None, name: str) -> tuple[sitk.Image, sitk.Image]:
    """Return one of PyRadiomics' own test images and its mask."""
    assert folder is not None
    where = folder / "pyradiomics"
    return sitk.ReadImage(str(where / f"{name}_image.nrrd")), sitk.ReadImage(str(where / f"{name}_label.nrrd"))


def patch_pair(folder: Path | None) -> tuple[sitk.Image, sitk.Image]:
    """Return the middle of brain1, z-scored and times 100, and its 2 × 2 × 2 patches as labels 1 to 8."""
    image, _ = real_pair(folder, "brain1")
    voxels = sitk.GetArrayFromImage(image).astype(np.float32)
    start = [(n - m) // 2 for n, m in zip(voxels.shape, PATCH_SHAPE, strict=True)]
    voxels = voxels[tuple(slice(s, s + m) for s, m in zip(start, PATCH_SHAPE, strict=True))]
    voxels = (voxels - voxels.mean(dtype=float)) / voxels.std(dtype=float) * 100
    z, y, x = (np.arange(m) * PATCH_GRID // m for m in PATCH_SHAPE)
    labels = 1 + (z[:, None, None] * PATCH_GRID + y[:, None]) * PATCH_GRID + x
    return _pair(voxels.astype(np.float32), labels.astype(np.int32), image.GetSpacing())


def random_pair(seed: int) -> tuple[sitk.Image, sitk.Image]:
    """Return a small random image of any number type and a mask with holes, parts and touching borders."""
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.integers(2, 14, 3))
    if seed % 5 == 0:
        shape = (1, *shape[1:])  # one slice
    kind = ("noise", "smooth", "few levels", "negative", "flat")[seed % 5 if seed % 7 else 4]
    voxels = rng.normal(100, 40, shape)
    if kind == "smooth":
        voxels = np.cumsum(voxels, axis=2)
    elif kind == "few levels":
        voxels = rng.choice([10.0, 90.0, 130.0], shape)
    elif kind == "negative":
        voxels -= 400
    elif kind == "flat":
        voxels[:] = 55.5
    dtype = ("int16", "float32", "float64", "int32")[seed % 4]
    labels = (rng.random(shape) < (0.25, 0.6, 0.95)[seed % 3]).astype(np.uint8)
    labels.flat[0], labels.flat[-1], labels.flat[1] = 1, 1, 0
    return _pair(voxels.astype(dtype), labels, tuple(rng.uniform(0.5, 3, 3)))


def random_params(seed: int) -> dict[str, Any]:
    """Return settings for a random case."""
    setting: dict[str, Any] = {"binWidth": (25, 10.0, 4.5)[seed % 3]}
    if seed % 4 == 1:
        setting = {"binCount": 3 + seed}
    if seed % 6 == 2:
        setting["weightingNorm"] = ("manhattan", "infinity", "no_weighting")[seed // 6 % 3]
    if seed % 6 == 3:
        setting["distances"] = [1, 3]
    if seed % 6 == 4:
        setting |= {"symmetricalGLCM": False, "gldm_a": 2}
    return {"setting": setting}


def _pair(voxels: np.ndarray, labels: np.ndarray, spacing: tuple[float, ...]) -> tuple[sitk.Image, sitk.Image]:
    image, mask = sitk.GetImageFromArray(voxels), sitk.GetImageFromArray(labels)
    for one in (image, mask):
        one.SetSpacing([float(s) for s in spacing])
    return image, mask
