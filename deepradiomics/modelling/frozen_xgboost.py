"""XGBoost: its own JSON, kept as bytes and read by its own library.

For explanations the trees are also read from the JSON here: a tree sends a row left where x < split condition (both
float32), and a leaf's value is its split condition; the sum over trees and the logit of the base score is the log-odds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit, logit

from deepradiomics.errors import BundleError, MissingDependencyError
from deepradiomics.ich.frozen import FrozenModel
from deepradiomics.radiomics.compiled import available


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
        learner = json.loads(self.document.tobytes())["learner"]
        if learner["gradient_booster"]["name"] != "gbtree" or learner["objective"]["name"] != "binary:logistic":
            return None
        trees = learner["gradient_booster"]["model"]["trees"]
        if any(tree.get("categories") or any(tree.get("split_type", ())) for tree in trees):
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
        text = json.loads(self.document.tobytes())["learner"]["learner_model_param"]["base_score"]
        return float(logit(float(str(text).strip("[]"))))

    def along(self, start: np.ndarray, end: np.ndarray, order: np.ndarray) -> np.ndarray:
        if not available() or self.trees is None:
            return super().along(start, end, order)
        from deepradiomics.ich.shapley_cpu import walk_steps

        place = np.empty(len(order), np.int32)
        place[order] = np.arange(len(order), dtype=np.int32)
        steps = walk_steps(start.astype(np.float32), end.astype(np.float32), place, *self.trees)
        found: np.ndarray = expit(self.base_log_odds + np.cumsum(steps))
        return found

    def to_arrays(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        return {"document": self.document}, {"kind": self.kind, "n_columns": self.n_columns}

    @classmethod
    def _from_arrays(cls, arrays: Mapping[str, np.ndarray], info: Mapping[str, Any]) -> FrozenXGBoost:
        return cls(int(info["n_columns"]), arrays["document"])


def freeze_xgboost(model: Any) -> FrozenXGBoost:
    """Take the JSON of a fitted XGBClassifier."""
    document = np.frombuffer(model.get_booster().save_raw("json"), np.uint8)
    return FrozenXGBoost(int(model.n_features_in_), document.copy())
