"""Steps of a fit that need no state: options checked, inputs of the shared layer, scores on test, variants of ΔI."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepradiomics.lens.config import LensConfig
from deepradiomics.lens.estimator.heads import Head, standardised_importance
from deepradiomics.lens.estimator.null import shifts
from deepradiomics.lens.estimator.projection import train_projections
from deepradiomics.lens.estimator.projection_settings import LayerFit
from deepradiomics.options import check_options, check_whole
from deepradiomics.progress import Progress, part
from deepradiomics.stats import r2_per_column, r2_pooled

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One stage on the test patients, columns in use.

    Args:
        squared_error: (n_test, K).
        r2: (K,), NaN where the target does not vary on test.
        total_squares: mean squared deviation of each target from its test mean, (K,).
    """

    squared_error: Array
    r2: Array
    r2_pooled: float
    total_squares: Array

    @property
    def r2_mean(self) -> float:
        """Mean over the features that vary on test."""
        return float(np.nanmean(self.r2)) if np.isfinite(self.r2).any() else float("nan")


def checked_options(options: Mapping[str, Any]) -> None:
    """Raise InputError for an option that is no choice or out of range: the rules are those of LensConfig."""
    check_options(LensConfig, options)
    check_whole("seed", options["seed"], 0)


def stage_inputs(pair: tuple[Array, Array], Y: Array, rows: NDArray[np.bool_], fit_on: str) -> tuple[Array, Array]:
    """Embeddings and targets that train (or validate) the shared layer; with ``both`` each patient counts twice."""
    pre, ft = pair
    if fit_on == "both":
        return np.concatenate([pre[rows], ft[rows]]), np.concatenate([Y[rows], Y[rows]])
    return (pre if fit_on == "pre" else ft)[rows], Y[rows]


def evaluate(
    heads: tuple[Head, Head], Z: tuple[Array, Array], Y: Array, test: NDArray[np.bool_]
) -> tuple[Evaluation, Evaluation]:
    """Both stages on the test patients."""
    truth = Y[test]
    total = ((truth - truth.mean(0)) ** 2).mean(0)
    found = []
    for head, rows in zip(heads, Z, strict=True):
        predicted = head.predict(rows[test])
        found.append(
            Evaluation((truth - predicted) ** 2, r2_per_column(truth, predicted), r2_pooled(truth, predicted), total)
        )
    return found[0], found[1]


def variant_deltas(
    rows: tuple[tuple[Array, Array], Array, NDArray[np.bool_]],
    heads: tuple[Head, Head],
    Z: tuple[Array, Array],
    fit_on: str,
    layer_fit: LayerFit,
    progress: Progress,
) -> dict[str, Array]:
    """ΔI with standardised Z, and with the shared layer trained on ft and on both.

    Args:
        rows: scaled embeddings of both stages, scaled targets, and which rows train.
        heads: of both stages.
        Z: of all rows, by stage.
        fit_on: what the observed layer was trained on.
        layer_fit: how the others are.
        progress: may raise Cancelled.
    """
    scaled, Y, train = rows
    ridge, settings, device = layer_fit.ridge, layer_fit.settings, layer_fit.device
    before, after = (standardised_importance(head, units[train]) for head, units in zip(heads, Z, strict=True))
    found = {"standardised": after - before}
    for number, on in enumerate(("ft", "both")):
        if on == fit_on:
            found[f"fit_{on}"] = heads[1].importance - heads[0].importance
            continue
        X, targets = stage_inputs(scaled, Y, train, on)
        layer = train_projections(
            X,
            targets,
            *layer_fit.penalties,
            settings,
            device=device,
            progress=part(progress, number / 2, (number + 1) / 2),
        )
        found[f"fit_{on}"] = shifts(
            scaled[0][train], scaled[1][train], Y[train], layer.weights[0], layer.bias[0], ridge
        )[0]
    return found
