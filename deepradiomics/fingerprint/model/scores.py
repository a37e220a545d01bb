"""How good a trained model is on a split: AUC, accuracy, sensitivity, specificity by task and inference mode."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from deepradiomics.fingerprint.model.tasks import Task
from deepradiomics.fingerprint.model.thresholds import decide
from deepradiomics.stats import accuracy, auc, classification_rates, delong_ci, multiclass_auc


def task_scores(
    tasks: Sequence[Task],
    chances: Sequence[np.ndarray],
    labels: np.ndarray,
    decision: Mapping[str, float | None],
) -> dict[str, dict[str, Any]]:
    """Score the probabilities of each task against class indices (N, T); what cannot be computed is None.

    Args:
        tasks: T tasks.
        chances: per task (N,) or (N, classes), see :func:`deepradiomics.fingerprint.model.tasks.probabilities`.
        labels: class indices (N, T).
        decision: threshold of each task, None for several classes.
    """
    scores: dict[str, dict[str, Any]] = {}
    for t, task in enumerate(tasks):
        truth, predicted = labels[:, t], decide(task, chances[t], decision[task.name])
        one: dict[str, Any] = {"n": len(truth), "accuracy": accuracy(truth, predicted)}
        if task.kind == "binary":
            rates = classification_rates(truth, predicted)
            one |= {"positives": int(truth.sum()), "sensitivity": rates.sensitivity, "specificity": rates.specificity}
        if len(np.unique(truth)) == len(task.classes):
            if task.kind == "binary":
                interval = delong_ci(truth, chances[t])
                one |= {"auc": auc(truth, chances[t]), "auc_ci": [interval.low, interval.high]}
            else:
                one["auc"] = multiclass_auc(truth, chances[t]).macro
        scores[task.name] = {key: _finite(value) for key, value in one.items()}
    return scores


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
