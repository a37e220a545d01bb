"""XGBoost: its own JSON, kept as bytes and read by its own library.

For explanations the trees are also read from the JSON here: a tree sends a row left where x < split condition (both
float32), and a leaf's value is its split condition; the sum over trees and the logit of the base score is the log-odds.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit, logit

from deepradiomics.errors import BundleError, MissingDependencyError
from deepradiomics.files.reading import parse_json, reading
from deepradiomics.kernels import available
from deepradiomics.modelling.frozen import FrozenModel
from deepradiomics.modelling.frozen_check import check_trees, column_count, refuse, whole_numbers

_MODEL, _ADVICE = "model of kind 'xgboost'", "Copy the bundle again, or fit the model anew."


class FrozenXGBoost(FrozenModel):
    """A booster of XGBoost with a logistic output.

    Args:
        n_columns: of its rows.
        document: the booster's JSON, uint8 (bytes,).
    """

    kind: ClassVar[str] = "xgboost"

    def __init__(self, n_columns: int, document: np.ndarray) -> None:
        self.n_columns = n_columns
        self.document = np.asarray(document, np.uint8)

    @cached_property
    def booster(self) -> Any:
        """The booster, read on first use."""
        try:
            import xgboost
        except ImportError as error:
            raise MissingDependencyError(
                "This model is an XGBoost booster and needs xgboost. Install it with: pip install 'deepradiomics[ich]'."
            ) from error
        self._check()  # its library follows the trees' numbers without looking
        found = xgboost.Booster()
        try:
            found.load_model(bytearray(self.document.tobytes()))
        except (xgboost.core.XGBoostError, ValueError) as error:
            raise BundleError(f"model of kind 'xgboost': its JSON cannot be read ({str(error)[:200]}).") from error
        found.set_param({"nthread": 1})  # a thousand trees and a cohort take a tenth of a second; waiting threads more
        return found

    def _probability(self, X: np.ndarray) -> np.ndarray:
        return np.asarray(self.booster.inplace_predict(X.astype(np.float32)), np.float64)

    @cached_property
    def trees(self) -> tuple[np.ndarray, ...] | None:
        """Roots, left, right, feature, condition (a leaf's: its value); None where they are not plain trees."""
        self._check()
        learner = self._learner
        if learner["gradient_booster"]["name"] != "gbtree" or learner["objective"]["name"] != "binary:logistic":
            return None
        trees = learner["gradient_booster"]["model"]["trees"]
        if not trees or any(tree.get("categories") or any(tree.get("split_type", ())) for tree in trees):
            return None
        roots = np.cumsum([0, *(len(tree["left_children"]) for tree in trees[:-1])])
        parts: list[list[np.ndarray]] = [[], [], [], []]
        for tree, root in zip(trees, roots, strict=True):
            for part, name in zip(parts, ("left_children", "right_children"), strict=False):
                children = np.array(tree[name])
                part.append(np.where(children >= 0, children + root, -1).astype(np.int32))
            parts[2].append(np.array(tree["split_indices"], np.int32))
            parts[3].append(np.array(tree["split_conditions"], np.float32))
        return roots.astype(np.int32), *(np.concatenate(part) for part in parts)

    @cached_property
    def base_log_odds(self) -> float:
        """What the trees add to."""
        return float(logit(float(str(self._learner["learner_model_param"]["base_score"]).strip("[]"))))

    @cached_property
    def _learner(self) -> dict[str, Any]:
        """What the booster's JSON says of it."""
        with reading(_MODEL, "its JSON", _ADVICE, BundleError):
            learner = dict(parse_json(self.document.tobytes().decode("utf-8"))["learner"])
        return learner

    def _check(self) -> None:
        """Refuse a booster for other rows, or one whose trees cannot be followed."""
        with reading(_MODEL, "its JSON", _ADVICE, BundleError):
            columns = int(self._learner["learner_model_param"]["num_feature"])
            if columns != self.n_columns:
                raise refuse(
                    self.kind, f"the booster was fitted on {columns} columns, the description says {self.n_columns}"
                )
            base = float(str(self._learner["learner_model_param"]["base_score"]).strip("[]"))
            if not 0.0 < base < 1.0:
                raise refuse(self.kind, f"base_score: expected a probability, got {base}")
            booster = self._learner["gradient_booster"]
            model = booster.get("model") or booster.get("gbtree", {}).get("model") or {}
            trees = model.get("trees", [])
            if any(int(info) != 0 for info in model.get("tree_info", [])) or len(model.get("tree_info", trees)) != len(
                trees
            ):
                raise refuse(self.kind, "tree_info: expected a 0 for each tree")
            for tree in trees:
                self._check_tree(tree)

    def _check_tree(self, tree: Mapping[str, Any]) -> None:
        left = np.array(tree["left_children"])
        arrays = {name: np.array(tree[name]) for name in ("left_children", "right_children", "split_indices")}
        nodes, other, columns = (whole_numbers(self.kind, arrays, name, left.shape) for name in arrays)
        conditions = np.array(tree["split_conditions"], np.float64)
        if left.ndim != 1 or conditions.shape != left.shape or int(tree["tree_param"]["num_nodes"]) != len(left):
            raise refuse(self.kind, "the arrays of a tree differ in length")
        check_trees(self.kind, np.zeros(1, np.int64), nodes, other, columns, conditions, self.n_columns)

    def along(self, start: np.ndarray, end: np.ndarray, order: np.ndarray) -> np.ndarray:
        if not available() or self.trees is None:
            return super().along(start, end, order)
        from deepradiomics.modelling.shapley_cpu import walk_steps

        place = np.empty(len(order), np.int32)
        place[order] = np.arange(len(order), dtype=np.int32)
        steps = walk_steps(start.astype(np.float32), end.astype(np.float32), place, *self.trees)
        found: np.ndarray = expit(self.base_log_odds + np.cumsum(steps))
        return found

    def to_arrays(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        return {"document": self.document}, {"kind": self.kind, "n_columns": self.n_columns}

    @classmethod
    def _from_arrays(cls, arrays: Mapping[str, np.ndarray], info: Mapping[str, Any]) -> FrozenXGBoost:
        return cls(column_count(cls.kind, info), whole_numbers(cls.kind, arrays, "document", (None,)))


def freeze_xgboost(model: Any) -> FrozenXGBoost:
    """Take the JSON of a fitted XGBClassifier."""
    document = np.frombuffer(model.get_booster().save_raw("json"), np.uint8)
    return FrozenXGBoost(int(model.n_features_in_), document.copy())
