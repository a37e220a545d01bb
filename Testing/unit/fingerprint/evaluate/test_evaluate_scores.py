"""Scores and paired tests of the tables: values worked by hand, and what makes two methods incomparable."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.fingerprint.evaluate.records import Prediction, read_predictions, write_predictions
from deepradiomics.fingerprint.evaluate.scores import compare, metrics, score_rows
from deepradiomics.stats import delong_test, mcnemar

LABELS = (0, 0, 1, 1)
GOOD = (0.1, 0.4, 0.35, 0.8)  # AUC 0.75; at 0.5: TP 1, FN 1, TN 2
BETTER = (0.1, 0.2, 0.6, 0.8)  # AUC 1; at 0.5 all right


def _rows(
    scores: tuple[float, ...],
    method: str = "fingerprint",
    inference: str = "paper",
    seed: int = 0,
    fold: int = 0,
    labels: tuple[int, ...] = LABELS,
    first: int = 0,
) -> list[Prediction]:
    return [
        Prediction(method, inference, seed, fold, "acl", f"c{first + i}", "test", y, (p,), 0.5, int(p >= 0.5))
        for i, (y, p) in enumerate(zip(labels, scores, strict=True))
    ]


def test_the_four_metrics_of_one_unit_are_those_counted_by_hand() -> None:
    (row,) = score_rows(_rows(GOOD), n_bootstrap=50)
    assert (row.accuracy.mean, row.sensitivity.mean, row.specificity.mean, row.auc.mean) == (0.75, 0.5, 1.0, 0.75)
    assert math.isnan(row.auc.sd)
    assert (row.units, row.cases) == (1, 4)


def test_two_seeds_give_their_mean_and_sample_sd() -> None:
    (row,) = score_rows(_rows(GOOD) + _rows(BETTER, seed=1), n_bootstrap=50)
    assert row.auc.mean == pytest.approx(0.875)
    assert row.auc.sd == pytest.approx(math.sqrt(2 * 0.125**2))  # deviations ±0.125, one degree of freedom
    assert row.auc.low <= row.auc.mean <= row.auc.high


def test_folds_are_averaged_although_each_tests_other_cases() -> None:
    (row,) = score_rows(_rows(GOOD) + _rows(BETTER, fold=1, first=4), n_bootstrap=50)
    assert (row.units, row.cases, row.auc.mean) == (2, 8, pytest.approx(0.875))


def test_validation_rows_never_reach_the_scores() -> None:
    wrong = [replace(row, part="validation", case="v" + row.case) for row in _rows((0.9, 0.9, 0.1, 0.1))]
    (row,) = score_rows(_rows(GOOD) + wrong, n_bootstrap=0)
    assert (row.cases, row.auc.mean) == (4, 0.75)


def test_several_classes_are_macro_averaged_one_against_the_rest() -> None:
    label = np.array([0, 1, 2, 2])
    probability = np.array([[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.1, 0.2, 0.7], [0.6, 0.1, 0.3]])
    found = metrics(label, probability, probability.argmax(axis=1))
    assert found["accuracy"] == 0.75
    assert found["sensitivity"] == pytest.approx((1 + 1 + 0.5) / 3)
    assert found["specificity"] == pytest.approx((2 / 3 + 1 + 1) / 3)
    # class 0: 3 of 3 pairs; class 1: 3 of 3; class 2: (0.7, 0.3) against (0.1, 0.3) gives 1, 1, 1, ½
    assert found["auc"] == pytest.approx((1 + 1 + 3.5 / 4) / 3)


def test_the_paired_tests_are_those_of_the_stats_package_on_the_same_cases() -> None:
    (found,) = compare(_rows(GOOD) + _rows(BETTER, "nofs", ""))
    assert found.delong_p == delong_test(LABELS, GOOD, BETTER).p
    assert found.auc_difference == pytest.approx(-0.25)
    assert found.mcnemar_p == mcnemar(LABELS, [0, 0, 0, 1], [0, 0, 1, 1]).p
    assert (found.only_fingerprint_right, found.only_baseline_right) == (0, 1)


def test_paired_tests_use_each_case_once_with_its_mean_over_seeds() -> None:
    rows = _rows(GOOD) + _rows(BETTER, seed=1)
    rows += _rows(BETTER, "nofs", "") + _rows(BETTER, "nofs", "", seed=1)
    (found,) = compare(rows)
    mean = [(a + b) / 2 for a, b in zip(GOOD, BETTER, strict=True)]
    assert found.cases == 4
    assert found.delong_p == delong_test(LABELS, mean, BETTER).p


def test_holm_multiplies_the_smallest_p_by_the_number_of_baselines() -> None:
    labels = (0,) * 12 + (1,) * 12
    rng = np.random.default_rng(0)
    mine = tuple(np.clip(np.array(labels) * 0.6 + rng.uniform(0, 0.4, 24), 0, 1))
    rows = _rows(mine, labels=labels)
    for name in ("a", "b"):
        rows += _rows(tuple(rng.uniform(0, 1, 24)), name, "", labels=labels)
    found = compare(rows)
    smallest = min(found, key=lambda row: row.delong_p)
    assert smallest.delong_p_holm == pytest.approx(min(1.0, 2 * smallest.delong_p))


def test_a_baseline_with_modes_is_compared_in_the_same_mode_only() -> None:
    rows = [*_rows(GOOD), *_rows(GOOD, inference="masked")]
    rows += [*_rows(BETTER, "mean-q", "paper"), *_rows(BETTER, "mean-q", "masked"), *_rows(BETTER, "nofs", "")]
    found = {(row.inference, row.baseline, row.baseline_inference) for row in compare(rows)}
    assert found == {
        ("paper", "mean-q", "paper"), ("paper", "nofs", ""),
        ("masked", "mean-q", "masked"), ("masked", "nofs", ""),
    }  # fmt: skip


def test_methods_tested_on_other_cases_are_not_compared() -> None:
    with pytest.raises(InputError, match="not tested on the same cases"):
        compare(_rows(GOOD) + _rows(BETTER, "nofs", "", first=4))


def test_a_case_that_appears_twice_is_refused() -> None:
    with pytest.raises(InputError, match="'c0' appears twice"):
        score_rows(_rows(GOOD) + _rows(GOOD), n_bootstrap=0)


def test_predictions_come_back_from_their_csv_bit_by_bit(tmp_path: Path) -> None:
    rows = (
        *_rows((1 / 3, 0.1, 2 / 3, 1e-12)),
        Prediction("elnet", "", 1, 2, "grade", "ä,1", "validation", 2, (0.1, 0.2, 0.7), None, 2),
    )
    write_predictions(rows, tmp_path / "predictions.csv")
    assert read_predictions(tmp_path / "predictions.csv") == rows


def test_a_file_with_other_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "predictions.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InputError, match="expected the columns method, inference"):
        read_predictions(tmp_path / "predictions.csv")
