"""Intervals of ΔI and ΔE over training patients, the shared layer held fixed: a wild bootstrap of closed-form heads.

Redrawing patients with replacement leaves about 63 % of them, the rest twice: with h units and not many more patients
the redrawn head has far fewer patients for as many weights, and its norm grows; such intervals lie beside ΔI. Here
every patient stays, and each one's residual keeps or changes its sign by a coin, the same coin for both stages, all
features and all scans of the patient:

    θ* = θ' + H (v ⊙ e / √(1 − leverage)),  v = ±1        ΔI* = ‖θ*_ft‖ − ‖θ*_pre‖

θ' is θ shortened by what noise added to its length, so that θ* is about as long, and as uncertain, as θ. The spread of
ΔI* about its own mean is laid around ΔI. It says where ΔI of another cohort of this size would lie. ΔE, of the
explained spread, comes from the same coins, with θ shortened by what noise added to the spread of its fitted targets.
Sources: Wu, Ann Stat 1986;14:1261-1295; MacKinnon & White, J Econom 1985;29:305-325 (the leverage correction, HC2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepradiomics.lens.estimator.heads import Head, explained_variance
from deepradiomics.progress import Progress, silent

Array = NDArray[np.float64]
Array32 = NDArray[np.float32]

_FREE = 1e-6  # 1 − leverage below this: the patient's residual is zero whatever its noise


@dataclass(frozen=True, eq=False)
class Spread:
    """What the bootstrap found.

    Args:
        low, high: 95 % interval of ΔI, (K,).
        explained_low, explained_high: 95 % interval of ΔE, (K,).
    """

    low: Array
    high: Array
    explained_low: Array
    explained_high: Array


def corrected_residuals(head: Head, Z: Array, Y: Array) -> Array:
    """Residuals (n, K) of the training patients over √(1 − leverage): as large as the noise, on average."""
    free = 1.0 - head.leverage
    scale = np.where(free > _FREE, 1.0 / np.sqrt(np.maximum(free, _FREE)), 0.0)
    return (Y - head.predict(Z)) * scale[:, None]


def noise_share(head: Head, residuals: Array) -> Array:
    """Share of ‖θ_k‖² that estimation noise alone would give: Σ_i e_ik² ‖H_i‖² / ‖θ_k‖², (K,); at most 1."""
    noise = (residuals**2).T @ (head.gain**2 @ head.basis**2)  # H_i: how patient i moves θ
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(noise > 0, np.minimum(noise / head.importance**2, 1.0), 0.0)


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
    """Intervals of ΔI = ‖θ_ft‖ − ‖θ_pre‖ and of ΔE from `count` bootstrap heads.

    Args:
        heads: before and after fine-tuning.
        residuals: of :func:`corrected_residuals`, (n, K) each.
        groups: (n,) number of each training row's patient.
        count: bootstrap samples.
        seed: of the coins.

    Memory: one sample at a time, 2 × count × K numbers in the end.
    """
    generator = np.random.default_rng([seed, 1])
    stages = [_World.of(head, rest) for head, rest in zip(heads, residuals, strict=True)]
    found = np.empty((2, count, heads[0].coef.shape[0]), np.float32)
    patients = int(groups.max()) + 1
    for sample in range(count):
        coins = (2 * generator.integers(0, 2, patients) - 1).astype(np.float32)[groups]
        before, after = (stage.drawn(coins) for stage in stages)
        found[:, sample] = after - before
        progress((sample + 1) / count, f"bootstrap: sample {sample + 1} of {count}")
    low, high = np.quantile(found, [(1.0 - level) / 2.0, (1.0 + level) / 2.0], axis=1).astype(np.float64)
    centre = found.mean(1, dtype=np.float64)
    delta = np.stack([heads[1].importance - heads[0].importance, heads[1].explained - heads[0].explained])
    low, high = np.minimum(delta - (high - centre), delta), np.maximum(delta - (low - centre), delta)
    return Spread(low[0], high[0], low[1], high[1])


@dataclass(frozen=True, eq=False)
class _World:
    """One stage's bootstrap world, along the directions of Z: single precision, for an interval needs three digits.

    Args:
        head: the head as it was fitted.
        basis: (r, n). residuals: (n, K), corrected. scores: (r, K).
        shortened: (2, K) factors that take out of the signal what noise added to I and to E.
        still: (2, K) ‖θ‖² and Σ fitted² of the shortened signal alone.
        weights: (3, r) of ‖θ‖², of Σ fitted², and of what the fit takes from Σ residual².
        squares: Σ residual² (K,).
    """

    head: Head
    basis: Array32
    residuals: Array32
    scores: Array32
    still: Array32
    shortened: Array32
    weights: Array32
    squares: Array32

    @classmethod
    def of(cls, head: Head, residuals: Array) -> _World:
        kept, gain = head.kept, head.gain
        weights = np.stack([gain**2, kept**2, 2.0 * kept - kept**2])
        fitted = weights[1] @ head.scores**2
        with np.errstate(invalid="ignore", divide="ignore"):
            explained = np.where(fitted > 0, head.explained / np.sqrt(fitted / residuals.shape[0]), 0.0)
        shortened = np.stack([np.sqrt(1.0 - noise_share(head, residuals)), explained])
        still = shortened**2 * (weights[:2] @ head.scores**2)
        single = (head.basis, residuals, head.scores, still, shortened, weights, (residuals**2).sum(0))
        return cls(head, *(np.ascontiguousarray(one, np.float32) for one in single))

    def drawn(self, coins: Array32) -> Array:
        """I and E (2, K) when each patient's residual takes its coin."""
        flipped = self.residuals * coins[:, None]
        noise = self.basis @ flipped  # (r, K)
        moved = self.weights @ noise**2
        both = self.still + 2.0 * self.shortened * (self.weights[:2] @ (noise * self.scores)) + moved[:2]
        rest = self.squares - len(coins) * flipped.mean(0) ** 2 - moved[2]
        # The root keeps its sign: cut at 0, a target of which little is explained would hardly vary.
        explained = explained_variance(both[1], rest, self.head)
        return np.stack([np.sqrt(np.maximum(both[0], 0.0)), np.sign(explained) * np.sqrt(np.abs(explained))])
