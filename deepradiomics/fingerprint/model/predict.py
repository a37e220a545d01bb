"""Relevance and logits of many cases: arrays in, arrays out, in batches, without gradients.

Relevance is returned apart from the logits, so that controls can put another patient's or the mean relevance in.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from deepradiomics.devices import resolve_device
from deepradiomics.fingerprint.model.network import FingerprintModel, Inference


def relevance_of(
    model: FingerprintModel, images: np.ndarray, *, device: str = "cpu", batch_size: int = 8
) -> np.ndarray:
    """Return q (N, T, D) float32 of images (N, V, z, y, x)."""
    where = torch.device(resolve_device(device))
    model = model.to(where).eval()
    with torch.inference_mode():
        parts = [
            model.relevance(torch.from_numpy(np.array(images[start : start + batch_size])).to(where)).cpu().numpy()
            for start in range(0, len(images), batch_size)
        ]
    model.to("cpu")
    return np.concatenate(parts) if parts else np.zeros((0, len(model.tasks), model.n_features), np.float32)


def logits_of(
    model: FingerprintModel,
    z: np.ndarray,
    relevance: np.ndarray,
    inference: Inference = "paper",
    thresholds: np.ndarray | None = None,
    *,
    batch_size: int = 64,
) -> np.ndarray:
    """Return logits (N, C) float64 from features z (N, D) and relevance (N, T, D) under an inference mode.

    Args:
        model: used on the CPU, in double precision, so that sums of thousands of terms come out the same everywhere.
        z: standardised features.
        relevance: of the same cases, in the same order.
        inference: ``paper``, ``masked`` or ``soft``.
        thresholds: relevance threshold of each task (T,); not needed for ``soft``.
        batch_size: cases at a time.
    """
    classifier = _double(model)
    limit = None if thresholds is None else torch.as_tensor(np.asarray(thresholds), dtype=torch.float64)
    parts = []
    with torch.inference_mode():
        for start in range(0, len(z), batch_size):
            these = slice(start, start + batch_size)
            weighted = model.weighted(_tensor(z[these]), _tensor(relevance[these]), inference, limit)
            parts.append(classifier(weighted).numpy())
    return np.concatenate(parts) if parts else np.zeros((0, classifier.n_outputs))


def contributions_of(
    model: FingerprintModel, z: np.ndarray, relevance: np.ndarray, inference: Inference, thresholds: np.ndarray
) -> np.ndarray:
    """Return the share of each feature in each logit, (N, C, D) float64; with the intercepts they sum to the logits."""
    classifier = _double(model)
    limit = torch.as_tensor(np.asarray(thresholds), dtype=torch.float64)
    with torch.inference_mode():
        weighted = model.weighted(_tensor(z), _tensor(relevance), inference, limit)
        shares: np.ndarray = classifier.contributions(weighted).numpy()
    return shares


def _double(model: FingerprintModel) -> Any:
    import copy

    return copy.deepcopy(model.classifier).to("cpu", torch.float64).eval()


def _tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.asarray(array, dtype=np.float64))
