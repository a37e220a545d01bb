"""Wilcoxon's signed-rank test against SciPy and hand-worked values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import wilcoxon

from deepradiomics.errors import InputError
from deepradiomics.stats import wilcoxon_signed_rank


def test_five_pairs_all_higher_give_two_of_32_sign_patterns():
    found = wilcoxon_signed_rank([1.0, 2.0, 3.0, 4.0, 5.0], [0.0, 0.5, 1.0, 1.5, 2.0])
    assert (found.statistic, found.pairs, found.method) == (0.0, 5, "exact")
    assert found.p == pytest.approx(2 / 32)


def test_the_rank_sum_of_one_small_loss_worked_by_hand():
    # differences 3, -1, 2: the loss has rank 1; patterns with a sum of at most 1 are {} and {1}, so p = 2 * 2 / 8
    found = wilcoxon_signed_rank([3.0, 0.0, 2.0], [0.0, 1.0, 0.0])
    assert (found.statistic, found.p) == (1.0, 0.5)


@pytest.mark.parametrize("n", [8, 30, 50, 51, 200])
def test_p_and_statistic_equal_scipy(n: int):
    generator = np.random.default_rng(n)
    a, b = generator.normal(0.2, 1, n), generator.normal(0, 1, n)
    expected = wilcoxon(a, b, correction=False)
    found = wilcoxon_signed_rank(a, b)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-10)
    assert found.statistic == expected.statistic


def test_ties_and_zeros_are_treated_as_scipy_does_with_the_normal_approximation():
    generator = np.random.default_rng(3)
    a, b = generator.integers(0, 6, 80).astype(float), generator.integers(0, 5, 80).astype(float)
    expected = wilcoxon(a, b, zero_method="wilcox", correction=False, method="asymptotic")
    found = wilcoxon_signed_rank(a, b)
    assert found.method == "normal"
    assert found.pairs == np.count_nonzero(a != b)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-10)


def test_equal_measurements_are_no_evidence():
    assert wilcoxon_signed_rank([1.0, 2.0], [1.0, 2.0]).p == 1.0


def test_exchanging_the_two_changes_nothing():
    generator = np.random.default_rng(0)
    a, b = generator.normal(size=(2, 40))
    assert wilcoxon_signed_rank(a, b) == wilcoxon_signed_rank(b, a)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [([1.0], [1.0, 2.0], "equal length"), ([], [], "equal length"), ([1.0, np.nan], [0.0, 0.0], "pair 1")],
)
def test_what_cannot_be_ranked_is_refused(a, b, message):
    with pytest.raises(InputError, match=message):
        wilcoxon_signed_rank(a, b)
