"""After warming up, a first extraction or map compiles nothing more."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

pytest.importorskip("numba")

from numba.core import event

from deepradiomics.radiomics import extract
from deepradiomics.radiomics.ibsi import AGGREGATIONS
from deepradiomics.radiomics.maps import feature_maps
from deepradiomics.radiomics.warm_stamp import to_compile
from deepradiomics.radiomics.warm_up import IMAGE_TYPES, warm_up

TYPES = [sitk.sitkInt16, sitk.sitkFloat32, sitk.sitkFloat64]
IBSI = {"standard": "ibsi", "aggregation": list(AGGREGATIONS)}


class _Compiled(event.Listener):
    def __init__(self) -> None:
        self.names: list[str] = []

    def on_start(self, happening: event.Event) -> None:
        self.names.append(str(happening.data["dispatcher"].py_func))

    def on_end(self, happening: event.Event) -> None:
        pass


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
@pytest.mark.parametrize("params", [{"imageType": IMAGE_TYPES}, {"setting": IBSI}], ids=["pyradiomics", "ibsi"])
def test_nothing_is_left_to_compile_for_features(pixel_type: int, params: dict[str, Any]) -> None:
    listener = _Compiled()
    with event.install_listener("numba:compile", listener):
        extract(*_pair(pixel_type), params)
    assert listener.names == []


@pytest.mark.parametrize("pixel_type", TYPES)
def test_nothing_is_left_to_compile_for_maps(pixel_type: int) -> None:
    listener = _Compiled()
    with event.install_listener("numba:compile", listener):
        feature_maps(*_pair(pixel_type), ["firstorder", "glcm", "gldm", "glrlm", "glszm", "ngtdm"])
    assert listener.names == []


def test_it_is_remembered_and_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert "maps" in to_compile()
    told: list[float] = []
    warm_up(lambda fraction, message: told.append(fraction), ("maps",))
    assert "maps" not in to_compile() and "features" in to_compile()
    assert told == sorted(told) and told[0] < 0.2 and told[-1] == 1.0
