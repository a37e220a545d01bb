"""The recursive Laplacian of Gaussian: known answers, its boxes, and the same bits as SimpleITK."""

import math

import numpy as np
import pytest

from deepradiomics import kernels as compiled
from deepradiomics.errors import InputError
from deepradiomics.radiomics.filters import laplacian
from deepradiomics.radiomics.filters.gradient import gradient_image
from deepradiomics.radiomics.filters.laplacian import laplacian_image, second_order, smoothing

SPACING = (2.0, 1.0, 0.5)


def test_a_constant_has_no_laplacian_and_a_parabola_its_curvature() -> None:
    assert np.abs(laplacian_image(np.full((20, 20, 20), 50.0), 2.0, SPACING)).max() < 1e-3
    x = np.arange(120) * SPACING[2]
    parabola = np.broadcast_to(x**2, (8, 20, 120)).astype(np.float64)
    middle = laplacian_image(parabola, 2.0, SPACING)[4, 10, 60]
    assert math.isclose(middle, 2 * 2.0**2, rel_tol=1e-3), "the second derivative is 2, times sigma² = 4"


def test_the_answer_to_a_point_is_the_kernel() -> None:
    point = np.zeros((41, 41, 41))
    point[20, 20, 20] = 1000
    answer = laplacian_image(point, 3.0, (1.0, 1.0, 1.0))
    z, y, x = np.indices(point.shape) - 20
    r2, s = x**2 + y**2 + z**2, 3.0
    kernel = 1000 * s**2 * (r2 / s**4 - 3 / s**2) * np.exp(-r2 / (2 * s**2)) / (math.sqrt(2 * math.pi) * s) ** 3
    assert np.abs(answer - kernel).max() < 0.02 * np.abs(kernel).max(), "Deriche's fit is good to two per cent"


@pytest.mark.parametrize("kind", ["u1", "i2", "f4", "f8"])
def test_compiled_passes_give_simpleitks_bits(kind: str) -> None:
    if not compiled.available():
        pytest.skip("numba is not installed")
    rng = np.random.default_rng(3)
    for sigma, shape in ((0.7, (5, 4, 70)), (2, (30, 9, 11)), (4.5, (12, 40, 33))):
        if not laplacian._compiled_agrees(float(sigma), SPACING, (2, 1, 0)):
            pytest.skip("this processor's compilers fuse operations: SimpleITK is used")
        voxels = (rng.normal(size=shape) * 60 + 120).clip(0, 255).astype(kind)
        theirs = laplacian._by_simpleitk(voxels, sigma, SPACING, 3)
        assert theirs.dtype == np.float32
        for threads in (1, 3):
            assert np.array_equal(laplacian_image(voxels, sigma, SPACING, threads=threads), theirs)
        box = np.s_[2:4, 1:4, 3:9]
        assert np.array_equal(laplacian_image(voxels, sigma, SPACING, box=box), theirs[box])


def test_without_numba_simpleitk_filters_the_whole_image(monkeypatch: pytest.MonkeyPatch) -> None:
    voxels = np.random.default_rng(4).normal(size=(9, 10, 11)).astype(np.float32)
    box = np.s_[0:3, 5:10, 2:4]
    fast = laplacian_image(voxels, 1.5, SPACING, box=box)
    monkeypatch.setattr(laplacian, "_compiled_agrees", lambda *_: False)
    assert np.array_equal(laplacian_image(voxels, 1.5, SPACING, box=box), fast)


def test_the_recursive_filters_have_the_moments_of_their_kernels() -> None:
    for sigma in (0.8, 2.0, 6.0):
        impulse = np.zeros(401)
        impulse[200] = 1
        k = np.arange(401) - 200
        smooth, bent = (_run(make(sigma, 1.0), impulse) for make in (smoothing, second_order))
        assert math.isclose(smooth.sum(), 1, rel_tol=1e-9), "a constant stays"
        assert math.isclose((smooth * k**2).sum(), sigma**2, rel_tol=0.07), "the fit's width"
        assert math.isclose(bent.sum(), 0, abs_tol=1e-9), "a constant vanishes"
        assert math.isclose((bent * k**2).sum(), 2 * sigma**2, rel_tol=1e-6), "sigma² times a parabola's curvature"


def _run(c: np.ndarray, x: np.ndarray) -> np.ndarray:
    forward, backward = np.zeros_like(x), np.zeros_like(x)
    n = len(x)
    for i in range(4, n):
        forward[i] = c[0] @ x[i - 3 : i + 1][::-1] - c[2] @ forward[i - 4 : i][::-1]
    for i in range(n - 5, -1, -1):
        backward[i] = c[1] @ x[i + 1 : i + 5] - c[2] @ backward[i + 1 : i + 5]
    return forward + backward


def test_a_sigma_that_is_not_above_zero_is_refused() -> None:
    for sigma in (0, -1.0, math.nan):
        with pytest.raises(InputError, match="sigma: expected a number above 0"):
            laplacian_image(np.zeros((9, 9, 9)), sigma, SPACING)


def test_the_gradient_of_a_ramp_is_its_slope() -> None:
    ramp = np.broadcast_to(3.0 * np.arange(9) * SPACING[2], (5, 6, 9))
    assert np.allclose(gradient_image(ramp, SPACING)[:, :, 1:-1], 3.0)
    assert np.allclose(gradient_image(ramp, SPACING, use_spacing=False)[:, :, 1:-1], 1.5)
    assert np.allclose(gradient_image(ramp, SPACING)[:, :, 0], 1.5), "the border voxel is repeated beyond it"
