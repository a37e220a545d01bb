"""Frozen classifiers against the estimators they were taken from."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip("sklearn")
pytest.importorskip("xgboost")

from deepradiomics.errors import BundleError, InputError
from deepradiomics.modelling.classifiers import CLASSIFIERS, make_classifier
from deepradiomics.modelling.frozen import FrozenModel, freeze
from deepradiomics.modelling.frozen_trees import FrozenTrees
from deepradiomics.networks.bundle import load_bundle, save_bundle
from Testing.unit.ich.outcome_cohort import cohort, fitted

pytest.importorskip("safetensors")


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_frozen_probabilities_equal_the_estimators_within_a_millionth(name):
    _, _, new = cohort()
    model = freeze(fitted(name))
    np.testing.assert_allclose(model.probability(new), fitted(name).predict_proba(new)[:, 1], atol=1e-6)
    assert np.ptp(model.probability(new)) > 0.1


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_bundle_gives_the_same_numbers_back(name, tmp_path):
    _, _, new = cohort()
    model = freeze(fitted(name))
    arrays, info = model.to_arrays()
    save_bundle(tmp_path / "bundle", arrays, {"model": info})
    stored, described = load_bundle(tmp_path / "bundle")
    again = FrozenModel.from_arrays(stored, described["model"])
    np.testing.assert_array_equal(again.probability(new), model.probability(new))
    assert json.loads(json.dumps(info)) == info


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_values_on_a_threshold_and_just_beside_it_go_the_estimators_way(name):
    X, _, _ = cohort()
    rows = np.concatenate([X, np.nextafter(X, np.inf), np.nextafter(X, -np.inf), X.astype(np.float32)])
    estimator = fitted(name)
    if hasattr(estimator, "estimators_"):
        thresholds = np.concatenate([tree.tree_.threshold[tree.tree_.feature >= 0] for tree in estimator.estimators_])
        at = np.resize(thresholds, X.shape)
        rows = np.concatenate([rows, at, at + 1e-8, at - 1e-8, np.nextafter(at, np.inf)])
    np.testing.assert_allclose(freeze(estimator).probability(rows), estimator.predict_proba(rows)[:, 1], atol=1e-6)


def test_a_tree_worked_by_hand():
    # x0 <= 1.5 → leaf ¼; else x1 <= 0 → leaf 1, else leaf 0. The second tree is a single leaf of ½.
    one = FrozenTrees(
        n_columns=2,
        roots=np.array([0, 5]),
        left=np.array([1, -1, 3, -1, -1, -1]),
        right=np.array([2, -1, 4, -1, -1, -1]),
        feature=np.array([0, 0, 1, 0, 0, 0]),
        threshold=np.array([1.5, 0, 0, 0, 0, 0]),
        value=np.array([0.4, 0.25, 0.5, 1.0, 0.0, 0.5]),
    )
    found = one.probability(np.array([[1.5, 9.0], [1.6, 0.0], [1.6, 0.1]]))
    np.testing.assert_allclose(found, [(0.25 + 0.5) / 2, 0.75, 0.25])


def test_a_forest_of_stumps_and_a_search_over_settings_freeze_too():
    X, y, new = cohort()
    for estimator in (
        make_classifier("random-forest", n_estimators=5, max_depth=1).fit(X, y),
        make_classifier("extra-trees", n_estimators=7, min_samples_leaf=5).fit(X, y),
        make_classifier("svm", estimator__svc__gamma=0.01).fit(X, y),
        make_classifier("xgboost", n_estimators=3, learning_rate=0.05).fit(X, y),
    ):
        np.testing.assert_allclose(freeze(estimator).probability(new), estimator.predict_proba(new)[:, 1], atol=1e-6)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_the_way_from_one_row_to_another_is_the_rows_on_it(name):
    X, _, new = cohort()
    model = freeze(fitted(name))
    order = np.random.default_rng(1).permutation(X.shape[1])
    np.testing.assert_allclose(
        model.along(X[0], new[0], order), FrozenModel.along(model, X[0], new[0], order), atol=1e-6
    )


def test_what_cannot_be_frozen_is_named():
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler, StandardScaler

    X, y, _ = cohort()
    with pytest.raises(InputError, match="got LinearRegression"):
        freeze(LinearRegression().fit(X, y))
    with pytest.raises(InputError, match="is not fitted"):
        freeze(make_classifier("naive-bayes"))
    with pytest.raises(InputError, match=r"classes \[0, 2\]"):
        freeze(make_classifier("naive-bayes").fit(X, 2 * y))
    with pytest.raises(InputError, match="expected StandardScaler"):
        freeze(make_pipeline(MinMaxScaler(), StandardScaler(), make_classifier("naive-bayes")).fit(X, y))


def test_damaged_models_and_strange_rows_are_refused_with_a_reason():
    X, _, _ = cohort()
    model = freeze(fitted("naive-bayes"))
    arrays, info = model.to_arrays()
    with pytest.raises(BundleError, match="entry 'mean' is missing"):
        FrozenModel.from_arrays({key: value for key, value in arrays.items() if key != "mean"}, info)
    with pytest.raises(BundleError, match="expected a kind among"):
        FrozenModel.from_arrays(arrays, info | {"kind": "pickle"})
    with pytest.raises(InputError, match="expected rows of 12 columns"):
        model.probability(X[:, :5])
    with pytest.raises(InputError, match="row 0, column 2"):
        model.probability(np.where(np.arange(12) == 2, np.nan, X[:1]))
    damaged = FrozenModel.from_arrays(
        {"document": np.frombuffer(b"{nonsense", np.uint8)}, {"kind": "xgboost", "n_columns": 12}
    )
    with pytest.raises(BundleError, match="its JSON is damaged"):
        damaged.probability(X)
