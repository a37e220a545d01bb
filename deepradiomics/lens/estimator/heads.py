"""The linear heads in closed form: for each stage, the least-squares map from Z to the radiomics.

    θ = Y_c Z_cᵀ (Z_c Z_cᵀ)⁻¹        centred on the training patients, so that the intercept is ȳ − θ z̄

Source: Wang et al., MIDL 2026, section 2.3. Solved in float64 through a QR of Z (not through Z Zᵀ, whose condition
number is the square) and the singular values of R, which cost nothing beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

REAL_RIDGE = 1e-3
"""From here up ``ridge`` is a penalty, always applied; below, it only steps in where Z Zᵀ is singular."""

COLLINEAR = 300.0
"""Condition number of Z above which weights are so large and opposed that their length cannot be read."""

_ACTIVE, _ACTIVE_SHARE = 10, 10
_SINGULAR = 1e-10  # smallest singular value of Z over its largest


@dataclass(frozen=True, eq=False)
class Head:
    """One stage's linear head, and what its intervals need.

    Args:
        coef: θ (K, h); 0 for dead units.
        intercept: (K,).
        dead: (h,) True for units active for fewer than :func:`least_active` training patients.
        leverage: (n,) diagonal of the hat matrix, the intercept's 1/n included.
        singular: whether a ridge had to step in.
        basis: U (r, n), orthonormal: the directions of the centred Z over the training patients.
        scores: U Y_c (r, K), the targets along them.
        gain: (r,) ‖θ_k‖² = Σ_r (gain_r · scores_rk)².
        kept: (r,) share of each direction that the fit keeps: 1 without a ridge.
        squares: ‖Y_c‖² (K,).
    """

    coef: Array
    intercept: Array
    dead: NDArray[np.bool_]
    leverage: Array
    singular: bool
    basis: Array
    scores: Array
    gain: Array
    kept: Array
    squares: Array

    def predict(self, Z: Array) -> Array:
        """Z (n, h) → Ŷ (n, K)."""
        return Z @ self.coef.T + self.intercept

    @property
    def importance(self) -> Array:
        """I = ‖θ_k‖₂, (K,)."""
        return np.linalg.norm(self.coef, axis=1)

    @property
    def condition(self) -> float:
        """Largest over smallest singular value of the centred Z of live units, a ridge included; 1 without any."""
        if not len(self.gain) or self.singular:
            return 1.0 if not len(self.gain) else float("inf")
        squares = self.kept / self.gain**2  # s² + penalty
        return float(np.sqrt(squares.max() / squares.min()))

    @property
    def free(self) -> float:
        """Degrees of freedom that the residuals have left: n − 1 − rank; with a ridge, that rank is 2 tr H − tr H²."""
        return self.basis.shape[1] - 1 - float((2.0 * self.kept - self.kept**2).sum())

    @property
    def explained(self) -> Array:
        """E = SD of the fitted targets with what noise adds to it taken out, (K,): see
        :func:`explained_variance`.
        """
        fitted = self.kept**2 @ self.scores**2
        rest = self.squares - (2.0 * self.kept - self.kept**2) @ self.scores**2
        return np.sqrt(np.maximum(explained_variance(fitted, rest, self), 0.0))


def fit_head(Z: Array, Y: Array, ridge: float = 1e-10) -> Head:
    """Least squares of Y (n, K) on Z (n, h) with intercept.

    Args:
        ridge: penalty on ‖θ_k‖² in units of the mean squared singular value of the centred Z, so that it does not
            depend on the scale of Z. Below 1e-3 it is a safeguard, applied only where Z Zᵀ is singular.
    """
    n, h = Z.shape
    lowest = Z.min(0)
    dead = (lowest < Z).sum(0) < least_active(n)
    mean, y_mean = Z.mean(0), Y.mean(0)
    mean[dead] = lowest[dead]
    centred = Y - y_mean
    basis, gain, kept, axes = np.zeros((0, n)), np.zeros(0), np.zeros(0), np.zeros((0, 0))
    singular = False
    if not dead.all():
        Q, triangle = np.linalg.qr((Z - mean)[:, ~dead])  # (n, r), (r, live)
        U, s, Vt = np.linalg.svd(triangle, full_matrices=False)
        singular = bool(s[-1] <= _SINGULAR * s[0]) or len(s) < int((~dead).sum())
        penalty = ridge * np.mean(s**2) if singular or ridge >= REAL_RIDGE else 0.0
        basis, axes = U.T @ Q.T, Vt.T  # (r, n), (live, r)
        gain, kept = s / (s**2 + penalty), s**2 / (s**2 + penalty)
    scores = basis @ centred
    coef = np.zeros((Y.shape[1], h))
    if not dead.all():
        coef[:, ~dead] = ((axes * gain) @ scores).T
    leverage = 1.0 / n + kept @ basis**2
    return Head(coef, y_mean - coef @ mean, dead, leverage, singular, basis, scores, gain, kept, (centred**2).sum(0))


def least_active(n: int) -> int:
    """Of n training patients, how many must activate a unit (lift it above its lowest value): 10, or a tenth.

    Least squares would fit the weight of a rarer unit to those few patients alone, and where they barely activate it
    the weight is huge and rules ‖θ‖: ten patients to a weight is the least that regression asks for.
    """
    return min(_ACTIVE, max(1, n // _ACTIVE_SHARE))


def standardised_importance(head: Head, Z: Array) -> Array:
    """I on standardised Z: ‖θ_k ⊙ sd(Z)‖₂, (K,), with the SD over the given (training) patients."""
    return np.linalg.norm(head.coef * Z.std(0), axis=1)


def explained_variance(fitted: Array, rest: Array, head: Head) -> Array:
    """(Σ fitted² − noise) / n, (K,): how much of a target's variance a head explains; below 0 by chance alone.

    Along each of the p directions that a fit may use, noise of variance σ² adds σ² to Σ fitted², also where nothing can
    be read: a target of pure noise has p / (n − 1) of its variance "explained". σ² is estimated by the residuals over
    the freedom they have left. Without a ridge this is the adjusted R² (Ezekiel, Methods of Correlation Analysis, 1930)
    times Var(Y), so that stages which use different numbers of directions can be compared.

    Args:
        fitted: Σ over the patients of the centred fitted target, squared, (K,).
        rest: Σ of the squared residuals, (K,).
    """
    n = head.basis.shape[1]
    if head.free < 1e-6 * n:  # a fit without residuals: nothing tells signal from noise
        return np.zeros_like(fitted)
    noise = np.maximum(rest, 0.0) / head.free * float((head.kept**2).sum())
    return (fitted - noise) / n
