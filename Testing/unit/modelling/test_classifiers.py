"""The six classifiers: the paper's settings, reproducible, better than chance, and clear about what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn")
pytest.importorskip("xgboost")

from deepradiomics.errors import InputError
from deepradiomics.modelling.classifier_names import CLASSIFIER_TITLES, CLASSIFIERS
from deepradiomics.modelling.classifiers import (
    fit_classifier,
    make_classifier,
    nested_search,
    search_space,
)
from deepradiomics.stats import auc
from Testing.unit.ich.outcome_cohort import SMALL, cohort, fitted


def test_they_have_the_papers_settings():
    for name in ("random-forest", "extra-trees", "xgboost"):
        assert make_classifier(name).n_estimators == 1000
    assert make_classifier("xgboost").eval_metric == "logloss"
    logistic = make_classifier("elastic-net")[-1]
    assert (logistic.l1_ratio, logistic.solver, logistic.C) == (0.5, "saga", 1.0)
    support = make_classifier("svm").estimator[-1]
    assert (support.kernel, support.C, support.gamma) == ("rbf", 1.0, "scale")
    assert set(CLASSIFIER_TITLES) == set(CLASSIFIERS)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_seed_gives_the_same_model_again_whatever_the_threads(name):
    X, y, new = cohort()
    sizes = {"n_estimators": SMALL[name]} if name in SMALL else {}
    again = fit_classifier(name, X, y, seed=3, n_jobs=2, **sizes)
    np.testing.assert_array_equal(again.predict_proba(new), fitted(name).predict_proba(new))


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_each_learns_an_outcome_that_depends_on_the_columns(name):
    X, y, _ = cohort(400, 12)
    sizes = {"n_estimators": SMALL[name]} if name in SMALL else {}
    model = fit_classifier(name, X[:300], y[:300], **sizes)
    assert auc(y[300:], model.predict_proba(X[300:])[:, 1]) > 0.65


def test_platts_sigmoid_is_scikit_learns_own():
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.model_selection import StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    X, y, new = cohort()
    folds = StratifiedKFold(5, shuffle=True, random_state=3)
    theirs = CalibratedClassifierCV(make_pipeline(StandardScaler(), SVC()), cv=folds, ensemble=False).fit(X, y)
    np.testing.assert_allclose(fitted("svm").predict_proba(new), theirs.predict_proba(new), rtol=1e-12)
    assert set(fitted("svm").predict(new)) <= {0, 1}


def test_three_positives_are_enough_for_the_svm_and_one_is_not():
    X, _, new = cohort()
    y = np.zeros(len(X), int)
    y[:3] = 1
    assert np.isfinite(fit_classifier("svm", X, y).predict_proba(new)).all()
    y[1:3] = 0
    with pytest.raises(InputError, match="at least two patients of each class"):
        fit_classifier("svm", X, y)


def test_the_nested_search_takes_the_best_of_its_settings_and_says_which():
    X, y, new = cohort()
    model = nested_search("naive-bayes", X, y, seed=1)
    assert model.settings_["var_smoothing"] in search_space("naive-bayes")["var_smoothing"]
    assert model.var_smoothing == model.settings_["var_smoothing"]
    assert 0.5 < model.inner_auc_ < 1
    assert model.predict_proba(new).shape == (60, 2)
    small = nested_search("xgboost", X, y, seed=1, folds=2, trees=10)
    assert small.n_estimators == 10
    assert set(small.settings_) == set(search_space("xgboost"))


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_every_setting_of_the_search_is_one_of_the_estimators(name):
    space = search_space(name)
    make_classifier(name, **{key: values[-1] for key, values in space.items()})
    assert all(len(values) > 1 for values in space.values())


def test_what_cannot_be_fitted_is_refused_with_a_reason():
    X, y, _ = cohort()
    with pytest.raises(InputError, match="both classes, but all 140 cases are of class 0"):
        fit_classifier("naive-bayes", X, np.zeros(140))
    with pytest.raises(InputError, match="finite table with one row for each of 140 outcomes"):
        fit_classifier("naive-bayes", X[:50], y)
    with pytest.raises(InputError, match="expected one of random-forest"):
        make_classifier("knn")
    with pytest.raises(InputError, match="expected one of random-forest"):
        search_space("knn")
    with pytest.raises(InputError, match="fixed or nested"):
        fit_classifier("naive-bayes", X, y, search="grid")
    with pytest.raises(InputError, match="at least two patients of each class"):
        nested_search("naive-bayes", X, (np.arange(140) == 0).astype(int))
