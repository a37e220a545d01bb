"""The learning rate over a run."""

from __future__ import annotations

import math
from typing import Any


def cosine(epoch: int, epochs: int) -> float:
    """Share of the learning rate in an epoch (0-based): from 1 down a half cosine to nearly 0."""
    return 0.5 * (1.0 + math.cos(math.pi * epoch / epochs))


def set_rates(optimizer: Any, share: float) -> None:
    """Set each group's rate to a share of its ``initial_lr``, whatever it was: resuming needs no state for that."""
    for group in optimizer.param_groups:
        group["lr"] = group["initial_lr"] * share
