"""Feature maps held against PyRadiomics' voxel-based extraction: random cases, and why a value may differ.

    python Testing/reference/parity/maps_cases.py [cases]

prints how many values of each class were compared, the worst relative difference, and what was excused.
"""

import sys
import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from deepradiomics.radiomics.maps import feature_maps
from deepradiomics.radiomics.maps.request import MAP_FAMILIES
from deepradiomics.radiomics.region.region import bin_edges
from deepradiomics.radiomics.settings.settings import Settings
from Testing.reference.parity import oracle

ALL_MAPS = {family: [] for family in MAP_FAMILIES}
NOISE = 1e-9  # a value below this is the rounding noise of zero
WINDOWS: tuple[dict[str, Any], ...] = (
    {},
    {"kernelRadius": 2},
    {"maskedKernel": False},
    {"kernelRadius": 3, "maskedKernel": False},
    {"kernelRadius": 2, "initValue": -1.5, "voxelBatch": 7},
    {"voxelBatch": 1},
)
SETTINGS: tuple[dict[str, Any], ...] = (
    {},
    {"distances": [1, 2]},
    {"weightingNorm": "euclidean"},
    {"symmetricalGLCM": False, "gldm_a": 1},
    {"force2D": True},
    {"force2D": True, "force2Ddimension": 2, "distances": [1, 2]},
    {"binCount": 6},
    {"binWidth": 7.3},
    {"weightingNorm": "infinity", "symmetricalGLCM": False},
    {"weightingNorm": "no_weighting"},
    {"voxelArrayShift": 300, "binWidth": 60},
    {"resampledPixelSpacing": [1.0, 1.0, 1.0], "interpolator": "sitkLinear"},
    {"resegmentRange": [-2, 1.5], "resegmentMode": "sigma"},
    {"normalize": True, "normalizeScale": 100},
    {"preCrop": True, "padDistance": 1},
)


@dataclass
class Comparison:
    """What was compared: values by class, worst relative difference by class, and excuses by their reason."""

    compared: Counter[str] = field(default_factory=Counter)
    worst: dict[str, float] = field(default_factory=dict)
    excused: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def random_case(seed: int) -> tuple[sitk.Image, sitk.Image, dict[str, Any]]:
    """Return a small image of noise, few levels or smooth ramps, a mask with holes, and settings."""
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.integers(3, 9, 3))
    if seed % 6 == 5:
        shape = (1, *shape[1:])
    voxels = rng.normal(100, 60, shape)
    if seed % 4 == 1:
        voxels = rng.choice([10.0, 40.0, 70.0], shape)
    elif seed % 4 == 2:
        voxels = np.cumsum(voxels, axis=2) / 2
    labels = (rng.random(shape) < (0.3, 0.6, 0.95)[seed % 3]).astype(np.uint8)
    labels.flat[0], labels.flat[-1], labels.flat[1] = 1, 1, 0
    image = sitk.GetImageFromArray(voxels.astype(("int16", "float32", "float64")[seed % 3]))
    mask = sitk.GetImageFromArray(labels)
    for one in (image, mask):
        one.SetSpacing((0.8, 1.1, 2.0))
        one.SetOrigin((3.0, -7.0, 11.0))
    setting = SETTINGS[(seed * 7) % len(SETTINGS)]
    params = {"featureClass": ALL_MAPS, "setting": dict(setting), "voxelSetting": dict(WINDOWS[seed % 6])}
    return image, mask, params


def live_maps(image: sitk.Image, mask: sitk.Image, params: Mapping[str, Any]) -> dict[str, sitk.Image]:
    """Run PyRadiomics' voxel-based extraction."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return dict(oracle.extractor(params).execute(image, mask, voxelBased=True))


def compare(
    name: str, image: sitk.Image, mask: sitk.Image, params: Mapping[str, Any], result: Comparison | None = None
) -> Comparison:
    """Compare all maps of one case, values and grid, and add to ``result``."""
    result = result or Comparison()
    theirs, ours = live_maps(image, mask, params), feature_maps(image, mask, params=params)
    settings = Settings.from_params(params)
    if list(ours) != list(theirs):
        result.wrong.append(f"{name}: other keys")
        return result
    for key, other in theirs.items():
        mine = ours[key]
        for what in ("GetSize", "GetSpacing", "GetOrigin", "GetDirection", "GetPixelID"):
            if getattr(mine, what)() != getattr(other, what)():
                result.wrong.append(f"{name}: {key}: {what} {getattr(mine, what)()} {getattr(other, what)()}")
        a, b = sitk.GetArrayFromImage(mine), sitk.GetArrayFromImage(other)
        if a.shape != b.shape:
            continue
        with np.errstate(all="ignore"):
            difference = np.abs(a - b) / np.abs(b)
        difference[(a == b) | (np.maximum(np.abs(a), np.abs(b)) < NOISE) | (np.isnan(a) & np.isnan(b))] = 0
        difference[np.isnan(difference)] = np.inf
        for place in map(tuple, np.argwhere(difference > oracle.TOLERANCE)):
            reason = _excuse(key, a[place], b, b[place], settings)
            if reason:
                result.excused[reason] += 1
                difference[place] = 0
            else:
                result.wrong.append(f"{name}: {key} at {place}: ours {a[place]!r}, theirs {b[place]!r}")
        family = key.split("_")[1]
        result.compared[family] += a.size
        result.worst[family] = max(result.worst.get(family, 0.0), float(difference.max()))
    return result


def _excuse(key: str, mine: float, theirs: np.ndarray, other: float, settings: Settings) -> str:
    """Say why PyRadiomics' value is none, or "" where there is no excuse."""
    feature = key.rpartition("_")[2]
    untouched = theirs == settings.init_value
    if feature == "MCC" and other == settings.init_value and (untouched.all() or settings.voxel_batch > 0):
        return "MCC: a direction without pairs makes PyRadiomics give the whole batch up"
    if feature == "Busyness" and mine == 0 and other > 1e12:
        return "Busyness: the divisor is zero, PyRadiomics divides by its rounding"
    if feature == "Correlation" and not settings.symmetrical_glcm:
        return "Correlation, asymmetrical: one level on a side, PyRadiomics divides rounding by rounding"
    if feature in ("RunEntropy", "RunVariance") and np.isnan(mine) and other == 0:
        return "RunEntropy, RunVariance: no direction in the whole batch holds a run"
    return ""


def one_sided_windows(image: sitk.Image, mask: sitk.Image, setting: Mapping[str, Any], radius: int) -> np.ndarray:
    """Return (z, y, x) where a direction's pairs have one grey level on a side, counted pair by pair."""
    voxels, roi = sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(mask) == 1
    settings = Settings.from_params({"setting": dict(setting)})
    edges = bin_edges(voxels[roi], settings.bin_width, settings.bin_count)
    levels = np.where(roi, np.digitize(voxels, edges), 0)
    found = np.zeros(roi.shape, bool)
    for place in map(tuple, np.argwhere(roi)):
        window = levels[tuple(slice(max(0, c - radius), c + radius + 1) for c in place)]
        for step in (s for s in product((1, 0, -1), repeat=3) if s > (0, 0, 0)):
            pairs = [
                (window[here], window[there])
                for here in np.ndindex(window.shape)
                if all(0 <= h + s < n for h, s, n in zip(here, step, window.shape, strict=True))
                for there in [tuple(h + s for h, s in zip(here, step, strict=True))]
                if window[here] and window[there]
            ]
            if pairs and min(len({p[0] for p in pairs}), len({p[1] for p in pairs})) == 1:
                found[place] = True
    return found


def main(cases: int) -> None:
    result = Comparison()
    for seed in range(cases):
        compare(f"seed {seed}", *random_case(seed), result=result)
    print(f"{cases} random cases, 93 maps each; tolerance {oracle.TOLERANCE:g} relative")
    for family in MAP_FAMILIES:
        print(f"{family:11} {result.compared[family]:>10,} values, worst difference {result.worst[family]:.1e}")
    for reason, count in result.excused.items():
        print(f"excused {count:>6}: {reason}")
    print(f"wrong: {len(result.wrong)}", *result.wrong[:20], sep="\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
