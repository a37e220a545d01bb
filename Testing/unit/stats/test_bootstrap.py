"""The bootstrap interval against scipy's, and its manners."""

from __future__ import annotations

import math

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.stats import auc, bootstrap_ci


def test_interval_of_a_mean_equals_scipys_percentile_bootstrap_within_sampling_error():
    scipy_stats = pytest.importorskip("scipy.stats")
    values = np.random.default_rng(4).gamma(2.0, size=60)
    theirs = scipy_stats.bootstrap(
        (values,), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    ours = bootstrap_ci(lambda x: float(np.mean(x)), values, n=4000, seed=2)
    assert ours.estimate == values.mean()
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.03)


def test_the_seed_decides():
    values = np.arange(30.0)
    first, again, other = (bootstrap_ci(np.mean, values, n=200, seed=s) for s in (5, 5, 6))
    assert first == again != other


def test_stratified_resamples_keep_the_number_of_each_class():
    y = np.array([0] * 12 + [1] * 3)
    interval = bootstrap_ci(lambda labels: float(labels.sum()), y, n=100, stratify=y)
    assert (interval.low, interval.high) == (3.0, 3.0)


def test_arrays_are_resampled_together():
    x = np.arange(20.0)
    interval = bootstrap_ci(lambda a, b: float(np.abs(a - b).max()), x, x.copy(), n=50)
    assert (interval.low, interval.high) == (0.0, 0.0)


def test_the_interval_of_an_auc_holds_its_estimate():
    generator = np.random.default_rng(0)
    y = np.repeat([0, 1], 25)
    interval = bootstrap_ci(auc, y, y + generator.normal(size=50), n=300, stratify=y)
    assert interval.low < interval.estimate < interval.high
    assert "stratified" in interval.method


def test_an_undefined_resample_advises_to_stratify():
    with pytest.raises(InputError, match="stratify"):
        bootstrap_ci(lambda y: math.nan if y.all() else 1.0, np.array([1, 1, 0]), n=50)


@pytest.mark.parametrize("arrays", [([1.0], [1.0, 2.0]), (), (3.0,)])
def test_unequal_or_missing_arrays_are_refused(arrays):
    with pytest.raises(InputError, match="equal length"):
        bootstrap_ci(lambda *a: 0.0, *arrays)


def test_a_level_outside_zero_and_one_is_refused():
    with pytest.raises(InputError, match="confidence level"):
        bootstrap_ci(np.mean, [1.0, 2.0], level=95)
