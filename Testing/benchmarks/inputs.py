"""The images, masks and settings that are timed: real ones where the test data are, else small synthetic stand-ins.

Knows SimpleITK and numpy only, so that the peers' own Python can import it.
"""

import os
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

Pair = tuple[sitk.Image, sitk.Image]
ROI_SHAPE, GRIDS = (16, 38, 64), (1, 2, 3)  # one exam's ROI, and its patch grids: 1 + 8 + 27 patches
WALL = (24, 56, 92)  # (z, y, x) of a 16³ box across lung and chest wall of the CT phantom: 50 levels of 25 HU
AT_1_MM = {"resampledPixelSpacing": [1, 1, 1], "interpolator": "sitkLinear", "binWidth": 25}
LESION_MM = 2.29  # at this spacing the CT phantom's tumour has about 30,000 voxels


def data() -> Path | None:
    """Folder of the real images, or None."""
    folder = os.environ.get("DEEPRADIOMICS_TEST_DATA")
    return Path(folder) if folder and Path(folder).is_dir() else None


def ct_phantom(quick: bool = False) -> Pair:
    """IBSI's CT phantom and its tumour (resampled to 1 mm: 359,733 voxels)."""
    names = ("ibsi_ct_phantom_NC/phantom.nii.gz", "ibsi_ct_phantom_NC/mask.nii.gz")
    return stored_or_synthetic(*names, (14, 24, 24), quick)


def brain_lesion(quick: bool = False) -> Pair:
    """PyRadiomics' brain1: a lesion of 4,137 voxels."""
    names = ("pyradiomics/brain1_image.nrrd", "pyradiomics/brain1_label.nrrd")
    return stored_or_synthetic(*names, (8, 16, 16), quick)


def stored_or_synthetic(image: str, mask: str, small: tuple[int, int, int], quick: bool) -> Pair:
    """Image and mask of the test data; small synthetic ones where they are not there, or for a quick run."""
    folder = data()
    if quick or folder is None:
        return synthetic(small)
    return sitk.ReadImage(str(folder / image)), sitk.ReadImage(str(folder / mask))


def chest_wall(quick: bool = False) -> Pair:
    """A box of 16³ voxels across lung and chest wall."""
    folder = data()
    if quick or folder is None:
        return synthetic((5, 5, 5), whole=True)
    image, _ = ct_phantom()
    inside = np.zeros(image.GetSize()[::-1], np.uint8)
    inside[tuple(slice(n, n + 16) for n in WALL)] = 1
    return image, like(image, inside)


def lesion_30000(quick: bool = False) -> Pair:
    """The CT phantom resampled so that the whole tumour has about 30,000 voxels."""
    image, mask = ct_phantom(quick)
    if quick or data() is None:
        return image, mask
    return resampled(image, mask, LESION_MM)


def resampled(image: sitk.Image, mask: sitk.Image, spacing_mm: float) -> Pair:
    """Return both on an isotropic grid over the same box."""
    size = [int(n * s / spacing_mm) for n, s in zip(image.GetSize(), image.GetSpacing(), strict=True)]
    grid = (size, sitk.Transform(), sitk.sitkLinear, image.GetOrigin(), [spacing_mm] * 3, image.GetDirection())
    moved = sitk.Resample(image, *grid)
    return moved, sitk.Resample(mask, moved, sitk.Transform(), sitk.sitkNearestNeighbor)


def exam() -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Three z-scored views (z, y, x) of one ROI, and the patch labels of each grid."""
    if data() is not None:
        voxels = sitk.GetArrayFromImage(brain_lesion()[0]).astype(float)
        start = [(n - m) // 2 for n, m in zip(voxels.shape, ROI_SHAPE, strict=True)]
        voxels = voxels[tuple(slice(s, s + m) for s, m in zip(start, ROI_SHAPE, strict=True))]
    else:
        voxels = np.cumsum(np.random.default_rng(0).normal(0, 1, ROI_SHAPE), axis=2)
    voxels = ((voxels - voxels.mean()) / voxels.std() * 100).astype(np.float32)
    return [np.roll(voxels, 7 * k, axis=2) for k in range(3)], [patch_grid(n) for n in GRIDS]


def patch_grid(n: int) -> np.ndarray:
    """Labels 1 ... n³ with rounded even edges."""
    z, y, x = (np.minimum(np.searchsorted(np.rint(np.arange(1, n) * m / n), np.arange(m), "right"), n - 1)
               for m in ROI_SHAPE)  # fmt: skip
    return (1 + (z[:, None, None] * n + y[:, None]) * n + x).astype(np.int32)


def synthetic(shape: tuple[int, ...], whole: bool = False, seed: int = 0) -> Pair:
    """Smooth noise with about 35 levels of width 25, and a ball in it (or all of it but a margin of two voxels)."""
    rng = np.random.default_rng(seed)
    outer = tuple(n + 4 for n in shape)
    image = sitk.GetImageFromArray(rng.normal(0, 1, outer).astype(np.float32))
    image = sitk.DiscreteGaussian(image, [1.0] * 3, maximumKernelWidth=9)
    voxels = sitk.GetArrayFromImage(image)
    image = sitk.GetImageFromArray((voxels / voxels.std() * 120).astype(np.float32))
    inside = np.zeros(outer, np.uint8)
    if whole:
        inside[2:-2, 2:-2, 2:-2] = 1
    else:
        axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij", sparse=True)
        inside[2:-2, 2:-2, 2:-2] = sum(a**2 for a in axes) <= 1
    return image, like(image, inside)


def like(image: sitk.Image, labels: np.ndarray) -> sitk.Image:
    """Return labels as an image on the same grid."""
    mask = sitk.GetImageFromArray(labels)
    mask.CopyInformation(image)
    return mask


FILTERED = {"Original": {}, "Wavelet": {}, "LoG": {"sigma": [1.0, 3.0, 5.0]}}
ICH = {**FILTERED, "Square": {}, "SquareRoot": {}, "Logarithm": {}, "Exponential": {}, "Gradient": {}, "LBP2D": {}}
FAMILIES: dict[str, Any] = dict.fromkeys(("shape", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm"))
