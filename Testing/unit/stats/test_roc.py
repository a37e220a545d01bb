"""AUC, DeLong and Youden against published values, scikit-learn and the definition by double loop."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.stats import auc, delong_ci, delong_test, roc_curve, youden
from Testing.unit.stats.auc_coverage import AREAS, CLASSES, METHODS, coverage

ROOT = Path(__file__).resolve().parents[3]

# Ovarian cancer, DeLong, DeLong & Clarke-Pearson 1988, the 43 complete records: albumin, total protein, K-G score
# (small is good), benefit from surgery. The areas, errors and tests below are those printed by SAS for these data.
OVARIAN = """
3.0 5.8 10 0 3.2 6.3 5 1 3.9 6.8 3 1 2.8 4.8 6 0 3.2 5.8 3 1 0.9 4.0 5 0 2.5 5.7 8 0 1.6 5.6 5 1 3.8 5.7 5 1 3.7 6.7 6 1
3.2 5.4 4 1 3.8 6.6 6 1 4.1 6.6 5 1 3.6 5.7 5 1 4.3 7.0 4 1 3.6 6.7 4 0 2.3 4.4 6 1 4.2 7.6 4 0 4.0 6.6 6 0 3.5 5.8 6 1
3.8 6.8 7 1 3.0 4.7 8 0 4.5 7.4 5 1 3.7 7.4 5 1 3.1 6.6 6 1 4.1 8.2 6 1 4.3 7.0 5 1 4.3 6.5 4 1 3.2 5.1 5 1 2.6 4.7 6 1
3.3 6.8 6 0 1.7 4.0 7 0 3.7 6.1 5 1 3.3 6.3 7 1 4.2 7.7 6 1 3.5 6.2 5 1 2.9 5.7 9 0 2.1 4.8 7 1 2.8 6.2 8 0 4.0 7.0 7 1
3.3 5.7 6 1 3.7 6.9 5 1 3.6 6.6 5 1
"""
ALBUMIN, PROTEIN, KG_SCORE, BENEFIT = np.array(OVARIAN.split(), dtype=float).reshape(-1, 4).T
KG_GOOD = 10 - KG_SCORE


def simulated(seed: int, n: int = 80, ties: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    y = generator.integers(0, 2, n)
    y[:2] = (0, 1)
    shared = generator.normal(size=n)
    a, b = y * 0.8 + shared + generator.normal(size=n), y * 0.4 + shared + generator.normal(size=n)
    return (y, np.round(a), np.round(b)) if ties else (y, a, b)


def test_auc_of_four_cases_worked_by_hand():
    # pairs (positive, negative): 0.35 > 0.1 yes, 0.35 > 0.4 no, 0.8 > both yes: 3 of 4
    assert auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]) == 0.75


def test_a_tie_counts_one_half():
    assert auc([0, 1], [2.0, 2.0]) == 0.5


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_auc_equals_scikit_learn(seed, ties):
    metrics = pytest.importorskip("sklearn.metrics")
    y, a, _ = simulated(seed, ties=ties)
    assert auc(y, a) == pytest.approx(metrics.roc_auc_score(y, a), abs=1e-12)


def test_auc_does_not_change_under_a_rising_transform_and_mirrors_under_a_falling_one():
    y, a, _ = simulated(3)
    assert auc(y, np.exp(a)) == pytest.approx(auc(y, a), abs=1e-12)
    assert auc(y, -a) == pytest.approx(1 - auc(y, a), abs=1e-12)


PUBLISHED = [(ALBUMIN, 0.7366, 0.5549, 0.9182), (PROTEIN, 0.6478, 0.4518, 0.8439), (KG_GOOD, 0.7258, 0.5243, 0.9273)]
"""Score, area and Wald limits."""


@pytest.mark.parametrize(("score", "area", "low", "high"), PUBLISHED)
def test_delong_interval_equals_the_published_ovarian_cancer_values(score, area, low, high):
    interval = delong_ci(BENEFIT, score, method="wald")
    assert (interval.estimate, interval.low, interval.high) == pytest.approx((area, low, high), abs=5.1e-5)


@pytest.mark.parametrize(("score", "area", "low", "high"), PUBLISHED)
def test_the_interval_of_the_tables_has_the_published_error_on_the_logit_scale(score, area, low, high):
    error = (high - low) / 2 / 1.959963984540054
    odds, factor = area / (1 - area), math.exp(1.959963984540054 * error / (area * (1 - area)))
    limits = [one / (1 + one) for one in (odds / factor, odds * factor)]
    interval = delong_ci(BENEFIT, score)
    assert interval.method == "DeLong (logit)"
    assert (interval.low, interval.high) == pytest.approx(limits, abs=2e-4)  # of four printed digits


def test_the_interval_of_six_cases_worked_by_hand():
    # Positives are above 2/3, 3/3, 3/3 of the negatives and negatives below 3/3, 3/3, 2/3 of the positives: each part
    # has variance 1/27 / 3, so SE² = 2/81; on the logit scale ln 8 ± 1.95996 · (√2 / 9) / (8/81).
    interval = delong_ci([0, 0, 0, 1, 1, 1], [1, 2, 4, 3, 5, 6])
    half = 1.959963984540054 * math.sqrt(2) * 9 / 8
    assert interval.estimate == pytest.approx(8 / 9, abs=1e-12)
    assert interval.low == pytest.approx(1 / (1 + math.exp(half) / 8), abs=1e-12)
    assert interval.high == pytest.approx(1 / (1 + math.exp(-half) / 8), abs=1e-12)


@pytest.mark.parametrize(
    ("score", "difference", "chi_square", "p"), [(PROTEIN, -0.0780, 0.5554, 0.4561), (ALBUMIN, 0.0108, 0.0127, 0.9102)]
)
def test_delong_paired_test_equals_the_published_ovarian_cancer_values(score, difference, chi_square, p):
    test = delong_test(BENEFIT, score, KG_GOOD)
    assert (test.difference, test.z**2, test.p) == pytest.approx((difference, chi_square, p), abs=5.1e-5)


@pytest.mark.parametrize("ties", [False, True])
def test_delong_equals_its_definition_by_double_loop(ties):
    y, a, b = simulated(7, n=40, ties=ties)

    def components(score):
        positive, negative = score[y == 1], score[y == 0]
        kernel = np.array([[1.0 if p > q else 0.5 if p == q else 0.0 for q in negative] for p in positive])
        return kernel.mean(axis=1), kernel.mean(axis=0)

    (a10, a01), (b10, b01) = components(a), components(b)
    s10, s01 = np.cov(a10, b10), np.cov(a01, b01)
    covariance = s10 / len(a10) + s01 / len(a01)
    contrast = np.array([1.0, -1.0])
    z = (a10.mean() - b10.mean()) / math.sqrt(contrast @ covariance @ contrast)
    assert delong_test(y, a, b).z == pytest.approx(z, rel=1e-10)
    half = 1.959963984540054 * math.sqrt(covariance[0, 0])
    assert delong_ci(y, a, method="wald").low == pytest.approx(max(0, a10.mean() - half), rel=1e-10)


def test_delong_test_is_antisymmetric_and_knows_equal_scores():
    y, a, b = simulated(1)
    assert delong_test(y, a, b).z == pytest.approx(-delong_test(y, b, a).z)
    same = delong_test(y, a, a)
    assert (same.z, same.p, same.difference) == (0.0, 1.0, 0.0)


def test_logit_interval_covers_a_high_area_with_few_positives_where_walds_does_not():
    row = coverage(area=0.92, positives=15, negatives=85, repeats=1500, seed=0)
    assert row["logit"] == pytest.approx(92.7, abs=2.5)  # docs/results/auc_coverage.csv
    assert row["wald"] < 89.0


@pytest.mark.slow
def test_the_table_of_coverage_holds_and_logit_is_never_far_below_95_unless_every_pair_is_right():
    with (ROOT / "docs/results/auc_coverage.csv").open(encoding="utf-8", newline="") as stream:
        printed = list(csv.DictReader(stream))
    assert len(printed) == len(AREAS) * len(CLASSES)
    for row in printed:
        measured = coverage(float(row["auc"]), int(row["positives"]), int(row["negatives"]), repeats=2000, seed=99)
        for name in METHODS:  # two independent simulations, of 10,000 and 2,000: SD of their difference below 1.1
            assert float(row[name]) == pytest.approx(measured[name], abs=4.0), row
        assert float(row["logit"]) + float(row["points"]) >= 92.0, row
        assert float(row["logit"]) >= float(row["wald"]), row


def test_logit_interval_stays_inside_zero_and_one():
    generator = np.random.default_rng(4)
    for positives in (2, 3, 8):
        y = np.repeat([0, 1], [20, positives])
        interval = delong_ci(y, generator.normal(size=y.size) + 1.5 * y)
        assert 0 < interval.low < interval.estimate < interval.high < 1


@pytest.mark.parametrize("method", ["logit", "wald"])
@pytest.mark.parametrize(
    ("y", "score", "area"),
    [([0, 0, 1, 1], [1, 2, 3, 4], 1.0), ([1, 1, 0, 0], [1, 2, 3, 4], 0.0), ([0, 1, 0, 1], [7, 7, 7, 7], 0.5)],
)
def test_a_variance_of_zero_gives_a_point_and_says_so(y, score, area, method):
    interval = delong_ci(y, score, method=method)
    assert (interval.low, interval.estimate, interval.high) == (area, area, area)
    assert "variance is zero" in interval.method


def test_roc_curve_equals_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    y, a, _ = simulated(2, ties=True)
    ours, theirs = roc_curve(y, a), metrics.roc_curve(y, a, drop_intermediate=False)
    for mine, expected in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, expected)


def test_youden_lies_halfway_between_the_scores_it_separates():
    assert youden([0, 0, 1, 1], [0.1, 0.2, 0.6, 0.9]) == pytest.approx(0.4)


@pytest.mark.parametrize("seed", range(4))
def test_youden_reaches_the_best_sum_of_sensitivity_and_specificity(seed):
    y, a, _ = simulated(seed, ties=seed % 2 == 0)

    def index(t):
        return (a[y == 1] >= t).mean() - (a[y == 0] >= t).mean()

    best = max(index(t) for t in [*np.unique(a), np.inf])
    assert index(youden(y, a)) == pytest.approx(best)


def test_youden_of_a_useless_score_calls_everybody_positive():
    assert youden([0, 1, 0, 1], [1.0, 1.0, 1.0, 1.0]) == 1.0
    assert youden([1, 1, 0, 0], [1.0, 2.0, 3.0, 4.0]) == 1.0


@pytest.mark.parametrize(
    ("y", "score", "message"),
    [
        ([1, 1], [1.0, 2.0], "both classes"),
        ([0, 1], [1.0, math.nan], "case 1 .* is nan"),
        ([0, 1], [1.0, 2.0, 3.0], "expected shape"),
        ([0, 2], [1.0, 2.0], "0 and 1 only"),
        ([], [], "non-empty"),
    ],
)
def test_bad_arrays_are_refused_with_a_reason(y, score, message):
    with pytest.raises(InputError, match=message):
        auc(y, score)
