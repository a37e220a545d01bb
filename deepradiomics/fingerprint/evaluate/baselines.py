"""Baselines that need no network of their own: the fixed signature, the cohort's mean relevance, another's relevance.

* *Fixed signature*: logistic regression with an L1 penalty on the standardised pool. The features with a weight are the
  signature, the same for every patient; the penalty's strength is chosen by cross-validation inside the training split.
* *mean-q*: every patient is given the training cohort's mean relevance. If the fingerprint is worth more than a fixed
  weighting, it must beat this.
* *shuffled-q*: every patient is given another patient's relevance. If relevance is really per patient, this must hurt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from deepradiomics.errors import InputError, MissingDependencyError
from deepradiomics.stats import auc

STRENGTHS = tuple(float(c) for c in np.logspace(-2.0, 1.0, 13))  # scikit-learn's C, from strong to weak penalty


@dataclass(frozen=True, eq=False)
class Signature:
    """A fitted fixed signature of one task.

    Attributes:
        weight: (outputs, D), zero outside the signature; one output for a binary task, else one a class.
        intercept: (outputs,).
        strength: the C chosen for each output.
    """

    weight: NDArray[np.float64]
    intercept: NDArray[np.float64]
    strength: tuple[float, ...]

    @property
    def selected(self) -> NDArray[np.intp]:
        """Columns of z in the signature, ascending."""
        return np.flatnonzero(np.any(self.weight != 0, axis=0))

    def probabilities(self, z: NDArray[np.floating]) -> NDArray[np.float64]:
        """Standardised features (n, D) to (n, 1), P(class 1), or (n, classes); rows of several classes sum to 1."""
        chance = expit(np.asarray(z, dtype=np.float64) @ self.weight.T + self.intercept)
        return chance if chance.shape[1] == 1 else chance / chance.sum(axis=1, keepdims=True)


def fit_signature(
    z: NDArray[np.floating],
    label: NDArray[np.integer],
    classes: int = 2,
    *,
    strengths: Sequence[float] = STRENGTHS,
    folds: int = 5,
    seed: int = 0,
) -> Signature:
    """Select and weigh features on the training split.

    Args:
        z: standardised features of the training cases, (n, D).
        label: class indices (n,).
        classes: number of classes; several are fitted one against the rest.
        strengths: values of C tried; the one with the best mean AUC over the folds is taken, of equals the strongest
            penalty.
        folds: folds of the inner cross-validation, fewer where a class has fewer cases.
        seed: of the folds and of the solver.

    Raises:
        InputError: a class has fewer than two training cases.
        MissingDependencyError: scikit-learn is not installed.
    """
    label = np.asarray(label)
    targets = [label == 1] if classes == 2 else [label == k for k in range(classes)]
    fitted = [_fit_binary(np.asarray(z, dtype=np.float64), y, strengths, folds, seed) for y in targets]
    return Signature(
        np.stack([weight for weight, _, _ in fitted]),
        np.array([intercept for _, intercept, _ in fitted]),
        tuple(strength for _, _, strength in fitted),
    )


def mean_relevance(training: NDArray[np.floating], count: int) -> NDArray[np.floating]:
    """The training patients' mean relevance (T, D) of (N, T, D), repeated for ``count`` patients: (count, T, D)."""
    if training.ndim != 3 or len(training) == 0:
        raise InputError(f"training: expected relevance (cases, tasks, features), got shape {training.shape}.")
    return np.repeat(training.mean(axis=0, keepdims=True), count, axis=0)


def shuffled_relevance(relevance: NDArray[np.floating], seed: int) -> NDArray[np.floating]:
    """Give every patient another patient's relevance, (n, T, D) to (n, T, D)."""
    return relevance[strangers(len(relevance), seed)]


def strangers(count: int, seed: int) -> NDArray[np.intp]:
    """For each of ``count`` patients the index of another one; everybody is used once, nobody meets themselves.

    One random cycle through all patients (Sattolo's algorithm).

    Raises:
        InputError: there is no other patient.
    """
    if count < 2:
        raise InputError(f"shuffled-q needs at least two patients, got {count}.")
    generator = np.random.default_rng(seed)
    order = np.arange(count)
    for i in range(count - 1, 0, -1):
        j = int(generator.integers(i))  # j < i: an element never stays where it is
        order[i], order[j] = order[j], order[i]
    return order


def _fit_binary(
    z: NDArray[np.float64], positive: NDArray[np.bool_], strengths: Sequence[float], folds: int, seed: int
) -> tuple[NDArray[np.float64], float, float]:
    """(weight (D,), intercept, C) of one class against the rest."""
    rarest = int(min(positive.sum(), (~positive).sum()))
    if rarest < 2:
        raise InputError(f"fixed signature: a class has {rarest} training cases; at least two are needed.")
    try:
        from sklearn.model_selection import StratifiedKFold
    except ImportError as error:
        raise MissingDependencyError(
            "The fixed signature needs scikit-learn: pip install 'deepradiomics[train]'."
        ) from error
    splitter = StratifiedKFold(min(folds, rarest), shuffle=True, random_state=seed)
    parts = list(splitter.split(z, positive))
    score = np.zeros(len(strengths))
    for i, strength in enumerate(sorted(strengths)):
        for train, held in parts:
            model = _lasso(strength, seed).fit(z[train], positive[train])
            score[i] += auc(positive[held], model.decision_function(z[held])) / len(parts)
    best = sorted(strengths)[int(np.flatnonzero(score >= score.max() - 1e-12)[0])]
    model = _lasso(best, seed).fit(z, positive)
    return model.coef_[0], float(model.intercept_[0]), float(best)


def _lasso(strength: float, seed: int) -> Any:
    """Logistic regression with an L1 penalty; classes weighted to count the same."""
    import sklearn
    from sklearn.linear_model import LogisticRegression

    # scikit-learn 1.8 renamed penalty="l1" to l1_ratio=1.
    recent = tuple(int(part) for part in sklearn.__version__.split(".")[:2]) >= (1, 8)
    penalty: dict[str, Any] = {"l1_ratio": 1.0} if recent else {"penalty": "l1"}
    return LogisticRegression(
        **penalty, C=strength, solver="liblinear", class_weight="balanced", max_iter=1000, tol=1e-4, random_state=seed
    )
