"""Shapley values: against their definition by enumeration, against values of shap, and what they must add up to."""

from __future__ import annotations

import json
from itertools import permutations

import numpy as np
import pytest

pytest.importorskip("sklearn")
pytest.importorskip("xgboost")

from deepradiomics.errors import InputError
from deepradiomics.kernels import available
from deepradiomics.modelling import shapley
from deepradiomics.modelling.classifiers import CLASSIFIERS
from deepradiomics.modelling.components.columns import Column
from deepradiomics.modelling.frozen import FrozenModel, freeze
from deepradiomics.modelling.shapley import component_shap, group_shap, thinned
from Testing.reference.freeze_shap import FROZEN
from Testing.unit.ich.outcome_cohort import cohort, fitted

SIX = 6


def by_orders(model, row: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Mean over every order of the columns and every background row of what each column adds: the definition."""
    p = len(row)
    values, orders = np.zeros(p), list(permutations(range(p)))
    for order in orders:
        path = np.repeat(background[:, None], p + 1, axis=1)  # (b, p + 1, p)
        for step, column in enumerate(order):
            path[:, step + 1 :, column] = row[column]
        risk = model.probability(path.reshape(-1, p)).reshape(len(background), p + 1)
        values[list(order)] += np.diff(risk, axis=1).mean(axis=0)
    return values / len(orders)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_values_add_up_to_the_probability(name):
    X, _, new = cohort()
    model = freeze(fitted(name))
    found = component_shap(model, new[:4], X[:30])
    assert found.base == pytest.approx(model.probability(X[:30]).mean(), abs=1e-12)
    np.testing.assert_allclose(found.probability, model.probability(new[:4]), atol=1e-6)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_six_columns_have_the_values_of_the_definition_over_all_720_orders(name):
    X, _, new = cohort(p=SIX)
    model = freeze(fitted(name, SIX))
    expected = by_orders(model, new[0], X[:3])
    found = component_shap(model, new[:1], X[:3])
    assert found.method.startswith("exact")
    np.testing.assert_allclose(found.values[0], expected, atol=1e-6)
    assert np.abs(expected).max() > 0.01


@pytest.mark.skipif(not available(), reason="numba is not installed")
@pytest.mark.parametrize("name", ["random-forest", "extra-trees"])
def test_the_forests_values_are_those_of_shaps_tree_explainer(name):
    frozen = json.loads(FROZEN.read_text(encoding="utf-8"))
    forest = frozen["forests"][name]
    arrays = {key: np.array(values, dtype) for key, (dtype, values) in forest["arrays"].items()}
    model = FrozenModel.from_arrays(arrays, forest["info"])
    found = component_shap(model, np.array(frozen["rows"]), np.array(frozen["background"]))
    assert found.method == "exact (trees)"
    assert found.base == pytest.approx(forest["base"], abs=1e-9)
    np.testing.assert_allclose(found.values, forest["values"], atol=1e-7)  # shap rounds on its way
    assert np.abs(forest["values"]).max() > 0.1


@pytest.mark.parametrize("name", ["svm", "xgboost"])
def test_sampled_orders_come_close_to_the_exact_values(name, monkeypatch):
    X, _, new = cohort(p=SIX)
    model = freeze(fitted(name, SIX))
    exact = component_shap(model, new[:2], X[:20]).values
    monkeypatch.setattr(shapley, "EXACT_COLUMNS", 0)
    found = component_shap(model, new[:2], X[:20], walks=20)
    assert found.method == "sampled orders"
    np.testing.assert_allclose(found.values, exact, atol=0.01)
    np.testing.assert_allclose(found.probability, model.probability(new[:2]), atol=1e-6)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_patient_has_the_same_values_alone_as_in_a_cohort(name):
    X, _, new = cohort()
    model = freeze(fitted(name))
    together = component_shap(model, new[:3], X[:10], threads=2).values
    alone = component_shap(model, new[2:3], X[:10], threads=1).values
    np.testing.assert_allclose(alone[0], together[2], atol=1e-12)


def test_without_numba_forests_are_explained_by_sampled_orders(monkeypatch):
    X, _, new = cohort()
    model = freeze(fitted("extra-trees"))
    exact = component_shap(model, new[:1], X[:10]).values
    monkeypatch.setattr("deepradiomics.modelling.shapley_trees.available", lambda: False)
    found = component_shap(model, new[:1], X[:10])
    assert found.method == "sampled orders"
    np.testing.assert_allclose(found.values, exact, atol=0.03)
    np.testing.assert_allclose(found.probability, model.probability(new[:1]), atol=1e-9)


def test_a_column_that_no_model_uses_gets_nothing_and_equal_rows_get_nothing():
    X, _, new = cohort()
    model = freeze(fitted("elastic-net"))
    unused = np.flatnonzero(model.coef == 0)
    values = component_shap(model, new[:2], X[:10]).values
    np.testing.assert_allclose(values[:, unused], 0.0, atol=1e-15)
    assert np.abs(component_shap(model, X[:1], X[:1]).values).max() == 0.0


def test_groups_add_up_to_all_columns():
    columns = [Column(group, f"{group} {i}", "") for i, group in enumerate(["shape", "radiomics", "radiomics"])]
    found = group_shap(np.array([[0.1, 0.2, -0.05], [0.0, 0.3, 0.1]]), columns)
    assert list(found) == ["shape", "radiomics"]
    np.testing.assert_allclose(found["radiomics"], [0.15, 0.4])
    np.testing.assert_allclose(found["shape"], [0.1, 0.0])
    assert group_shap(np.array([0.1, 0.2, 0.3]), columns)["shape"].tolist() == [0.1]


def test_a_large_background_is_thinned_evenly():
    rows = np.arange(1000.0)[:, None]
    kept = thinned(rows)[:, 0]
    assert (len(kept), kept[0], kept[-1]) == (100, 0.0, 999.0)
    assert set(np.diff(kept)) <= {10.0, 11.0}


def test_tables_that_do_not_fit_are_refused():
    X, _, new = cohort()
    model = freeze(fitted("naive-bayes"))
    for options, message in (
        ((new[:, :3], X), r"expected rows of \(12,\) columns"),
        ((new, X[:0]), "at least one row"),
    ):
        with pytest.raises(InputError, match=message):
            component_shap(model, *options)
    with pytest.raises(InputError, match="walks"):
        component_shap(model, new, X, walks=0)
    with pytest.raises(InputError, match="one column for each of 1 names"):
        group_shap(np.zeros((2, 3)), [Column("shape", "a", "")])
