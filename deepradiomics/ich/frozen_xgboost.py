"""XGBoost: its own JSON, kept as bytes and read by its own library."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from deepradiomics.errors import BundleError, MissingDependencyError
from deepradiomics.ich.frozen import FrozenModel


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
        return found

    def _probability(self, X: np.ndarray) -> np.ndarray:
        return np.asarray(self.booster.inplace_predict(X.astype(np.float32)), np.float64)

    def to_arrays(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        return {"document": self.document}, {"kind": self.kind, "n_columns": self.n_columns}

    @classmethod
    def _from_arrays(cls, arrays: Mapping[str, np.ndarray], info: Mapping[str, Any]) -> FrozenXGBoost:
        return cls(int(info["n_columns"]), arrays["document"])


def freeze_xgboost(model: Any) -> FrozenXGBoost:
    """Take the JSON of a fitted XGBClassifier."""
    document = np.frombuffer(model.get_booster().save_raw("json"), np.uint8)
    return FrozenXGBoost(int(model.n_features_in_), document.copy())
