"""Steps of a fit that need no state: options checked, inputs of the shared layer, scores on test, variants of ΔI."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepradiomics.errors import InputError
from deepradiomics.lens.checks import checked_choice
from deepradiomics.lens.heads import Head, standardised_importance
from deepradiomics.lens.null import shifts
from deepradiomics.lens.projection import ProjectionSettings, train_projections
from deepradiomics.progress import Progress, part
from deepradiomics.stats import r2_per_column, r2_pooled

Array = NDArray[np.float64]

CHOICES = {
    "fit_on": ("pre", "ft", "both"),
    "target_scaling": ("zscore", "minmax"),
    "embedding_scaling": ("pre", "own", "none"),
}
_LEAST = {"hidden": 1, "epochs": 1, "bootstraps": 0, "permutations": 0, "seed": 0}


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
    """Raise InputError for an option that is no choice or out of range."""
    for name, choices in CHOICES.items():
        checked_choice(name, options[name], choices)
    for name, least in _LEAST.items():
        value = options[name]
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise InputError(f"{name}: expected a whole number of at least {least}, got {value!r}.")
    if 0 < options["bootstraps"] < 20:
        raise InputError(f"bootstraps: expected 0 (none) or at least 20, got {options['bootstraps']}.")
    for name in ("l1", "l2", "ridge", "learning_rate"):
        value = options[name]
        good = isinstance(value, int | float | np.number) and np.isfinite(value) and value >= 0
        if not good or (name == "learning_rate" and value == 0):
            raise InputError(
                f"{name}: expected a {'positive' if name == 'learning_rate' else 'non-negative'} number, got {value!r}."
            )


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
    scaled: tuple[Array, Array],
    Y: Array,
    train: NDArray[np.bool_],
    heads: tuple[Head, Head],
    Z: tuple[Array, Array],
    fit_on: str,
    penalties: tuple[float, float],
    settings: ProjectionSettings,
    ridge: float,
    device: str,
    progress: Progress,
) -> dict[str, Array]:
    """ΔI with standardised Z, and with the shared layer trained on ft and on both."""
    before, after = (standardised_importance(head, rows[train]) for head, rows in zip(heads, Z, strict=True))
    found = {"standardised": after - before}
    for number, on in enumerate(("ft", "both")):
        if on == fit_on:
            found[f"fit_{on}"] = heads[1].importance - heads[0].importance
            continue
        X, targets = stage_inputs(scaled, Y, train, on)
        layer = train_projections(
            X, targets, *penalties, settings, device=device, progress=part(progress, number / 2, (number + 1) / 2)
        )
        found[f"fit_{on}"] = shifts(
            scaled[0][train], scaled[1][train], Y[train], layer.weights[0], layer.bias[0], ridge
        )[0]
    return found
