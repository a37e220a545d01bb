"""Compile the kernels of factorisations and explanations before a user waits for them (``deepradiomics warm-up``)."""

from __future__ import annotations

import time

import numpy as np

from deepradiomics.kernels import available
from deepradiomics.modelling.components.hals import sweep, weights
from deepradiomics.modelling.frozen_trees import FrozenTrees
from deepradiomics.modelling.shapley_trees import explain_trees

_COLUMNS = 3


def warm_up() -> float:
    """Compile, or load, every kernel, by using each once on a few numbers.

    Returns:
        The seconds it took; 0 without numba.
    """
    if not available():
        return 0.0
    start = time.perf_counter()
    for number_type in (np.float32, np.float64):
        factor = np.ones((2, _COLUMNS), number_type)
        sweep(factor, factor.copy(), np.eye(2, dtype=number_type), threads=1)
    weights(np.eye(2, _COLUMNS), np.ones((1, _COLUMNS)), threads=1)
    # One tree of one split: 0 at column 0 ≤ 0.5, else 1.
    roots, left, right, feature = (np.array(one, np.int32) for one in ([0], [1, -1, -1], [2, -1, -1], [0, 0, 0]))
    threshold, value = np.array([0.5, 0.0, 0.0]), np.array([0.5, 0.0, 1.0])
    rows = np.eye(1, _COLUMNS)
    explain_trees(FrozenTrees(_COLUMNS, roots, left, right, feature, threshold, value), rows, 1 - rows, threads=1)
    from deepradiomics.modelling.shapley_cpu import walk_steps

    one, other = rows[0].astype(np.float32), 1 - rows[0].astype(np.float32)
    place = np.arange(_COLUMNS, dtype=np.int32)
    walk_steps(one, other, place, roots, left, right, feature, threshold.astype(np.float32))
    return time.perf_counter() - start
