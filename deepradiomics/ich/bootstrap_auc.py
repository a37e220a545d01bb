"""The AUC of many scores on the same resamples of patients: the paired bootstrap of all pipelines at once.

A resample gives each patient a weight (how often he was drawn). With w the weights of the positives, v those of the
negatives and K(i, j) = 1, ½ or 0 as positive i is ranked above, beside or below negative j, the AUC is wᵀ K v / (m n),
the Mann-Whitney probability in the resample. The classes keep their numbers m and n in every resample.

Source: Efron & Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13; LeDell et al., Electron J Stat
2015;9:1583-1607 (weights instead of copies).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepradiomics.errors import InputError
from deepradiomics.stats import auc

_BLOCK = 256  # resamples multiplied at once


def bootstrap_aucs(y: ArrayLike, scores: Sequence[ArrayLike], n: int = 2000, seed: int = 0) -> NDArray[np.float64]:
    """AUCs of every score in every resample, (n, number of scores); the resamples are the same for all scores.

    Args:
        y: 0 or 1, (patients,).
        scores: each (patients,).
        n: number of resamples.
        seed: equal seeds give equal resamples.

    Raises:
        InputError: one class only, or lengths differ.
    """
    labels = np.asarray(y).astype(bool)
    for score in scores:
        auc(labels, score)  # the checks
    positives, negatives = int(labels.sum()), int((~labels).sum())
    generator = np.random.default_rng(seed)
    drawn = [
        generator.multinomial(count, np.full(count, 1.0 / count), size=n).astype(np.float32)
        for count in (positives, negatives)
    ]
    found = np.empty((n, len(scores)))
    for column, score in enumerate(scores):
        values = np.asarray(score, np.float64)
        above = values[labels][:, None] - values[~labels][None, :]
        kernel = ((np.sign(above) + 1.0) / 2.0).astype(np.float32)  # (positives, negatives)
        for start in range(0, n, _BLOCK):
            part = slice(start, start + _BLOCK)
            found[part, column] = np.einsum("bj,bj->b", drawn[0][part] @ kernel, drawn[1][part], dtype=np.float64)
    return found / (positives * negatives)


def bootstrap_p(differences: ArrayLike) -> float:
    """Two-sided p of a difference of 0 from resampled differences: twice the smaller tail, no less than 1/(n + 1)."""
    values = np.asarray(differences, np.float64)
    if values.ndim != 1 or not values.size:
        raise InputError(f"bootstrap_p needs a vector of differences, got shape {values.shape}.")
    tail = min(int((values <= 0).sum()), int((values >= 0).sum()))
    return float(min(1.0, 2.0 * (tail + 1) / (values.size + 1)))
