"""SYNTHETIC embeddings and radiomics for the lens: hidden attributes drive both, fine-tuning changes their strength."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Planted:
    """X_pre and X_ft (n, d), R (n, K)."""

    X_pre: Array
    X_ft: Array
    R: Array


def planted(
    n: int = 200, d: int = 20, K: int = 24, attributes: int = 6, *, after: Array | float = 1.0, noise: float = 0.3,
    seed: int = 0,
) -> Planted:  # fmt: skip
    """Attributes (n, a) → R and X by smooth maps; `after` multiplies the attributes in X_ft."""
    generator = np.random.default_rng(seed)
    hidden = generator.normal(size=(n, attributes))
    R = np.tanh(hidden @ generator.normal(size=(attributes, K)) / 2) + noise * generator.normal(size=(n, K))
    mixing = generator.normal(size=(attributes, d)) / 2
    X = [np.tanh((hidden * gain) @ mixing) + 0.1 * generator.normal(size=(n, d)) for gain in (1.0, after)]
    return Planted(X[0], X[1], R * np.geomspace(0.01, 1000.0, K) + 7.0)
