"""How well a fine-tuned model does on the test cases: each metric with a bootstrap interval over them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from deepradiomics.devices import resolve_device
from deepradiomics.lens.encoders.finetune.tasks import Task
from deepradiomics.stats import bootstrap_ci

if TYPE_CHECKING:
    from deepradiomics.lens.encoders.finetune.module import TaskNetwork
    from deepradiomics.lens.encoders.stacks import Stacks

RESAMPLES = 2000


def score(
    network: TaskNetwork,
    stacks: Stacks,
    rows: Sequence[int],
    targets: np.ndarray | None,
    *,
    batch_size: int,
    device: str = "auto",
    seed: int = 0,
) -> dict[str, dict[str, float | None]]:
    """Metrics of some cases: key → value, low, high (95 % percentile bootstrap over cases; of kappa within classes).

    low and high are None where every resample gives the same number: a point is no interval.
    """
    return intervals(
        network.task, predictions(network, stacks, rows, targets, batch_size=batch_size, device=device), seed
    )


def intervals(task: Task, records: np.ndarray, seed: int = 0) -> dict[str, dict[str, float | None]]:
    """Metrics of the records (n, k) of some cases, as :func:`score` gives them."""
    scores: dict[str, dict[str, float | None]] = {}
    for metric in task.metrics:
        interval = bootstrap_ci(
            _Metric(task, metric.key), records, n=RESAMPLES, seed=seed, stratify=task.strata(records, metric.key)
        )
        low, high = (interval.low, interval.high) if interval.high - interval.low > 1e-12 else (None, None)
        scores[metric.key] = {"value": interval.estimate, "low": low, "high": high}
    return scores


def predictions(
    network: TaskNetwork,
    stacks: Stacks,
    rows: Sequence[int],
    targets: np.ndarray | None,
    *,
    batch_size: int,
    device: str = "auto",
) -> np.ndarray:
    """Return the task's records (n, k) of some cases; the network goes back to the CPU afterwards."""
    import torch

    from deepradiomics.lens.encoders.stack_data import stack_batch

    region = network.task.target if network.task.kind == "segment" else None
    where = resolve_device(device)
    network.to(where).eval()
    records = []
    with torch.no_grad():
        for start in range(0, len(rows), batch_size):
            images, wanted, _ = stack_batch(stacks, rows[start : start + batch_size], targets, region)
            records.append(network.task.record(network(images.to(where)), wanted.to(where)).cpu())
    network.to("cpu")
    return torch.cat(records).numpy()


class _Metric:
    """One metric as a function of the records, for the bootstrap."""

    def __init__(self, task: Task, key: str) -> None:
        self._task, self._key = task, key

    def __call__(self, records: np.ndarray) -> float:
        return self._task.scores(records)[self._key]
