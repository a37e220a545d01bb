"""A small cohort of columns with an outcome that some of them decide, and the six classifiers fitted on it."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from deepradiomics.modelling.classifiers import fit_classifier

SMALL = {"random-forest": 40, "extra-trees": 40, "xgboost": 40}


@cache
def cohort(n: int = 140, p: int = 12, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns (n, p), outcome (n,) and 60 further patients; the outcome depends on columns 0 to 3."""
    generator = np.random.default_rng(seed)
    X = generator.gamma(0.7, size=(n + 60, p))
    risk = X[:, 0] - X[:, 1] + X[:, 2] * X[:, 3] + generator.normal(size=n + 60)
    y = (risk > np.quantile(risk, 0.65)).astype(int)
    return X[:n], y[:n], X[n:]


@cache
def fitted(name: str, p: int = 12) -> Any:
    """The classifier fitted on the cohort, with few trees."""
    X, y, _ = cohort(p=p)
    sizes = {"n_estimators": SMALL[name]} if name in SMALL else {}
    return fit_classifier(name, X, y, seed=3, **sizes)
