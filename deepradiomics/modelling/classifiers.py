"""The six classifiers with the paper's fixed settings, and the small grids of the nested search.

The paper gives: 1,000 trees in random forest, XGBoost (log-loss) and extra trees; Gaussian naive Bayes; logistic
regression with l1_ratio 0.5 and saga; SVM with RBF kernel; all else scikit-learn's defaults and a fixed seed. (Saga's
limit of 100 iterations is raised to 2,000: at 100 its coefficients are still far from the optimum.)
Logistic regression and SVM standardise the columns first (inside the fit). The SVM's probabilities are Platt's sigmoid,
fitted on decision values of an inner cross-validation.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from deepradiomics.errors import InputError, MissingDependencyError
from deepradiomics.modelling.classifier_names import CLASSIFIERS
from deepradiomics.modelling.labelled import align_rows
from deepradiomics.stats import auc
from deepradiomics.stats.check import both_classes

TREES = 1000
_PLATT_FOLDS = 5


def make_classifier(name: str, *, seed: int = 0, n_jobs: int = 1, **params: Any) -> Any:
    """Return an unfitted scikit-learn estimator with ``predict_proba``.

    Args:
        name: one of :data:`CLASSIFIERS`.
        seed: of its random choices.
        n_jobs: threads of the tree ensembles; the result does not depend on it.
        params: settings other than the paper's, by the names of :func:`search_space`, or ``n_estimators``.

    Raises:
        InputError: no such classifier.
        MissingDependencyError: scikit-learn or xgboost is not installed.
    """
    makers = {
        "random-forest": _random_forest,
        "xgboost": _xgboost,
        "naive-bayes": _naive_bayes,
        "extra-trees": _extra_trees,
        "elastic-net": _elastic_net,
        "svm": _svm,
    }
    if name not in makers:
        raise InputError(f"classifier: expected one of {', '.join(CLASSIFIERS)}, got {name!r}.")
    try:
        return makers[name](seed, n_jobs).set_params(**params)
    except ImportError as error:
        raise MissingDependencyError(
            f"The classifier {name!r} needs {error.name or 'scikit-learn'}. "
            "Install it with: pip install 'deepradiomics[ich]'."
        ) from error


def fit_classifier(
    name: str, X: np.ndarray, y: np.ndarray, *, seed: int = 0, n_jobs: int = 1, search: str = "fixed", **params: Any
) -> Any:
    """Fit on X (n, p) and binary y (n,); return the estimator.

    Args:
        search: ``fixed`` (the paper's settings) or ``nested`` (:func:`nested_search`).

    Raises:
        InputError: one class only, or values that are not finite.
    """
    X, y = checked(X, y)
    if search == "nested":
        return nested_search(name, X, y, seed, n_jobs=n_jobs)
    if search != "fixed":
        raise InputError(f"search: expected fixed or nested, got {search!r}.")
    with quiet():
        return make_classifier(name, seed=seed, n_jobs=n_jobs, **params).fit(X, y)


def search_space(name: str) -> dict[str, list[Any]]:
    """Return the settings that the nested search tries, each with every other; the paper's own are among them."""
    spaces: dict[str, dict[str, list[Any]]] = {
        "random-forest": {"max_features": ["sqrt", 0.2], "min_samples_leaf": [1, 5]},
        "extra-trees": {"max_features": ["sqrt", 0.2], "min_samples_leaf": [1, 5]},
        "xgboost": {"learning_rate": [0.3, 0.05], "max_depth": [6, 3]},
        "naive-bayes": {"var_smoothing": [1e-9, 1e-3, 1e-1]},
        "elastic-net": {"logisticregression__C": [1.0, 0.1, 0.01]},
        "svm": {"estimator__svc__C": [1.0, 0.1, 10.0], "estimator__svc__gamma": ["scale", 0.001]},
    }
    if name not in spaces:
        raise InputError(f"classifier: expected one of {', '.join(CLASSIFIERS)}, got {name!r}.")
    return spaces[name]


def nested_search(
    name: str, X: np.ndarray, y: np.ndarray, seed: int = 0, *, folds: int = 5, n_jobs: int = 1, trees: int = TREES
) -> Any:
    """Fit with the settings whose mean AUC over inner stratified folds is highest; of equal ones the first.

    The columns of X must come from the training patients alone; the inner folds share them (the components see no
    outcome). ``trees`` of the tree ensembles are fitted in the search and at its end.

    Returns:
        The estimator fitted on all of X, with ``settings_`` and ``inner_auc_``.
    """
    from itertools import product

    from sklearn.model_selection import StratifiedKFold

    X, y = checked(X, y)
    folds = min(folds, int(np.bincount(y).min()))
    if folds < 2:
        raise InputError(f"nested search: expected at least two patients of each class, got {np.bincount(y).tolist()}.")
    space = search_space(name)
    fixed = {"n_estimators": trees} if name in ("random-forest", "extra-trees", "xgboost") else {}
    parts = list(StratifiedKFold(folds, shuffle=True, random_state=seed).split(X, y))
    best: tuple[float, dict[str, Any]] | None = None
    for chosen in product(*space.values()):
        settings = dict(zip(space, chosen, strict=True))
        areas = []
        for train, test in parts:
            with quiet():
                model = make_classifier(name, seed=seed, n_jobs=n_jobs, **fixed, **settings).fit(X[train], y[train])
                areas.append(auc(y[test], model.predict_proba(X[test])[:, 1]))
        if best is None or float(np.mean(areas)) > best[0]:
            best = float(np.mean(areas)), settings
    assert best is not None
    with quiet():
        model = make_classifier(name, seed=seed, n_jobs=n_jobs, **fixed, **best[1]).fit(X, y)
    model.inner_auc_, model.settings_ = best
    return model


def checked(X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return float64 X and integer y, both usable; a data frame and a series are aligned by their index.

    Raises:
        InputError: rows or shapes differ, a value is not finite, or one class only.
    """
    rows = align_rows({"columns": X, "outcome": y})[0]
    labels = both_classes(rows["outcome"], "outcome").astype(np.int64)
    table = np.ascontiguousarray(rows["columns"], np.float64)
    if table.ndim != 2 or len(table) != len(labels) or not np.isfinite(table).all():
        raise InputError(
            f"columns: expected a finite table with one row for each of {len(labels)} outcomes, got {table.shape}."
        )
    return table, labels


@contextmanager
def quiet() -> Iterator[None]:
    """Silence what the libraries warn of and the user cannot change."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning, module="sklearn")
        warnings.filterwarnings("ignore", message=".*max_iter was reached.*")  # saga near its end: same ranking
        yield


def _random_forest(seed: int, n_jobs: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(TREES, random_state=seed, n_jobs=n_jobs)


def _extra_trees(seed: int, n_jobs: int) -> Any:
    from sklearn.ensemble import ExtraTreesClassifier

    return ExtraTreesClassifier(TREES, random_state=seed, n_jobs=n_jobs)


def _xgboost(seed: int, n_jobs: int) -> Any:
    from xgboost import XGBClassifier

    return XGBClassifier(n_estimators=TREES, eval_metric="logloss", random_state=seed, n_jobs=n_jobs, device="cpu")


def _naive_bayes(seed: int, n_jobs: int) -> Any:
    from sklearn.naive_bayes import GaussianNB

    return GaussianNB()


def _elastic_net(seed: int, n_jobs: int) -> Any:
    from inspect import signature

    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    # scikit-learn before 1.8 wants the penalty by name; later ones tell it from l1_ratio and warn of the name.
    named = (
        {} if signature(LogisticRegression).parameters["penalty"].default == "deprecated" else {"penalty": "elasticnet"}
    )
    logistic = LogisticRegression(l1_ratio=0.5, solver="saga", max_iter=2000, random_state=seed, **named)
    return make_pipeline(StandardScaler(), logistic)


def _svm(seed: int, n_jobs: int) -> Any:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    from deepradiomics.modelling.platt import PlattClassifier

    return PlattClassifier(make_pipeline(StandardScaler(), SVC(kernel="rbf", random_state=seed)), _PLATT_FOLDS, seed)
