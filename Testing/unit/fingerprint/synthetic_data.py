"""Small training data with a planted signal, for tests of training: no images of anybody, no files."""

from collections.abc import Sequence

import numpy as np

from deepradiomics.fingerprint.model.config import ModelConfig, TrainingConfig
from deepradiomics.fingerprint.model.network import FingerprintModel
from deepradiomics.fingerprint.model.tasks import Task
from deepradiomics.fingerprint.train.data import TrainingData
from deepradiomics.training.seeds import seeded

TASKS = (Task("tear", (0, 1)), Task("grade", (1, 2, 4)))
MODEL = ModelConfig(network="tiny", pairwise="factorised", rank=2)
TRAINING = TrainingConfig(epochs=5, batch_size=8, learning_rate=1e-3, linear_step=0.3, patience=5)


def planted(cases: int = 41, features: int = 12, tasks: Sequence[Task] = TASKS, seed: int = 0) -> TrainingData:
    """Feature 0 decides the first task, feature 1 the second; the images are noise."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(cases, features)).astype(np.float32)
    columns = []
    for t, task in enumerate(tasks):
        edges = np.quantile(z[:, t], np.arange(1, len(task.classes)) / len(task.classes))
        columns.append(np.digitize(z[:, t] + 0.3 * rng.normal(size=cases), edges))
    held = cases // 3
    return TrainingData(
        ids=tuple(f"case{n}" for n in range(cases)),
        images=rng.normal(size=(cases, 2, 4, 6, 8)).astype(np.float32),
        z=z,
        labels=np.stack(columns, axis=1).astype(np.int64),
        splits=("train",) * (cases - held) + ("validation",) * held,
        tasks=tuple(tasks),
    )


def untrained(data: TrainingData, config: ModelConfig = MODEL) -> FingerprintModel:
    """Always the same weights."""
    with seeded(7):
        return FingerprintModel(data.images.shape[1], data.z.shape[1], data.tasks, config)
