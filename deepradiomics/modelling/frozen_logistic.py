"""Logistic regression on standardised columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit

from deepradiomics.modelling.frozen import FrozenModel, standardisation
from deepradiomics.modelling.frozen_check import column_count, decimals, positive
from deepradiomics.public import one_line


@one_line
@dataclass(frozen=True, eq=False)
class FrozenLogistic(FrozenModel):
    """P = expit(intercept + Σ coef · (x - mean) / scale); all but the intercept have shape (columns,)."""

    kind: ClassVar[str] = "logistic"
    n_columns: int
    mean: np.ndarray
    scale: np.ndarray
    coef: np.ndarray
    intercept: np.ndarray

    def _probability(self, X: np.ndarray) -> np.ndarray:
        found: np.ndarray = expit((X - self.mean) / self.scale @ self.coef + self.intercept[0])
        return found

    def along(self, start: np.ndarray, end: np.ndarray, order: np.ndarray) -> np.ndarray:
        steps = ((end - start) / self.scale * self.coef)[order]
        first = (start - self.mean) / self.scale @ self.coef + self.intercept[0]
        found: np.ndarray = expit(first + np.concatenate([[0.0], np.cumsum(steps)]))
        return found

    def to_arrays(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        arrays = {"mean": self.mean, "scale": self.scale, "coef": self.coef, "intercept": self.intercept}
        return arrays, {"kind": self.kind, "n_columns": self.n_columns}

    @classmethod
    def _from_arrays(cls, arrays: Mapping[str, np.ndarray], info: Mapping[str, Any]) -> FrozenLogistic:
        n = column_count(cls.kind, info)
        return cls(
            n,
            decimals(cls.kind, arrays, "mean", (n,)),
            positive(cls.kind, arrays, "scale", (n,)),
            decimals(cls.kind, arrays, "coef", (n,)),
            decimals(cls.kind, arrays, "intercept", (1,)),
        )


def freeze_logistic(model: Any, scaler: Any = None) -> FrozenLogistic:
    """Take the numbers of a fitted LogisticRegression and of the StandardScaler before it."""
    coef = np.array(model.coef_[0], np.float64)
    mean, scale = standardisation(scaler, len(coef))
    return FrozenLogistic(len(coef), mean.copy(), scale.copy(), coef, np.array(model.intercept_, np.float64))
