"""Frozen classifiers: what a fitted estimator needs to predict, as arrays and JSON, never pickled.

    model = freeze(estimator)                     # random forest, extra trees, XGBoost, naive Bayes, elastic-net, SVM
    arrays, info = model.to_arrays()              # for the bundle
    FrozenModel.from_arrays(arrays, info).probability(X)

Probabilities equal the estimator's within 1e-6. Nothing but numpy is needed, except for XGBoost, whose own JSON is kept
as bytes and read by its own library.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, ClassVar

import numpy as np

from deepradiomics.errors import BundleError, InputError
from deepradiomics.files.reading import UNUSABLE, reason
from deepradiomics.words import short_repr

_KINDS = {
    "trees": "frozen_trees:FrozenTrees",
    "xgboost": "frozen_xgboost:FrozenXGBoost",
    "naive-bayes": "frozen_bayes:FrozenNaiveBayes",
    "logistic": "frozen_logistic:FrozenLogistic",
    "svm": "frozen_svm:FrozenSvm",
}
_ESTIMATORS = {
    "RandomForestClassifier": "frozen_trees:freeze_forest",
    "ExtraTreesClassifier": "frozen_trees:freeze_forest",
    "XGBClassifier": "frozen_xgboost:freeze_xgboost",
    "GaussianNB": "frozen_bayes:freeze_naive_bayes",
    "LogisticRegression": "frozen_logistic:freeze_logistic",
    "PlattClassifier": "frozen_svm:freeze_svm",
}


class FrozenModel(ABC):
    """A fitted binary classifier as arrays."""

    kind: ClassVar[str]
    n_columns: int

    def probability(self, X: np.ndarray) -> np.ndarray:
        """P(y = 1) of each row of X (n, columns), float64 (n,).

        Raises:
            InputError: another number of columns, or a value that is not finite.
        """
        table = np.ascontiguousarray(X, np.float64)
        if table.ndim != 2 or table.shape[1] != self.n_columns:
            raise InputError(f"X: expected rows of {self.n_columns} columns, as in the fit, got shape {table.shape}.")
        if not np.isfinite(table).all():
            i, j = np.argwhere(~np.isfinite(table))[0]
            raise InputError(f"X: row {i}, column {j} (from 0) is {table[i, j]}; the model needs finite numbers.")
        return self._probability(table)

    @abstractmethod
    def _probability(self, X: np.ndarray) -> np.ndarray:
        """Of checked rows."""

    def along(self, start: np.ndarray, end: np.ndarray, order: np.ndarray) -> np.ndarray:
        """P(y = 1) on the way from one row to another, the columns changing one after the other.

        Args:
            start, end: (columns,).
            order: the columns in the order in which they change, each once.

        Returns:
            (columns + 1,), the first of `start`, the last of `end`.
        """
        path = np.repeat(np.asarray(start, np.float64)[None], len(order) + 1, axis=0)
        for step, column in enumerate(order):
            path[step + 1 :, column] = end[column]
        return self._probability(path)

    @abstractmethod
    def to_arrays(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return arrays for safetensors and a description for JSON."""

    @classmethod
    @abstractmethod
    def _from_arrays(cls, arrays: Mapping[str, np.ndarray], info: Mapping[str, Any]) -> FrozenModel: ...

    @staticmethod
    def from_arrays(arrays: Mapping[str, np.ndarray], info: Mapping[str, Any]) -> FrozenModel:
        """Inverse of :meth:`to_arrays`, for every kind.

        Raises:
            BundleError: an unknown kind, or something is missing.
        """
        kind = info.get("kind")
        if not isinstance(kind, str) or kind not in _KINDS:
            raise BundleError(f"model: expected a kind among {', '.join(_KINDS)}, got {short_repr(kind)}.")
        try:
            found: FrozenModel = _named(_KINDS[kind])._from_arrays(arrays, info)
        except BundleError:
            raise
        except UNUSABLE as error:
            raise BundleError(f"model of kind {kind!r}: {reason(error)}. Copy the bundle again.") from error
        return found


def freeze(estimator: Any) -> FrozenModel:
    """Return a fitted estimator's numbers.

    Args:
        estimator: one of :func:`modelling.classifiers.make_classifier`, fitted on classes 0 and 1; a pipeline
            of a StandardScaler and a classifier is taken as one.

    Raises:
        InputError: another kind of estimator, not fitted, or not of the classes 0 and 1.
    """
    scaler, core = _unpacked(estimator)
    name = type(core).__name__
    if name not in _ESTIMATORS:
        raise InputError(f"freeze: expected a fitted {', '.join(_ESTIMATORS)}, got {name}.")
    classes = getattr(core, "classes_", None)
    if classes is None or list(classes) != [0, 1]:
        what = "is not fitted" if classes is None else f"has the classes {np.asarray(classes).tolist()}"
        raise InputError(f"freeze: expected a classifier fitted on the classes 0 and 1; this {name} {what}.")
    make: Callable[..., FrozenModel] = _named(_ESTIMATORS[name])
    return make(core) if scaler is None else make(core, scaler)


def standardisation(scaler: Any, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and scale (columns,) of a StandardScaler; zeros and ones without one."""
    mean = getattr(scaler, "mean_", None)
    scale = getattr(scaler, "scale_", None)
    return (
        np.zeros(columns) if mean is None else np.asarray(mean, np.float64),
        np.ones(columns) if scale is None else np.asarray(scale, np.float64),
    )


def _unpacked(estimator: Any) -> tuple[Any, Any]:
    steps = getattr(estimator, "steps", None)
    if steps is None:
        return None, estimator
    if len(steps) == 2 and type(steps[0][1]).__name__ == "StandardScaler":
        return steps[0][1], steps[1][1]
    raise InputError(f"freeze: expected StandardScaler and a classifier, got the steps {[name for name, _ in steps]}.")


def _named(place: str) -> Any:
    module, name = place.split(":")
    return getattr(import_module(f"deepradiomics.modelling.{module}"), name)
