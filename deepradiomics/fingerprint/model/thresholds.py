"""The two thresholds, both chosen on the validation split by Youden's index.

``relevance_threshold`` T decides which features belong to a fingerprint (q ≥ T), one for each task;
``decision_threshold`` turns a probability into a diagnosis, one for each binary task and inference mode.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deepradiomics.fingerprint.model.tasks import Task, probabilities
from deepradiomics.options import check_number
from deepradiomics.stats import auc, youden

if TYPE_CHECKING:
    from deepradiomics.fingerprint.model.network import FingerprintModel

CANDIDATES = np.arange(0.05, 0.951, 0.05)
"""Quantiles of the validation cases' relevance that are tried as T: fingerprints of about 95 % to 5 % of the pool."""
SMALLEST_FINGERPRINT = 10
"""A T is tried only if every validation case keeps at least this many features (or all of a smaller pool)."""


@dataclass(frozen=True)
class Thresholds:
    """Thresholds of every task.

    Args:
        relevance: T of each task, in [0, 1].
        decision: per inference mode and task; None for a task of several classes, where the likeliest class wins.
    """

    relevance: Mapping[str, float]
    decision: Mapping[str, Mapping[str, float | None]]

    def __post_init__(self) -> None:
        for task, value in self.relevance.items():
            check_number(f"relevance_threshold of {task!r}", value, 0.0, 1.0)
        for inference, decisions in self.decision.items():
            for task, threshold in decisions.items():
                if threshold is not None:
                    check_number(f"decision_threshold of {task!r} ({inference})", threshold, 0.0, 1.0)

    def vector(self, tasks: Sequence[Task]) -> np.ndarray:
        """T of the tasks in order, float64 (T,)."""
        return np.array([self.relevance[task.name] for task in tasks], dtype=np.float64)

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {"relevance": dict(self.relevance), "decision": {k: dict(v) for k, v in self.decision.items()}}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Thresholds:
        """Inverse of :meth:`to_dict`."""
        return cls(dict(stored["relevance"]), {k: dict(v) for k, v in stored["decision"].items()})


def choose_thresholds(model: FingerprintModel, z: np.ndarray, relevance: np.ndarray, labels: np.ndarray) -> Thresholds:
    """Choose T, then the decision thresholds, for each task on validation cases.

    T is the candidate with the best Youden index of the paper's inference; ties go to the higher AUC, then to the lower
    cross-entropy. For a task of several classes both are averages over one-against-the-rest.

    Args:
        model: trained.
        z: standardised features (N, D) of the validation cases.
        relevance: their relevance (N, T, D).
        labels: their class indices (N, T).
    """
    from deepradiomics.fingerprint.model.network import INFERENCES
    from deepradiomics.fingerprint.model.predict import logits_of

    tasks = model.tasks
    chosen = np.full(len(tasks), 0.5)
    if model.config.selection == "network":
        candidates = _candidates(relevance)  # (candidates, T)
        scores = np.empty((len(candidates), len(tasks), 3))
        for k, limits in enumerate(candidates):
            chances = probabilities(logits_of(model, z, relevance, "paper", limits), tasks)
            for t, task in enumerate(tasks):
                scores[k, t] = _quality(task, labels[:, t], chances[t])
        for t in range(len(tasks)):
            best = max(range(len(candidates)), key=lambda k, t=t: tuple(np.round(scores[k, t], 9)))  # type: ignore[misc]
            chosen[t] = candidates[best, t]
    decision: dict[str, dict[str, float | None]] = {}
    for inference in INFERENCES:
        chances = probabilities(logits_of(model, z, relevance, inference, chosen), tasks)
        decision[inference] = {
            task.name: _decision(labels[:, t], chances[t]) if task.kind == "binary" else None
            for t, task in enumerate(tasks)
        }
    return Thresholds({task.name: float(chosen[t]) for t, task in enumerate(tasks)}, decision)


def decide(task: Task, chances: np.ndarray, threshold: float | None) -> np.ndarray:
    """Class index of each case from its probabilities (N,) or (N, classes)."""
    if task.kind == "binary":
        return (chances >= (0.5 if threshold is None else threshold)).astype(np.int64)
    return np.argmax(chances, axis=1)


def _candidates(relevance: np.ndarray) -> np.ndarray:
    """Quantiles of q for each task (candidates, T), held below the T that would leave a case too few features.

    Rounded to numbers that float32 holds exactly, as q is.
    """
    quantiles = np.quantile(relevance, CANDIDATES, axis=(0, 2), method="nearest")
    keep = min(SMALLEST_FINGERPRINT, relevance.shape[2])
    largest = np.sort(relevance, axis=2)[:, :, -keep].min(axis=0)  # (T,)
    return np.minimum(quantiles, largest).astype(np.float32).astype(np.float64)


def _quality(task: Task, labels: np.ndarray, chances: np.ndarray) -> tuple[float, float, float]:
    """(Youden's index, AUC, minus the cross-entropy) of one task."""
    truth = labels[:, None] == np.arange(len(task.classes))
    columns = chances[:, None] if task.kind == "binary" else chances
    wanted = truth[:, 1:] if task.kind == "binary" else truth
    pairs = [(wanted[:, c], columns[:, c]) for c in range(columns.shape[1]) if 0 < wanted[:, c].sum() < len(labels)]
    if not pairs:
        return 0.0, 0.5, 0.0
    index = float(np.mean([_youden_index(y, p) for y, p in pairs]))
    area = float(np.mean([auc(y, p) for y, p in pairs]))
    full = np.column_stack([1 - chances, chances]) if task.kind == "binary" else chances
    likelihood = np.clip(full[np.arange(len(labels)), labels], 1e-12, 1.0)
    return index, area, float(np.log(likelihood).mean())


def _youden_index(y: np.ndarray, score: np.ndarray) -> float:
    positive = score >= youden(y, score)
    return float(positive[y].mean() + (~positive[~y]).mean() - 1.0)


def _decision(labels: np.ndarray, chances: np.ndarray) -> float:
    if len(np.unique(labels)) < 2:
        return 0.5
    return float(np.clip(youden(labels, chances), 0.0, 1.0))
