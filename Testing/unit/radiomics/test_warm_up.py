"""After warming up, a first extraction or map compiles nothing more."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

pytest.importorskip("numba")

from deepradiomics.radiomics import extract
from deepradiomics.radiomics.features import diameters
from deepradiomics.radiomics.ibsi import AGGREGATIONS
from deepradiomics.radiomics.maps import feature_maps
from deepradiomics.radiomics.warm_stamp import to_compile
from deepradiomics.radiomics.warm_up import IMAGE_TYPES, warm_up

TYPES = [sitk.sitkInt16, sitk.sitkFloat32, sitk.sitkFloat64]
IBSI = {"standard": "ibsi", "aggregation": list(AGGREGATIONS)}


def _compiled() -> set[str]:
    """Every kernel in memory with each signature it has: compiled, or loaded from a cache that others have filled."""
    modules = [module for name, module in sys.modules.items() if name.startswith("deepradiomics.radiomics")]
    named = [(module.__name__, key, value) for module in modules for key, value in vars(module).items()]
    named += [("diameters", key, value) for key, value in diameters._READY.items()]
    return {
        f"{module}.{name}{signature}"
        for module, name, kernel in named
        for signature in getattr(kernel, "nopython_signatures", ())
    }


@pytest.fixture(scope="module", autouse=True)
def warm() -> None:
    assert warm_up() > 0


def _pair(pixel_type: int) -> tuple[sitk.Image, sitk.Image]:
    rng = np.random.default_rng(1)
    mask = np.zeros((18, 20, 22), np.uint8)
    mask[4:12, 5:15, 4:18] = 1
    image = sitk.GetImageFromArray(rng.normal(0, 200, mask.shape))
    return sitk.Cast(image, pixel_type), sitk.GetImageFromArray(mask)


@pytest.mark.parametrize("pixel_type", TYPES)
@pytest.mark.parametrize(
    "params",
    [
        {"imageType": IMAGE_TYPES},
        {"setting": IBSI},
        {"setting": {"resampledPixelSpacing": [0.7, 0.7, 0.7], "binCount": 8, "symmetricalGLCM": False}},
        {"setting": {"force2D": True, "weightingNorm": "euclidean", "distances": [1, 2], "normalize": True}},
    ],
    ids=["image types", "ibsi", "resampled", "in slices"],
)
def test_nothing_is_left_to_compile_for_features(pixel_type: int, params: dict[str, Any]) -> None:
    before = _compiled()
    extract(*_pair(pixel_type), params)
    assert len(before) > 20
    assert _compiled() == before


@pytest.mark.parametrize("pixel_type", TYPES)
def test_nothing_is_left_to_compile_for_maps(pixel_type: int) -> None:
    before = _compiled()
    feature_maps(*_pair(pixel_type), ["firstorder", "glcm", "gldm", "glrlm", "glszm", "ngtdm"])
    assert len(before) > 20
    assert _compiled() == before


def test_it_is_remembered_and_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert "maps" in to_compile()
    told: list[float] = []
    warm_up(lambda fraction, message: told.append(fraction), ("maps",))
    assert "maps" not in to_compile()
    assert "features" in to_compile()
    assert told == sorted(told)
    assert told[0] < 0.2
    assert told[-1] == 1.0
