"""After warming up, a first extraction compiles nothing more."""

import numpy as np
import pytest
import SimpleITK as sitk

pytest.importorskip("numba")

from numba.core import event

from deepradiomics.radiomics import extract
from deepradiomics.radiomics.warm_up import IMAGE_TYPES, warm_up


class _Compiled(event.Listener):
    def __init__(self) -> None:
        self.names: list[str] = []

    def on_start(self, happening: event.Event) -> None:
        self.names.append(str(happening.data["dispatcher"].py_func))

    def on_end(self, happening: event.Event) -> None:
        pass


@pytest.mark.parametrize("pixel_type", [sitk.sitkInt16, sitk.sitkFloat32, sitk.sitkFloat64])
def test_nothing_is_left_to_compile_after_warming_up(pixel_type: int) -> None:
    assert warm_up() > 0
    rng = np.random.default_rng(1)
    image = sitk.Cast(sitk.GetImageFromArray(rng.normal(0, 200, (18, 20, 22))), pixel_type)
    mask = np.zeros((18, 20, 22), np.uint8)
    mask[4:12, 5:15, 4:18] = 1
    listener = _Compiled()
    with event.install_listener("numba:compile", listener):
        extract(image, sitk.GetImageFromArray(mask), {"imageType": IMAGE_TYPES})
    assert listener.names == []
