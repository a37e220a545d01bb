"""Embeddings on one scale: both stages by the mean and SD before fine-tuning, each by its own, or as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from deepradiomics.lens.config import EmbeddingScaling

Array = NDArray[np.float64]
Stage = Literal["pre", "ft"]


@dataclass(frozen=True, eq=False)
class EmbeddingScale:
    """Mean and SD of each dimension, (d,), for each stage."""

    mean_pre: Array
    sd_pre: Array
    mean_ft: Array
    sd_ft: Array

    def scaled(self, X: Array, stage: Stage) -> Array:
        """Embeddings (n, d) of one stage, scaled."""
        if stage == "pre":
            return (X - self.mean_pre) / self.sd_pre
        return (X - self.mean_ft) / self.sd_ft

    def pair(self, X_pre: Array, X_ft: Array) -> tuple[Array, Array]:
        """Both stages, scaled."""
        return self.scaled(X_pre, "pre"), self.scaled(X_ft, "ft")


def fit_embedding_scale(X_pre: Array, X_ft: Array, how: EmbeddingScaling) -> EmbeddingScale:
    """Learn the scale on training embeddings (n, d).

    ``pre`` keeps what fine-tuning did to the size of each dimension; ``own`` removes it.
    """
    if how == "none":
        d = X_pre.shape[1]
        return EmbeddingScale(np.zeros(d), np.ones(d), np.zeros(d), np.ones(d))
    mean, sd = _moments(X_pre)
    return EmbeddingScale(mean, sd, *((mean, sd) if how == "pre" else _moments(X_ft)))


def scale_pair(X_pre: Array, X_ft: Array, how: EmbeddingScaling) -> tuple[Array, Array]:
    """Both stages scaled by what they themselves say."""
    return fit_embedding_scale(X_pre, X_ft, how).pair(X_pre, X_ft)


def _moments(X: Array) -> tuple[Array, Array]:
    mean, sd = X.mean(0), X.std(0)
    constant = sd <= 1e-12 * np.abs(X).max(0)
    return mean, np.where(constant, 1.0, sd)
