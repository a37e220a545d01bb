"""How far the variants of ΔI agree with it, against SciPy and by hand."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from deepradiomics.reports.lens.agreement import Agreement, agreement, share_words, spearman


def test_the_rank_correlation_is_scipys_also_with_ties() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 12, 60).astype(float), rng.normal(size=60)
    assert spearman(a, b + a) == pytest.approx(spearmanr(a, b + a).statistic, abs=1e-12)


def test_a_constant_column_has_no_rank_correlation() -> None:
    assert np.isnan(spearman(np.zeros(5), np.arange(5.0)))  # an identical encoder: every ΔI is 0


def test_signs_and_extremes_are_counted() -> None:
    delta, other = [4.0, 3, 2, -1, -2, 0], [3.0, 4, -2, -1, -3, 1]
    rows = [{"delta_i": a, "delta_i_fit_ft": b} for a, b in zip(delta, other, strict=True)]
    found = agreement(rows, "delta_i_fit_ft")
    assert found is not None
    assert found.same_sign == 4 / 5  # the feature that does not move in one of them is not counted
    assert (found.extremes, found.shared_top, found.shared_bottom) == (3, 2, 2)


def test_a_variant_that_was_not_computed_has_no_agreement() -> None:
    assert agreement([{"delta_i": 1.0, "delta_i_fit_ft": float("nan")}] * 5, "delta_i_fit_ft") is None


@pytest.mark.parametrize(
    ("share", "said"),
    [(1.0, "100 %"), (0.9996, "99.9 %"), (0.997, "99.7 %"), (0.9, "90 %"), (0.0, "0 %"), (0.0001, "0.1 %")],
)
def test_nearly_all_is_not_called_all(share: float, said: str) -> None:
    assert share_words(Agreement(0.5, share, False, 3, 2, 2)) == said


def test_where_all_have_one_sign_the_share_is_left_out() -> None:
    found = agreement([{"delta_i": 1.0, "x": 2.0}, {"delta_i": 3.0, "x": 1.0}], "x")
    assert found is not None
    assert found.one_sign
    assert share_words(found) == "– (all of one sign)"
    turned = agreement([{"delta_i": 1.0, "x": -2.0}, {"delta_i": 3.0, "x": -1.0}], "x")
    assert turned is not None
    assert share_words(turned) == "0 % (all turned)"
