"""Shapley values of a patient's columns: how each moved the probability away from the training cohort's.

The game: a set S of columns keeps the patient's values, the others take those of a background patient; the pay-off is
the predicted probability, averaged over the background rows. Then, for every kind of model,

    Σ values + base = the patient's probability,      base = mean probability of the background rows.

Forests are solved exactly (:mod:`.shapley_trees`); models of up to ten columns by all 2^p sets; the others by walks
from background to patient in random orders of the columns, each order also backwards: every background row has its own
walks, so that the sum above holds exactly for any number of them.

Sources: Shapley 1953; Lundberg et al., Nat Mach Intell 2020;2:56-67 (interventional); Štrumbelj & Kononenko, Knowl Inf
Syst 2014;41:647-665 (sampled orders).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import factorial

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.modelling.components.columns import Column
from deepradiomics.modelling.frozen import FrozenModel
from deepradiomics.modelling.frozen_trees import FrozenTrees
from deepradiomics.modelling.shapley_trees import can_explain, explain_trees
from deepradiomics.progress import Progress, silent
from deepradiomics.public import one_line

EXACT_COLUMNS = 10
BACKGROUND_ROWS = 100


@one_line
@dataclass(frozen=True, eq=False)
class ShapValues:
    """Explanations of n patients.

    Args:
        values: (n, p) in units of probability.
        base: mean probability of the background rows.
        method: ``exact (trees)``, ``exact (all sets)`` or ``sampled orders``.
    """

    values: np.ndarray
    base: float
    method: str

    @property
    def probability(self) -> np.ndarray:
        """What the values add up to: the model's probability, (n,)."""
        found: np.ndarray = self.values.sum(axis=1) + self.base
        return found


def component_shap(
    model: FrozenModel,
    X: np.ndarray,
    background: np.ndarray,
    *,
    seed: int = 0,
    walks: int = 1,
    threads: int | None = None,
    progress: Progress | None = None,
) -> ShapValues:
    """Explain each row of X (n, p) against the background rows (b, p).

    Args:
        model: a frozen classifier.
        X: patients.
        background: training patients; more than 100 are thinned evenly to 100.
        seed: of the random orders.
        walks: orders for each background row, each taken forwards and backwards (sampled models only).
        threads: for forests; None takes all cores. The result does not depend on it beyond rounding.

    Raises:
        InputError: shapes do not fit, or no background row.
    """
    rows, against = np.ascontiguousarray(X, np.float64), thinned(background)
    if rows.ndim != 2 or rows.shape[1:] != against.shape[1:]:
        raise InputError(f"X: expected rows of {against.shape[1:]} columns, as the background has, got {rows.shape}.")
    if walks < 1:
        raise InputError(f"walks: expected at least 1, got {walks}.")
    base = float(model.probability(against).mean())
    told = progress or silent
    if isinstance(model, FrozenTrees) and can_explain():
        return ShapValues(explain_trees(model, rows, against, threads=threads, progress=told), base, "exact (trees)")
    exact = rows.shape[1] <= EXACT_COLUMNS
    found = np.empty_like(rows)
    for i, row in enumerate(rows):
        generator = np.random.default_rng(seed)  # the same orders for every patient: alone as in a cohort
        found[i] = all_sets(model, row, against) if exact else sampled(model, row, against, generator, walks)
        told((i + 1) / len(rows), f"Explaining patient {i + 1} of {len(rows)}")
    return ShapValues(found, base, "exact (all sets)" if exact else "sampled orders")


def group_shap(values: np.ndarray, columns: Sequence[Column]) -> dict[str, np.ndarray]:
    """Sum the values (n, p) of each group's columns: a share of the probability for each group, (n,)."""
    table = np.atleast_2d(values)
    if table.shape[1] != len(columns):
        raise InputError(f"values: expected one column for each of {len(columns)} names, got {table.shape[1]}.")
    groups = list(dict.fromkeys(column.group for column in columns))
    member = {group: np.array([column.group == group for column in columns]) for group in groups}
    return {group: table[:, member[group]].sum(axis=1) for group in groups}


def thinned(background: np.ndarray, most: int = BACKGROUND_ROWS) -> np.ndarray:
    """Return at most `most` rows, evenly spread over the table."""
    table = np.ascontiguousarray(background, np.float64)
    if table.ndim != 2 or not len(table):
        raise InputError(f"background: expected at least one row (b, p), got shape {table.shape}.")
    return table if len(table) <= most else table[np.linspace(0, len(table) - 1, most).round().astype(int)]


def all_sets(model: FrozenModel, row: np.ndarray, background: np.ndarray) -> np.ndarray:
    """Shapley values by definition, over all 2^p sets of columns."""
    p = len(row)
    sets = (np.arange(2**p)[:, None] >> np.arange(p) & 1).astype(bool)  # (2^p, p)
    pay = np.zeros(len(sets))
    for other in background:
        pay += model.probability(np.where(sets, row, other)) / len(background)
    sizes = sets.sum(axis=1)
    weight = np.array([factorial(s) * factorial(p - s - 1) / factorial(p) if s < p else 0.0 for s in range(p + 1)])
    values = np.empty(p)
    for j in range(p):
        without = np.flatnonzero(~sets[:, j])
        values[j] = np.sum(weight[sizes[without]] * (pay[without + (1 << j)] - pay[without]))
    return values


def sampled(
    model: FrozenModel, row: np.ndarray, background: np.ndarray, generator: np.random.Generator, walks: int
) -> np.ndarray:
    """Shapley values by random walks from each background row to the patient."""
    p = len(row)
    values = np.zeros(p)
    for other in background:
        for _ in range(walks):
            order = generator.permutation(p)
            for way in (order, order[::-1]):
                values[way] += np.diff(model.along(other, row, way))
    return values / (2 * walks * len(background))
