"""IBSI's mean, Laplacian of Gaussian, Laws and separable wavelets: kernels by hand, borders, rotations."""

import math

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.radiomics.filters import laws_filter, log_filter, mean_filter, separable_wavelet
from deepradiomics.radiomics.filters.boundary import SCIPY_MODE, convolve_axis
from deepradiomics.radiomics.filters.rotations import Kernel, rotated

NUMPY_MODE = {"mirror": "symmetric", "zero": "constant", "nearest": "edge", "periodic": "wrap"}


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(7).normal(size=(6, 9, 11))


@pytest.mark.parametrize("boundary", NUMPY_MODE)
def test_boundaries_are_those_of_numpy_pad(boundary: str, image: np.ndarray) -> None:
    kernel = np.array([1.0, -2.0, 5.0, 3.0])
    for axis in range(3):
        width = [(0, 0)] * 3
        width[axis] = (4, 4)
        padded = np.pad(image, width, mode=NUMPY_MODE[boundary])
        lines = np.apply_along_axis(np.convolve, axis, padded, kernel, "full")
        # convolving in full shifts by the kernel's length; its tap 2 is to meet the voxel itself
        expected = np.take(lines, np.arange(6, 6 + image.shape[axis]), axis)
        assert np.allclose(convolve_axis(image, kernel, axis, boundary), expected, atol=1e-12)
    assert set(SCIPY_MODE) == set(NUMPY_MODE)


def test_holes_between_taps_and_a_tap_of_ones_choice() -> None:
    row = np.arange(1.0, 8.0).reshape(1, 1, 7)
    assert convolve_axis(row, np.array([1.0, 10.0]), 2, "zero", dilation=2, centre=0).ravel().tolist() == [
        1, 2, 13, 24, 35, 46, 57,
    ]  # fmt: skip


def test_the_mean_of_a_ramp_is_the_ramp_inside() -> None:
    ramp = np.broadcast_to(np.arange(9.0), (9, 9, 9))
    assert np.allclose(mean_filter(ramp, 5)[:, :, 2:-2], ramp[:, :, 2:-2])
    mirrored = mean_filter(ramp, 5, "mirror")[4, 4, 0]
    assert math.isclose(mirrored, (1 + 0 + 0 + 1 + 2) / 5), "the edge voxel is repeated"


def test_in_two_dimensions_slices_do_not_mix(image: np.ndarray) -> None:
    for run in (
        lambda v: mean_filter(v, 3, "mirror", 2),
        lambda v: log_filter(v, 1.5, (3, 1, 1), "zero", 4, 2),
        lambda v: laws_filter(v, "L5S3", "nearest", 2, rotation_invariance=True, energy_delta=2),
        lambda v: separable_wavelet(v, "db2", "LH", 2, "periodic"),
    ):
        whole = run(image)
        for k in range(len(image)):
            assert np.array_equal(run(image[k : k + 1])[0], whole[k])


def test_the_laplacian_of_gaussian_has_ibsis_kernel_and_size() -> None:
    point = np.zeros((25, 25, 25))
    point[12, 12, 12] = 1
    answer = log_filter(point, 3.0, (2.0, 2.0, 2.0), "zero", 4.0)
    k = np.indices(point.shape) - 12
    r2, s = (k**2).sum(axis=0), 1.5
    kernel = -1 / s**2 * (1 / (math.sqrt(2 * math.pi) * s)) ** 3 * (3 - r2 / s**2) * np.exp(-r2 / (2 * s**2))
    inside = (np.abs(k) <= 6).all(axis=0)  # M = 1 + 2 ⌊4 · 1.5 + ½⌋ = 13
    assert np.allclose(answer, np.where(inside, kernel, 0), rtol=1e-12, atol=1e-17)


def test_unequal_spacings_change_the_kernel_along_their_axes_only() -> None:
    point = np.zeros((31, 31, 31))
    point[15, 15, 15] = 1
    fine = log_filter(point, 3.0, (3.0, 1.5, 1.5), "zero")
    assert np.allclose(fine, fine.transpose(0, 2, 1), atol=1e-17)
    assert not np.allclose(fine, fine.transpose(1, 0, 2), atol=1e-6)
    assert np.count_nonzero(fine[:, 15, 15]) == 9, "4 sigma = 12 mm = 4 voxels of 3 mm either side"


def test_laws_kernels_have_unit_length_and_run_along_x_y_z() -> None:
    point = np.zeros((9, 9, 9))
    point[4, 4, 4] = 1
    answer = laws_filter(point, "E5L5S5", "zero")
    assert math.isclose((answer**2).sum(), 1, rel_tol=1e-12)
    e, level, s = np.array([-1, -2, 0, 2, 1]), np.array([1, 4, 6, 4, 1]), np.array([-1, 0, 2, 0, -1])
    expected = np.einsum("z,y,x->zyx", s, level, e) / math.sqrt(6 * 70 * 10)
    assert np.allclose(answer[2:7, 2:7, 2:7], expected, atol=1e-15)


def test_energy_is_the_mean_magnitude_around_a_voxel(image: np.ndarray) -> None:
    answer = laws_filter(image, "L3E3S3", "mirror")
    energy = laws_filter(image, "L3E3S3", "mirror", energy_delta=2)
    padded = np.pad(np.abs(answer), 2, mode="symmetric")
    assert math.isclose(energy[3, 4, 5], padded[3:8, 4:9, 5:10].mean(), rel_tol=1e-12)


def test_right_angles_turn_a_filter_into_24_and_4_positions() -> None:
    a, b, c = Kernel((1.0, 2.0, 5.0), 1), Kernel((3.0, 4.0), 1), Kernel((7.0, 9.0, 8.0), 1)
    assert len(set(rotated([a, b, c]))) == 24
    assert len(set(rotated([a, b]))) == 4
    assert (a, b, c) in rotated([a, b, c])
    assert (a.reversed(), b, c) not in rotated([a, b, c]), "mirrored, not turned"


@pytest.mark.parametrize("pooling", ["max", "average", "min"])
@pytest.mark.parametrize("axes", [(1, 2), (0, 2), (0, 1)])
def test_a_rotation_invariant_answer_turns_with_the_image(
    pooling: str, axes: tuple[int, int], image: np.ndarray
) -> None:
    for run in (
        lambda v: laws_filter(v, "E5L5R5", "mirror", rotation_invariance=True, pooling=pooling, energy_delta=1),
        lambda v: separable_wavelet(v, "db2", "LHH", 2, "zero", rotation_invariance=True, pooling=pooling),
    ):
        turned = np.rot90(image, axes=axes)
        assert np.allclose(run(turned), np.rot90(run(image), axes=axes), atol=1e-12)


def test_the_average_over_positions_is_that_of_all_24(image: np.ndarray) -> None:
    pooled = laws_filter(image, "L5L5L5", "mirror", rotation_invariance=True, pooling="average")
    assert np.allclose(pooled, laws_filter(image, "L5L5L5", "mirror"), atol=1e-12), "a symmetric filter is its own turn"
    assert np.allclose(
        laws_filter(image, "E5L5L5", "mirror", rotation_invariance=True, pooling="average"), 0, atol=1e-12
    ), "turned by half a circle an edge filter changes sign"


def test_the_second_level_has_holes_and_follows_a_low_pass(image: np.ndarray) -> None:
    first = separable_wavelet(image, "haar", "LLL", 1, "periodic")
    second = separable_wavelet(image, "haar", "LLL", 2, "periodic")
    shifted = sum(np.roll(first, (-2 * a, -2 * b, -2 * c), (0, 1, 2)) for a in (0, 1) for b in (0, 1) for c in (0, 1))
    rolled = [np.roll(shifted / math.sqrt(8), (k, k, k), (0, 1, 2)) for k in range(-3, 4)]
    assert any(np.allclose(second, candidate, atol=1e-12) for candidate in rolled)


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (lambda v: mean_filter(v, 4), "meanSupport: expected an odd number"),
        (lambda v: mean_filter(v, 3, "wrap"), "filterBoundary: expected one of mirror"),  # type: ignore[arg-type]
        (lambda v: mean_filter(v, 3, "zero", 4), "filterDimension: expected 2"),
        (lambda v: log_filter(v, 0, (1, 1, 1)), "sigma: expected a number above 0"),
        (lambda v: log_filter(v, 1, (1, 1, 1), truncate=-1), "logTruncate: expected a number above 0"),
        (lambda v: laws_filter(v, "L5E5"), "filterDimension 3 needs 3 kernels, one for each axis, such as L5E5E5"),
        (lambda v: laws_filter(v, "L5E5X5"), "unknown kernel 'X5'; known: L3"),
        (lambda v: laws_filter(v, pooling="sum"), "pooling: expected max"),  # type: ignore[arg-type]
        (lambda v: separable_wavelet(v, "db2", "LLX"), "expected two or three letters L or H"),
        (lambda v: separable_wavelet(v, "db2", level=0), "level: expected at least 1"),
        (lambda v: separable_wavelet(v, "db2", level=9), "level 9: the filter of db2 spans 769 voxels"),
        (lambda v: separable_wavelet(v, "dbb2"), "did you mean"),
    ],
)
def test_what_cannot_be_used_is_said(run: object, words: str, image: np.ndarray) -> None:
    with pytest.raises(InputError, match=words):
        run(image)  # type: ignore[operator]
