"""Encoders with a known answer: embeddings that carry named radiomic attributes, and fine-tuning that changes how much.

    attributes R (n, K), correlated ──× strengths──┐
                                                    ├─► random two-layer network ─► + noise ─► X (n, d)
    nuisance latents (n, K): half of the inputs ────┘

Fine-tuning keeps the network, the patients and the nuisance, and multiplies the strengths of some attributes by 1.5 to
2.5, of others by 0.3 to 0.6, and of the rest by 1. The noise is new: two encoders do not share it. A lens that tells
the truth ranks the strengthened attributes above the weakened ones.

Strength is what an attribute contributes to the network's input, in standard deviations. Attributes are as correlated
as the engine's features are over 120 synthetic prostates (mean |r| 0.32; the first component has 31 % of the variance).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from deepradiomics.radiomics import Settings, feature_names

Array = NDArray[np.float64]

FACTORS, SHARED = 8, 0.7  # common factors of the attributes, and the share of variance they explain
RAISED, LOWERED = (1.5, 2.5), (0.3, 0.6)
MODALITIES = ("t2", "highb", "adc")


@dataclass(frozen=True)
class Plant:
    """How an experiment is built.

    Args:
        patients: n; attributes: K; dimension: d of the embedding.
        noise: standard deviation of the embedding's noise, as a share of its signal's.
        activation: of the mixing network.
    """

    patients: int = 1000
    attributes: int = 40
    dimension: int = 128
    noise: float = 0.6
    activation: Literal["tanh", "relu"] = "tanh"


@dataclass(frozen=True, eq=False)
class Planted:
    """One experiment; ``direction`` (K,) is +1 for a strengthened attribute, −1 for a weakened one, 0 for the rest."""

    X_pre: Array
    X_ft: Array
    R: Array
    names: tuple[tuple[str, str], ...]
    direction: NDArray[np.int_]
    strength_pre: Array
    strength_ft: Array
    scores: Array  # (n, K) standardised attributes
    nuisance: Array  # (n, K) what else the images hold


def planted(seed: int, plant: Plant) -> Planted:
    """Build one experiment; equal seeds give equal numbers."""
    rng = np.random.default_rng([seed, 41])
    n, K, d = plant.patients, plant.attributes, plant.dimension
    scores = attributes(rng, n, K)
    pre = rng.uniform(0.5, 1.0, K)
    direction = rng.permutation(np.repeat([1, -1, 0], [K // 4, K // 4, K - 2 * (K // 4)]))
    change = np.where(direction > 0, rng.uniform(*RAISED, K), np.where(direction < 0, rng.uniform(*LOWERED, K), 1.0))
    nuisance = rng.standard_normal((n, K))
    network = mixing(rng, 2 * K, d, plant.activation)
    signals = [network(np.hstack([scores * strength, nuisance])) for strength in (pre, pre * change)]
    sigma = plant.noise * signals[0].std()
    X_pre, X_ft = (signal + sigma * rng.standard_normal(signal.shape) for signal in signals)
    units = 10.0 ** rng.uniform(-2, 4, K)  # radiomic features come in any units
    R = (scores + 3.0) * units
    return Planted(X_pre, X_ft, R, names(K), direction, pre, pre * change, scores, nuisance)


def exchangeable(seed: int, plant: Plant) -> Planted:
    """Pre and ft from encoders of one kind: same strengths, each its own noise. No ΔI is real."""
    rng = np.random.default_rng([seed, 42])
    n, K = plant.patients, plant.attributes
    scores, strength = attributes(rng, n, K), rng.uniform(0.5, 1.0, K)
    nuisance = rng.standard_normal((n, K))
    signal = mixing(rng, 2 * K, plant.dimension, plant.activation)(np.hstack([scores * strength, nuisance]))
    sigma = plant.noise * signal.std()
    X_pre, X_ft = (signal + sigma * rng.standard_normal(signal.shape) for _ in range(2))
    return Planted(X_pre, X_ft, scores, names(K), np.zeros(K, int), strength, strength, scores, nuisance)


def reseeded(seed: int, data: Planted, plant: Plant) -> Array:
    """(n, d): the images of an experiment seen by an encoder of the same strengths and another seed."""
    rng = np.random.default_rng([seed, 43])
    inputs = np.hstack([data.scores * data.strength_pre, data.nuisance])
    signal = mixing(rng, inputs.shape[1], plant.dimension, plant.activation)(inputs)
    return signal + plant.noise * signal.std() * rng.standard_normal(signal.shape)


def attributes(rng: np.random.Generator, n: int, K: int) -> Array:
    """(n, K) standard normal scores; common factors of falling weight make them as correlated as features are."""
    weights = rng.standard_normal((FACTORS, K)) * (1.0 / np.arange(1, FACTORS + 1))[:, None]
    weights *= np.sqrt(SHARED) / np.linalg.norm(weights, axis=0)
    scores = rng.standard_normal((n, FACTORS)) @ weights + np.sqrt(1 - SHARED) * rng.standard_normal((n, K))
    return scores


def mixing(rng: np.random.Generator, inputs: int, d: int, activation: str) -> Callable[[Array], Array]:
    """A fixed random network inputs → 2 × inputs → d, as a function of (n, inputs)."""
    first = rng.standard_normal((inputs, 2 * inputs)) / np.sqrt(inputs)
    second = rng.standard_normal((2 * inputs, d)) / np.sqrt(2 * inputs)
    bend = np.tanh if activation == "tanh" else lambda x: np.maximum(x, 0.0)
    return lambda x: bend(x @ first) @ second


def names(K: int) -> tuple[tuple[str, str], ...]:
    """K attributes by modality and feature key, as the lens names them."""
    keys = [key for key in feature_names(Settings.from_params("lens")) if key.startswith("original_")]
    chosen = keys[:: max(1, len(keys) // K)]
    return tuple((MODALITIES[(i + i // len(chosen)) % len(MODALITIES)], chosen[i % len(chosen)]) for i in range(K))


def rotation(seed: int, d: int) -> Array:
    """(d, d): a random rotation."""
    Q, R = np.linalg.qr(np.random.default_rng([seed, 44]).standard_normal((d, d)))
    return Q * np.sign(np.diag(R))


def auc(values: Array, direction: NDArray[np.int_]) -> float:
    """Chance that a strengthened attribute has a larger value than a weakened one; ties count half."""
    up, down = values[direction > 0][:, None], values[direction < 0][None]
    return float(np.mean(up > down) + 0.5 * np.mean(up == down))
