"""Random images, masks and settings from a seed: everything an ROI can be, small enough for thousands of runs."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import SimpleITK as sitk

DTYPES = ("uint8", "int16", "uint16", "int32", "float32", "float64")
IMAGE_KINDS = (
    "noise", "smooth", "few levels", "negative", "flat", "plateaus", "speck", "tiny values", "large values", "skewed",
)  # fmt: skip
MASK_KINDS = (
    "scattered", "dense", "ball", "ball with hole", "several parts", "box", "touching the border", "one slice",
    "all but one voxel", "line and specks", "many labels",
)  # fmt: skip
FILTERS: dict[str, tuple[dict[str, Any], ...]] = {
    "Wavelet": ({}, {"wavelet": "haar"}, {"wavelet": "db2", "level": 2}, {"wavelet": "sym4", "start_level": 1}),
    "LoG": ({"sigma": [1.0]}, {"sigma": [0.7, 2.5]}, {"sigma": [3]}),
    "Square": ({},), "SquareRoot": ({},), "Logarithm": ({},), "Exponential": ({},),
    "Gradient": ({}, {"gradientUseSpacing": False}),
    "LBP2D": ({"binWidth": 1}, {"binWidth": 1, "lbp2DRadius": 2, "lbp2DSamples": 8, "lbp2DMethod": "default"}),
    "LBP3D": ({"binWidth": 0.1}, {"binWidth": 0.25, "lbp3DLevels": 3}),
}  # fmt: skip
FAMILIES = ("shape", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")
INTERPOLATORS = ("sitkNearestNeighbor", "sitkLinear", "sitkBSpline", "sitkGaussian", "sitkLanczosWindowedSinc")


@dataclass(frozen=True)
class FuzzCase:
    """One random input; the seed alone makes it again."""

    seed: int
    image: sitk.Image
    mask: sitk.Image
    params: dict[str, Any]
    image_kind: str
    mask_kind: str
    dtype: str


def fuzz_case(seed: int, *, filters: bool = True) -> FuzzCase:
    """Return the random input of a seed."""
    rng = np.random.default_rng([20261121, seed])
    shape = tuple(int(n) for n in rng.integers(3, 14, 3))
    if rng.random() < 0.1:
        shape = tuple(1 if axis == rng.integers(3) else n for axis, n in enumerate(shape))
    image_kind, mask_kind, dtype = (str(rng.choice(names)) for names in (IMAGE_KINDS, MASK_KINDS, DTYPES))
    voxels = _as_type(_voxels(image_kind, shape, rng), dtype)
    labels = _labels(mask_kind, shape, rng)
    params = _params(rng, voxels, labels, filters)
    if mask_kind == "one slice" and params["setting"].get("force2D"):
        thin = (
            [axis for axis in range(3) if np.ptp(np.argwhere(labels == 1)[:, axis]) == 0] if (labels == 1).any() else []
        )
        if thin and "resampledPixelSpacing" not in params["setting"]:
            params["setting"]["force2Ddimension"] = thin[0]
            params["featureClass"] = dict.fromkeys(("shape2D", *FAMILIES))
    spacing = [float(s) for s in np.round(rng.uniform(0.5, 4, 3), rng.integers(1, 4))]
    origin = [float(s) for s in np.round(rng.uniform(-200, 200, 3), 1)]
    image, mask = (_on_grid(array, spacing, origin, rng.integers(3)) for array in (voxels, labels))
    mask.CopyInformation(image)
    return FuzzCase(seed, image, mask, params, image_kind, mask_kind, dtype)


def _voxels(kind: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    noise = rng.normal(100, 40, shape)
    if kind == "smooth":
        return np.cumsum(noise - 80, axis=int(rng.integers(3)))
    if kind == "few levels":
        return rng.choice([10.0, 90.0, 130.0], shape)
    if kind == "negative":
        return noise - 1000
    if kind == "flat":
        return np.full(shape, 55.5)
    if kind == "plateaus":
        return np.kron(rng.integers(0, 9, [-(-n // 3) for n in shape]) * 25.0, np.ones((3, 3, 3)))[_first(shape)]
    if kind == "speck":
        flat = np.full(shape, 40.0)
        flat[tuple(rng.integers(shape))] = 300.0
        return flat
    if kind == "tiny values":
        return noise * 1e-4
    if kind == "large values":
        return noise * 1e5
    return rng.lognormal(3, 1, shape) if kind == "skewed" else noise


def _as_type(voxels: np.ndarray, dtype: str) -> np.ndarray:
    if np.dtype(dtype).kind in "iu":
        limits = np.iinfo(dtype)
        voxels = np.clip(np.rint(voxels), limits.min, limits.max)
    return voxels.astype(dtype)


def _labels(kind: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    z, y, x = np.indices(shape)
    centre, half = [(n - 1) / 2 for n in shape], [max(n / 2, 1) for n in shape]
    radius = np.sqrt(sum(((a - c) / h) ** 2 for a, c, h in zip((z, y, x), centre, half, strict=True)))
    if kind == "scattered":
        inside = rng.random(shape) < 0.25
    elif kind == "dense":
        inside = rng.random(shape) < 0.9
    elif kind in ("ball", "ball with hole"):
        inside = radius < 0.95
        if kind == "ball with hole":
            inside &= radius > 0.4
    elif kind == "several parts":
        inside = (x // 2 + y // 3 + z // 2) % 3 == 0
    elif kind == "box":
        inside = np.zeros(shape, bool)
        inside[tuple(slice(n // 4, max(n // 4 + 1, 3 * n // 4)) for n in shape)] = True
    elif kind == "touching the border":
        inside = x <= y.max() // 2 + 1
    elif kind == "one slice":
        axis = int(rng.integers(3))
        inside = (np.indices(shape)[axis] == shape[axis] // 2) & (rng.random(shape) < 0.8)
    elif kind == "line and specks":
        inside = ((y == shape[1] // 2) & (z == shape[0] // 2)) | (rng.random(shape) < 0.03)
    else:
        inside = np.ones(shape, bool)
    labels = inside.astype(np.uint8)
    if kind == "many labels":
        labels = rng.integers(0, 4, shape).astype(np.uint8)
        labels.flat[-1] = 1
    labels.flat[int(rng.integers(labels.size))] = 0  # PyRadiomics refuses a mask without any background
    return labels


def _params(rng: np.random.Generator, voxels: np.ndarray, labels: np.ndarray, filters: bool) -> dict[str, Any]:
    inside = voxels[labels == 1].astype(float)
    span = float(np.ptp(inside)) if inside.size else 0.0
    span = span or 25.0  # a flat ROI has one level whatever the width
    setting: dict[str, Any] = {"minimumROIDimensions": int(rng.integers(1, 3))}

    def sometimes(chance: float) -> bool:
        return bool(rng.random() < chance)

    if sometimes(0.3):
        setting["binCount"] = int(rng.integers(1, 60))
    else:  # 2 to 50 levels, widths with few digits, so that values meet edges
        width = span / rng.uniform(2, 50)
        setting["binWidth"] = float(f"{width:.{int(rng.integers(1, 4))}g}")
    if sometimes(0.15):
        scale = float(rng.choice([1, 100]))
        setting |= {"normalize": True, "normalizeScale": scale, "binWidth": 0.1 * scale}
        if sometimes(0.5):
            setting["removeOutliers"] = float(rng.choice([1, 2, 2.5]))
    if sometimes(0.15):
        names = INTERPOLATORS if min(voxels.shape) >= 4 else ("sitkNearestNeighbor", "sitkLinear")
        setting["resampledPixelSpacing"] = [float(s) for s in np.round(rng.uniform(0.8, 4, 3), 1)]
        setting["interpolator"] = str(rng.choice(names))
        setting["padDistance"] = int(rng.integers(0, 8))
    elif sometimes(0.1):
        setting |= {"preCrop": True, "padDistance": int(rng.integers(0, 4))}
    if sometimes(0.15):
        mode = str(rng.choice(["absolute", "relative", "sigma"]))
        low, high = np.percentile(inside, [15, 90]) if inside.size else (0, 1)
        limits = {"absolute": [float(low), float(high)], "relative": [0.2, 0.9], "sigma": [-1.5, 2]}[mode]
        setting |= {"resegmentRange": limits, "resegmentMode": mode, "resegmentShape": sometimes(0.3)}
    if sometimes(0.25):
        setting |= {"force2D": True, "force2Ddimension": int(rng.integers(3))}
    if sometimes(0.2):
        setting["distances"] = [[1, 2], [2], [1, 3], [1, 2, 3]][int(rng.integers(4))]
    if sometimes(0.2):
        setting["weightingNorm"] = str(rng.choice(["euclidean", "manhattan", "infinity", "no_weighting"]))
    if sometimes(0.2):
        setting["symmetricalGLCM"] = False
    if sometimes(0.2):
        setting["gldm_a"] = int(rng.integers(1, 4))
    if sometimes(0.2):
        setting["voxelArrayShift"] = int(rng.integers(-100, 2000))
    types: dict[str, dict[str, Any]] = {"Original": {}}
    if filters and sometimes(0.45):
        for name in rng.choice(list(FILTERS), int(rng.integers(1, 3)), replace=False):
            own = FILTERS[str(name)]
            types[str(name)] = dict(own[int(rng.integers(len(own)))])
            if not str(name).startswith("LBP") and "binCount" not in setting:
                # results about as wide as the image itself: 10 bins or so, placed by width or by count
                bins = {"binWidth": float(f"{span / 10:.2g}")} if sometimes(0.6) else {"binCount": 20}
                types[str(name)] |= bins
    return {"imageType": types, "featureClass": dict.fromkeys(FAMILIES), "setting": setting}


def _first(shape: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(0, n) for n in shape)


def _on_grid(array: np.ndarray, spacing: list[float], origin: list[float], turn: int) -> sitk.Image:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    c, s = math.cos(0.3), math.sin(0.3)
    directions = ((1, 0, 0, 0, 1, 0, 0, 0, 1), (c, -s, 0, s, c, 0, 0, 0, 1), (0, 0, 1, 1, 0, 0, 0, 1, 0))
    image.SetDirection(directions[int(turn)])
    return image
