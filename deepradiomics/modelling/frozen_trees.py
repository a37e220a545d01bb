"""Random forest and extra trees: all trees in one set of arrays, one after the other.

A tree sends a row left where x ≤ threshold, x rounded to float32 first as scikit-learn does. A forest's probability is
the mean over its trees of the share of class 1 in the leaf reached.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from deepradiomics.modelling.frozen import FrozenModel
from deepradiomics.modelling.frozen_check import check_trees, column_count, decimals, refuse, whole_numbers
from deepradiomics.public import one_line


@one_line
@dataclass(frozen=True, eq=False)
class FrozenTrees(FrozenModel):
    """A forest.

    Args:
        n_columns: of its rows.
        roots: (trees,) first node of each tree.
        left, right: (nodes,) children; -1 at a leaf.
        feature: (nodes,) column looked at.
        threshold: (nodes,) float64.
        value: (nodes,) share of class 1 among the training rows of the node.
    """

    kind: ClassVar[str] = "trees"
    n_columns: int
    roots: np.ndarray
    left: np.ndarray
    right: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    value: np.ndarray

    def _probability(self, X: np.ndarray) -> np.ndarray:
        rows = X.astype(np.float32).astype(np.float64)
        found = np.empty(len(rows))
        step = max(1, 2**20 // len(self.roots))
        for start in range(0, len(rows), step):
            part = rows[start : start + step]
            found[start : start + step] = self.value[self._leaves(part)].mean(axis=1)
        return found

    def _leaves(self, rows: np.ndarray) -> np.ndarray:
        """Leaf of each row in each tree, (n, trees)."""
        nodes = np.broadcast_to(self.roots, (len(rows), len(self.roots))).ravel().astype(np.int64)
        which = np.repeat(np.arange(len(rows)), len(self.roots))
        open_ = np.flatnonzero(self.left[nodes] >= 0)
        while open_.size:
            at = nodes[open_]
            goes_left = rows[which[open_], self.feature[at]] <= self.threshold[at]
            at = np.where(goes_left, self.left[at], self.right[at])
            nodes[open_] = at
            open_ = open_[self.left[at] >= 0]
        return nodes.reshape(len(rows), len(self.roots))

    def to_arrays(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        names = ("roots", "left", "right", "feature", "threshold", "value")
        return {name: getattr(self, name) for name in names}, {"kind": self.kind, "n_columns": self.n_columns}

    @classmethod
    def _from_arrays(cls, arrays: Mapping[str, np.ndarray], info: Mapping[str, Any]) -> FrozenTrees:
        n = column_count(cls.kind, info)
        roots, left = (whole_numbers(cls.kind, arrays, name, (None,)) for name in ("roots", "left"))
        right, feature = (whole_numbers(cls.kind, arrays, name, left.shape) for name in ("right", "feature"))
        threshold, value = (decimals(cls.kind, arrays, name, left.shape) for name in ("threshold", "value"))
        check_trees(cls.kind, roots, left, right, feature, threshold, n)
        if ((value < 0) | (value > 1)).any():
            raise refuse(cls.kind, "value: expected shares from 0 to 1 in the leaves")
        return cls(n, roots, left, right, feature, threshold, value)


def freeze_forest(forest: Any) -> FrozenTrees:
    """Take the trees of a fitted RandomForestClassifier or ExtraTreesClassifier."""
    trees = [one.tree_ for one in forest.estimators_]
    roots = np.cumsum([0, *(tree.node_count for tree in trees[:-1])])

    def moved(children: np.ndarray, root: int) -> np.ndarray:
        return np.where(children >= 0, children + root, -1)

    value = np.concatenate([tree.value[:, 0, :] for tree in trees])  # (nodes, 2), counts before scikit-learn 1.3
    return FrozenTrees(
        n_columns=int(forest.n_features_in_),
        roots=roots.astype(np.int32),
        left=np.concatenate([moved(t.children_left, r) for t, r in zip(trees, roots, strict=True)]).astype(np.int32),
        right=np.concatenate([moved(t.children_right, r) for t, r in zip(trees, roots, strict=True)]).astype(np.int32),
        feature=np.maximum(np.concatenate([tree.feature for tree in trees]), 0).astype(np.int32),
        threshold=np.concatenate([tree.threshold for tree in trees]).astype(np.float64),
        value=(value[:, 1] / value.sum(axis=1)).astype(np.float64),
    )
