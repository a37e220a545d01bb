"""Fit the evidence of patches to one task: proximal full-batch Adam, then the largest weights alone.

Nothing is drawn at random: equal inputs give equal weights.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import ArrayLike

from deepradiomics.errors import InputError
from deepradiomics.fingerprint.sparse.evidence import SHARPNESS, Evidence, Gate, sparsemax_torch
from deepradiomics.options import Option, Options


@dataclass(frozen=True)
class SparseFit(Options):
    """How evidence is fitted.

    Raises:
        InputError: a value is out of range.
    """

    per_patch: Annotated[int, Option("weights that each patch keeps", 1, 10_000)] = 16
    l1: Annotated[float, Option("L1 penalty of shared and own weights, times √(ln D / n)", 0, 1e3)] = 0.02
    l2: Annotated[float, Option("L2 penalty of shared and own weights", 0, 1e3)] = 1e-3
    offset_l2: Annotated[float, Option("L2 penalty of the patches' offsets", 0, 1e3)] = 0.02
    rate: Annotated[float, Option("learning rate, falling to zero along a cosine", 1e-6, 1)] = 0.02
    steps: Annotated[int, Option("steps with L1", 1, 100_000)] = 200
    last_steps: Annotated[int, Option("steps of the kept weights, without L1", 0, 100_000)] = 100


def fit_evidence(
    columns: ArrayLike, labels: ArrayLike, *, gate: Gate = "patches", options: SparseFit | None = None
) -> Evidence:
    """Fit one task on its training cases.

    Args:
        columns: (n, J, C) standardised by the training cases: patches and their columns of all views.
        labels: (n,) 0 or 1.
        gate: ``patches`` for focal disease, ``none`` adds all patches.
        options: how it is fitted.

    Raises:
        InputError: shapes that do not fit, values that are not finite, or one class only.
    """
    options = options or SparseFit()
    z, y = np.asarray(columns, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    if z.ndim != 3 or not z.size or y.shape != z.shape[:1]:
        raise InputError(
            f"columns and labels: expected shapes (n, patches, columns) and (n,), got {z.shape}, {y.shape}."
        )
    if not np.isfinite(z).all():
        raise InputError("columns: expected finite numbers; complete what is missing before.")
    if set(np.unique(y).tolist()) != {0.0, 1.0}:
        raise InputError(f"labels: expected 0 and 1, both of them, got {sorted(set(y.tolist()))[:5]}.")
    from torch import no_grad, ones, tensor

    n, patches, width = z.shape
    data, truth = tensor(z), tensor(y)
    state = _State(patches, width, float(np.log(y.mean() / (1.0 - y.mean()))))
    threshold = options.l1 * math.sqrt(math.log(max(patches * width, 2)) / n)
    _descend(state, data, truth, gate, options, options.steps, threshold, ones(patches, width, dtype=data.dtype))
    with no_grad():
        weights = state.weights()
        least = weights.abs().topk(min(options.per_patch, width), dim=1).values[:, -1:]
        kept = ((weights.abs() >= least) & (weights != 0)).to(data.dtype)
    _descend(state, data, truth, gate, options, options.last_steps, 0.0, kept)
    with no_grad():
        return Evidence((state.weights() * kept).numpy(), state.offsets.numpy(), float(state.bias), gate)


class _State:
    """What is fitted: weights that patches share, weights of their own, offsets and a bias."""

    def __init__(self, patches: int, width: int, bias: float) -> None:
        from torch import float64, tensor, zeros

        self.shared = zeros(width, dtype=float64, requires_grad=True)
        self.own = zeros(patches, width, dtype=float64, requires_grad=True)
        self.offsets = zeros(patches, dtype=float64, requires_grad=True)
        self.bias = tensor(bias, dtype=float64, requires_grad=True)

    def weights(self) -> Any:
        """(J, C) of each column in each patch."""
        return self.shared + self.own

    def logits(self, data: Any, gate: Gate, kept: Any) -> Any:
        """(n,) of the training cases."""
        evidence = (data * (self.weights() * kept)).sum(dim=2)
        if gate == "none":
            return self.bias + evidence.sum(dim=1)
        return self.bias + (sparsemax_torch(SHARPNESS * (evidence + self.offsets)) * evidence).sum(dim=1)


def _descend(
    state: _State, data: Any, truth: Any, gate: Gate, options: SparseFit, steps: int, threshold: float, kept: Any
) -> None:
    """Full-batch Adam on cross-entropy and L2; after each step the weights are shrunk by ``threshold`` of it."""
    from torch import no_grad
    from torch.nn.functional import binary_cross_entropy_with_logits
    from torch.optim import Adam

    parts = [state.shared, state.own, state.offsets, state.bias]
    adam = Adam(parts, lr=options.rate)
    for step in range(steps):
        rate = options.rate * 0.5 * (1.0 + math.cos(math.pi * step / steps))
        for group in adam.param_groups:
            group["lr"] = rate
        adam.zero_grad()
        loss = binary_cross_entropy_with_logits(state.logits(data, gate, kept), truth)
        loss = loss + options.l2 * (state.shared.square().sum() + state.own.square().sum())
        loss = loss + options.offset_l2 * state.offsets.square().sum()
        loss.backward()
        adam.step()
        if threshold:
            with no_grad():
                for part in (state.shared, state.own):
                    part.copy_(part.sign() * (part.abs() - rate * threshold).clamp(min=0.0))
