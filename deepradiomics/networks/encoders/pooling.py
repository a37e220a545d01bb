"""Pooling: what a network gives for a batch becomes one vector a case.

A map (B, C, z, y, x) becomes its mean over the places, tokens (B, n, d) their mean over the tokens, a vector (B, d)
stays; of a list or tuple the last one counts.
"""

from __future__ import annotations

from typing import Any

import torch

from deepradiomics.errors import BundleError


def pooled(output: Any, batch: int, what: str = "the output") -> torch.Tensor:
    """Return (B, d).

    Args:
        output: a tensor, or a list or tuple of them, however deep.
        batch: B, which the output's first axis must be.
        what: how an error calls it.

    Raises:
        BundleError: it has none of these shapes.
    """
    while isinstance(output, list | tuple) and output:
        output = output[-1]
    if not isinstance(output, torch.Tensor):
        raise BundleError(f"{what} is a {type(output).__name__}; expected a tensor, or a list or tuple of them.")
    if output.ndim not in (2, 3, 5) or len(output) != batch or 0 in output.shape:
        raise BundleError(
            f"{what} has shape {tuple(output.shape)} for a batch of {batch} and cannot be pooled; expected a "
            "vector (B, d), tokens (B, n, d) or a map (B, C, z, y, x). Choose another layer."
        )
    if output.ndim == 2:
        return output
    return output.mean(dim=1) if output.ndim == 3 else output.mean(dim=(2, 3, 4))
