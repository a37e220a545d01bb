"""The large parity matrix: five real images × a spread of settings × all image types, for ``parity_table``.

Far too long for every test run; :mod:`parity_cases` holds the few that each run checks.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from Testing.reference.parity.parity_cases import CONFIGURATIONS, ParityCase, real_pair

EVERY_TYPE: dict[str, dict[str, Any]] = {
    "Original": {}, "Wavelet": {}, "LoG": {"sigma": [1.0, 3.0, 5.0]}, "Square": {}, "SquareRoot": {}, "Logarithm": {},
    "Exponential": {}, "Gradient": {}, "LBP2D": {}, "LBP3D": {},
}  # fmt: skip
# The CT phantom spans 4,000 HU, the prostate's filtered images thousands of levels of width 5: PyRadiomics would take
# hours over such matrices.
_WIDER = (
    "all types, bin width 30, distances 1 and 2",
    {"binWidth": 30, "distances": [1, 2], "symmetricalGLCM": False},
)
_COUNTED = ("wavelet bior2.2, two levels from 1, bin count 64", {"binCount": 64})
LESS: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {
    ("ct", "bin width 1"): ("bin width 12", {"binWidth": 12}),
    ("ct", "bin width 3.7"): ("bin width 14.3", {"binWidth": 14.3}),
    ("ct", "all types, normalised"): (
        "all types, normalised, bin width 20", {"normalize": True, "normalizeScale": 100, "binWidth": 20},
    ),
    ("ct", "all types, bin width 5, distances 1 and 2"): _WIDER,
    ("ct", "wavelet bior2.2, two levels from 1"): _COUNTED,
    ("prostate", "wavelet bior2.2, two levels from 1"): _COUNTED,
    ("prostate", "all types, bin width 5, distances 1 and 2"): _WIDER,
}  # fmt: skip
ALL_FAMILIES = ("shape", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")

IMAGES = {
    "brain1": ("brain1", 1), "brain2": ("brain2", 1), "breast1": ("breast1", 1), "CT phantom": ("ct", 1),
    "prostate phantom, label 1": ("prostate", 1), "prostate phantom, label 7": ("prostate", 7),
    "prostate phantom, label 8": ("prostate", 8), "prostate phantom, label 9": ("prostate", 9),
}  # fmt: skip

# Settings acting before or after the image types: on the original image of every real image.
SPREAD: dict[str, dict[str, Any]] = {
    **CONFIGURATIONS,
    "normalised": {"normalize": True, "normalizeScale": 100},
    "normalised, outliers removed": {"normalize": True, "normalizeScale": 100, "removeOutliers": 2, "binWidth": 10},
    **{
        f"resampled 3 mm, {name[4:]}": {"resampledPixelSpacing": [3, 3, 3], "interpolator": name}
        for name in ("sitkNearestNeighbor", "sitkLinear", "sitkBSpline", "sitkGaussian", "sitkLanczosWindowedSinc",
                     "sitkHammingWindowedSinc")
    },
    "resampled 1.5 mm, pad 10": {"resampledPixelSpacing": [1.5, 1.5, 1.5], "padDistance": 10},
    "cropped first": {"preCrop": True, "padDistance": 3},
    "bin count 8": {"binCount": 8},
    "bin width 1": {"binWidth": 1},
    "bin width 60": {"binWidth": 60},
    "shifted values": {"voxelArrayShift": 2000},
    "re-segmented, absolute": {"resegmentRange": [20, 900]},
    "re-segmented, absolute, lower only": {"resegmentRange": [100]},
    "re-segmented, relative": {"resegmentRange": [0.2, 0.8], "resegmentMode": "relative"},
    "re-segmented, sigma, shape too": {"resegmentRange": [-1.5, 1.5], "resegmentMode": "sigma", "resegmentShape": True},
    "distances 2": {"distances": [2]},
    "distances 1, 2 and 3": {"distances": [1, 2, 3]},
    **{f"force2D, axis {axis}": {"force2D": True, "force2Ddimension": axis} for axis in range(3)},
    "force2D, distances 1 and 2": {"force2D": True, "distances": [1, 2]},
    "force2D, weighted": {"force2D": True, "weightingNorm": "euclidean"},
    **{f"weighted, {norm}": {"weightingNorm": norm} for norm in ("euclidean", "manhattan", "infinity", "no_weighting")},
    "asymmetrical": {"symmetricalGLCM": False},
    "alpha 2": {"gldm_a": 2},
    "force2D, alpha 1, bin count 16": {"force2D": True, "gldm_a": 1, "binCount": 16},
}  # fmt: skip

# Settings that meet every image type.
FILTERED: dict[str, dict[str, Any]] = {
    "all types": {"imageType": EVERY_TYPE},
    "all types, bin count 32": {"imageType": EVERY_TYPE, "setting": {"binCount": 32}},
    "all types, bin width 5, distances 1 and 2": {
        "imageType": EVERY_TYPE, "setting": {"binWidth": 5, "distances": [1, 2], "symmetricalGLCM": False},
    },
    "all types, force2D": {"imageType": EVERY_TYPE, "setting": {"force2D": True}},
    "all types, force2D, axis 1": {"imageType": EVERY_TYPE, "setting": {"force2D": True, "force2Ddimension": 1}},
    "all types, resampled 2 mm": {"imageType": EVERY_TYPE, "setting": {"resampledPixelSpacing": [2, 2, 2]}},
    "all types, resampled 2.5 mm, linear": {
        "imageType": EVERY_TYPE, "setting": {"resampledPixelSpacing": [2.5, 2.5, 2.5], "interpolator": "sitkLinear"},
    },
    "all types, normalised": {
        "imageType": EVERY_TYPE, "setting": {"normalize": True, "normalizeScale": 100, "binWidth": 10},
    },
    "all types, re-segmented": {
        "imageType": EVERY_TYPE, "setting": {"resegmentRange": [-2, 2], "resegmentMode": "sigma"},
    },
    "all types, cropped first": {"imageType": EVERY_TYPE, "setting": {"preCrop": True, "padDistance": 4}},
    "wavelet haar": {"imageType": {"Wavelet": {"wavelet": "haar"}}},
    "wavelet db4, two levels": {"imageType": {"Wavelet": {"wavelet": "db4", "level": 2}}},
    "wavelet sym3, from level 1": {"imageType": {"Wavelet": {"wavelet": "sym3", "start_level": 1}}},
    "wavelet bior2.2, two levels from 1": {
        "imageType": {"Wavelet": {"wavelet": "bior2.2", "start_level": 1, "level": 2}},
    },
    "wavelet rbio1.3, force2D": {"imageType": {"Wavelet": {"wavelet": "rbio1.3"}}, "setting": {"force2D": True}},
    "LoG 0.5, 1.5, 2 and 4.25 mm": {"imageType": {"LoG": {"sigma": [0.5, 1.5, 2, 4.25]}}},
    "gradient in voxels": {"imageType": {"Gradient": {"gradientUseSpacing": False}}},
    "LBP2D, radius 2, 12 samples": {"imageType": {"LBP2D": {"lbp2DRadius": 2, "lbp2DSamples": 12, "binWidth": 1}}},
    "LBP2D, default method": {"imageType": {"LBP2D": {"lbp2DMethod": "default", "lbp2DSamples": 8, "binWidth": 1}}},
    "LBP2D, ror": {"imageType": {"LBP2D": {"lbp2DMethod": "ror", "lbp2DSamples": 8, "binWidth": 1}}},
    "LBP2D, var": {"imageType": {"LBP2D": {"lbp2DMethod": "var", "lbp2DSamples": 8, "binCount": 16}}},
    "LBP3D, three levels": {"imageType": {"LBP3D": {"lbp3DLevels": 3, "binWidth": 0.1}}},
    "LBP3D, radius 2, subdivision 2": {
        "imageType": {"LBP3D": {"lbp3DIcosphereRadius": 2, "lbp3DIcosphereSubdivision": 2, "binCount": 24}},
    },
    "a bin width for each type": {
        "imageType": {"Original": {"binWidth": 10}, "Wavelet": {"binWidth": 4}, "LoG": {"sigma": [2.0], "binWidth": 2},
                      "Gradient": {"binCount": 20}, "LBP2D": {"binWidth": 1}},
    },
}  # fmt: skip


def matrix_cases() -> Iterator[ParityCase]:
    """Give every case of the matrix."""
    for image, (name, label) in IMAGES.items():
        for title, setting in SPREAD.items():
            title, setting = LESS.get((name, title), (title, setting))
            yield _case(image, name, title, {"setting": {**setting, "label": label}})
        for title, params in FILTERED.items():
            title, setting = LESS.get((name, title), (title, params.get("setting", {})))
            yield _case(image, name, title, {**params, "setting": {**setting, "label": label}})
        yield _case(image, name, "features on request", {
            "setting": {"label": label},
            "featureClass": {"firstorder": ["StandardDeviation", "Mean"],
                             "shape": ["Compactness1", "Compactness2", "SphericalDisproportion"]},
        })  # fmt: skip
    for image in ("brain1", "brain2", "breast1"):
        yield ParityCase(
            f"{image}, mask on another grid", "real", {"setting": {"correctMask": True}},
            lambda folder, image=image: other_grid(real_pair(folder, image)),
        )  # fmt: skip
        for axis in range(3):
            yield ParityCase(
                f"{image}, one slice, shape2D, axis {axis}", "real",
                {
                    "setting": {"force2D": True, "force2Ddimension": axis},
                    "featureClass": dict.fromkeys(("shape2D", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")),
                },
                lambda folder, image=image, axis=axis: one_slice(real_pair(folder, image), axis),
            )  # fmt: skip


QUICK = (
    "breast1, all types", "breast1, all types, force2D", "breast1, all types, resampled 2 mm",
    "breast1, wavelet bior2.2, two levels from 1", "breast1, LBP2D, default method", "breast1, gradient in voxels",
    "breast1, a bin width for each type", "breast1, force2D, axis 1", "breast1, force2D, weighted",
    "breast1, one slice, shape2D, axis 0", "breast1, one slice, shape2D, axis 2", "breast1, mask on another grid",
    "breast1, cropped first", "breast1, resampled 3 mm, Gaussian", "breast1, features on request",
    "prostate phantom, label 1, default", "prostate phantom, label 7, weighted, infinity",
    "prostate phantom, label 8, re-segmented, sigma", "brain2, distances 1, 2 and 3",
)  # fmt: skip
"""Cases of the matrix that every run of the tests checks, and whose values are frozen."""


def quick_cases() -> list[ParityCase]:
    """Return the few cases of the matrix that are checked in every run."""
    by_name = {case.name: case for case in matrix_cases()}
    return [by_name[name] for name in QUICK]


def _case(image: str, name: str, title: str, params: dict[str, Any]) -> ParityCase:
    # without a list PyRadiomics would also ask for shape2D, and refuse force2D for every thick ROI
    params = {"featureClass": dict.fromkeys(ALL_FAMILIES), **params}
    return ParityCase(f"{image}, {title}", "real", params, lambda folder, name=name: load(folder, name))


@cache
def load(folder: Path | None, name: str) -> tuple[sitk.Image, sitk.Image]:
    """Read one of the five images and its mask."""
    assert folder is not None
    if name == "ct":
        where = folder / "ibsi_ct_phantom_NC"
        return sitk.ReadImage(str(where / "phantom.nii.gz")), sitk.ReadImage(str(where / "mask.nii.gz"))
    if name == "prostate":
        stem = str(folder / "pyradiomics" / "prostate_phantom_subvolume")
        return sitk.ReadImage(f"{stem}.nrrd"), sitk.ReadImage(f"{stem}-label.nrrd")
    return real_pair(folder, name)


def other_grid(pair: tuple[sitk.Image, sitk.Image]) -> tuple[sitk.Image, sitk.Image]:
    """Put the mask on a cropped grid of half the spacing, as a segmentation tool may save it."""
    image, mask = pair
    inside = np.argwhere(sitk.GetArrayFromImage(mask) > 0)[:, ::-1]
    lower, upper = inside.min(axis=0) - 1, inside.max(axis=0) + 2
    mask = mask[tuple(slice(int(lo), int(up)) for lo, up in zip(lower, upper, strict=True))]
    size = [2 * n for n in mask.GetSize()]
    spacing = [s / 2 for s in mask.GetSpacing()]
    moved = sitk.Resample(mask, size, sitk.Transform(), sitk.sitkNearestNeighbor, mask.GetOrigin(), spacing,
                          mask.GetDirection())  # fmt: skip
    return image, moved


def one_slice(pair: tuple[sitk.Image, sitk.Image], axis: int) -> tuple[sitk.Image, sitk.Image]:
    """Keep the mask's largest slice across an axis (z, y, x)."""
    image, mask = pair
    labels = sitk.GetArrayFromImage(mask)
    others = tuple(a for a in range(3) if a != axis)
    best = int(np.argmax((labels > 0).sum(axis=others)))
    kept = np.zeros_like(labels)
    where = (slice(None),) * axis + (best,)
    kept[where] = labels[where]
    single = sitk.GetImageFromArray(kept)
    single.CopyInformation(mask)
    return image, single
