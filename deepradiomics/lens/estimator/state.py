"""A fitted lens as arrays and a description, and back: what a bundle stores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deepradiomics.errors import BundleError
from deepradiomics.files.reading import UNUSABLE, reason
from deepradiomics.lens.estimator.scale import EmbeddingScale
from deepradiomics.lens.estimator.targets import TargetScale

if TYPE_CHECKING:
    from deepradiomics.lens.estimator.lens import RadiomicLens

FORMAT = 1
_OF_STAGE = ("importance", "coef", "intercept", "squared_error", "mse", "r2", "noise", "explained")
_ARRAYS = (
    *("delta_importance_", "delta_explained_", "total_squares_", "weights_", "bias_", "kept_", "groups_"),
    *(f"{name}_{stage}_" for name in _OF_STAGE for stage in ("pre", "ft")),
)
_OPTIONAL = (
    "delta_low_", "delta_high_", "p_null_", "q_null_", "p_family_", "permuted_", "delta_explained_low_",
    "delta_explained_high_", "p_explained_", "q_explained_", "p_family_explained_", "permuted_explained_",
)  # fmt: skip
_NUMBERS = ("l1_", "l2_", "r2_mean_pre_", "r2_mean_ft_", "r2_pooled_pre_", "r2_pooled_ft_")
_COLUMNS = ("embedding_names_", "target_names_")  # of labelled tables; None for arrays
_SCALES = {"targets": ("offset", "spread"), "embeddings": ("mean_pre", "sd_pre", "mean_ft", "sd_ft")}


def lens_state(lens: RadiomicLens) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Arrays by name, and the rest."""
    tensors = {name: np.asarray(getattr(lens, name)) for name in _ARRAYS}
    tensors["kept_"] = tensors["kept_"].astype(np.uint8)
    tensors |= {name: getattr(lens, name) for name in _OPTIONAL if getattr(lens, name) is not None}
    for part, fields in _SCALES.items():
        tensors |= {f"{part}.{field}": getattr(getattr(lens, f"_{part}"), field) for field in fields}
    tensors |= {f"variant.{name}": delta for name, delta in lens.variants_.items()}
    info = {
        "lens_format": FORMAT,
        "params": {name: _plain(value) for name, value in lens.get_params().items()},
        "numbers": {name: _number(getattr(lens, name)) for name in _NUMBERS},
        "feature_names": [list(pair) for pair in lens.feature_names_],
        "columns": {name: _names_out(getattr(lens, name)) for name in _COLUMNS},
        "dropped": [list(pair) for pair in lens.dropped_],
        "ids": list(lens.ids_),
        "split": [str(part) for part in lens.split_],
        "sweep": [{key: _number(value) for key, value in row.items()} for row in lens.sweep_],
        "warnings": list(lens.warnings_),
    }
    return {name: np.ascontiguousarray(value) for name, value in tensors.items()}, info


def lens_from_state(cls: type[RadiomicLens], tensors: Mapping[str, Any], info: Mapping[str, Any]) -> RadiomicLens:
    """Rebuild a lens.

    Raises:
        BundleError: something is missing, or written by a later version.
    """
    if info.get("lens_format") != FORMAT:
        raise BundleError(
            f"The lens has format {info.get('lens_format')!r}, this version reads {FORMAT}. Update DeepRadiomics."
        )
    try:
        lens = cls(**info["params"])
        arrays = {name: np.array(value) for name, value in tensors.items()}
        for name in _ARRAYS:
            setattr(lens, name, arrays[name])
        lens.kept_ = arrays["kept_"].astype(bool)
        for name in _OPTIONAL:
            setattr(lens, name, arrays.get(name))
        for name in _NUMBERS:
            value = info["numbers"][name]
            setattr(lens, name, float("nan") if value is None else value)
        lens.feature_names_ = tuple((str(m), str(f)) for m, f in info["feature_names"])
        for name in _COLUMNS:
            setattr(lens, name, _names_in(info.get("columns", {}).get(name)))
        lens.dropped_ = [(str(name), str(reason)) for name, reason in info["dropped"]]
        lens.ids_, lens.split_ = tuple(info["ids"]), np.array(info["split"])
        lens.sweep_ = [{k: float("nan") if v is None else v for k, v in row.items()} for row in info["sweep"]]
        lens.warnings_ = list(info["warnings"])
        lens.variants_ = {n.removeprefix("variant."): v for n, v in arrays.items() if n.startswith("variant.")}
        offset, spread = (arrays[f"targets.{field}"] for field in _SCALES["targets"])
        lens._targets = TargetScale(lens.kept_, offset, spread, tuple(lens.dropped_))
        lens._embeddings = EmbeddingScale(*(arrays[f"embeddings.{field}"] for field in _SCALES["embeddings"]))
    except UNUSABLE as error:
        raise BundleError(f"The lens is damaged: {reason(error)} is missing or wrong. Fit it again.") from None
    return lens


def _names_out(names: list[Any] | None) -> list[Any] | None:
    return None if names is None else [list(name) if isinstance(name, tuple) else name for name in names]


def _names_in(names: Any) -> list[Any] | None:
    return None if names is None else [tuple(name) if isinstance(name, list) else str(name) for name in names]


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _number(value: Any) -> Any:
    """A plain number; None for NaN, which JSON lacks."""
    value = _plain(value)
    return None if isinstance(value, float) and not np.isfinite(value) else value
