"""Compiled grey levels are numpy's, on the edges themselves and one ulp beside them."""

import numpy as np
import pytest

pytest.importorskip("numba")

from deepradiomics.radiomics.compiled.levels import present
from deepradiomics.radiomics.region.region import bin_edges


def _assert_as_numpy(values: np.ndarray, edges: np.ndarray) -> None:
    expected = np.unique(np.digitize(values, edges), return_inverse=True, return_counts=True)
    for ours, numpys in zip(present(values, edges), expected, strict=True):
        np.testing.assert_array_equal(ours, numpys)


@pytest.mark.parametrize("width", [25, 0.1, 3.7, 1e-3])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int16, np.uint8])
def test_bins_of_fixed_width_are_numpys(width: float, dtype: type) -> None:
    values = np.random.default_rng(0).normal(90, 30, 3000).clip(0, 255).astype(dtype)
    _assert_as_numpy(values, bin_edges(values, width))


@pytest.mark.parametrize("count", [1, 2, 32, 1000])
def test_bins_of_fixed_count_are_numpys(count: int) -> None:
    values = np.random.default_rng(1).normal(0, 1, 3000)
    _assert_as_numpy(values, bin_edges(values, bin_count=count))


@pytest.mark.parametrize("width", [0.1, 1 / 3, 25])
def test_values_on_an_edge_and_one_ulp_beside_it_fall_as_numpy_says(width: float) -> None:
    edges = np.arange(-50, 50) * width
    values = np.concatenate([edges, np.nextafter(edges[1:], -np.inf), np.nextafter(edges, np.inf)])
    _assert_as_numpy(values, edges)
    low = values - values.min() % width
    _assert_as_numpy(low, bin_edges(low, width))


def test_a_value_below_the_first_edge_has_level_zero_as_in_numpy() -> None:
    edges = np.arange(0.0, 100, 25)
    _assert_as_numpy(np.array([-1.0, 3.0, 30.0, 200.0]), edges)


def test_a_flat_region_has_one_level() -> None:
    bins, index, voxels = present(np.full(9, 7.5), bin_edges(np.full(9, 7.5), 25))
    assert len(bins) == 1
    assert not index.any()
    assert voxels.tolist() == [9]
