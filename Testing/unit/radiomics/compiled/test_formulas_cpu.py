"""The compiled run, zone, dependence and grey-tone difference features equal their readable definitions."""

import numpy as np
import pytest

pytest.importorskip("numba")

from deepradiomics.radiomics.compiled import size_matrix as size_matrix_cpu
from deepradiomics.radiomics.compiled.ngtdm import ngtdm_features
from deepradiomics.radiomics.features import gldm, glrlm, glszm, ngtdm

BATCH, DIRECTIONS, WIDTH, SIZES = 4, 13, 20, 9


def _levels(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Grey levels padded with 1 (B, L), and which are real."""
    n_levels = np.array([1, 2, 11, WIDTH])
    real = np.arange(WIDTH) < n_levels[:, None]
    return np.where(real, np.cumsum(rng.integers(1, 4, (BATCH, WIDTH)), axis=1), 1).astype(float), real


def _counts(rng: np.random.Generator, real: np.ndarray, *shape: int) -> np.ndarray:
    counts = rng.integers(0, 30, (BATCH, *shape)) * (rng.random((BATCH, *shape)) < 0.4)
    counts[..., 0, 0] += 1
    return counts * real.reshape(BATCH, *[1] * (len(shape) - 2), WIDTH, 1)


def _assert_equal(ours: dict[str, np.ndarray], definition: dict[str, np.ndarray]) -> None:
    assert list(ours) == list(definition)
    for name, values in definition.items():
        np.testing.assert_allclose(ours[name], values, rtol=1e-10, atol=1e-14, err_msg=name)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_run_features_equal_the_definition(seed: int, weighted: bool) -> None:
    rng = np.random.default_rng(seed)
    levels, real = _levels(rng)
    runs = _counts(rng, real, DIRECTIONS, WIDTH, SIZES) * (rng.random((BATCH, DIRECTIONS, 1, 1)) < 0.8)
    runs[0] = 0  # a region without runs
    weights = rng.random(DIRECTIONS) if weighted else None
    found = size_matrix_cpu.glrlm_features(runs, levels, weights)
    assert np.isnan(found["RunEntropy"][0])
    _assert_equal(found, glrlm.glrlm_features(runs, levels, weights))


@pytest.mark.parametrize("seed", range(4))
def test_zone_and_dependence_features_equal_the_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    levels, real = _levels(rng)
    matrix, sizes = _counts(rng, real, WIDTH, SIZES), np.cumsum(rng.integers(1, 50, (BATCH, SIZES)), axis=1)
    _assert_equal(size_matrix_cpu.glszm_features(matrix, levels, sizes), glszm.glszm_features(matrix, levels, sizes))
    _assert_equal(size_matrix_cpu.gldm_features(matrix, levels), gldm.gldm_features(matrix, levels))


@pytest.mark.parametrize("seed", range(4))
def test_grey_tone_difference_features_equal_the_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    levels, real = _levels(rng)
    voxels = rng.integers(1, 40, (BATCH, WIDTH)) * real
    differences = rng.random((BATCH, WIDTH)) * real * (np.arange(BATCH) != 2)[:, None]  # one region is smooth
    _assert_equal(ngtdm_features(voxels, differences, levels), ngtdm.ngtdm_features(voxels, differences, levels))


def test_the_batch_changes_no_bit_of_a_regions_features() -> None:
    rng = np.random.default_rng(9)
    levels, real = _levels(rng)
    runs = _counts(rng, real, DIRECTIONS, WIDTH, SIZES)
    together = size_matrix_cpu.glrlm_features(runs, levels)
    alone = size_matrix_cpu.glrlm_features(runs[2:3, :, :11], levels[2:3, :11])
    assert all(together[name][2] == alone[name][0] for name in together)


def test_busyness_is_zero_where_levels_times_their_numbers_are_equal() -> None:
    assert ngtdm_features(np.array([[3, 2]]), np.array([[1.0, 1.0]]), np.array([[2.0, 3.0]]))["Busyness"] == 0
