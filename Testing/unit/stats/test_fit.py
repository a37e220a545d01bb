"""R² of columns and pooled against scikit-learn and hand-worked values."""

from __future__ import annotations

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.stats import r2_per_column, r2_pooled

TRUTH = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])
FITTED = np.array([[1.0, 10.0], [2.0, 20.0], [2.0, 40.0]])


def test_columns_worked_by_hand():
    # residual squares 1 and 100, total squares 2 and 200
    assert r2_per_column(TRUTH, FITTED).tolist() == [0.5, 0.5]
    assert r2_pooled(TRUTH, FITTED) == pytest.approx(1 - 101 / 202)


def test_they_equal_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    generator = np.random.default_rng(0)
    truth = generator.normal(size=(30, 5)) * [1, 2, 3, 4, 5]
    fitted = truth + generator.normal(size=(30, 5))
    expected = metrics.r2_score(truth, fitted, multioutput="raw_values")
    np.testing.assert_allclose(r2_per_column(truth, fitted), expected)
    assert r2_pooled(truth, fitted) == pytest.approx(metrics.r2_score(truth, fitted, multioutput="variance_weighted"))


def test_a_constant_column_has_no_r2_and_does_not_disturb_the_pooled_one():
    truth = np.column_stack([TRUTH, np.full(3, 0.1)])
    fitted = np.column_stack([FITTED, np.full(3, 0.1)])
    assert np.isnan(r2_per_column(truth, fitted)[2])
    assert r2_pooled(truth, fitted) == pytest.approx(0.5)
    assert np.isnan(r2_pooled(np.ones((3, 1)), np.zeros((3, 1))))


def test_arrays_of_different_shape_are_refused():
    with pytest.raises(InputError, match="one shape"):
        r2_per_column(TRUTH, FITTED[:2])
