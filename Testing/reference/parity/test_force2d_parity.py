"""Textures of slices one by one (force2D) agree with PyRadiomics, live, on random regions and settings.

Left out are regions without any pair or run of two, for which PyRadiomics gives zeros for some features that are not
defined (ours are NaN), and those that lie on one line across the plane, for which it stops with an error.
"""

import math
import warnings

import numpy as np
import pytest

from deepradiomics.radiomics.counting import reference as counting_reference
from deepradiomics.radiomics.counting.plan import CountingPlan, stack
from deepradiomics.radiomics.features import directions
from deepradiomics.radiomics.features.glcm import glcm_features
from deepradiomics.radiomics.features.gldm import gldm_features
from deepradiomics.radiomics.features.glrlm import glrlm_features
from deepradiomics.radiomics.features.glszm import glszm_features
from deepradiomics.radiomics.features.ngtdm import ngtdm_features
from deepradiomics.radiomics.region.region import LevelRegion

SPACING_MM = (2.0, 1.0, 1.5)
NORMS = (None, None, "euclidean", "manhattan", "infinity", "no_weighting")


def _random_case(rng: np.random.Generator, axis: int) -> tuple[np.ndarray, np.ndarray, dict[str, object]]:
    """Grey levels, mask (both cropped to the mask) and settings under PyRadiomics' keys."""
    shape = rng.integers(1, 9, 3)
    mask = rng.random(shape) < rng.choice([0.2, 0.5, 0.8, 1])
    mask.flat[[0, -1]] = True
    levels = rng.integers(1, rng.choice([2, 4, 9, 30]), shape) * rng.choice([1, 3])
    points = np.argwhere(mask)
    box = tuple(slice(a, b) for a, b in zip(points.min(axis=0), points.max(axis=0) + 1, strict=True))
    setting = {
        "binWidth": 1,
        "distances": [[1], [1, 2], [2]][rng.integers(3)],
        "gldm_a": int(rng.integers(3)),
        "weightingNorm": NORMS[rng.integers(len(NORMS))],
        "symmetricalGLCM": bool(rng.integers(2)),
        "force2D": True,
        "force2Ddimension": axis,
    }
    return levels[box], mask[box], setting


def _ours(levels: np.ndarray, mask: np.ndarray, setting: dict[str, object]) -> dict[str, float]:
    present = np.unique(levels[mask])
    codes = np.where(mask, np.searchsorted(present, levels) + 1, 0).astype(np.int32)
    region = LevelRegion(codes, present - present.min() + 1)
    plan = CountingPlan(
        distances=tuple(setting["distances"]),  # type: ignore[arg-type]
        alpha=setting["gldm_a"],  # type: ignore[arg-type]
        flat_axis=setting["force2Ddimension"],  # type: ignore[arg-type]
    )
    counts = stack([region], counting_reference.count([region], plan), plan)
    norm, pair_weights, run_weights = setting["weightingNorm"], None, None
    if norm:
        pair_weights = directions.norms(plan.offsets, SPACING_MM, norm)  # type: ignore[arg-type]
        if norm != "no_weighting":
            pair_weights = np.exp(-(pair_weights**2))
        run_weights = directions.norms(plan.run_offsets, SPACING_MM, norm)  # type: ignore[arg-type]
    symmetrical = setting["symmetricalGLCM"]
    found = {
        "glcm": glcm_features(
            counts.glcm, counts.levels, counts.n_levels, symmetrical=symmetrical, weights=pair_weights
        ),
        "gldm": gldm_features(counts.gldm, counts.levels),
        "glrlm": glrlm_features(counts.glrlm, counts.levels, run_weights),
        "glszm": glszm_features(counts.glszm, counts.levels, counts.zone_sizes),
        "ngtdm": ngtdm_features(counts.voxels, counts.ngtdm, counts.levels),
    }
    return {f"{family}_{name}": float(v[0]) for family, features in found.items() for name, v in features.items()}


def _theirs(levels: np.ndarray, mask: np.ndarray, setting: dict[str, object]) -> dict[str, float]:
    import SimpleITK as sitk
    from radiomics import featureextractor, setVerbosity

    setVerbosity(60)
    image, region = sitk.GetImageFromArray(levels.astype(float)), sitk.GetImageFromArray(mask.astype(np.uint8))
    for volume in (image, region):
        volume.SetSpacing(SPACING_MM[::-1])
    found = {}
    for family in ("glcm", "gldm", "glrlm", "glszm", "ngtdm"):
        try:
            features = featureextractor.getFeatureClasses()[family](image, region, **setting).execute()
        except RuntimeError:  # no direction within the plane and the region's box
            continue
        found |= {f"{family}_{name}": float(value) for name, value in features.items()}
    return found


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_slices_one_by_one_have_the_features_that_pyradiomics_gives(axis: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("radiomics")
        rng = np.random.default_rng(axis)
        compared, worst = 0, (0.0, "")
        for k in range(60):
            levels, mask, setting = _random_case(rng, axis)
            if np.count_nonzero(mask) < 2:
                continue
            ours, theirs = _ours(levels, mask, setting), _theirs(levels, mask, setting)
            no_pair, no_run = math.isnan(ours["glcm_Contrast"]), math.isnan(ours["glrlm_RunVariance"])
            for name, value in theirs.items():
                if name == "glcm_MCC":
                    continue
                if (no_pair and name.startswith("glcm")) or (no_run and name.startswith("glrlm")):
                    assert math.isnan(ours[name]), (k, name)
                    continue
                assert math.isnan(ours[name]) == math.isnan(value), (k, name, ours[name], value)
                size = max(abs(ours[name]), abs(value))
                if size > 1e-7:  # below it, a correlation of independent levels is noise about zero
                    compared += 1
                    worst = max(worst, (abs(ours[name] - value) / size, f"{name}, region {k}"))
    print(f"\nforce2D across axis {axis}: {compared} values, worst relative difference {worst[0]:.1e} ({worst[1]})")
    assert compared > 3000
    assert worst[0] < 1e-6
