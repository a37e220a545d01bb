"""Targets: scaled on the training patients alone; columns that cannot serve are dropped with the reason."""

from __future__ import annotations

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.lens.estimator.targets import fit_targets

TRAIN = np.array([True] * 8 + [False] * 4)
NAMES, IDS = ["a", "b", "c"], [f"case{i}" for i in range(12)]


def radiomics() -> np.ndarray:
    return np.random.default_rng(0).normal([5.0, -100.0, 0.01], [1.0, 30.0, 0.002], size=(12, 3))


def test_z_scored_targets_have_mean_0_and_sd_1_over_the_training_patients():
    R = radiomics()
    Y = fit_targets(R, TRAIN, NAMES, IDS, "zscore").scaled(R)
    np.testing.assert_allclose(Y[TRAIN].mean(0), 0.0, atol=1e-12)
    np.testing.assert_allclose(Y[TRAIN].std(0), 1.0, rtol=1e-12)


def test_minmax_targets_span_0_to_1_over_the_training_patients_and_may_leave_it_on_test():
    R = radiomics()
    R[10, 0] = 99.0
    Y = fit_targets(R, TRAIN, NAMES, IDS, "minmax").scaled(R)
    assert Y[TRAIN].min(0).tolist() == [0.0] * 3
    assert Y[TRAIN].max(0).tolist() == [1.0] * 3
    assert Y[10, 0] > 1.0


def test_test_patients_do_not_touch_the_scale():
    R = radiomics()
    before = fit_targets(R, TRAIN, NAMES, IDS, "zscore")
    R[~TRAIN] *= 50.0
    after = fit_targets(R, TRAIN, NAMES, IDS, "zscore")
    assert np.array_equal(before.offset, after.offset)
    assert np.array_equal(before.spread, after.spread)


@pytest.mark.parametrize("scaling", ["zscore", "minmax"])
def test_scaling_back_gives_the_features_in_their_units(scaling):
    R = radiomics()
    scale = fit_targets(R, TRAIN, NAMES, IDS, scaling)
    np.testing.assert_allclose(scale.unscaled(scale.scaled(R)), R, rtol=1e-12)


def test_constant_and_missing_columns_are_dropped_with_the_reason():
    R = np.column_stack([radiomics(), np.r_[np.full(8, 3.0), 1, 2, 3, 4], radiomics()[:, 0]])
    R[[2, 9], 1] = np.nan, np.inf
    scale = fit_targets(R, TRAIN, ["a", "b", "c", "d", "e"], IDS, "zscore")
    assert scale.kept.tolist() == [True, False, True, False, True]
    assert scale.dropped == (
        ("b", "not a finite number in 2 of 12 cases"),
        ("d", "constant over the 8 training cases"),
    )
    back = scale.unscaled(scale.scaled(R))
    assert np.isnan(back[:, [1, 3]]).all()


def test_variation_by_rounding_alone_is_constant():
    R = radiomics()
    R[:, 0] = 1e6 * (1.0 + 1e-15 * np.arange(12))
    assert not fit_targets(R, TRAIN, NAMES, IDS, "zscore").kept[0]


def test_a_patient_without_radiomics_is_named_rather_than_all_columns_dropped():
    R = radiomics()
    R[5] = np.nan
    with pytest.raises(InputError, match="case5 has no finite value in 3 of 3 columns"):
        fit_targets(R, TRAIN, NAMES, IDS, "zscore")


def test_no_usable_column_is_an_error_that_tells_the_first_reason():
    with pytest.raises(InputError, match="none of the 3 columns can be used; the first: a, constant"):
        fit_targets(np.ones((12, 3)), TRAIN, NAMES, IDS, "zscore")
