"""Intervals of ΔI over training patients, the shared layer held fixed: a wild bootstrap of the closed-form heads.

Redrawing patients with replacement leaves about 63 % of them, the rest twice: with h units and not many more patients
the redrawn head has far fewer patients for as many weights, and its norm grows; such intervals lie beside ΔI. Here
every patient stays, and each one's residual keeps or changes its sign by a coin, the same coin for both stages, all
features and all scans of the patient:

    θ* = θ' + H (v ⊙ e / √(1 − leverage)),  v = ±1        ΔI* = ‖θ*_ft‖ − ‖θ*_pre‖

θ' is θ shortened by what noise added to its length, so that θ* is about as long, and as uncertain, as θ. The spread of
ΔI* about its own mean is laid around ΔI. It says where ΔI of another cohort of this size would lie.
Sources: Wu, Ann Stat 1986;14:1261-1295; MacKinnon & White, J Econom 1985;29:305-325 (the leverage correction, HC2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepradiomics.lens.heads import Head
from deepradiomics.progress import Progress, silent

Array = NDArray[np.float64]

_FREE = 1e-6  # 1 − leverage below this: the patient's residual is zero whatever its noise


@dataclass(frozen=True, eq=False)
class Spread:
    """What the bootstrap found.

    Args:
        low, high: 95 % interval of ΔI, (K,).
    """

    low: Array
    high: Array


def corrected_residuals(head: Head, Z: Array, Y: Array) -> Array:
    """Residuals (n, K) of the training patients over √(1 − leverage): as large as the noise, on average."""
    free = 1.0 - head.leverage
    scale = np.where(free > _FREE, 1.0 / np.sqrt(np.maximum(free, _FREE)), 0.0)
    return (Y - head.predict(Z)) * scale[:, None]


def noise_share(head: Head, residuals: Array) -> Array:
    """Share of ‖θ_k‖² that estimation noise alone would give: Σ_i e_ik² ‖H_i‖² / ‖θ_k‖², (K,); at most 1."""
    noise = (residuals**2).T @ (head.inverse**2).sum(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(noise > 0, np.minimum(noise / head.importance**2, 1.0), 0.0)


def shrunk(head: Head, residuals: Array) -> Array:
    """θ (K, h) shortened by what noise added to its norm, so that θ* is about as long as θ is."""
    return head.coef * np.sqrt(1.0 - noise_share(head, residuals))[:, None]


def bootstrap_intervals(
    heads: tuple[Head, Head],
    residuals: tuple[Array, Array],
    groups: NDArray[np.intp],
    count: int,
    seed: int,
    *,
    level: float = 0.95,
    progress: Progress = silent,
) -> Spread:
    """Intervals of ΔI = ‖θ_ft‖ − ‖θ_pre‖ from `count` bootstrap heads.

    Args:
        heads: before and after fine-tuning.
        residuals: of :func:`corrected_residuals`, (n, K) each.
        groups: (n,) number of each training row's patient.
        count: bootstrap samples.
        seed: of the coins.

    Memory: one sample at a time, count × K numbers in the end.
    """
    generator = np.random.default_rng([seed, 1])
    delta = heads[1].importance - heads[0].importance
    # Single precision: the interval needs three digits, and half the time and memory counts here.
    stages = [
        (
            np.ascontiguousarray(head.inverse, np.float32),
            rest.astype(np.float32),
            shrunk(head, rest).T.astype(np.float32),
        )
        for head, rest in zip(heads, residuals, strict=True)
    ]
    found = np.empty((count, len(delta)), np.float32)
    patients = int(groups.max()) + 1
    for sample in range(count):
        coins = (2 * generator.integers(0, 2, patients) - 1).astype(np.float32)[groups]
        norms = []
        for inverse, rest, coef in stages:
            moved = (inverse * coins) @ rest  # (h, K)
            moved += coef
            norms.append(np.sqrt(np.einsum("hk,hk->k", moved, moved)))
        found[sample] = norms[1] - norms[0]
        progress((sample + 1) / count, f"bootstrap: sample {sample + 1} of {count}")
    low, high = np.quantile(found, [(1.0 - level) / 2.0, (1.0 + level) / 2.0], axis=0).astype(np.float64)
    centre = found.mean(0, dtype=np.float64)
    return Spread(np.minimum(delta - (high - centre), delta), np.maximum(delta - (low - centre), delta))
