"""Friedman's test against SciPy, a value worked by hand and the paper's degrees of freedom."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import friedmanchisquare

from deepradiomics.errors import InputError
from deepradiomics.stats import friedman


def test_three_blocks_of_one_order_worked_by_hand():
    # rank sums 3, 6, 9: 12 / (3·3·4) · (9 + 36 + 81) - 3·3·4 = 42 - 36 = 6
    found = friedman([[1, 2, 3], [10, 20, 30], [0.1, 0.2, 0.3]])
    assert found.statistic == pytest.approx(6.0)
    assert found.p == pytest.approx(np.exp(-3.0))  # chi-square with two degrees of freedom: exp(-x/2)
    assert found.mean_ranks == (1.0, 2.0, 3.0)


@pytest.mark.parametrize("decimals", [1, 2, 9])
def test_it_equals_scipy_with_and_without_ties(decimals):
    values = np.random.default_rng(decimals).normal(size=(6, 7)).round(decimals)
    theirs = friedmanchisquare(*values.T)
    ours = friedman(values)
    assert (ours.statistic, ours.p) == pytest.approx((theirs.statistic, theirs.pvalue), rel=1e-12)
    assert (ours.df, ours.blocks, ours.treatments) == (6, 6, 7)


def test_the_published_statistics_give_the_published_p_values():
    from scipy.special import chdtrc

    # six degrees of freedom of seven pipelines; the third p is printed as 0.6573
    for statistic, p in ((20.429, 0.002), (10.286, 0.113), (4.143, 0.657), (3.786, 0.706)):
        assert chdtrc(6, statistic) == pytest.approx(p, abs=6e-4)


def test_blocks_tied_throughout_show_no_difference():
    assert friedman(np.ones((4, 3))).p == 1.0


def test_only_ranks_within_blocks_count():
    values = np.random.default_rng(3).uniform(size=(5, 4))
    assert friedman(values).p == pytest.approx(friedman(np.exp(values * [[1], [2], [3], [4], [5]])).p)


@pytest.mark.parametrize(
    ("values", "message"),
    [([[1, 2], [2, 1]], "three treatments"), ([[1, 2, 3]], "two blocks"), ([[1, 2, np.nan], [1, 2, 3]], "treatment 2")],
)
def test_bad_tables_are_refused_with_a_reason(values, message):
    with pytest.raises(InputError, match=message):
        friedman(values)
