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
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepradiomics.files import atomic_file, content_hash
from deepradiomics.lens.heads import fit_head
from deepradiomics.lens.projection import ProjectionSettings, project, train_projections
from deepradiomics.progress import Progress, silent
from deepradiomics.stats import benjamini_hochberg

Array = NDArray[np.float64]
Pair = tuple[Array, Array]

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


def permuted_deltas(
    X_pre: Array,
    X_ft: Array,
    Y: Array,
    groups: NDArray[np.intp],
    count: int,
    seed: int,
    *,
    scaled: Callable[[Array, Array], Pair],
    inputs: Callable[[Array, Array], Array],
    penalties: tuple[float, float],
    settings: ProjectionSettings,
    ridge: float,
    device: str = "cpu",
    store: Path | None = None,
    key: Sequence[str] = (),
    progress: Progress = silent,
) -> Array:
    """ΔI and ΔE, (2, count, K), under swapped labels.

    Args:
        X_pre, X_ft: training embeddings as given, (n, d).
        Y: scaled targets (n, K).
        groups: (n,) number of each row's patient.
        scaled: embedding scaling, (X_pre, X_ft) → the same scaled.
        inputs: what the shared layer is trained on, from the scaled pair.
        penalties: λ1, λ2, as chosen for the observed labels.
        settings, ridge, device: as for the observed labels.
        store: folder where each permutation's ΔI and ΔE are kept by content; None: nothing is kept.
        key: names `scaled` and `inputs` for the store.
    """
    found = np.empty((count, 2, Y.shape[1]))
    kept = _Kept(store, X_pre, X_ft, Y, groups, seed, penalties, asdict(settings), ridge, list(key))
    open_ones = [number for number in range(count) if not kept.read(number, found)]
    together = _TOGETHER.get(device.partition(":")[0], 8)
    for first in range(0, len(open_ones), together):
        some = open_ones[first : first + together]
        pairs = []
        for number in some:
            coins = np.random.default_rng([seed, 2, number]).integers(0, 2, int(groups.max()) + 1).astype(bool)
            swap = coins[groups][:, None]
            pairs.append(scaled(np.where(swap, X_ft, X_pre), np.where(swap, X_pre, X_ft)))
        rows = np.stack([inputs(*pair) for pair in pairs])
        doubled = np.concatenate([Y] * (rows.shape[1] // len(Y)))
        done = count - len(open_ones) + first
        layers = train_projections(
            rows, doubled, *penalties, settings, device=device, progress=_share(progress, done, len(some), count)
        )
        for i, number in enumerate(some):
            found[number] = shifts(*pairs[i], Y, layers.weights[i], layers.bias[i], ridge)
            kept.write(number, found[number])
    return np.moveaxis(found, 1, 0)


class _Kept:
    """Finished permutations as files, named by everything that decides them."""

    def __init__(self, folder: Path | None, *content: Any) -> None:
        self.folder = None if folder is None else Path(folder) / content_hash("permutation of ΔI and ΔE", *content)[:32]

    def read(self, number: int, into: Array) -> bool:
        """Put permutation `number` into its row; False where it is not there whole."""
        if self.folder is None or not (path := self.folder / f"{number}.npy").is_file():
            return False
        try:
            row = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return False
        if row.shape != into.shape[1:] or not np.isfinite(row).all():
            return False
        into[number] = row
        return True

    def write(self, number: int, row: Array) -> None:
        """Keep one permutation."""
        if self.folder is not None:
            with atomic_file(self.folder / f"{number}.npy") as temporary, temporary.open("wb") as stream:
                np.save(stream, row)


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
