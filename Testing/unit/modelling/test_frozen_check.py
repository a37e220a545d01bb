"""A classifier in a bundle is looked at before compiled code follows its numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")

from deepradiomics.errors import BundleError
from deepradiomics.modelling.frozen import FrozenModel, freeze
from deepradiomics.modelling.frozen_check import DEEPEST, check_trees
from Testing.unit.ich.outcome_cohort import fitted

# x0 <= 1.5 → leaf ¼; else x1 <= 0 → leaf 1, else leaf 0. The second tree is a single leaf of ½.
FOREST = {
    "roots": np.array([0, 5], np.int32),
    "left": np.array([1, -1, 3, -1, -1, -1], np.int32),
    "right": np.array([2, -1, 4, -1, -1, -1], np.int32),
    "feature": np.array([0, 0, 1, 0, 0, 0], np.int32),
    "threshold": np.array([1.5, 0, 0, 0, 0, 0.0]),
    "value": np.array([0.5, 0.25, 0.5, 1, 0, 0.5]),
}
INFO = {"kind": "trees", "n_columns": 2}


def changed(name: str, node: int, value: object) -> dict[str, np.ndarray]:
    array = FOREST[name].astype(np.asarray(value).dtype) if isinstance(value, float) else FOREST[name].copy()
    array[node] = value
    return {**FOREST, name: array}


def test_a_sound_forest_is_taken() -> None:
    model = FrozenModel.from_arrays(FOREST, INFO)
    np.testing.assert_allclose(model.probability(np.array([[1.0, 0.0], [2.0, -1.0]])), [0.375, 0.75])


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        (changed("left", 2, 0), "before its parent"),  # a circle: prediction and explanation would never end
        (changed("left", 2, 2), "before its parent"),
        (changed("left", 0, 6), "outside its tree"),
        (changed("right", 2, 2**30), "outside its tree"),
        (changed("right", 0, 5), "outside its tree"),  # the next tree's
        (changed("right", 2, 3), "child of two others"),
        (changed("right", 0, -1), "one child alone"),
        (changed("left", 1, 3), "one child alone"),
        (changed("left", 1, -2), "one child alone"),
        (changed("feature", 0, 2), "a column outside the 2"),
        (changed("feature", 2, -1), "a column outside the 2"),
        (changed("threshold", 0, np.nan), "NaN or infinite"),
        (changed("threshold", 0, np.inf), "NaN or infinite"),
        (changed("value", 3, 1e6), "shares from 0 to 1"),
        (changed("value", 3, -0.1), "shares from 0 to 1"),
        (changed("roots", 0, 1), "do not ascend"),
        (changed("roots", 1, 0), "do not ascend"),
        (changed("roots", 1, 6), "do not ascend"),
        ({**FOREST, "roots": np.zeros(0, np.int32)}, "expected the shape"),
        ({**FOREST, "feature": FOREST["feature"][:3]}, r"expected the shape \(6\), got \(3,\)"),
        ({**FOREST, "left": FOREST["left"].astype(float)}, "expected whole numbers"),
        ({**FOREST, "value": FOREST["value"] > 0}, "expected decimals"),
        ({key: value for key, value in FOREST.items() if key != "right"}, "entry 'right' is missing"),
    ],
)
def test_a_forest_that_cannot_be_followed_is_refused(arrays: dict[str, np.ndarray], says: str) -> None:
    with pytest.raises(BundleError, match=rf"model of kind 'trees': .*{says}"):
        FrozenModel.from_arrays(arrays, INFO)


@pytest.mark.parametrize("columns", [0, -1, 1.0, "2", None, True, 10**30])
def test_a_number_of_columns_that_is_none_is_refused(columns: object) -> None:
    with pytest.raises(BundleError, match="n_columns: expected a whole number"):
        FrozenModel.from_arrays(FOREST, INFO | {"n_columns": columns})


def test_a_path_deeper_than_the_compiled_passes_have_places_for_is_refused() -> None:
    def chain(depth: int) -> tuple[np.ndarray, ...]:
        inner = np.arange(depth) * 2
        left, right = np.full(2 * depth + 1, -1), np.full(2 * depth + 1, -1)
        left[inner], right[inner] = inner + 1, inner + 2
        feature = np.zeros(2 * depth + 1, int)
        feature[inner] = np.arange(depth)
        return np.zeros(1, int), left, right, feature, np.zeros(2 * depth + 1)

    check_trees("trees", *chain(DEEPEST), 1000)
    with pytest.raises(BundleError, match="decisions deep"):
        check_trees("trees", *chain(DEEPEST + 1), 1000)


@pytest.mark.parametrize(
    ("name", "array", "says"),
    [
        ("naive-bayes", ("variance", np.zeros((2, 12))), "above 0"),
        ("naive-bayes", ("mean", np.zeros((1, 12))), "expected the shape"),
        ("naive-bayes", ("prior", np.array([1.0, 0.0])), "above 0"),
        ("elastic-net", ("scale", np.zeros(12)), "above 0"),
        ("elastic-net", ("coef", np.full(12, np.inf)), "NaN or infinite"),
        ("elastic-net", ("intercept", np.zeros(0)), "expected the shape"),
        ("svm", ("dual", np.zeros(3)), "expected the shape"),
        ("svm", ("support", np.zeros((0, 12))), "expected the shape"),
        ("svm", ("numbers", np.array([-1.0, 0, 0, 0])), "above 0"),
        ("svm", ("numbers", np.zeros(3)), "expected the shape"),
    ],
)
def test_arrays_of_another_shape_or_range_are_refused(name: str, array: tuple[str, np.ndarray], says: str) -> None:
    arrays, info = freeze(fitted(name)).to_arrays()
    FrozenModel.from_arrays(arrays, info)
    with pytest.raises(BundleError, match=rf"{array[0]}: .*{says}"):
        FrozenModel.from_arrays({**arrays, array[0]: array[1]}, info)


def _booster(change: Callable[[dict[str, Any]], None]) -> FrozenModel:
    arrays, info = freeze(fitted("xgboost")).to_arrays()
    document = json.loads(arrays["document"].tobytes())
    change(document["learner"])
    text = np.frombuffer(json.dumps(document).encode(), np.uint8).copy()
    return FrozenModel.from_arrays({"document": text}, info)


def _tree(learner: dict[str, Any]) -> dict[str, Any]:
    trees = learner["gradient_booster"]["model"]["trees"]
    return next(tree for tree in trees if tree["left_children"][0] > 0)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda learner: _tree(learner)["left_children"].__setitem__(0, 0), "before its parent"),
        (lambda learner: _tree(learner)["left_children"].__setitem__(0, 10**6), "outside its tree"),
        (lambda learner: _tree(learner)["split_indices"].__setitem__(0, 10**6), "a column outside"),
        (lambda learner: _tree(learner)["split_indices"].pop(), "expected the shape"),
        (lambda learner: _tree(learner).pop("right_children"), "'right_children' is missing"),
        (lambda learner: learner["learner_model_param"].__setitem__("num_feature", "3"), "fitted on 3 columns"),
        (lambda learner: learner["learner_model_param"].__setitem__("base_score", "7"), "expected a probability"),
        (lambda learner: learner["gradient_booster"]["model"].__setitem__("trees", ["x"] * 40), "tree_info|damaged"),
    ],
)
def test_a_booster_that_cannot_be_followed_is_refused(change: Callable[[dict[str, Any]], None], says: str) -> None:
    pytest.importorskip("xgboost")
    rows = np.zeros((1, 12))
    assert 0 < _booster(lambda learner: None).probability(rows)[0] < 1
    model = _booster(change)
    with pytest.raises(BundleError, match=says):
        model.probability(rows)
    with pytest.raises(BundleError, match=says):
        model.along(rows[0], rows[0] + 1, np.arange(12))
