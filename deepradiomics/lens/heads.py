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

_ACTIVE, _ACTIVE_SHARE = 10, 10
_SINGULAR = 1e-10  # smallest singular value of Z over its largest


@dataclass(frozen=True, eq=False)
class Head:
    """One stage's linear head, and what its intervals need.

    Args:
        coef: θ (K, h); 0 for dead units.
        intercept: (K,).
        dead: (h,) True for units active for fewer than :func:`least_active` training patients.
        mean: z̄ (h,), the training mean of Z.
        inverse: H (h, n) with θ = Y_cᵀ Hᵀ: how each training patient moves θ.
        leverage: (n,) diagonal of the hat matrix, the intercept's 1/n included.
        singular: whether a ridge had to step in.
    """

    coef: Array
    intercept: Array
    dead: NDArray[np.bool_]
    mean: Array
    inverse: Array
    leverage: Array
    singular: bool

    def predict(self, Z: Array) -> Array:
        """Z (n, h) → Ŷ (n, K)."""
        return Z @ self.coef.T + self.intercept

    @property
    def importance(self) -> Array:
        """I = ‖θ_k‖₂, (K,)."""
        return np.linalg.norm(self.coef, axis=1)


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
    inverse = np.zeros((h, n))
    leverage = np.full(n, 1.0 / n)
    singular = False
    if not dead.all():
        Q, triangle = np.linalg.qr((Z - mean)[:, ~dead])  # (n, r), (r, live)
        U, s, Vt = np.linalg.svd(triangle, full_matrices=False)
        singular = bool(s[-1] <= _SINGULAR * s[0]) or len(s) < int((~dead).sum())
        penalty = ridge * np.mean(s**2) if singular or ridge >= REAL_RIDGE else 0.0
        rotated = U.T @ Q.T  # (r, n)
        inverse[~dead] = (Vt.T * (s / (s**2 + penalty))) @ rotated
        leverage += np.einsum("rn,r,rn->n", rotated, s**2 / (s**2 + penalty), rotated)
    coef = np.ascontiguousarray((inverse @ (Y - y_mean)).T)
    return Head(coef, y_mean - coef @ mean, dead, mean, inverse, leverage, singular)


def least_active(n: int) -> int:
    """Of n training patients, how many must activate a unit (lift it above its lowest value): 10, or a tenth.

    Least squares would fit the weight of a rarer unit to those few patients alone, and where they barely activate it
    the weight is huge and rules ‖θ‖: ten patients to a weight is the least that regression asks for.
    """
    return min(_ACTIVE, max(1, n // _ACTIVE_SHARE))


def standardised_importance(head: Head, Z: Array) -> Array:
    """I on standardised Z: ‖θ_k ⊙ sd(Z)‖₂, (K,), with the SD over the given (training) patients."""
    return np.linalg.norm(head.coef * Z.std(0), axis=1)


def explained_importance(head: Head, Z: Array) -> Array:
    """SD of the fitted targets over the given (training) patients, (K,): ‖θ_k Σ_Z^½‖, all units on one scale."""
    return head.predict(Z).std(0)
