"""Calibration curve and Brier score against scikit-learn, statsmodels and values worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.stats import brier, calibration_curve


def cohort(seed: int, n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    risk = generator.beta(1.2, 2.5, n)
    return (generator.uniform(size=n) < risk).astype(int), risk


@pytest.mark.parametrize("bins", [1, 5, 10])
def test_the_curve_equals_scikit_learn(bins):
    theirs = pytest.importorskip("sklearn.calibration")
    y, risk = cohort(1)
    observed, predicted = theirs.calibration_curve(y, risk, n_bins=bins, strategy="quantile")
    ours = calibration_curve(y, risk, bins)
    np.testing.assert_allclose([p.observed for p in ours], observed, rtol=1e-12)
    np.testing.assert_allclose([p.mean_predicted for p in ours], predicted, rtol=1e-12)
    assert sum(p.n for p in ours) == len(y)


def test_the_intervals_equal_wilsons_of_statsmodels():
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    y, risk = cohort(2)
    for point in calibration_curve(y, risk, 4):
        low, high = proportion.proportion_confint(round(point.observed * point.n), point.n, method="wilson")
        assert (point.low, point.high) == pytest.approx((low, high), abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_brier_equals_scikit_learn(seed):
    metrics = pytest.importorskip("sklearn.metrics")
    y, risk = cohort(seed)
    assert brier(y, risk) == pytest.approx(metrics.brier_score_loss(y, risk), abs=1e-15)


def test_brier_of_three_patients_worked_by_hand():
    assert brier([1, 0, 1], [0.8, 0.3, 0.4]) == pytest.approx((0.04 + 0.09 + 0.36) / 3)


def test_a_true_risk_is_calibrated_and_a_halved_one_is_not():
    y, risk = cohort(5, 20_000)
    assert all(point.low - 0.02 <= point.mean_predicted <= point.high + 0.02 for point in calibration_curve(y, risk))
    assert all(point.mean_predicted < point.low for point in calibration_curve(y, risk / 2)[3:])


def test_equal_predictions_share_a_bin():
    points = calibration_curve([0, 1, 0, 1, 1], [0.5, 0.5, 0.5, 0.5, 0.9], bins=5)
    assert [(p.n, p.mean_predicted) for p in points] == [(4, 0.5), (1, 0.9)]


def test_one_class_alone_has_a_curve():
    assert calibration_curve([1, 1], [0.2, 0.8], bins=1)[0].observed == 1.0


@pytest.mark.parametrize(
    ("probability", "bins", "message"),
    [([0.1, 1.2], 5, "0 to 1"), ([0.1], 5, "one value per case"), ([0.1, 0.2], 0, "at least one bin")],
)
def test_bad_predictions_are_refused_with_a_reason(probability, bins, message):
    with pytest.raises(InputError, match=message):
        calibration_curve([0, 1], probability, bins)
