"""The permutation null: what ΔI and ΔE would be if "before" and "after" were only names.

For each patient (all scans together) a coin swaps the embeddings before and after fine-tuning; embedding scaling,
shared layer and heads are fitted anew, so that whatever makes the lens favour "before" is in the null too. If the two
embeddings of a patient are exchangeable, the observed ΔI is one draw of many, and p-values are exact:

    p_k = (1 + #{b : |ΔI_bk − m_k| ≥ |ΔI_k − m_k|}) / (B + 1)         m, s: mean and SD over the observed and all b
    p_family,k = (1 + #{b : max_j |ΔI_bj − m_j| / s_j ≥ |ΔI_k − m_k| / s_k}) / (B + 1)

Sources: Phipson & Smyth, Stat Appl Genet Mol Biol 2010;9:39 (the added one); Westfall & Young, Resampling-based
Multiple Testing, 1993 (max-T).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepradiomics.files.atomic import content_hash
from deepradiomics.files.store import ContentStore, Kind
from deepradiomics.lens.estimator.heads import fit_head
from deepradiomics.lens.estimator.projection import project, train_projections
from deepradiomics.lens.estimator.projection_settings import LayerFit
from deepradiomics.progress import Progress, silent
from deepradiomics.stats import benjamini_hochberg

Array = NDArray[np.float64]
Pair = tuple[Array, Array]

PERMUTATIONS = Kind("permutations", version=1, files=("shifts.npy",))
"""ΔI and ΔE under permuted labels; raise the version when the same embeddings would give others."""
_TOGETHER = {"cpu": 8, "cuda": 64, "mps": 16}  # permutations whose layers are trained as one job


@dataclass(frozen=True, eq=False)
class NullTest:
    """p-values of ΔI, or of ΔE, (K,) each.

    Args:
        p: two-sided, for each feature alone.
        q: Benjamini-Hochberg over the features.
        p_family: adjusted by max-T: the chance of any feature looking like this.
    """

    p: Array
    q: Array
    p_family: Array


@dataclass(frozen=True, eq=False)
class TrainingRows:
    """What a lens is fitted to, and how it comes to the shared layer.

    Args:
        X_pre, X_ft: training embeddings as given, (n, d).
        Y: scaled targets (n, K).
        groups: (n,) number of each row's patient.
        scaled: embedding scaling, (X_pre, X_ft) → the same scaled.
        inputs: what the shared layer is trained on, from the scaled pair.
        key: names `scaled` and `inputs` for the store.
    """

    X_pre: Array
    X_ft: Array
    Y: Array
    groups: NDArray[np.intp]
    scaled: Callable[[Array, Array], Pair]
    inputs: Callable[[Array, Array], Array]
    key: Sequence[str] = ()


def permuted_deltas(
    rows: TrainingRows,
    layer_fit: LayerFit,
    count: int,
    seed: int,
    *,
    store: Path | None = None,
    progress: Progress = silent,
) -> Array:
    """ΔI and ΔE, (2, count, K), under swapped labels.

    Args:
        rows: the training rows.
        layer_fit: as for the observed labels.
        count: number of permutations.
        seed: of the labels' swaps.
        store: folder where each permutation's ΔI and ΔE are kept by content; None: nothing is kept.
        progress: may raise Cancelled.
    """
    X_pre, X_ft, Y, groups = rows.X_pre, rows.X_ft, rows.Y, rows.groups
    penalties, settings, ridge, device = layer_fit.penalties, layer_fit.settings, layer_fit.ridge, layer_fit.device
    deltas, open_ones = np.empty((count, 2, Y.shape[1])), []
    decides = content_hash(X_pre, X_ft, Y, groups, seed, penalties, asdict(settings), ridge, list(rows.key))
    entries = None if store is None else ContentStore(store, PERMUTATIONS)
    keys = [PERMUTATIONS.key(decides=decides, number=number) for number in range(count)]
    for number in range(count):
        if entries is not None and (entry := entries.get(keys[number])):
            deltas[number] = entry.array("shifts")
        else:
            open_ones.append(number)
    together = _TOGETHER.get(device.partition(":")[0], 8)
    for first in range(0, len(open_ones), together):
        some = open_ones[first : first + together]
        pairs = []
        for number in some:
            coins = np.random.default_rng([seed, 2, number]).integers(0, 2, int(groups.max()) + 1).astype(bool)
            swap = coins[groups][:, None]
            pairs.append(rows.scaled(np.where(swap, X_ft, X_pre), np.where(swap, X_pre, X_ft)))
        embeddings = np.stack([rows.inputs(*pair) for pair in pairs])
        doubled = np.concatenate([Y] * (embeddings.shape[1] // len(Y)))
        done = count - len(open_ones) + first
        layers = train_projections(
            embeddings, doubled, *penalties, settings, device=device, progress=_share(progress, done, len(some), count)
        )
        for i, number in enumerate(some):
            deltas[number] = shifts(*pairs[i], Y, layers.weights[i], layers.bias[i], ridge)
            if entries is not None:
                entries.put(keys[number], {}, {"shifts": deltas[number]})
    return np.moveaxis(deltas, 1, 0)


def _share(progress: Progress, done: int, some: int, count: int) -> Progress:
    return lambda share, _: progress((done + share * some) / count, f"permutations: {done + some} of {count}")


def shifts(
    X_pre: Array, X_ft: Array, Y: Array, weights: NDArray[np.float32], bias: NDArray[np.float32], ridge: float
) -> Array:
    """ΔI and ΔE (2, K) of scaled training embeddings through one shared layer; exactly 0 for equal embeddings."""
    if np.array_equal(X_pre, X_ft):
        return np.zeros((2, Y.shape[1]))
    pre, ft = (fit_head(project(X, weights, bias), Y, ridge) for X in (X_pre, X_ft))
    return np.stack([ft.importance - pre.importance, ft.explained - pre.explained])


def null_test(observed: Array, permuted: Array) -> NullTest:
    """p-values of the observed ΔI, or ΔE, (K,) among the permuted (B, K)."""
    values = np.concatenate([observed[None], permuted])
    centre, spread = values.mean(0), values.std(0)
    distance = np.abs(values - centre)
    slack = 1e-9 * np.abs(values).max(0)  # the same ΔI computed in another batch differs in its last digits
    p = (distance >= distance[0] - slack).mean(0)
    steady = spread <= slack
    studentised = np.where(steady, 0.0, distance / np.where(steady, 1.0, spread))
    highest = studentised.max(1)
    p_family = (highest[:, None] >= studentised[0] - 1e-9).mean(0)
    return NullTest(p, benjamini_hochberg(p), p_family)
