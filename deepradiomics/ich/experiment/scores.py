"""What a cell predicted, and the numbers that follow: AUC with its interval, rates at the threshold, Brier score.

predictions of a pipeline (outcome × input × classifier) in a cohort ─► a row for each fold, their mean and SD, and
                                                                        the folds' patients pooled
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from deepradiomics.stats import auc, brier, classification_rates, delong_ci

CohortName = Literal["validation", "external"]
RATES = ("f1", "sensitivity", "specificity", "ppv", "npv")
_AVERAGED = ("auc", *RATES, "threshold", "brier")


@dataclass(frozen=True, eq=False)
class Predicted:
    """Everybody whom a pipeline judged in one cohort, in the cohort's order.

    Args:
        cohort: ``validation`` (each patient by the models of the fold that tests them) or ``external``.
        ids: patients with the outcome known, (n,).
        fold: the fold of each; ``external`` for the other cohort.
        y: 0 or 1.
        probability: of class 1.
        threshold: the decision threshold of each patient's model.
        rows: place of each among the cohort's rows.
    """

    outcome: str
    input: str
    classifier: str
    cohort: CohortName
    ids: tuple[str, ...]
    fold: tuple[str, ...]
    y: NDArray[np.int64]
    probability: NDArray[np.float64]
    threshold: NDArray[np.float64]
    rows: NDArray[np.intp]

    @property
    def pipeline(self) -> tuple[str, str]:
        return self.input, self.classifier

    def part(self, fold: str) -> NDArray[np.bool_]:
        """Which patients a fold tested."""
        return np.array([one == fold for one in self.fold])


def cell_rows(predicted: Predicted) -> list[dict[str, Any]]:
    """Rows of cells.csv: of ``validation`` each fold, ``mean``, ``sd`` and ``pooled``; of ``external`` one."""
    head = {name: getattr(predicted, name) for name in ("outcome", "input", "classifier", "cohort")}
    if predicted.cohort == "external":
        return [head | {"fold": "external"} | scored(predicted.y, predicted.probability, predicted.threshold)]
    folds = []
    for fold in dict.fromkeys(sorted(predicted.fold, key=int)):
        here = predicted.part(fold)
        numbers = scored(predicted.y[here], predicted.probability[here], predicted.threshold[here])
        folds.append(head | {"fold": fold} | numbers)
    pooled = scored(predicted.y, predicted.probability, predicted.threshold)
    return [*folds, *(head | row for row in _mean_and_sd(folds)), head | {"fold": "pooled"} | pooled]


def scored(y: NDArray[np.int64], probability: NDArray[np.float64], threshold: NDArray[np.float64]) -> dict[str, Any]:
    """The numbers of a group of patients; NaN where a class is missing. ``threshold`` is their mean where it varies."""
    found: dict[str, Any] = {"n": int(y.size), "positives": int(y.sum())}
    found |= dict.fromkeys(("auc", "auc_low", "auc_high"), math.nan)
    if _both(y):
        interval = delong_ci(y, probability)
        found |= {"auc": interval.estimate, "auc_low": interval.low, "auc_high": interval.high}
    rates = classification_rates(y, (probability >= threshold).astype(int)).to_dict()
    found |= {name: rates[name] for name in RATES}
    return found | {"threshold": float(threshold.mean()), "brier": float(brier(y, probability))}


def mean_auc(predicted: Predicted) -> float:
    """The AUC that tests over classifiers take: the folds' mean (of the defined), or the one of the other cohort."""
    parts = [predicted.part(fold) for fold in dict.fromkeys(predicted.fold)]
    areas = [auc(predicted.y[here], predicted.probability[here]) for here in parts if _both(predicted.y[here])]
    return float(np.mean(areas)) if areas else math.nan


def summary_rows(predictions: Sequence[Predicted]) -> Iterator[dict[str, Any]]:
    """Rows of summary.csv: each pipeline with its folds' AUC, the pooled and the external one."""
    external = {(one.outcome, *one.pipeline): one for one in predictions if one.cohort == "external"}
    for one in predictions:
        if one.cohort != "validation":
            continue
        rows = {row["fold"]: row for row in cell_rows(one)}
        found = {
            "outcome": one.outcome,
            "input": one.input,
            "classifier": one.classifier,
            "auc_mean": rows["mean"]["auc"],
            "auc_sd": rows["sd"]["auc"],
            "auc_pooled": rows["pooled"]["auc"],
            "auc_low": rows["pooled"]["auc_low"],
            "auc_high": rows["pooled"]["auc_high"],
        }
        other = external.get((one.outcome, *one.pipeline))
        if other is not None:
            [row] = cell_rows(other)
            found |= {f"external_{name}": row["auc" if name == "auc" else f"auc_{name}"] for name in _EXTERNAL}
        yield found


_EXTERNAL = ("auc", "low", "high")


def _both(y: NDArray[np.int64]) -> bool:
    """Whether both classes are there."""
    return bool(0 < y.sum() < y.size)


def _mean_and_sd(folds: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Mean and standard deviation (n - 1) over the folds in which a number is defined; counts are those of all."""
    counts = {name: sum(row[name] for row in folds) for name in ("n", "positives")}
    mean: dict[str, Any] = {"fold": "mean", **counts}
    sd: dict[str, Any] = {"fold": "sd", **counts}
    for name in _AVERAGED:
        values = np.array([row[name] for row in folds], np.float64)
        values = values[~np.isnan(values)]
        mean[name] = float(values.mean()) if values.size else math.nan
        sd[name] = float(values.std(ddof=1)) if values.size > 1 else math.nan
    return [mean, sd]
