"""The shared layer Z = ReLU(W x + b), learned with a temporary linear head by L1 reconstruction of the radiomics.

    loss = mean |Θ Z + c − Y| + λ1 (‖W‖₁ + ‖Θ‖₁) + λ2 (‖W‖₂² + ‖Θ‖₂²)

Source: Wang et al., *What Fine-Tuning Changes*, MIDL 2026, equations 2 to 5. The mean is over patients and targets, as
in a usual L1 loss; biases carry no penalty. Full-batch Adam. Many projections (a sweep over penalties, permutations)
are trained as one job: see :mod:`deepradiomics.lens.estimator.projection_batch`, which does the arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from deepradiomics.errors import InputError
from deepradiomics.lens.estimator.projection_settings import ProjectionSettings
from deepradiomics.progress import Progress, silent

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[np.float64]

_CHUNK_BYTES = {"cpu": 96 << 20, "cuda": 8 << 30, "mps": 1 << 30}  # weights, gradients and moments trained together


@dataclass(frozen=True, eq=False)
class Projections:
    """p trained layers; the temporary heads are gone.

    Args:
        weights: W (p, h, d), float32.
        bias: b (p, h), float32.
        train_loss: mean absolute error of the temporary head on the training patients after the last step, (p,).
        validation_loss: the same on the validation patients, (p,); None without any.
    """

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    train_loss: Array
    validation_loss: Array | None

    def apply(self, X: Array, index: int = 0) -> Array:
        """Z (n, h) of embeddings X (n, d) through one of the layers, in float64."""
        return project(X, self.weights[index], self.bias[index])


def project(X: Array, weights: NDArray[np.float32], bias: NDArray[np.float32]) -> Array:
    """Z = ReLU(X Wᵀ + b): X (n, d) → (n, h) in float64."""
    return np.maximum(np.asarray(X, np.float64) @ weights.T.astype(np.float64) + bias, 0.0)


def train_projections(
    X: Array,
    Y: Array,
    l1: Array | float,
    l2: Array | float,
    settings: ProjectionSettings,
    *,
    validation: tuple[Array, Array] | None = None,
    device: str = "cpu",
    progress: Progress = silent,
) -> Projections:
    """Train p shared layers at once.

    Args:
        X: scaled embeddings of the training patients: (n, d) for all layers, or (p, n, d), each its own.
        Y: scaled targets (n, K).
        l1, l2: penalties, a number or (p,).
        settings: width, steps, rate, seed.
        validation: (X_val, Y_val), (m, d) and (m, K).
        device: of torch, resolved.
        progress: called with the share of steps done; may raise Cancelled.

    Raises:
        InputError: the loss is not finite (a learning rate too high).
    """
    import torch

    from deepradiomics.lens.estimator.projection_batch import train_chunk

    own = X.ndim == 3
    rows1, rows2 = np.broadcast_arrays(*np.atleast_1d(np.asarray(l1, np.float64), np.asarray(l2, np.float64)))
    count = max(len(rows1), len(X) if own else 1)
    rows1, rows2 = np.broadcast_to(rows1, count), np.broadcast_to(rows2, count)
    d, K = X.shape[-1], Y.shape[1]
    chunk = _chunk_length(settings.hidden * (d + K), X.shape[-2] * d if own else 0, device)
    steps = settings.epochs * -(-count // chunk)

    Yt = torch.from_numpy(np.ascontiguousarray(Y.T, np.float32)).to(device)
    held = (
        None
        if validation is None
        else tuple(torch.from_numpy(np.ascontiguousarray(part, np.float32)).to(device) for part in validation)
    )
    weights = np.empty((count, settings.hidden, d), np.float32)
    bias = np.empty((count, settings.hidden), np.float32)
    losses, held_losses = np.empty(count), np.empty(count)
    for number, first in enumerate(range(0, count, chunk)):
        part = slice(first, min(first + chunk, count))
        rows = torch.from_numpy(np.ascontiguousarray(X[part] if own else X[None], np.float32)).to(device)
        layers = train_chunk(
            rows,
            Yt,
            rows1[part],
            rows2[part],
            initial(d, K, settings, device),
            settings,
            _counted(progress, number * settings.epochs, steps),
        )
        weights[part], bias[part] = layers.W.cpu().numpy(), layers.b.cpu().numpy()
        losses[part] = layers.loss(rows, Yt.T).cpu().numpy()
        if held is not None:
            held_losses[part] = layers.loss(held[0][None], held[1]).cpu().numpy()
    if not np.isfinite(losses).all():
        raise InputError(
            f"learning_rate={settings.learning_rate:g}: training the shared layer diverged (the loss is not finite). "
            "Choose a lower rate; the default is 0.001."
        )
    return Projections(weights, bias, losses, None if held is None else held_losses)


def initial(d: int, targets: int, settings: ProjectionSettings, device: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Seeded W (h, d), b (h,), Θ (K, h), c (K,): uniform within ±1/√fan-in, drawn on the CPU for every device."""
    import torch

    generator = torch.Generator().manual_seed(settings.seed)
    h = settings.hidden

    def uniform(*shape: int, fan_in: int) -> Tensor:
        return ((2.0 * torch.rand(*shape, generator=generator) - 1.0) / fan_in**0.5).to(device)

    return (uniform(h, d, fan_in=d), uniform(h, fan_in=d), uniform(targets, h, fan_in=h), uniform(targets, fan_in=h))


def _counted(progress: Progress, before: int, steps: int) -> Callable[[int], None]:
    return lambda done: progress((before + done) / steps, f"shared layer: step {before + done} of {steps}")


def _chunk_length(weights_each: int, inputs_each: int, device: str) -> int:
    """How many layers fit in memory (on a CPU: stay near its caches) together."""
    each = 4 * (4 * weights_each + inputs_each)  # float32: value, gradient, two moments; own inputs
    return max(1, _CHUNK_BYTES.get(device.partition(":")[0], 1 << 30) // each)
