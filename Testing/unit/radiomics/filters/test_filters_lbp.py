"""Local binary patterns: worked by hand, and the same with and without numba."""

import math

import numpy as np
import pytest

from deepradiomics import kernels as compiled
from deepradiomics.errors import InputError
from deepradiomics.radiomics.filters import lbp2d, lbp3d
from deepradiomics.radiomics.filters.lbp2d import lbp2d_image
from deepradiomics.radiomics.filters.lbp3d import lbp3d_images
from deepradiomics.radiomics.filters.sphere import icosphere

# with four samples the points lie right, above, left, below: bits 0 to 3
CROSS = np.array([[[0, 9, 0], [1, 5, 7], [0, 2, 0]]], float)


@pytest.mark.parametrize(
    ("method", "expected"),
    [("default", 1 + 2), ("ror", 3), ("uniform", 2), ("var", np.var([7, 9, 1, 2]))],
)
def test_four_neighbours_by_hand(method: str, expected: float) -> None:
    found = lbp2d_image(CROSS, 1, 4, method)[0, 1, 1]
    assert math.isclose(found, expected, rel_tol=1e-12)


def test_bits_that_change_more_than_twice_are_one_class() -> None:
    saddle = np.array([[[0, 1, 0], [9, 5, 9], [0, 1, 0]]], float)  # right, not above, left, not below
    assert lbp2d_image(saddle, 1, 4, "uniform")[0, 1, 1] == 4 + 1
    assert lbp2d_image(saddle, 1, 4, "default")[0, 1, 1] == 1 + 4
    assert lbp2d_image(saddle, 1, 4, "ror")[0, 1, 1] == 5


def test_outside_the_slice_is_zero() -> None:
    assert (lbp2d_image(np.full((1, 3, 3), 2.0), 1, 4, "uniform")[0] == [[2, 3, 2], [3, 4, 3], [2, 3, 2]]).all()
    assert (lbp2d_image(np.full((1, 3, 3), -2.0), 1, 4, "uniform")[0] == 4).all()


def test_a_constant_neighbourhood_has_no_variance() -> None:
    assert np.isnan(lbp2d_image(np.full((1, 5, 5), 2.0), 1, 4, "var")[0, 2, 2])


@pytest.mark.parametrize("method", ["default", "ror", "uniform", "var"])
def test_numpy_and_compiled_patterns_are_the_same(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if not compiled.available():
        pytest.skip("numba is not installed")
    voxels = np.round(np.random.default_rng(5).normal(size=(4, 17, 19)) * 3)
    for radius, samples in ((1, 8), (2.5, 13), (1.3, 5)):
        for axis in (0, 1, 2):
            fast = lbp2d_image(voxels, radius, samples, method, axis, threads=2)
            with monkeypatch.context() as patch:
                patch.setattr(lbp2d.compiled, "available", lambda: False)
                plain = lbp2d_image(voxels, radius, samples, method, axis)
            assert np.array_equal(fast, plain, equal_nan=True)


def test_slices_are_stacked_along_the_axis_asked_for() -> None:
    voxels = np.random.default_rng(6).normal(size=(5, 6, 7))
    assert np.array_equal(lbp2d_image(voxels, axis=1)[:, 2], lbp2d_image(voxels[:, 2][None])[0])  # (z, x)
    assert np.array_equal(lbp2d_image(voxels, axis=2)[:, :, 3], lbp2d_image(voxels[:, :, 3].T[None])[0].T)  # (y, z)


def test_too_many_samples_and_unknown_methods_are_refused() -> None:
    with pytest.raises(InputError, match="at most 30 are possible"):
        lbp2d_image(CROSS, 1, 31, "default")
    with pytest.raises(InputError, match="expected default, ror, uniform or var, got 'nri'"):
        lbp2d_image(CROSS, 1, 4, "nri")  # type: ignore[arg-type]
    assert lbp2d_image(CROSS, 1, 40, "uniform").shape == CROSS.shape


def test_the_icosphere_lies_on_its_sphere_and_has_opposite_vertices() -> None:
    for subdivision in (0, 1, 2):
        vertices = icosphere(subdivision, 1.5)
        assert len(vertices) == 10 * 4**subdivision + 2
        assert np.allclose(np.linalg.norm(vertices, axis=1), 1.5, rtol=1e-14)
        assert np.allclose(np.linalg.norm(vertices[:, None] + vertices, axis=2).min(axis=1), 0, atol=1e-14)


def test_a_bright_voxel_has_an_empty_pattern_and_a_dark_one_a_full_one() -> None:
    voxels = np.zeros((9, 9, 9))
    voxels[4, 4, 4] = 100
    bright = {name: image[4, 4, 4] for name, image in lbp3d_images(voxels)}
    assert bright["lbp-3D-m1"] == bright["lbp-3D-m2"] == 0
    dark = {name: image[4, 4, 4] for name, image in lbp3d_images(-voxels)}
    # all 42 bits set: c₀ = 42 Y₀₀, and the length over 42 vertices of the constant c₀ Y₀₀ with Y₀₀² = 1/4π
    assert math.isclose(dark["lbp-3D-m1"], 42**1.5 / (4 * math.pi), rel_tol=1e-12)


@pytest.mark.parametrize("kind", ["u1", "i2", "u4", "i8", "f4", "f8"])
@pytest.mark.parametrize("shape", [(1, 6, 9), (3, 2, 5), (9, 8, 11)])
def test_compiled_samples_on_the_sphere_have_scipys_bits(
    kind: str, shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not lbp3d._compiled_agrees():
        pytest.skip("numba is not installed, or this processor's compilers fuse operations")
    voxels = (np.random.default_rng(8).normal(size=shape) * 90 + 120).clip(0, 250).astype(kind)
    for radius, subdivision in ((1, 1), (2.6, 0)):
        fast = dict(lbp3d_images(voxels, 3, radius, subdivision))
        with monkeypatch.context() as patch:
            patch.setattr(lbp3d, "_compiled_agrees", lambda: False)
            plain = dict(lbp3d_images(voxels, 3, radius, subdivision))
        assert all(np.array_equal(fast[name], plain[name], equal_nan=True) for name in plain)


def test_kurtosis_is_not_defined_where_all_samples_are_equal() -> None:
    voxels = np.full((9, 9, 9), 7, np.int16)
    *_, (name, kurtosis) = lbp3d_images(voxels, box=(slice(4, 5),) * 3)
    assert name == "lbp-3D-k"
    assert np.isnan(kurtosis).all()
