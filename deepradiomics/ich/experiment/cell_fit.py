"""What happens inside a cell: a classifier fitted, a threshold chosen, a model explained."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepradiomics.ich.experiment.config import ExperimentConfig
from deepradiomics.modelling.classifiers import fit_classifier, nested_search
from deepradiomics.modelling.frozen import freeze
from deepradiomics.modelling.shapley import component_shap
from deepradiomics.stats import youden

_ENTERING = threading.Lock()
_inside: dict[str, Any] = {"count": 0}
_TREES = ("random-forest", "xgboost", "extra-trees")


def fitted_model(
    classifier: str, table: NDArray[np.float64], y: NDArray[np.int64], config: ExperimentConfig, seed: int
) -> tuple[Any, dict[str, Any]]:
    """The estimator, fitted with the paper's settings or with those that a nested search chose, and the latter."""
    if config.search == "nested":
        model = nested_search(classifier, table, y, seed, trees=config.trees)
        return model, dict(model.settings_)
    sizes: dict[str, Any] = {"n_estimators": config.trees} if classifier in _TREES else {}
    return fit_classifier(classifier, table, y, seed=seed, **sizes), {}


def positive(model: Any, table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability of class 1 of each row; nothing for no rows."""
    if not len(table):
        return np.array([], np.float64)
    return np.asarray(model.predict_proba(table)[:, 1], np.float64)


def chosen_threshold(y: NDArray[np.int64], probability: NDArray[np.float64]) -> float:
    """Youden's threshold on patients whom the model has not been fitted on."""
    return float(youden(y, probability))


def shares(
    model: Any,
    cases: NDArray[np.float64],
    training: NDArray[np.float64],
    groups: Sequence[str],
    limit: int,
    background: int,
    seed: int,
) -> tuple[int, dict[str, float], NDArray[np.float64]]:
    """How much each group and each column moves the risk.

    Args:
        model: a fitted estimator.
        cases: rows of those explained; of more than ``limit`` a random part is taken.
        training: rows that the background is drawn from.
        groups: the group of each column.
        limit, background: numbers of rows.
        seed: of the draws.

    Returns:
        the number of patients explained; by group the sum over them of |Σ SHAP of the group's columns|; by column the
        sum of |SHAP| (columns,).
    """
    cases, rows = drawn(cases, limit, seed), drawn(training, background, seed)
    if not len(cases):
        return 0, {}, np.array([])
    values = np.asarray(component_shap(freeze(model), cases, rows, threads=1).values, np.float64)  # (cases, columns)
    names = np.array(groups)
    by_group = {name: float(np.abs(values[:, names == name].sum(axis=1)).sum()) for name in dict.fromkeys(groups)}
    return len(cases), by_group, np.abs(values).sum(axis=0)


def drawn(rows: NDArray[np.float64], count: int, seed: int) -> NDArray[np.float64]:
    """Some of the rows, in their order, the same for the same seed."""
    if len(rows) <= count:
        return rows
    chosen = np.random.default_rng(seed).choice(len(rows), count, replace=False)
    return np.ascontiguousarray(rows[np.sort(chosen)])


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for the libraries' matrix products: sums in another order would have other last digits.

    The limit is the whole process's, so that of several cells in threads of one process the last one lifts it.
    """
    from threadpoolctl import threadpool_limits

    with _ENTERING:
        _inside["count"] += 1
        if _inside["count"] == 1:
            _inside["limit"] = threadpool_limits(1)
    try:
        yield
    finally:
        with _ENTERING:
            _inside["count"] -= 1
            if _inside["count"] == 0:
                _inside.pop("limit").restore_original_limits()
