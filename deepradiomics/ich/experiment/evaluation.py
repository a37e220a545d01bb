"""From feature tables to every table of the experiment: folds, components, cells, scores, comparisons.

Images are no longer needed here: this half of the experiment runs on any numbers, synthetic ones as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepradiomics.ich.cohort.manifest import title_of
from deepradiomics.ich.cohort.table import Described, cohort_rows
from deepradiomics.ich.experiment import comparisons
from deepradiomics.ich.experiment.blocks import Fitted, fitted_blocks
from deepradiomics.ich.experiment.cells import CellKey, CellResult, run_cells
from deepradiomics.ich.experiment.config import Design
from deepradiomics.ich.experiment.plan import outcome_values
from deepradiomics.ich.experiment.predictions import component_rows, predicted, shap_component_rows, shap_group_rows
from deepradiomics.ich.experiment.scores import Predicted, cell_rows, summary_rows
from deepradiomics.ich.features.run import CohortFeatures, Machines
from deepradiomics.modelling.folds import everybody, experiment_folds
from deepradiomics.progress import Progress, part
from deepradiomics.words import count

_FEW = 10  # patients with (or without) an outcome, for each of whom an AUC's interval is wide


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Everything that the cells gave.

    Args:
        predictions: of all pipelines.
        tables: rows by table.
        last: the split of everybody, with its components.
        cells: the results of single cells.
        outcomes, external_outcomes: patients with and of each outcome: (known, positive).
        remarks: what a reader should know of these numbers.
    """

    predictions: tuple[Predicted, ...]
    tables: Mapping[str, Sequence[Mapping[str, Any]]]
    last: Fitted
    cells: Mapping[CellKey, CellResult]
    outcomes: Mapping[str, tuple[int, int]]
    external_outcomes: Mapping[str, tuple[int, int]]
    remarks: tuple[str, ...]


def evaluated(
    training: CohortFeatures,
    external: CohortFeatures | None,
    design: Design,
    folder: str | Path,
    machines: Machines,
    *,
    progress: Progress | None = None,
) -> Evaluation:
    """Evaluate every pipeline.

    Args:
        training, external: features.
        design: what is compared.
        folder: where factorisations, blocks and cells are kept; may be shared by the workers of a cluster.
        machines: what computes the cells and factorisations.
        progress: may raise Cancelled; what is finished is kept.

    Raises:
        InputError: an outcome has one class, in all or in a fold.
    """
    folder, config = Path(folder), design.config
    y = outcome_values(training, design.outcomes)
    other = outcome_values(external, design.outcomes, external=True) if external is not None else {}
    folds = experiment_folds(training.ids, training.cohort.patients, y, config.folds, design.seed)
    splits = (*folds, everybody(len(training)))
    fitted = [
        fitted_blocks(
            fold,
            (training, y),
            (external, other),
            design,
            folder / "cache",
            device=machines.device,
            progress=part(progress, 0.3 * number / len(splits), 0.3 * (number + 1) / len(splits)),
        )
        for number, fold in enumerate(splits)
    ]
    explained = config.bundle_input(design.inputs)
    cells = run_cells(
        [split.blocks for split in fitted],
        folder,
        design,
        explained_input=explained,
        workers=machines.workers,
        cluster=machines.cluster,
        progress=part(progress, 0.3, 0.9),
    )
    blocks = [one.blocks for one in fitted]
    predictions = predicted(blocks, cells, training.ids, external.ids if external else (), config, design.inputs)
    described = Described(training.cohort, training.volume_ml, y)
    theirs = Described(external.cohort, external.volume_ml, other) if external is not None else None
    sexes = {"validation": training.cohort.sex, "external": external.cohort.sex if external is not None else ()}
    last = fitted[-1]
    builders: dict[str, Callable[[], Iterable[Mapping[str, Any]]]] = {
        "cells": lambda: (row for one in predictions for row in cell_rows(one)),
        "summary": lambda: summary_rows(predictions),
        "differences": lambda: comparisons.difference_rows(predictions, config.bootstraps, design.seed),
        "friedman": lambda: comparisons.friedman_rows(predictions),
        "wilcoxon": lambda: comparisons.wilcoxon_rows(predictions),
        "sex": lambda: comparisons.sex_rows(predictions, sexes),
        "calibration": lambda: comparisons.calibration_rows(predictions, config.calibration_bins),
        "shap_groups": lambda: shap_group_rows(cells, explained, config, external is not None),
        "shap_components": lambda: shap_component_rows(cells, last.components, explained, config),
        "components": lambda: component_rows(last.components),
        "cohort": lambda: cohort_rows(described, theirs),
        "nmf": lambda: (row for one in fitted for row in one.rows),
    }
    return Evaluation(
        tuple(predictions),
        _built(builders, part(progress, 0.9, 1.0)),
        last,
        cells,
        _counts(y),
        _counts(other),
        _remarks(training, fitted, y, other, explained),
    )


def _built(
    builders: Mapping[str, Callable[[], Iterable[Mapping[str, Any]]]], progress: Progress
) -> dict[str, Sequence[Mapping[str, Any]]]:
    """The tables by name, one after the other."""
    tables: dict[str, Sequence[Mapping[str, Any]]] = {}
    for number, (name, build) in enumerate(builders.items()):
        progress(number / len(builders), f"table {name}")
        tables[name] = tuple(build())
    return tables


def _counts(outcomes: Mapping[str, np.ndarray]) -> dict[str, tuple[int, int]]:
    return {name: (int((~np.isnan(y)).sum()), int(np.nansum(y))) for name, y in outcomes.items()}


def _remarks(
    training: CohortFeatures,
    fitted: Sequence[Fitted],
    y: Mapping[str, np.ndarray],
    other: Mapping[str, np.ndarray],
    explained: str,
) -> tuple[str, ...]:
    notes = [note for one in (fitted[-1], fitted[0]) for block in one.components.values() for note in block.notes]
    capped = [note for note in notes if "instead of" in note]  # the folds differ in a few constant columns alone
    last = [note for block in fitted[-1].components.values() for note in block.notes]
    remarks = list(dict.fromkeys(f"Components: {note}." for note in (*last, *capped)))
    for where, outcomes in (("training", y), ("external", other)):
        for name, (known, positive) in _counts(outcomes).items():
            missing = len(outcomes[name]) - known
            if known and missing:
                remarks.append(
                    f"{title_of(name)}: not known of {missing} of {count(len(outcomes[name]), f'{where} patient')}; "
                    "left out of its cells, and still among the patients that components are fitted on."
                )
            if known and min(positive, known - positive) < _FEW:
                remarks.append(
                    f"{title_of(name)}: {positive} of {count(known, f'{where} patient')} had it: few of a class, so "
                    "that its scores are uncertain."
                )
            if known and positive in (0, known):
                remarks.append(
                    f"{title_of(name)}: {count(known, f'{where} patient')}, of one class only, so there is no AUC."
                )
    if len(set(training.cohort.patients)) < len(training):
        remarks.append(
            "Some patients have several scans: they stay together in the folds, but tests and intervals count scans as "
            "if they were independent."
        )
    if explained != "radiomics+latents":
        remarks.append(f"Explanations are of the input {explained}, the largest there is.")
    return tuple(remarks)
