"""Controls: pairs of encoders of which the answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from deepradiomics.lens.estimator.controls import controls, rotated
from deepradiomics.lens.estimator.lens import RadiomicLens
from Testing.unit.lens.planted import planted


@pytest.fixture(scope="module")
def table():
    data, reseeded = planted(n=300, seed=1), planted(n=300, seed=1)
    generator = np.random.default_rng(9)
    # An encoder trained alike from another seed: the same content by another mixing.
    again = np.tanh(rotated(reseeded.X_pre, 5)) + 0.05 * generator.normal(size=data.X_pre.shape)
    lens = RadiomicLens(hidden=16, epochs=100, learning_rate=1e-2, permutations=3, device="cpu")
    rows = controls(data.X_pre, data.R, lens, X_reseeded=again)
    return {(row.control, row.delta): row for row in rows}


def test_there_is_a_row_for_each_control_and_each_delta(table):
    assert {control for control, _ in table} == {"identical", "scaled", "rotated", "reseeded"}
    assert {delta for _, delta in table} == {
        "fit_pre", "standardised", "explained", "fit_ft", "fit_both", "fit_mean", "own_scale",
    }  # fmt: skip


def test_an_identical_encoder_has_exactly_no_shift_by_any_delta(table):
    assert all(row.maximum == 0.0 for (control, _), row in table.items() if control == "identical")


def test_a_scaled_encoder_has_no_shift_on_its_own_scale_and_a_negative_one_otherwise(table):
    assert table["scaled", "own_scale"].maximum < 1e-9
    assert table["scaled", "fit_pre"].mean < -0.2 * table["scaled", "fit_pre"].importance


@pytest.mark.parametrize("delta", ["standardised", "explained"])
def test_standardised_units_and_explained_sd_remove_most_of_the_effect_of_scale(table, delta):
    assert table["scaled", delta].mean_absolute < 0.3 * table["scaled", "fit_pre"].mean_absolute


@pytest.mark.parametrize("control", ["rotated", "reseeded"])
def test_the_lens_leans_to_the_stage_that_trained_its_layer_and_the_mean_of_both_does_not(table, control):
    pre, ft, mean = (table[control, delta] for delta in ("fit_pre", "fit_ft", "fit_mean"))
    assert pre.r2_ft <= pre.r2_pre
    assert pre.mean * ft.mean < 0
    assert abs(mean.mean) < 0.5 * abs(pre.mean)


def test_a_rotation_keeps_distances_from_the_mean():
    X = np.random.default_rng(0).normal(3.0, 1.0, size=(20, 6))
    Y = rotated(X, 1)
    np.testing.assert_allclose(Y.mean(0), X.mean(0))
    np.testing.assert_allclose(np.linalg.norm(Y - Y.mean(0), axis=1), np.linalg.norm(X - X.mean(0), axis=1), rtol=1e-12)
    assert not np.allclose(X, Y)
