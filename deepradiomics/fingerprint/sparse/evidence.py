"""Evidence of patches: what each says for a task, how much of the patient's answer it gets, and the answer.

    z (n, J, C) ─► e_j = (shared + own_j)·z_j ─► a = sparsemax_j of 2 (e_j + c_j) ─► logit = b + Σ_j a_j e_j
                   └─ 16 weights per patch ─┘      └─ the gate; 1 without one ─┘

With one lesion at an unknown patch the likelihood ratio is the log-sum-exp of the patches' evidences, and its
derivative is the posterior of the patch: relevance need not be learned from pixels. It holds for focal disease. Where
disease is diffuse the gate hurts, and ``gate="none"`` adds all patches.

Source: the method is ours, from the fingerprint of Chen et al.; sparsemax: Martins & Astudillo, ICML 2016.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepradiomics.errors import InputError
from deepradiomics.public import one_line

Array = NDArray[np.float64]
Gate = Literal["patches", "none"]
SHARPNESS = 2.0
"""Factor of the evidence in the gate."""


@one_line
@dataclass(frozen=True, eq=False)
class Evidence:
    """A fitted task.

    Args:
        weights: (J, C) of each column in each patch; zero where a column is not read.
        offsets: (J,) c, how readily a patch is looked at, whatever it shows.
        bias: of the logit.
        gate: whether patches compete.
    """

    weights: Array
    offsets: Array
    bias: float
    gate: Gate = "patches"

    def __post_init__(self) -> None:
        if self.weights.ndim != 2 or self.offsets.shape != self.weights.shape[:1]:
            raise InputError(
                f"weights and offsets: expected shapes (J, C) and (J,), got {self.weights.shape}, {self.offsets.shape}."
            )
        if not (np.isfinite(self.weights).all() and np.isfinite(self.offsets).all() and np.isfinite(self.bias)):
            raise InputError("weights, offsets and bias: expected finite numbers.")

    def read(self, columns: ArrayLike) -> Reading:
        """What the patches of each case say.

        Args:
            columns: (n, J, C) standardised columns.

        Raises:
            InputError: another number of patches or columns, or values that are not finite.
        """
        z = np.asarray(columns, dtype=np.float64)
        if z.ndim != 3 or z.shape[1:] != self.weights.shape:
            raise InputError(f"columns: expected shape (n, {', '.join(map(str, self.weights.shape))}), got {z.shape}.")
        if not np.isfinite(z).all():
            raise InputError("columns: expected finite numbers; complete what is missing before.")
        evidence = (z * self.weights).sum(axis=2)
        attention = np.ones_like(evidence)
        if self.gate == "patches":
            attention = sparsemax(SHARPNESS * (evidence + self.offsets))
        contributions = attention[:, :, None] * self.weights * z
        return Reading(attention, contributions, self.bias + (attention * evidence).sum(axis=1))

    @property
    def is_read(self) -> NDArray[np.bool_]:
        """(J, C) the columns with a weight."""
        return self.weights != 0.0


@one_line
@dataclass(frozen=True, eq=False)
class Reading:
    """What one task reads in n cases.

    Args:
        attention: (n, J) share of the answer that each patch gets; with a gate it adds up to one.
        contributions: (n, J, C) signed share of each column of each patch in the logit.
        logit: (n,) bias and all contributions together.
    """

    attention: Array
    contributions: Array
    logit: Array


def sparsemax(scores: ArrayLike) -> Array:
    """The point of the simplex nearest to the scores, along the last axis: a softmax with exact zeros.

    Example:
        >>> sparsemax([1.0, 0.8, -1.0]).round(3).tolist()
        [0.6, 0.4, 0.0]
    """
    x = np.asarray(scores, dtype=np.float64)
    falling = -np.sort(-x, axis=-1)
    sums = falling.cumsum(axis=-1) - 1.0
    number = np.arange(1, x.shape[-1] + 1)
    support = (falling * number > sums).sum(axis=-1, keepdims=True)
    threshold = np.take_along_axis(sums, support - 1, axis=-1) / support
    result: Array = np.maximum(x - threshold, 0.0)
    return result


def sparsemax_torch(scores: Any) -> Any:
    """:func:`sparsemax` of a tensor along its last dimension, with gradients."""
    import torch

    falling, _ = torch.sort(scores, dim=-1, descending=True)
    sums = falling.cumsum(dim=-1) - 1.0
    number = torch.arange(1, scores.shape[-1] + 1, dtype=scores.dtype, device=scores.device)
    support = (falling * number > sums).sum(dim=-1, keepdim=True)
    return torch.relu(scores - sums.gather(-1, support - 1) / support)
