"""The undecimated wavelets of PyRadiomics: bands by hand, reconstruction, and the same bits without numba."""

import numpy as np
import pytest
import pywt

from deepradiomics import kernels as compiled
from deepradiomics.errors import InputError
from deepradiomics.radiomics.filters import wavelet
from deepradiomics.radiomics.filters.wavelet import wavelet_images


def test_haar_halves_of_a_row_by_hand() -> None:
    row = np.array([[[1.0, 4.0, 9.0, 16.0]]])
    bands = dict(wavelet_images(row, "haar", axes=(2,)))
    low = np.array([1 + 4, 4 + 9, 9 + 16, 16 + 1]) / np.sqrt(2)  # the end meets the beginning
    high = np.array([1 - 4, 4 - 9, 9 - 16, 16 - 1]) / np.sqrt(2)
    assert list(bands) == ["wavelet-H", "wavelet-L"]
    assert np.allclose(bands["wavelet-L"].ravel(), low, rtol=1e-15)
    assert np.allclose(np.abs(bands["wavelet-H"].ravel()), np.abs(high), rtol=1e-15)


def test_the_first_letter_is_the_x_axis() -> None:
    stripes = np.zeros((8, 8, 8))
    stripes[:, :, ::2] = 1  # varies along x alone
    energy = {name: float((band**2).sum()) for name, band in wavelet_images(stripes, "haar")}
    assert energy["wavelet-HLL"] > 1
    assert all(value < 1e-20 for name, value in energy.items() if name not in ("wavelet-HLL", "wavelet-LLL"))


def test_an_odd_axis_is_closed_by_its_own_first_voxel() -> None:
    row = np.array([[[1.0, 4.0, 9.0]]])
    low = dict(wavelet_images(row, "haar", axes=(2,)))["wavelet-L"].ravel()
    assert np.allclose(low, np.array([1 + 4, 4 + 9, 9 + 1]) / np.sqrt(2), rtol=1e-15)


def test_bands_give_the_image_back() -> None:
    image = np.random.default_rng(0).normal(size=(6, 8, 10))
    bands = dict(wavelet_images(image, "db3"))
    coefficients = {name[-3:].lower().replace("l", "a").replace("h", "d"): band for name, band in bands.items()}
    assert np.allclose(pywt.iswtn([coefficients], "db3", axes=(2, 1, 0)), image, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
@pytest.mark.parametrize("shape", [(7, 12, 9), (2, 5, 40), (1, 1, 3)])
def test_numpy_and_compiled_passes_give_the_same_bits(
    dtype: type, shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not compiled.available():
        pytest.skip("numba is not installed")
    image = (np.random.default_rng(1).normal(size=shape) * 100).astype(dtype)
    box = tuple(slice(n // 3, n // 3 + max(1, n // 4)) for n in shape)
    for name in ("coif1", "db9", "rbio3.1"):
        for part in (None, box):
            ours = list(wavelet_images(image, name, level=2, start_level=1, box=part))
            with monkeypatch.context() as patch:
                patch.setattr(wavelet, "_compiled_agrees", lambda dtype: False)
                plain = list(wavelet_images(image, name, level=2, start_level=1, box=part))
            assert [n for n, _ in ours] == [n for n, _ in plain]
            for (band, a), (_, b) in zip(ours, plain, strict=True):
                assert a.dtype == b.dtype, (name, band)
                assert np.array_equal(a, b), (name, band)


def test_compiled_passes_are_used_where_numba_is_there() -> None:
    if not compiled.available():
        pytest.skip("numba is not installed")
    import platform

    if platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("compilers for this processor may fuse operations")
    assert wavelet._compiled_agrees("<f4")
    assert wavelet._compiled_agrees("<f8")


def test_an_unknown_wavelet_names_its_near_matches() -> None:
    with pytest.raises(InputError, match="no discrete wavelet 'coif_1'; did you mean coif1"):
        list(wavelet_images(np.zeros((4, 4, 4)), "coif_1"))
    with pytest.raises(InputError, match="no discrete wavelet 'morl'"):  # continuous: no such transform
        list(wavelet_images(np.zeros((4, 4, 4)), "morl"))
