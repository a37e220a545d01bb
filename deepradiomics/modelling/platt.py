"""Platt's sigmoid on a classifier's decision values; scikit-learn's, with as many inner folds as the classes allow."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import StratifiedKFold

from deepradiomics.errors import InputError


class PlattClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """P(y = 1) = 1 / (1 + exp(a·d + b)) of the decision value d of `estimator`, fitted on all rows.

    a and b come from decision values of inner folds (``CalibratedClassifierCV(ensemble=False)``), which is what
    ``SVC(probability=True)`` did before scikit-learn gave it up.
    """

    def __init__(self, estimator: Any, folds: int = 5, random_state: int = 0) -> None:
        self.estimator = estimator
        self.folds = folds
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: np.ndarray) -> PlattClassifier:
        """Fit; the smaller class needs at least two rows."""
        fewest = int(np.unique(y, return_counts=True)[1].min())
        if fewest < 2:
            raise InputError("svm: its probabilities need at least two patients of each class; got one of a class.")
        folds = StratifiedKFold(min(self.folds, fewest), shuffle=True, random_state=self.random_state)
        self.model_ = CalibratedClassifierCV(clone(self.estimator), method="sigmoid", cv=folds, ensemble=False)
        self.model_.fit(X, y)
        self.classes_ = self.model_.classes_
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Probabilities (n, 2)."""
        found: np.ndarray = self.model_.predict_proba(X)
        return found

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Classes (n,) at probability one half."""
        found: np.ndarray = self.classes_[(self.predict_proba(X)[:, 1] >= 0.5).astype(int)]
        return found
