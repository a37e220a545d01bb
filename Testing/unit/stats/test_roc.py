"""AUC, DeLong and Youden against published values, scikit-learn and the definition by double loop."""

from __future__ import annotations

import math

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.stats import auc, delong_ci, delong_test, roc_curve, youden

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


@pytest.mark.parametrize(
    ("score", "area", "low", "high"),
    [(ALBUMIN, 0.7366, 0.5549, 0.9182), (PROTEIN, 0.6478, 0.4518, 0.8439), (KG_GOOD, 0.7258, 0.5243, 0.9273)],
)
def test_delong_interval_equals_the_published_ovarian_cancer_values(score, area, low, high):
    interval = delong_ci(BENEFIT, score)
    assert (interval.estimate, interval.low, interval.high) == pytest.approx((area, low, high), abs=5.1e-5)


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
    assert delong_ci(y, a).low == pytest.approx(max(0, a10.mean() - half), rel=1e-10)


def test_delong_test_is_antisymmetric_and_knows_equal_scores():
    y, a, b = simulated(1)
    assert delong_test(y, a, b).z == pytest.approx(-delong_test(y, b, a).z)
    same = delong_test(y, a, a)
    assert (same.z, same.p, same.difference) == (0.0, 1.0, 0.0)


def test_delong_interval_covers_the_true_area_about_as_often_as_it_says():
    true_area = 0.7602499389065233  # normal shift 1: Phi(1 / sqrt 2)
    generator, covered = np.random.default_rng(0), 0
    y = np.repeat([0, 1], 40)
    for _ in range(400):
        interval = delong_ci(y, generator.normal(size=80) + y, method="logit")
        covered += interval.low <= true_area <= interval.high
    assert 0.92 <= covered / 400 <= 0.98


def test_logit_interval_stays_inside_zero_and_one():
    interval = delong_ci([0, 0, 0, 1, 1, 1], [1, 2, 4, 3, 5, 6], method="logit")
    assert 0 < interval.low < interval.estimate < interval.high < 1
    assert delong_ci([0, 0, 1, 1], [1, 2, 3, 4], method="logit").low == 1.0


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
