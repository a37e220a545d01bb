"""The permutation null: what ΔI would be if "before" and "after" were only names.

For each patient (all scans together) a coin swaps the embeddings before and after fine-tuning; embedding scaling,
shared layer and heads are fitted anew, so that whatever makes the lens favour "before" is in the null too. If the two
embeddings of a patient are exchangeable, the observed ΔI is one draw of many, and p-values are exact:

    p_k = (1 + #{b : |ΔI_bk − m_k| ≥ |ΔI_k − m_k|}) / (B + 1)         m, s: mean and SD over the observed and all b
    p_family,k = (1 + #{b : max_j |ΔI_bj − m_j| / s_j ≥ |ΔI_k − m_k| / s_k}) / (B + 1)

Sources: Phipson & Smyth, Stat Appl Genet Mol Biol 2010;9:39 (the added one); Westfall & Young, Resampling-based
Multiple Testing, 1993 (max-T).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepradiomics.lens.heads import fit_head
from deepradiomics.lens.projection import ProjectionSettings, project, train_projections
from deepradiomics.progress import Progress, silent
from deepradiomics.stats import benjamini_hochberg

Array = NDArray[np.float64]
Pair = tuple[Array, Array]

_TOGETHER = {"cpu": 8, "cuda": 64, "mps": 16}  # permutations whose layers are trained as one job


@dataclass(frozen=True, eq=False)
class NullTest:
    """p-values of ΔI, (K,) each.

    Args:
        p: two-sided, for each feature alone.
        q: Benjamini-Hochberg over the features.
        p_family: adjusted by max-T: the chance of any feature looking like this.
    """

    p: Array
    q: Array
    p_family: Array


def permuted_deltas(
    X_pre: Array,
    X_ft: Array,
    Y: Array,
    groups: NDArray[np.intp],
    count: int,
    seed: int,
    *,
    scaled: Callable[[Array, Array], Pair],
    inputs: Callable[[Array, Array], Array],
    penalties: tuple[float, float],
    settings: ProjectionSettings,
    ridge: float,
    device: str = "cpu",
    progress: Progress = silent,
) -> Array:
    """ΔI (count, K) under swapped labels.

    Args:
        X_pre, X_ft: training embeddings as given, (n, d).
        Y: scaled targets (n, K).
        groups: (n,) number of each row's patient.
        scaled: embedding scaling, (X_pre, X_ft) → the same scaled.
        inputs: what the shared layer is trained on, from the scaled pair.
        penalties: λ1, λ2, as chosen for the observed labels.
        settings, ridge, device: as for the observed labels.
    """
    found = np.empty((count, Y.shape[1]))
    together = _TOGETHER.get(device.partition(":")[0], 8)
    for first in range(0, count, together):
        part = range(first, min(first + together, count))
        pairs = []
        for number in part:
            coins = np.random.default_rng([seed, 2, number]).integers(0, 2, int(groups.max()) + 1).astype(bool)
            swap = coins[groups][:, None]
            pairs.append(scaled(np.where(swap, X_ft, X_pre), np.where(swap, X_pre, X_ft)))
        rows = np.stack([inputs(*pair) for pair in pairs])
        doubled = np.concatenate([Y] * (rows.shape[1] // len(Y)))
        layers = train_projections(
            rows, doubled, *penalties, settings, device=device,
            progress=_share(progress, part, count),
        )  # fmt: skip
        for i, number in enumerate(part):
            found[number] = delta_importance(*pairs[i], Y, layers.weights[i], layers.bias[i], ridge)
    return found


def _share(progress: Progress, part: range, count: int) -> Progress:
    return lambda share, _: progress((part.start + share * len(part)) / count, f"permutations: {part.stop} of {count}")


def delta_importance(
    X_pre: Array, X_ft: Array, Y: Array, weights: NDArray[np.float32], bias: NDArray[np.float32], ridge: float
) -> Array:
    """ΔI (K,) of scaled training embeddings through one shared layer; exactly 0 for equal embeddings."""
    if np.array_equal(X_pre, X_ft):
        return np.zeros(Y.shape[1])
    ft, pre = (fit_head(project(X, weights, bias), Y, ridge).importance for X in (X_ft, X_pre))
    return ft - pre


def null_test(observed: Array, permuted: Array) -> NullTest:
    """p-values of the observed ΔI (K,) among the permuted (B, K)."""
    values = np.concatenate([observed[None], permuted])
    centre, spread = values.mean(0), values.std(0)
    distance = np.abs(values - centre)
    slack = 1e-9 * np.abs(values).max(0)  # the same ΔI computed in another batch differs in its last digits
    p = (distance >= distance[0] - slack).mean(0)
    steady = spread <= slack
    studentised = np.where(steady, 0.0, distance / np.where(steady, 1.0, spread))
    highest = studentised.max(1)
    p_family = (highest[:, None] >= studentised[0] - 1e-9).mean(0)
    return NullTest(p, benjamini_hochberg(p), p_family)
