"""SVM with RBF kernel on standardised columns, and Platt's sigmoid on its decision value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit

from deepradiomics.errors import InputError
from deepradiomics.modelling.frozen import FrozenModel, standardisation
from deepradiomics.modelling.frozen_check import column_count, decimals, positive, refuse
from deepradiomics.public import one_line


@one_line
@dataclass(frozen=True, eq=False)
class FrozenSvm(FrozenModel):
    """d = Σ dual · exp(-gamma ‖z - support‖²) + intercept with z = (x - mean) / scale; P = expit(-(a d + b)).

    Args:
        n_columns: of its rows, p.
        mean, scale: (p,).
        support: support vectors, standardised (s, p).
        dual: their coefficients with the sign of their class (s,).
        numbers: gamma, intercept, a, b.
    """

    kind: ClassVar[str] = "svm"
    n_columns: int
    mean: np.ndarray
    scale: np.ndarray
    support: np.ndarray
    dual: np.ndarray
    numbers: np.ndarray

    def _probability(self, X: np.ndarray) -> np.ndarray:
        gamma, intercept, a, b = self.numbers
        sizes = np.einsum("ij,ij->i", self.support, self.support)
        found = np.empty(len(X))
        step = max(1, 2**22 // len(self.support))
        for start in range(0, len(X), step):
            z = (X[start : start + step] - self.mean) / self.scale
            squares = np.einsum("ij,ij->i", z, z)[:, None] + sizes - 2.0 * (z @ self.support.T)
            decision = np.exp(-gamma * np.maximum(squares, 0.0)) @ self.dual + intercept
            found[start : start + step] = expit(-(a * decision + b))
        return found

    def along(self, start: np.ndarray, end: np.ndarray, order: np.ndarray) -> np.ndarray:
        gamma, intercept, a, b = self.numbers
        here, there = ((row - self.mean) / self.scale for row in (start, end))
        first = ((here - self.support) ** 2).sum(axis=1)
        # (y - s)² - (x - s)² = (y - x) (y + x - 2 s): how each column moves the row from each support vector
        steps = (there - here)[order] * ((there + here)[order] - 2.0 * self.support[:, order])  # (s, columns)
        squares = np.concatenate([first[:, None], steps], axis=1).cumsum(axis=1)
        decision = self.dual @ np.exp(-gamma * squares) + intercept
        found: np.ndarray = expit(-(a * decision + b))
        return found

    def to_arrays(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        names = ("mean", "scale", "support", "dual", "numbers")
        return {name: getattr(self, name) for name in names}, {"kind": self.kind, "n_columns": self.n_columns}

    @classmethod
    def _from_arrays(cls, arrays: Mapping[str, np.ndarray], info: Mapping[str, Any]) -> FrozenSvm:
        n = column_count(cls.kind, info)
        support = decimals(cls.kind, arrays, "support", (None, n))
        numbers = decimals(cls.kind, arrays, "numbers", (4,))
        if numbers[0] <= 0:
            raise refuse(cls.kind, "numbers: expected a width (gamma) of the kernel above 0")
        return cls(
            n,
            decimals(cls.kind, arrays, "mean", (n,)),
            positive(cls.kind, arrays, "scale", (n,)),
            support,
            decimals(cls.kind, arrays, "dual", (len(support),)),
            numbers,
        )


def freeze_svm(model: Any) -> FrozenSvm:
    """Take the numbers of a fitted PlattClassifier around a StandardScaler and an SVC."""
    calibrated = model.model_.calibrated_classifiers_[0]
    scaler, svc = (step for _, step in calibrated.estimator.steps)
    if svc.kernel != "rbf":
        raise InputError(f"freeze: expected an SVC with the kernel rbf, got {svc.kernel!r}.")
    sigmoid = calibrated.calibrators[0]
    support = np.array(svc.support_vectors_, np.float64)
    mean, scale = standardisation(scaler, support.shape[1])
    numbers = np.array([svc._gamma, svc.intercept_[0], sigmoid.a_, sigmoid.b_], np.float64)
    return FrozenSvm(support.shape[1], mean.copy(), scale.copy(), support, np.array(svc.dual_coef_[0]), numbers)
