"""The compiled co-occurrence features equal their readable definition, on random matrices and on every odd one."""

import numpy as np
import pytest

pytest.importorskip("numba")

from deepradiomics.radiomics.compiled.glcm import glcm_features
from deepradiomics.radiomics.features import glcm

TOLERANCE = 1e-10


def _batch(seed: int, batch: int = 4, directions: int = 13, most_levels: int = 40) -> tuple[np.ndarray, ...]:
    """Counts of random levels with gaps between them, some directions empty, padded as a batch is."""
    rng = np.random.default_rng(seed)
    n_levels = rng.integers(2, most_levels + 1, batch)
    width = int(n_levels.max())
    pairs, levels = np.zeros((batch, directions, width, width), np.int64), np.ones((batch, width))
    for b, n in enumerate(n_levels):
        levels[b, :n] = np.cumsum(rng.integers(1, 4, n))
        dense = rng.random()
        counts = rng.integers(1, 50, (directions, n, n)) * (rng.random((directions, n, n)) < dense)
        counts[:, 0, n - 1] += 1  # at least a pair
        pairs[b, :, :n, :n] = counts * (rng.random((directions, 1, 1)) < 0.9)
    return pairs, levels, n_levels


def _assert_equal(ours: dict[str, np.ndarray], definition: dict[str, np.ndarray], noise: float = 1e-13) -> None:
    assert set(ours) == set(definition)
    for name, values in definition.items():
        np.testing.assert_allclose(ours[name], values, rtol=TOLERANCE, atol=noise, err_msg=name)


@pytest.mark.parametrize("symmetrical", [True, False])
@pytest.mark.parametrize("seed", range(8))
def test_compiled_features_equal_the_definition(seed: int, symmetrical: bool) -> None:
    batch = _batch(seed)
    _assert_equal(glcm_features(*batch, symmetrical=symmetrical), glcm.glcm_features(*batch, symmetrical=symmetrical))


@pytest.mark.parametrize("symmetrical", [True, False])
def test_weighted_directions_are_merged_alike(symmetrical: bool) -> None:
    batch, weights = _batch(20), np.random.default_rng(0).random(13)
    options = {"symmetrical": symmetrical, "weights": weights}
    _assert_equal(glcm_features(*batch, **options), glcm.glcm_features(*batch, **options))


ODD = {
    "one level": np.array([[7]]),
    "one pair": np.array([[0, 1], [0, 0]]),
    "a level without pairs": np.array([[3, 0, 1], [0, 0, 0], [2, 0, 5]]),
    "only one of two levels has pairs": np.array([[3, 0], [0, 0]]),
    "two levels that never meet": np.array([[3, 0], [0, 5]]),
    "two groups that never meet": np.kron(np.eye(2, dtype=int), np.array([[1, 2], [3, 4]])),
    "three groups that never meet": np.diag([1, 2, 3]),
    "opposites only": np.array([[0, 4], [4, 0]]),
    "one row": np.array([[1, 1, 1], [0, 0, 0], [0, 0, 0]]),
    "a rare level beside many": np.array([[10**9, 1], [0, 10**9]]),
    "a chain": np.diag(np.ones(9, int), 1),
    "many levels": np.random.default_rng(1).integers(0, 2, (150, 150)),
}


@pytest.mark.parametrize("symmetrical", [True, False])
@pytest.mark.parametrize("name", ODD)
def test_odd_matrices_give_what_the_definition_gives(name: str, symmetrical: bool) -> None:
    pairs, n = ODD[name][None, None], len(ODD[name])
    levels, n_levels = np.arange(2.0, n + 2)[None], np.array([n])
    found = glcm_features(pairs, levels, n_levels, symmetrical=symmetrical)
    _assert_equal(found, glcm.glcm_features(pairs, levels, n_levels, symmetrical=symmetrical))


def test_levels_that_do_not_depend_on_each_other_have_no_maximal_correlation() -> None:
    pairs = np.outer([1, 2, 3], [1, 2, 3])[None, None]
    found = glcm_features(pairs, np.array([[1.0, 2.0, 3.0]]), np.array([3]))
    assert found["MCC"] == pytest.approx(0, abs=1e-13)
    assert abs(found["Imc1"][0]) < 1e-14


def test_the_second_correlation_of_a_known_matrix_is_found_exactly() -> None:
    # two levels: the maximal correlation is the correlation, here (0.4 * 0.4 - 0.1 * 0.1) / 0.25 = 0.6
    found = glcm_features(np.array([[[[4, 1], [1, 4]]]]), np.array([[1.0, 9.0]]), np.array([2]))
    assert found["MCC"] == pytest.approx(0.6, abs=1e-13)


def test_a_region_without_any_pair_is_nan_and_changes_no_other() -> None:
    pairs, levels, n_levels = _batch(3)
    alone = glcm_features(pairs[1:2], levels[1:2], n_levels[1:2])
    pairs[0] = 0
    found = glcm_features(pairs, levels, n_levels)
    assert np.isnan(found["Contrast"][0])
    assert all(found[name][1] == alone[name][0] for name in found), "the batch changes no bit of a region's features"


def test_mcc_is_left_out_where_it_is_not_wanted() -> None:
    assert "MCC" not in glcm_features(*_batch(5), wanted=("Contrast",))
