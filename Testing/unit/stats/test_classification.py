"""Rates, confusion, several-class AUC and Wilson's interval: by hand, scikit-learn, statsmodels."""

from __future__ import annotations

import math

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.stats import (
    accuracy,
    classification_rates,
    confusion_matrix,
    jaccard,
    mean_pairwise_jaccard,
    multiclass_auc,
    wilson_ci,
)


def test_rates_of_eight_cases_worked_by_hand():
    rates = classification_rates([1, 1, 1, 0, 0, 0, 0, 0], [1, 1, 0, 1, 0, 0, 0, 0])
    counts = (rates.true_positives, rates.false_positives, rates.true_negatives, rates.false_negatives)
    assert counts == (2, 1, 4, 1)
    assert (rates.accuracy, rates.sensitivity, rates.specificity) == (6 / 8, 2 / 3, 4 / 5)
    assert (rates.ppv, rates.npv, rates.f1) == (2 / 3, 4 / 5, 2 / 3)


def test_a_rate_without_cases_is_nan():
    rates = classification_rates([0, 0], [0, 0])
    assert math.isnan(rates.sensitivity)
    assert math.isnan(rates.ppv)
    assert rates.specificity == 1.0


def test_confusion_and_accuracy_equal_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    generator = np.random.default_rng(1)
    y, predicted = generator.integers(0, 4, 90), generator.integers(0, 4, 90)
    np.testing.assert_array_equal(confusion_matrix(y, predicted), metrics.confusion_matrix(y, predicted))
    assert accuracy(y, predicted) == pytest.approx(metrics.accuracy_score(y, predicted))
    assert confusion_matrix([0], [0], n_classes=3).shape == (3, 3)


def test_multiclass_auc_equals_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    generator = np.random.default_rng(2)
    y = generator.integers(0, 3, 60)
    probabilities = generator.dirichlet(np.ones(3), 60)
    probabilities[np.arange(60), y] += 0.3
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    ours = multiclass_auc(y, probabilities)
    assert ours.macro == pytest.approx(metrics.roc_auc_score(y, probabilities, multi_class="ovr", average="macro"))
    assert len(ours.per_class) == 3


def test_a_class_without_cases_has_no_auc_and_does_not_count():
    result = multiclass_auc(
        [0, 0, 1, 1], np.array([[0.8, 0.1, 0.1], [0.6, 0.3, 0.1], [0.3, 0.6, 0.1], [0.1, 0.8, 0.1]])
    )
    assert math.isnan(result.per_class[2])
    assert result.macro == 1.0


def test_wilson_equals_statsmodels():
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    for successes, total in [(0, 10), (7, 10), (10, 10), (93, 120)]:
        interval = wilson_ci(successes, total)
        expected = proportion.proportion_confint(successes, total, method="wilson")
        assert (interval.low, interval.high) == pytest.approx(expected, abs=1e-12)


def test_jaccard_by_hand():
    assert jaccard([1, 1, 0, 0], [0, 1, 1, 0]) == pytest.approx(1 / 3)
    assert jaccard([0, 0], [0, 0]) == 1.0
    rows = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0]])
    assert mean_pairwise_jaccard(rows) == pytest.approx((1 / 3 + 0 + 0) / 3)


def test_mean_pairwise_jaccard_is_the_mean_of_jaccards():
    rows = np.random.default_rng(0).uniform(size=(6, 40)) > 0.6
    pairs = [jaccard(rows[i], rows[j]) for i in range(6) for j in range(i + 1, 6)]
    assert mean_pairwise_jaccard(rows) == pytest.approx(np.mean(pairs))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: classification_rates([0, 1], [0]), "expected 2, got 1"),
        (lambda: confusion_matrix([0, 3], [0, 1], n_classes=2), "class 3"),
        (lambda: confusion_matrix([0.5], [1]), "class numbers"),
        (lambda: multiclass_auc([0, 1], [0.1, 0.2]), r"\(2, classes\)"),
        (lambda: multiclass_auc([0, 0], np.ones((2, 2))), "at least two classes"),
        (lambda: wilson_ci(3, 2), "3 of 2"),
        (lambda: jaccard([1, 0], [1, 0, 1]), "one shape"),
        (lambda: jaccard([0.2], [1]), "selection"),
        (lambda: mean_pairwise_jaccard([[1, 0]]), "two rows"),
    ],
)
def test_bad_arrays_are_refused_with_a_reason(call, message):
    with pytest.raises(InputError, match=message):
        call()
