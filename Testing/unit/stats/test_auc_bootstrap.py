"""The paired bootstrap of AUCs against redrawing patients one sample after the other, and DeLong's interval."""

from __future__ import annotations

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.stats import auc, bootstrap_auc_difference, bootstrap_ci, delong_test


def simulated(seed: int, n: int = 120, gap: float = 0.6) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    y = (np.arange(n) < n // 3).astype(int)
    shared = generator.normal(size=n)
    return y, y * (0.5 + gap) + shared + generator.normal(size=n), y * 0.5 + shared + generator.normal(size=n)


def test_the_interval_equals_the_plain_bootstraps_within_sampling_error():
    y, a, b = simulated(1)
    plain = bootstrap_ci(lambda t, s, u: auc(t, s) - auc(t, u), y, a, b, n=2000, seed=4, stratify=y)
    ours = bootstrap_auc_difference(y, a, b, n=4000, seed=1)
    assert ours.difference == pytest.approx(plain.estimate, abs=1e-12)
    assert (ours.low, ours.high) == pytest.approx((plain.low, plain.high), abs=0.012)


def test_one_resample_is_the_auc_of_its_patients():
    y, a, b = simulated(2, n=30)
    a, b = a.round(), b.round()  # ties
    generator = np.random.default_rng(9)
    positive, negative = np.flatnonzero(y == 1), np.flatnonzero(y == 0)
    counts = [generator.multinomial(len(s), np.full(len(s), 1 / len(s)), size=1)[0] for s in (positive, negative)]
    drawn = np.concatenate([np.repeat(positive, counts[0]), np.repeat(negative, counts[1])])
    expected = auc(y[drawn], a[drawn]) - auc(y[drawn], b[drawn])
    found = bootstrap_auc_difference(y, a, b, n=1, seed=9)
    assert (found.low, found.high) == pytest.approx((expected, expected), abs=1e-12)


def test_it_agrees_with_delong_in_a_large_cohort():
    y, a, b = simulated(3, n=600)
    ours, theirs = bootstrap_auc_difference(y, a, b, n=4000), delong_test(y, a, b)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.008)
    assert (ours.auc_a, ours.auc_b) == pytest.approx((theirs.auc_a, theirs.auc_b), abs=1e-12)


def test_equal_scores_do_not_differ_and_the_seed_decides():
    y, a, b = simulated(4)
    same = bootstrap_auc_difference(y, a, a)
    assert (same.difference, same.low, same.high, same.p) == (0.0, 0.0, 0.0, 1.0)
    first, again, other = (bootstrap_auc_difference(y, a, b, n=300, seed=s) for s in (5, 5, 6))
    assert first == again != other


def test_p_is_about_uniform_when_nothing_differs():
    small = sum(bootstrap_auc_difference(*simulated(s, 90, 0.0), n=400, seed=s).p < 0.1 for s in range(200))
    assert 8 <= small <= 36  # 20 expected; the binomial's limits at 1 in 1,000


def test_bad_input_is_refused_with_a_reason():
    with pytest.raises(InputError, match="both classes"):
        bootstrap_auc_difference([1, 1], [0.1, 0.2], [0.1, 0.2])
    with pytest.raises(InputError, match="resample"):
        bootstrap_auc_difference([0, 1], [0.1, 0.2], [0.1, 0.2], n=0)
