"""The cells of an experiment: outcome × input × classifier × split, each fitted once and kept as a small file.

    blocks of a split (components of each family, fitted on its training part) ┐
    outcome of the training and test patients                                   ├─► cell ─► <split>/<outcome>/….json
    classifier, seed                                                            ┘

In a fold the threshold is Youden's on a fourth of the training part, by a model fitted on the other three; the model
that judges the test patients is fitted on the whole training part. A cell runs on one thread and knows its seed, so its
numbers depend neither on how many workers there are nor on which of them it ran.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepradiomics.cohort.workers import run_everywhere
from deepradiomics.errors import InputError
from deepradiomics.files.atomic import atomic_file, content_hash
from deepradiomics.files.sealed import read_sealed, write_sealed
from deepradiomics.ich.experiment.cell_fit import chosen_threshold, fitted_model, one_thread, positive, shares
from deepradiomics.ich.experiment.config import Design, ExperimentConfig, columns_of
from deepradiomics.modelling.folds import ALL, Fold
from deepradiomics.progress import Progress, silent

CELLS_VERSION = "1"  # raise when the same blocks would give other numbers
_PARTS = ("train", "test")


@dataclass(frozen=True, eq=False)
class SplitBlocks:
    """The columns of one split, fitted on its training part.

    Args:
        fold: which rows train, hold out and are tested.
        train: (training rows, columns) by group.
        test: (test rows, columns) by group; no rows where nobody is tested.
        y_train, y_test: 0, 1 or NaN by outcome.
    """

    fold: Fold
    train: Mapping[str, NDArray[np.float64]]
    test: Mapping[str, NDArray[np.float64]]
    y_train: Mapping[str, NDArray[np.float64]]
    y_test: Mapping[str, NDArray[np.float64]]

    @property
    def tested(self) -> int:
        """Number of test patients."""
        return len(next(iter(self.test.values())))

    def __post_init__(self) -> None:
        for name, y in self.y_train.items():
            if len(y) != len(self.fold.train):
                raise InputError(f"split {self.fold.name}, {name}: {len(y)} labels for {len(self.fold.train)} rows.")
        for group, values in self.train.items():
            if len(values) != len(self.fold.train) or values.shape[1] != self.test[group].shape[1]:
                raise InputError(f"split {self.fold.name}, {group}: the columns of its parts do not fit each other.")


@dataclass(frozen=True, order=True)
class CellKey:
    """Which cell."""

    split: str
    outcome: str
    input: str
    classifier: str


@dataclass(frozen=True, eq=False)
class CellResult:
    """What a cell found.

    Args:
        rows: places of the test patients whose outcome is known, among the split's test rows.
        probability: of class 1, of each.
        threshold: chosen on held-out patients; NaN where the split holds nobody out.
        parameters: chosen by nested search.
        explained: patients explained; 0 without explanations.
        groups: sum over those patients of |SHAP| of each group.
        components: the same of each column.
        seconds: of the fits.
    """

    key: CellKey
    rows: NDArray[np.intp]
    probability: NDArray[np.float64]
    threshold: float
    parameters: Mapping[str, Any] = field(default_factory=dict)
    explained: int = 0
    groups: Mapping[str, float] = field(default_factory=dict)
    components: NDArray[np.float64] = field(default_factory=lambda: np.array([]))
    seconds: float = 0.0


@dataclass(frozen=True, eq=False)
class _Job:
    """All that a worker needs for one cell; the blocks lie in files, for many cells share them."""

    key: CellKey
    groups: tuple[str, ...]
    folder: Path
    y_train: NDArray[np.float64]
    y_test: NDArray[np.float64]
    held_out: NDArray[np.intp]
    config: ExperimentConfig
    seed: int
    explain: int
    hash: str
    file: Path


def run_cells(
    splits: Sequence[SplitBlocks],
    folder: str | Path,
    design: Design,
    *,
    explained_input: str | None = None,
    workers: int = 1,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> dict[CellKey, CellResult]:
    """Fit every cell of every split, taking from ``folder`` what an earlier run has left there.

    Args:
        splits: with their blocks; a split without test rows is fitted for explanations only.
        folder: where blocks and finished cells are kept; may be shared by the workers of a cluster.
        design: classifiers, trees, search, what is explained; the inputs, whose groups each split has; the seed.
        explained_input: the input whose columns are explained; None explains nothing.
        workers, cluster: see :func:`deepradiomics.cohort.workers.run_everywhere`.
        progress: called after each cell; may raise Cancelled, which keeps what is done.

    Raises:
        InputError: a part of a split lacks a class of an outcome.
    """
    judged = any(split.fold.name == ALL and split.tested for split in splits)  # then the folds need not be explained
    jobs = [
        job
        for split in splits
        for job in _jobs(split, Path(folder), design, explained_input if split.fold.name == ALL or not judged else None)
    ]
    report = progress or silent
    results: dict[CellKey, CellResult] = {}
    waiting = []
    for job in jobs:
        stored = _kept(job)
        if stored is None:
            waiting.append(job)
        else:
            results[job.key] = stored
    for number, result in run_everywhere(_run, waiting, workers, cluster):
        key = waiting[number].key
        results[key] = result
        name = f"{key.outcome}, {key.input}, {key.classifier}, split {key.split}"
        report(len(results) / len(jobs), f"{name} ({len(results)} of {len(jobs)})")
    return {job.key: results[job.key] for job in jobs}


def _jobs(split: SplitBlocks, folder: Path, design: Design, explained_input: str | None) -> list[_Job]:
    name, config, seed = split.fold.name, design.config, design.seed
    hashes = {group: content_hash(split.train[group], split.test[group]) for group in split.train}
    blocks = _keep(split, hashes, folder)
    place = np.searchsorted(split.fold.train, split.fold.held_out)
    jobs = []
    for outcome, input_name in product(split.y_train, design.inputs):
        groups = columns_of(input_name, config.covariates)
        explains = input_name == explained_input and config.shap_cases > 0
        if not split.tested and not explains:
            continue
        y_train, y_test = split.y_train[outcome], split.y_test[outcome]
        _check_classes(outcome, name, y_train, place)
        explain = 0
        if explains:
            explain = config.shap_cases if name == ALL else -(-config.shap_cases // config.folds)
        for classifier in config.classifiers:
            key = CellKey(name, outcome, input_name, classifier)
            settings = (config.trees, config.search, explain, config.background if explain else 0, seed)
            identity = content_hash(
                CELLS_VERSION, [hashes[g] for g in groups], y_train, y_test, place, classifier, list(settings)
            )
            file = folder / "cells" / name / outcome / f"{input_name}.{classifier}.json"
            jobs.append(_Job(key, groups, blocks, y_train, y_test, place, config, seed, explain, identity, file))
    return jobs


def _keep(split: SplitBlocks, hashes: Mapping[str, str], folder: Path) -> Path:
    """Write the blocks of a split where the workers find them; return the folder, which is named by their content."""
    place = folder / "blocks" / f"{split.fold.name}-{content_hash(dict(hashes))[:16]}"
    for group in split.train:
        for part, values in zip(_PARTS, (split.train[group], split.test[group]), strict=True):
            path = place / f"{group}.{part}.npy"
            with (
                atomic_file(path, durable=False) as temporary,
                temporary.open("wb") as stream,
            ):  # anew: the disk may have changed it
                np.save(stream, np.ascontiguousarray(values, np.float64), allow_pickle=False)
    return place


def _check_classes(outcome: str, split: str, y: NDArray[np.float64], place: NDArray[np.intp]) -> None:
    """Both classes are in all parts that a model is fitted on or chosen with."""
    fits = np.delete(y, place)
    for what, part in (("training part", y), ("fitted part", fits), ("held-out part", y[place])):
        if not len(place) and what == "held-out part":
            continue
        known = part[~np.isnan(part)]
        if not (known == 1).any() or not (known == 0).any():
            raise InputError(
                f"Outcome {outcome}: the {what} of split {split} has one class only ({known.size} patients). Take "
                "fewer folds (--folds), add patients, or leave the outcome out (--outcomes)."
            )


def _run(job: _Job) -> CellResult:
    """Fit one cell on one thread and keep it."""
    start = time.perf_counter()
    parts = [
        [np.load(job.folder / f"{group}.{part}.npy", allow_pickle=False) for group in job.groups] for part in _PARTS
    ]
    train, test = (np.hstack(blocks) for blocks in parts)
    known = ~np.isnan(job.y_train)
    y = np.where(known, job.y_train, 0).astype(np.int64)
    rows = np.flatnonzero(~np.isnan(job.y_test))
    held = np.zeros(len(y), bool)
    held[job.held_out] = True
    name, config, seed = job.key.classifier, job.config, job.seed
    with one_thread():
        threshold = float("nan")
        if held.any():
            model, _ = fitted_model(name, train[known & ~held], y[known & ~held], config, seed)
            threshold = chosen_threshold(y[known & held], positive(model, train[known & held]))
        model, parameters = fitted_model(name, train[known], y[known], config, seed)
        result = CellResult(job.key, rows, positive(model, test[rows]), threshold, parameters)
        if job.explain:
            cases = test[rows] if len(rows) else train[known]
            groups = [group for group, block in zip(job.groups, parts[0], strict=True) for _ in range(block.shape[1])]
            found = shares(model, cases, train[known], groups, job.explain, config.background, seed)
            result = replace(result, explained=found[0], groups=found[1], components=found[2])
    result = replace(result, seconds=time.perf_counter() - start)
    write_sealed(job.file, _packed(result) | {"hash": job.hash})
    return result


_PACKED = ("probability", "threshold", "parameters", "explained", "groups", "components", "seconds")


def _packed(result: CellResult) -> dict[str, Any]:
    return {
        "probability": result.probability.tolist(),
        "threshold": None if np.isnan(result.threshold) else result.threshold,
        "parameters": dict(result.parameters),
        "explained": result.explained,
        "groups": dict(result.groups),
        "components": result.components.tolist(),
        "seconds": result.seconds,
    }


def _kept(job: _Job) -> CellResult | None:
    """The cell of an earlier run, when it is whole and of the same content."""
    stored = read_sealed(job.file, ("hash", *_PACKED))
    if stored is None or stored["hash"] != job.hash:
        return None
    threshold = stored["threshold"]
    return CellResult(
        job.key,
        np.flatnonzero(~np.isnan(job.y_test)),
        np.array(stored["probability"], np.float64),
        float("nan") if threshold is None else float(threshold),
        stored["parameters"],
        int(stored["explained"]),
        stored["groups"],
        np.array(stored["components"], np.float64),
        float(stored["seconds"]),
    )
