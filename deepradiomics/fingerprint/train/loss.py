"""The joint loss: cross-entropy of every task on the logits that stand side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from deepradiomics.fingerprint.model.tasks import Task, output_slices


def class_weights(labels: np.ndarray, tasks: Sequence[Task], balance: bool) -> list[Tensor]:
    """Weight of each class of each task: all 1, or N / (classes · cases of the class) on labels (N, T)."""
    weights = []
    for t, task in enumerate(tasks):
        counts = np.bincount(labels[:, t], minlength=len(task.classes))
        even = np.where(counts > 0, len(labels) / (len(task.classes) * np.maximum(counts, 1)), 0.0)
        weights.append(torch.as_tensor(even if balance else np.ones(len(task.classes)), dtype=torch.float32))
    return weights


def joint_cross_entropy(logits: Tensor, labels: Tensor, tasks: Sequence[Task], weights: Sequence[Tensor]) -> Tensor:
    """Sum over tasks of the weighted mean cross-entropy.

    Args:
        logits: (B, C).
        labels: class indices (B, T).
        tasks: T tasks.
        weights: per task, one weight per class.
    """
    logits = logits.float()
    total = logits.new_zeros(())
    for t, (task, where) in enumerate(zip(tasks, output_slices(tasks), strict=True)):
        target, weight = labels[:, t], weights[t].to(logits.device)
        if task.kind == "binary":
            losses = binary_cross_entropy_with_logits(logits[:, where.start], target.float(), reduction="none")
            total = total + (losses * weight[target]).mean()
        else:
            total = total + (cross_entropy(logits[:, where], target, reduction="none") * weight[target]).mean()
    return total
