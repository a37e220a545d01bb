"""The pool's order is the order of the flattened array."""

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.fingerprint.model.pool import Column, PoolLayout, family_of, mean_by_patch, sum_by_patch

LAYOUT = PoolLayout((1, 1, 2), ("axial", "sagittal"), ("original_firstorder_Mean", "original_glcm_Contrast"))


def test_columns_run_over_patches_then_views_then_features() -> None:
    assert len(LAYOUT) == 8
    assert LAYOUT.columns[0] == Column(1, "axial", "original_firstorder_Mean")
    assert LAYOUT.columns[3] == Column(1, "sagittal", "original_glcm_Contrast")
    assert LAYOUT.columns[4] == Column(2, "axial", "original_firstorder_Mean")
    assert LAYOUT.patches.tolist() == [1, 1, 1, 1, 2, 2, 2, 2]


def test_flattened_values_meet_their_columns() -> None:
    values = np.zeros((1, 2, 2, 2))
    values[0, 1, 0, 1] = 7.0  # patch 2, axial, Contrast
    where = LAYOUT.columns.index(Column(2, "axial", "original_glcm_Contrast"))
    assert LAYOUT.flatten(values)[0].tolist() == [7.0 if i == where else 0.0 for i in range(8)]


def test_family_subsets_split_the_pool_in_two() -> None:
    first, second = LAYOUT.within("first+shape"), LAYOUT.within("second")
    assert first.tolist() == [True, False] * 4
    assert (first ^ second).all()
    assert LAYOUT.within("all").all()


def test_families_of_filtered_names() -> None:
    assert family_of("log-sigma-1-0-mm-3D_glszm_ZoneEntropy") == "glszm"
    assert family_of("wavelet-LLH_firstorder_90Percentile") == "firstorder"
    with pytest.raises(InputError, match="original_glcm_Contrast"):
        family_of("Contrast")


def test_means_and_sums_over_patches() -> None:
    values, patches = np.array([[1.0, 3.0, 10.0]]), np.array([1, 1, 3])
    assert mean_by_patch(values, patches, 3).tolist() == [[2.0, 0.0, 10.0]]
    assert sum_by_patch(values, patches, 3).tolist() == [[4.0, 0.0, 10.0]]


def test_values_of_another_shape_are_refused() -> None:
    with pytest.raises(
        InputError, match=r"expected \(N, patches, views, features\) = \(N, 2, 2, 2\), got \(1, 8, 2, 2\)"
    ):
        LAYOUT.flatten(np.zeros((1, 8, 2, 2)))


def test_a_layout_survives_json() -> None:
    assert PoolLayout.from_dict(LAYOUT.to_dict()) == LAYOUT
