"""Numbers of the tables from predictions: mean and SD over seeds (or folds), bootstrap intervals, paired tests.

* Accuracy, sensitivity, specificity and AUC are computed for each unit (seed, fold) on its test cases with its own
  validation threshold, then averaged. With several classes sensitivity, specificity and AUC are macro-averages, one
  class against the rest.
* The interval resamples patients, not units, and holds for that average.
* The paired tests need one answer per case: the probability (DeLong) and its distance from the threshold (McNemar) are
  averaged over the units that tested the case.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from deepradiomics.errors import InputError
from deepradiomics.fingerprint.evaluate.records import Prediction, keys_of, tasks_of
from deepradiomics.stats import auc, bootstrap_ci, classification_rates, delong_test, holm, mcnemar, multiclass_auc

METRICS = ("accuracy", "sensitivity", "specificity", "auc")


@dataclass(frozen=True)
class Score:
    """One metric: mean over units, SD over units (NaN for a single unit), limits of its 95 % bootstrap interval."""

    mean: float
    sd: float
    low: float
    high: float


@dataclass(frozen=True)
class ScoreRow:
    """One method × task of a table."""

    method: str
    inference: str
    task: str
    units: int
    cases: int
    accuracy: Score
    sensitivity: Score
    specificity: Score
    auc: Score


@dataclass(frozen=True)
class Comparison:
    """The fingerprint against one baseline on one task; differences are fingerprint minus baseline."""

    inference: str
    baseline: str
    baseline_inference: str
    task: str
    cases: int
    auc_difference: float
    auc_difference_low: float
    auc_difference_high: float
    delong_p: float
    delong_p_holm: float
    only_fingerprint_right: int
    only_baseline_right: int
    mcnemar_p: float
    mcnemar_p_holm: float


@dataclass(frozen=True)
class _Grid:
    """Test predictions of one method and task as arrays, rows = cases, columns = units; ``seen`` marks what exists."""

    cases: tuple[str, ...]
    label: NDArray[np.int64]  # (n,)
    seen: NDArray[np.bool_]  # (n, U)
    probability: NDArray[np.float64]  # (n, U, C'), C' = 1 for a binary task
    margin: NDArray[np.float64]  # (n, U)
    predicted: NDArray[np.int64]  # (n, U)

    @property
    def binary(self) -> bool:
        return self.probability.shape[2] == 1


def score_rows(predictions: Sequence[Prediction], *, n_bootstrap: int = 2000, seed: int = 0) -> tuple[ScoreRow, ...]:
    """One row for each (method, inference) × task, in the order of first appearance.

    Raises:
        InputError: a method lacks test predictions for a task.
    """
    return tuple(
        _score_row(predictions, key, task, n_bootstrap, seed)
        for key in keys_of(predictions)
        for task in tasks_of(predictions)
    )


def compare(predictions: Sequence[Prediction], *, reference: str = "fingerprint") -> tuple[Comparison, ...]:
    """``reference`` against every other method, once for each of its inference modes.

    A baseline that selects features is compared in the same mode; the others are compared with every mode. Holm's
    adjustment runs over all baselines × tasks of a mode, for each test on its own. DeLong is left NaN for tasks with
    several classes, for which it is not defined.
    """
    keys = keys_of(predictions)
    found: list[Comparison] = []
    for mode in [inference for method, inference in keys if method == reference]:
        rivals = [key for key in keys if key[0] != reference and key[1] in ("", mode)]
        rows = [
            _compare(predictions, (reference, mode), rival, task) for rival in rivals for task in tasks_of(predictions)
        ]
        found += _with_holm(rows)
    return tuple(found)


def metrics(
    label: NDArray[np.int64], probability: NDArray[np.float64], predicted: NDArray[np.int64]
) -> dict[str, float]:
    """The four metrics of one unit: label (n,), probability (n, 1) or (n, classes), predicted (n,)."""
    classes = probability.shape[1]
    if classes == 1:
        rates = classification_rates(label, predicted)
        return {
            "accuracy": rates.accuracy,
            "sensitivity": rates.sensitivity,
            "specificity": rates.specificity,
            "auc": auc(label, probability[:, 0]),
        }
    each = [classification_rates(label == k, predicted == k) for k in range(classes)]
    return {
        "accuracy": float(np.mean(label == predicted)),
        "sensitivity": float(np.nanmean([rates.sensitivity for rates in each])),
        "specificity": float(np.nanmean([rates.specificity for rates in each])),
        "auc": multiclass_auc(label, probability).macro,
    }


def _score_row(
    predictions: Sequence[Prediction], key: tuple[str, str], task: str, n_bootstrap: int, seed: int
) -> ScoreRow:
    grid = _grid(predictions, key, task)
    units = [metrics(grid.label[s], grid.probability[s, u], grid.predicted[s, u]) for u, s in enumerate(grid.seen.T)]
    scores: dict[str, Score] = {}
    for name in METRICS:
        values = np.array([unit[name] for unit in units])
        low, high = _interval(grid, name, n_bootstrap, seed)
        sd = float(values.std(ddof=1)) if len(values) > 1 else math.nan
        scores[name] = Score(float(values.mean()), sd, low, high)
    return ScoreRow(key[0], key[1], task, len(units), len(grid.cases), **scores)


def _interval(grid: _Grid, name: str, n_bootstrap: int, seed: int) -> tuple[float, float]:
    """95 % percentile interval of the metric's mean over units, patients resampled within class and test membership."""
    if n_bootstrap < 1:
        return math.nan, math.nan

    def statistic(label: NDArray, seen: NDArray, probability: NDArray, predicted: NDArray) -> float:
        values = [_one_metric(name, label[s], probability[s, u], predicted[s, u]) for u, s in enumerate(seen.T)]
        return float(np.mean(values))

    strata = np.unique(np.column_stack([grid.label, grid.seen]), axis=0, return_inverse=True)[1].ravel()
    interval = bootstrap_ci(
        statistic, grid.label, grid.seen, grid.probability, grid.predicted, n=n_bootstrap, seed=seed, stratify=strata
    )
    return interval.low, interval.high


def _one_metric(name: str, label: NDArray, probability: NDArray, predicted: NDArray) -> float:
    """Like :func:`metrics`, but only the one asked for: the bootstrap calls it thousands of times."""
    if probability.shape[1] > 1:
        return metrics(label, probability, predicted)[name]
    if name == "auc":
        return auc(label, probability[:, 0])
    right = label == predicted
    if name == "sensitivity":
        right = right[label == 1]
    elif name == "specificity":
        right = right[label == 0]
    return float(right.mean())


def _grid(predictions: Sequence[Prediction], key: tuple[str, str], task: str) -> _Grid:
    rows = [row for row in predictions if row.key == key and row.task == task and row.part == "test"]
    if not rows:
        raise InputError(f"predictions: {'/'.join(filter(None, key))} has no test predictions for task {task!r}.")
    cases = tuple(sorted({row.case for row in rows}))
    units = sorted({row.unit for row in rows})
    place, column = {case: i for i, case in enumerate(cases)}, {unit: u for u, unit in enumerate(units)}
    shape = len(cases), len(units)
    label = np.zeros(len(cases), np.int64)
    seen, predicted = np.zeros(shape, bool), np.zeros(shape, np.int64)
    margin, probability = np.zeros(shape), np.zeros((*shape, len(rows[0].probabilities)))
    for row in rows:
        i, u = place[row.case], column[row.unit]
        if seen[i, u]:
            raise InputError(
                f"predictions: case {row.case!r} appears twice for {key}, seed {row.seed}, fold {row.fold}."
            )
        label[i], seen[i, u], predicted[i, u] = row.label, True, row.predicted
        margin[i, u], probability[i, u] = row.margin, row.probabilities
    return _Grid(cases, label, seen, probability, margin, predicted)


def _one_answer(grid: _Grid) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Mean probability (n, C') and decision (n,) of each case over the units that tested it."""
    count = grid.seen.sum(axis=1)
    probability = (grid.probability * grid.seen[:, :, None]).sum(axis=1) / count[:, None]
    if grid.binary:
        mean_margin = (grid.margin * grid.seen).sum(axis=1) / count
        return probability, (mean_margin >= 0).astype(np.int64)
    return probability, probability.argmax(axis=1)


def _compare(predictions: Sequence[Prediction], mine: tuple[str, str], other: tuple[str, str], task: str) -> Comparison:
    a, b = _grid(predictions, mine, task), _grid(predictions, other, task)
    if a.cases != b.cases or not np.array_equal(a.seen, b.seen):
        raise InputError(
            f"predictions: {mine[0]} and {other[0]} were not tested on the same cases of task {task!r}; "
            "paired tests need the same splits."
        )
    (probability_a, decision_a), (probability_b, decision_b) = _one_answer(a), _one_answer(b)
    discord = mcnemar(a.label, decision_a, decision_b)
    difference = low = high = p = math.nan
    if a.binary:
        test = delong_test(a.label, probability_a[:, 0], probability_b[:, 0])
        difference, low, high, p = test.difference, test.low, test.high, test.p
    return Comparison(
        mine[1], other[0], other[1], task, len(a.cases), difference, low, high, p, math.nan,
        discord.only_a_right, discord.only_b_right, discord.p, math.nan,
    )  # fmt: skip


def _with_holm(rows: list[Comparison]) -> list[Comparison]:
    mcnemar_adjusted = holm([row.mcnemar_p for row in rows])
    defined = [i for i, row in enumerate(rows) if not math.isnan(row.delong_p)]
    delong_adjusted = np.full(len(rows), math.nan)
    delong_adjusted[defined] = holm([rows[i].delong_p for i in defined])
    return [
        replace(row, delong_p_holm=float(d), mcnemar_p_holm=float(m))
        for row, d, m in zip(rows, delong_adjusted, mcnemar_adjusted, strict=True)
    ]
