"""Gaussian naive Bayes: means, variances and priors of the two classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit

from deepradiomics.modelling.frozen import FrozenModel
from deepradiomics.modelling.frozen_check import column_count, decimals, positive
from deepradiomics.public import one_line


@one_line
@dataclass(frozen=True, eq=False)
class FrozenNaiveBayes(FrozenModel):
    """Each column is normal in each class: `mean` and `variance` (2, columns); `prior` (2,)."""

    kind: ClassVar[str] = "naive-bayes"
    n_columns: int
    mean: np.ndarray
    variance: np.ndarray
    prior: np.ndarray

    def _probability(self, X: np.ndarray) -> np.ndarray:
        found: np.ndarray = expit(self._log_prior() + self._log_ratios(X).sum(axis=1))
        return found

    def along(self, start: np.ndarray, end: np.ndarray, order: np.ndarray) -> np.ndarray:
        before, after = self._log_ratios(start), self._log_ratios(end)
        steps = np.concatenate([[0.0], np.cumsum((after - before)[order])])
        found: np.ndarray = expit(self._log_prior() + before.sum() + steps)
        return found

    def _log_prior(self) -> float:
        return float(np.log(self.prior[1]) - np.log(self.prior[0]))

    def _log_ratios(self, X: np.ndarray) -> np.ndarray:
        """Log of the densities' ratio, class 1 to class 0, of each column; X (…, columns)."""
        parts = [-0.5 * (np.log(self.variance[c]) + (X - self.mean[c]) ** 2 / self.variance[c]) for c in (0, 1)]
        found: np.ndarray = parts[1] - parts[0]
        return found

    def to_arrays(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        arrays = {"mean": self.mean, "variance": self.variance, "prior": self.prior}
        return arrays, {"kind": self.kind, "n_columns": self.n_columns}

    @classmethod
    def _from_arrays(cls, arrays: Mapping[str, np.ndarray], info: Mapping[str, Any]) -> FrozenNaiveBayes:
        n = column_count(cls.kind, info)
        return cls(
            n,
            decimals(cls.kind, arrays, "mean", (2, n)),
            positive(cls.kind, arrays, "variance", (2, n)),
            positive(cls.kind, arrays, "prior", (2,)),
        )


def freeze_naive_bayes(model: Any) -> FrozenNaiveBayes:
    """Take the numbers of a fitted GaussianNB."""
    mean, variance, prior = (np.array(part, np.float64) for part in (model.theta_, model.var_, model.class_prior_))
    return FrozenNaiveBayes(int(model.n_features_in_), mean, variance, prior)
