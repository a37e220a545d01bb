"""The arithmetic of training many shared layers at once, with gradients written out by hand.

For one layer, with S = sign(Θ Z + c − Y) of shape (K, n), patients in columns:

    ∂Θ = S Zᵀ / nK + penalty      ∂c = Σ S / nK
    ∂Z = Θᵀ S / nK                ∂A = ∂Z where Z > 0
    ∂W = ∂A Xᵀ + penalty          ∂b = Σ ∂A          penalty of a weight w: λ1 sign(w) + 2 λ2 w

Why by hand: S needs no copy of the residual (it overwrites it, a block of targets at a time, so that a CPU keeps the
block in its cache), nothing is stored for a backward pass, and the products of the first layer are one matrix product
for all layers where they share X.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepradiomics.lens.estimator.projection_settings import ProjectionSettings

_BLOCK_BYTES = {"cpu": 6 << 20, "cuda": 4 << 30, "mps": 256 << 20}  # of S


@dataclass(frozen=True, eq=False)
class Layers:
    """W (p, h, d), b (p, h), Θ (p, K, h), c (p, K)."""

    W: Tensor
    b: Tensor
    T: Tensor
    c: Tensor

    def all(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The four tensors."""
        return self.W, self.b, self.T, self.c

    def loss(self, X: Tensor, Y: Tensor) -> Tensor:
        """Mean absolute error of each layer on X (1 or p, n, d) and Y (n, K), (p,)."""
        found = []
        for i in range(len(self.W)):
            Z = torch.addmm(self.b[i], X[i if len(X) > 1 else 0], self.W[i].T).relu_()
            found.append((torch.addmm(self.c[i], Z, self.T[i].T) - Y).abs_().mean())
        return torch.stack(found)


def train_chunk(
    X: Tensor,
    Yt: Tensor,
    l1: NDArray[np.float64],
    l2: NDArray[np.float64],
    start: tuple[Tensor, Tensor, Tensor, Tensor],
    settings: ProjectionSettings,
    step_done: Callable[[int], None],
) -> Layers:
    """Full-batch Adam from the same start for each pair of penalties.

    Args:
        X: (1, n, d) shared, or (p, n, d).
        Yt: targets (K, n).
        l1, l2: penalties (p,).
        start: initial W, b, Θ, c of one layer.
        settings: steps and rate.
        step_done: called with the number of steps done.
    """
    layers = Layers(*(part.expand(len(l1), *part.shape).clone() for part in start))
    gradients = Gradients(layers, X, Yt, l1, l2)
    for parameter, gradient in zip(layers.all(), gradients.of.all(), strict=True):
        parameter.grad = gradient
    optimiser = torch.optim.Adam(layers.all(), lr=settings.learning_rate, fused=X.device.type != "mps")
    for epoch in range(settings.epochs):
        gradients.compute()
        optimiser.step()
        step_done(epoch + 1)
    return layers


class Gradients:
    """Buffers for the gradients of p layers, and their computation: ``compute()`` fills ``of``."""

    def __init__(self, layers: Layers, X: Tensor, Yt: Tensor, l1: NDArray[np.float64], l2: NDArray[np.float64]) -> None:
        self.layers, self.X, self.Yt = layers, X, Yt
        self.Xt = X.transpose(1, 2).contiguous()  # (1 or p, d, n)
        self.of = Layers(*(torch.empty_like(part) for part in layers.all()))
        (p, h, _), n, targets = layers.W.shape, X.shape[1], len(Yt)
        self.Z, self.gZ = X.new_empty(p, h, n), X.new_empty(p, h, n)
        self.l1 = [float(value) for value in l1]
        self.l2 = [float(value) for value in l2]
        # One layer at a time on a CPU, whose cache holds a block of S; all together on a GPU, which wants long queues.
        self.together = 1 if X.device.type == "cpu" else p
        block = _BLOCK_BYTES.get(X.device.type, 256 << 20) // (4 * n * self.together)
        blocks = -(-targets // max(1, min(block, targets)))
        self.block = -(-targets // blocks)
        self.S = X.new_empty(self.together, self.block, n)

    def compute(self) -> None:
        """Gradients of the loss at the layers' present values."""
        W, b, _, _ = self.layers.all()
        gW, gb, _, gc = self.of.all()
        p, h, d = W.shape
        n = self.Z.shape[2]
        shared = len(self.X) == 1
        if shared:
            torch.addmm(b.view(-1, 1), W.view(p * h, d), self.Xt[0], out=self.Z.view(p * h, n))
        else:
            torch.baddbmm(b.unsqueeze(-1), W, self.Xt, out=self.Z)
        self.Z.relu_()
        for first in range(0, p, self.together):
            self._head(slice(first, min(first + self.together, p)))
        gc.mul_(1.0 / (n * len(self.Yt)))
        self.gZ.mul_(self.Z > 0)
        torch.sum(self.gZ, 2, out=gb)
        for i in range(p):
            self._penalty(W[i], gW[i], i)
        if shared:
            gW.view(p * h, d).addmm_(self.gZ.view(p * h, n), self.X[0])
        else:
            gW.baddbmm_(self.gZ, self.X)

    def _head(self, part: slice) -> None:
        """∂Θ, ∂c and ∂Z of some layers, a block of targets after the other."""
        T, c = self.layers.T[part], self.layers.c[part]
        gT, gc = self.of.T[part], self.of.c[part]
        Z, gZ = self.Z[part], self.gZ[part]
        targets, n = self.Yt.shape
        scale = 1.0 / (n * targets)
        for i in range(part.start, part.stop):
            self._penalty(self.layers.T[i], self.of.T[i], i)
        for k in range(0, targets, self.block):
            rows = slice(k, min(k + self.block, targets))
            S = self.S[:, : rows.stop - k]
            torch.sub(c[:, rows, None], self.Yt[rows], out=S)
            S.baddbmm_(T[:, rows], Z).sign_()
            torch.sum(S, 2, out=gc[:, rows])
            gT[:, rows].baddbmm_(S, Z.transpose(1, 2), alpha=scale)
            gZ.baddbmm_(T[:, rows].transpose(1, 2), S, beta=0.0 if k == 0 else 1.0, alpha=scale)

    def _penalty(self, weight: Tensor, out: Tensor, i: int) -> None:
        """λ1 sign(w) + 2 λ2 w of layer i."""
        if self.l1[i]:
            torch.sign(weight, out=out).mul_(self.l1[i]).add_(weight, alpha=2.0 * self.l2[i])
        else:
            torch.mul(weight, 2.0 * self.l2[i], out=out)
