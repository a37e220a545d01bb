"""McNemar and Holm against statsmodels and hand-worked values."""

from __future__ import annotations

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.stats import holm, mcnemar


def predictions(only_a: int, only_b: int, both: int = 20, neither: int = 5):
    y = np.ones(only_a + only_b + both + neither, dtype=int)
    a, b = np.zeros_like(y), np.zeros_like(y)
    a[:only_a] = 1
    b[only_a : only_a + only_b] = 1
    a[only_a + only_b : only_a + only_b + both] = b[only_a + only_b : only_a + only_b + both] = 1
    return y, a, b


def test_exact_p_of_one_against_five_worked_by_hand():
    # 2 * (C(6,0) + C(6,1)) / 2^6 = 14 / 64
    result = mcnemar(*predictions(1, 5))
    assert (result.only_a_right, result.only_b_right) == (1, 5)
    assert result.p == pytest.approx(14 / 64)


def test_mid_p_of_one_against_five_worked_by_hand():
    assert mcnemar(*predictions(1, 5), method="mid-p").p == pytest.approx(14 / 64 - 6 / 64)


@pytest.mark.parametrize(("b", "c"), [(1, 9), (12, 4), (30, 55), (7, 7), (0, 3)])
@pytest.mark.parametrize(("method", "exact"), [("exact", True), ("corrected", False)])
def test_mcnemar_equals_statsmodels(b, c, method, exact):
    tables = pytest.importorskip("statsmodels.stats.contingency_tables")
    expected = tables.mcnemar([[20, b], [c, 5]], exact=exact, correction=True)
    if not exact and b == c:
        assert mcnemar(*predictions(b, c), method=method).p == 1.0  # our |b - c| - 1 never goes below 0
        return
    result = mcnemar(*predictions(b, c), method=method)
    assert result.p == pytest.approx(expected.pvalue, rel=1e-10)
    assert result.statistic == pytest.approx(expected.statistic)
    assert result.method == method


def test_no_discordant_case_means_no_evidence():
    for method in ("exact", "mid-p", "corrected"):
        assert mcnemar([0, 1, 1], [0, 1, 0], [0, 1, 0], method=method).p == 1.0


def test_mcnemar_counts_right_and_wrong_for_several_classes():
    result = mcnemar([0, 1, 2, 2], [0, 1, 2, 0], [0, 2, 1, 2])
    assert (result.only_a_right, result.only_b_right) == (2, 1)


def test_holm_of_the_docstring_and_of_statsmodels():
    assert holm([0.01, 0.04, 0.03]).tolist() == pytest.approx([0.03, 0.06, 0.06])
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    p = np.random.default_rng(0).uniform(size=12) ** 3
    np.testing.assert_allclose(holm(p), multitest.multipletests(p, method="holm")[1])


def test_holm_of_nothing_is_nothing():
    assert holm([]).size == 0


@pytest.mark.parametrize("p", [[0.5, float("nan")], [1.5], [-0.1], [[0.1]]])
def test_holm_refuses_what_is_no_vector_of_p_values(p):
    with pytest.raises(InputError, match="p-values"):
        holm(p)


def test_unknown_method_and_unequal_lengths_are_refused():
    with pytest.raises(InputError, match="mid-p"):
        mcnemar([0, 1], [0, 1], [0, 1], method="chi")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"pred_b .* expected 2, got 3"):
        mcnemar([0, 1], [0, 1], [0, 1, 1])
