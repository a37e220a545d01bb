"""What was selected for whom: relevance and contribution of every feature in every test case, and what they sum up to.

A :class:`SelectionRecord` is one trained model on its test cases. From several of them come the size of the
fingerprint, its variation between patients, its overlap between seeds, and the first features by patch, view, family.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from deepradiomics.errors import InputError
from deepradiomics.files.atomic import atomic_file, read_json, write_json
from deepradiomics.files.reading import reads
from deepradiomics.fingerprint.evaluate.result import Selection, TopFeature
from deepradiomics.fingerprint.model.pool import PoolLayout, mean_by_patch, sum_by_patch
from deepradiomics.stats import jaccard, mean_pairwise_jaccard

ARRAYS, DESCRIPTION = "selection.npz", "selection.json"


@dataclass(frozen=True, eq=False)
class SelectionRecord:
    """One model on its n test cases.

    Args:
        cases, tasks: names of the n cases and T tasks.
        seed, fold: the unit.
        layout: columns of the whole pool.
        kept: pool columns in use, (D,).
        relevance: q, (n, T, D).
        contribution: share of each feature in the task's logit under the paper's inference, (n, T, D).
        thresholds: relevance threshold of each task, (T,).
        selects: whether this model selects (False for NoFS).
    """

    cases: tuple[str, ...]
    tasks: tuple[str, ...]
    seed: int
    fold: int
    layout: PoolLayout
    kept: NDArray[np.integer]
    relevance: NDArray[np.float32]
    contribution: NDArray[np.float32]
    thresholds: NDArray[np.float64]
    selects: bool = True

    def __post_init__(self) -> None:
        shape = len(self.cases), len(self.tasks), len(self.kept)
        for name in ("relevance", "contribution"):
            if getattr(self, name).shape != shape:
                raise InputError(
                    f"{name}: expected (cases, tasks, columns) = {shape}, got {getattr(self, name).shape}."
                )

    @property
    def selected(self) -> NDArray[np.bool_]:
        """Which columns belong to the fingerprint, (n, T, D)."""
        return np.asarray(self.relevance >= self.thresholds[None, :, None])

    def by_patch(self, score: Literal["relevance", "contribution"]) -> NDArray[np.float64]:
        """Mean relevance, or summed absolute contribution, of each patch's features: (n, T, J)."""
        patches = self.layout.patches[self.kept]
        if score == "relevance":
            return mean_by_patch(self.relevance.astype(np.float64), patches, self.layout.n_patches)
        return sum_by_patch(np.abs(self.contribution.astype(np.float64)), patches, self.layout.n_patches)

    def in_pool(self, values: NDArray) -> NDArray:
        """Columns in use (…, D) to columns of the whole pool (…, P); dropped columns are 0."""
        whole = np.zeros((*values.shape[:-1], len(self.layout)), values.dtype)
        whole[..., self.kept] = values
        return whole

    def save(self, folder: Path | str) -> None:
        """Write ``selection.npz`` and ``selection.json``."""
        folder = Path(folder)
        with atomic_file(folder / ARRAYS) as part, open(part, "wb") as stream:
            np.savez_compressed(
                stream,
                kept=self.kept,
                relevance=self.relevance,
                contribution=self.contribution,
                thresholds=self.thresholds,
            )
        described = {
            "cases": list(self.cases),
            "tasks": list(self.tasks),
            "seed": self.seed,
            "fold": self.fold,
            "layout": self.layout.to_dict(),
            "selects": self.selects,
        }
        write_json(folder / DESCRIPTION, described)

    @classmethod
    @reads("selection.json")
    def load(cls, folder: Path | str) -> SelectionRecord:
        """Read what :meth:`save` wrote."""
        folder = Path(folder)
        about = read_json(folder / DESCRIPTION)
        with np.load(folder / ARRAYS, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in ("kept", "relevance", "contribution", "thresholds")}
        return cls(
            tuple(about["cases"]),
            tuple(about["tasks"]),
            about["seed"],
            about["fold"],
            PoolLayout.from_dict(about["layout"]),
            selects=about["selects"],
            **arrays,
        )


def summarise_selection(records: Sequence[SelectionRecord]) -> tuple[Selection, ...]:
    """One row per task: size, variation between patients, overlap between patients and between seeds."""
    if not records:
        return ()
    rows = []
    for t, task in enumerate(records[0].tasks):
        sizes = np.concatenate([record.selected[:, t].sum(axis=1) for record in records])
        variance = [float(record.relevance[:, t].astype(np.float64).var(axis=0).mean()) for record in records]
        spread = [float(record.relevance[:, t].astype(np.float64).std(axis=0).mean()) for record in records]
        alike = [mean_pairwise_jaccard(record.selected[:, t]) for record in records if len(record.cases) > 1]
        rows.append(
            Selection(
                task=task,
                pool=len(records[0].layout),
                size_mean=float(sizes.mean()),
                size_sd=float(sizes.std(ddof=1)) if len(sizes) > 1 else math.nan,
                relevance_sd_between=float(np.mean(spread)),
                relevance_variance_between=float(np.mean(variance)),
                jaccard_between_patients=float(np.mean(alike)) if alike else math.nan,
                jaccard_between_seeds=_between_seeds(records, t),
            )
        )
    return tuple(rows)


def first_features(records: Sequence[SelectionRecord], count: int = 20) -> tuple[TopFeature, ...]:
    """The first features of each task, once by mean relevance and once by mean absolute contribution.

    Means run over all test patients of all units; a column that a unit dropped counts as 0 there.
    """
    if not records:
        return ()
    layout = records[0].layout
    columns = layout.columns
    found: list[TopFeature] = []
    for t, task in enumerate(records[0].tasks):
        relevance = np.concatenate([r.in_pool(r.relevance[:, t]) for r in records]).mean(axis=0, dtype=np.float64)
        share = np.concatenate([r.in_pool(np.abs(r.contribution[:, t])) for r in records]).mean(
            axis=0, dtype=np.float64
        )
        chosen = np.concatenate([r.in_pool(r.selected[:, t]) for r in records]).mean(axis=0, dtype=np.float64)
        for by, values in (("relevance", relevance), ("contribution", share)):
            for rank, p in enumerate(np.argsort(-values, kind="stable")[:count], start=1):
                column = columns[p]
                found.append(
                    TopFeature(
                        task, by, rank, column.feature, column.view, column.patch, column.family,  # type: ignore[arg-type]
                        float(relevance[p]), float(share[p]), float(chosen[p]),
                    )
                )  # fmt: skip
    return tuple(found)


def _between_seeds(records: Sequence[SelectionRecord], task: int) -> float:
    """Mean over cases of the mean overlap of their fingerprints from different seeds; NaN without such pairs."""
    chosen: dict[str, list[tuple[int, NDArray[np.bool_]]]] = {}
    for record in records:
        whole = record.in_pool(record.selected[:, task])
        for case, mask in zip(record.cases, whole, strict=True):
            chosen.setdefault(case, []).append((record.seed, mask))
    means = []
    for masks in chosen.values():
        pairs = [jaccard(a, b) for i, (s, a) in enumerate(masks) for r, b in masks[i + 1 :] if s != r]
        if pairs:
            means.append(float(np.mean(pairs)))
    return float(np.mean(means)) if means else math.nan
