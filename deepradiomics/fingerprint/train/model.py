"""The model of a training: untrained, with thresholds and scores once it is fitted, and as a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from deepradiomics.fingerprint.model.bundle import FingerprintBundle
from deepradiomics.fingerprint.model.config import FingerprintConfig
from deepradiomics.fingerprint.model.network import INFERENCES, FingerprintModel
from deepradiomics.fingerprint.model.predict import logits_of, relevance_of
from deepradiomics.fingerprint.model.scores import task_scores
from deepradiomics.fingerprint.model.tasks import probabilities
from deepradiomics.fingerprint.model.thresholds import Thresholds, choose_thresholds
from deepradiomics.fingerprint.train.data import TrainingData
from deepradiomics.prepare import Templates
from deepradiomics.training.fit import Fitted
from deepradiomics.training.seeds import seeded


def new_model(config: FingerprintConfig, data: TrainingData, seed: int) -> FingerprintModel:
    """Return an untrained model for the data, its weights drawn from ``seed``."""
    with seeded(seed):
        return FingerprintModel(data.images.shape[1], data.z.shape[1], data.tasks, config.model)


def evaluate_fit(
    model: FingerprintModel, data: TrainingData, fitted: Fitted, *, device: str = "auto"
) -> tuple[Thresholds, dict[str, Any]]:
    """Choose the thresholds on validation and score validation and test cases in every inference mode."""
    rows = data.part("validation")
    relevance = relevance_of(model, data.images[rows], device=device)
    thresholds = choose_thresholds(model, data.z[rows], relevance, data.labels[rows])
    limits = thresholds.vector(data.tasks)
    metrics: dict[str, Any] = {
        "best_epoch": fitted.best_epoch,
        "epochs": fitted.epochs,
        "best_score": fitted.best_score,
    }
    for split in ("validation", "test"):
        rows = data.part(split)
        if rows.size == 0:
            continue
        relevance = relevance_of(model, data.images[rows], device=device)
        metrics[split] = {}
        for inference in INFERENCES:
            chances = probabilities(logits_of(model, data.z[rows], relevance, inference, limits), data.tasks)
            metrics[split][inference] = task_scores(
                data.tasks, chances, data.labels[rows], thresholds.decision[inference]
            )
        metrics[split]["fingerprint_size"] = {
            task.name: float(np.mean((relevance[:, t] >= limits[t]).sum(axis=-1))) for t, task in enumerate(data.tasks)
        }
    return thresholds, metrics


def write_bundle(
    folder: Path,
    model: FingerprintModel,
    config: FingerprintConfig,
    data: TrainingData,
    thresholds: Thresholds,
    templates: Templates | None,
    about: dict[str, Any],
) -> Path:
    """Write the bundle of a trained model."""
    if data.layout is None or data.scaling is None:
        raise ValueError("a fingerprint bundle needs data with features")
    return FingerprintBundle(model, config, data.layout, data.scaling, thresholds, templates, about).save(folder)
