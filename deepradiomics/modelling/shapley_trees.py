"""Exact Shapley values of a forest: one pass through each tree for each pair of patient and background row.

Where patient and background row go the same way, a node decides nothing. Where they part, both ways are followed: on
one the node's column is the patient's (it joins the set u), on the other the background's (it joins v). A leaf with
value f reached by u columns of the patient and v of the background is the game "f if all of u are in and none of v",
whose Shapley values are f (u-1)! v! / (u+v)! for each of u and -f u! (v-1)! / (u+v)! for each of v.

Source: Lundberg et al., Nat Mach Intell 2020;2:56-67, algorithm 3 (interventional TreeSHAP).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from deepradiomics.kernels import available
from deepradiomics.modelling.frozen_trees import FrozenTrees
from deepradiomics.progress import Progress, silent
from deepradiomics.threads import map_threads

_PIECE = 13  # background rows a thread takes at once


def can_explain() -> bool:
    """Whether the compiled kernel is available; without it forests are explained by sampled orders."""
    return available()


def explain_trees(
    model: FrozenTrees,
    rows: np.ndarray,
    background: np.ndarray,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
) -> np.ndarray:
    """Return (n, p) values in units of probability; rows (n, p), background (b, p)."""
    kernel = _kernel()
    patients, against = rows.astype(np.float32).astype(np.float64), background.astype(np.float32).astype(np.float64)
    pieces = np.array_split(np.arange(len(against)), -(-len(against) // _PIECE))  # sums in one order on any machine
    told = progress or silent
    found = np.empty_like(patients)
    tree = (model.roots, model.left, model.right, model.feature, model.threshold, model.value)
    for i, row in enumerate(patients):
        parts = map_threads(partial(_part, kernel, row, against, tree), pieces, threads)
        found[i] = sum(parts) / (len(against) * len(model.roots))
        told((i + 1) / len(patients), f"Explaining patient {i + 1} of {len(patients)}")
    return found


def _part(
    kernel: Callable[..., np.ndarray],
    row: np.ndarray,
    against: np.ndarray,
    tree: tuple[np.ndarray, ...],
    piece: np.ndarray,
) -> np.ndarray:
    return kernel(row, against[piece], *tree)


def _kernel() -> Callable[..., np.ndarray]:
    from deepradiomics.modelling.shapley_cpu import row_values

    found: Callable[..., np.ndarray] = row_values
    return found
