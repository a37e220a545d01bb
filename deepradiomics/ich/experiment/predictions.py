"""From the cells to who was predicted what: pipelines out of fold and in the other cohort, and shares of the groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from deepradiomics.ich.experiment.cells import CellKey, CellResult, SplitBlocks
from deepradiomics.ich.experiment.config import ExperimentConfig, columns_of
from deepradiomics.ich.experiment.scores import Predicted
from deepradiomics.modelling.folds import ALL
from deepradiomics.stats import youden

if TYPE_CHECKING:
    from deepradiomics.modelling.components.nmf_components import Components


def predicted(
    splits: Sequence[SplitBlocks],
    cells: Mapping[CellKey, CellResult],
    ids: Sequence[str],
    external_ids: Sequence[str],
    config: ExperimentConfig,
    inputs: Sequence[str],
) -> list[Predicted]:
    """All pipelines of all outcomes: out of fold first, then in the external cohort where its outcome is known.

    The threshold of the external cohort is Youden's on the out-of-fold predictions of all training patients.
    """
    found = []
    for outcome in splits[0].y_train:
        for input_name in inputs:
            for classifier in config.classifiers:
                inside = _out_of_fold(splits, cells, ids, outcome, input_name, classifier)
                found.append(inside)
                outside = _external(splits, cells, external_ids, inside)
                if outside is not None:
                    found.append(outside)
    return found


def shap_group_rows(
    cells: Mapping[CellKey, CellResult], input_name: str, config: ExperimentConfig, external: bool
) -> Iterator[dict[str, Any]]:
    """Rows of shap_groups.csv: mean over patients of |sum of a group's SHAP|, and its share of all groups.

    The patients are external ones, or, without an external cohort, test patients of every fold by the fold's model.
    """
    for outcome, classifier in _models(cells, config):
        own = [
            one
            for key, one in cells.items()
            if (key.outcome, key.input, key.classifier) == (outcome, input_name, classifier)
            and (key.split == ALL) == external
            and one.explained
        ]
        if not own:
            continue
        total = sum(one.explained for one in own)
        means = {group: sum(one.groups[group] for one in own) / total for group in own[0].groups}
        whole = sum(means.values())
        for group, mean in means.items():
            yield {
                "outcome": outcome,
                "classifier": classifier,
                "group": group,
                "mean_abs_shap": mean,
                "share": mean / whole if whole > 0 else np.nan,
            }


def shap_component_rows(
    cells: Mapping[CellKey, CellResult],
    components: Mapping[str, Components],
    input_name: str,
    config: ExperimentConfig,
) -> Iterator[dict[str, Any]]:
    """Rows of shap_components.csv: each column of the model fitted on everybody, largest first.

    The patients are external ones, or, without an external cohort, those that the model was fitted on: components of
    different folds are different columns, so that only one model's can be named.
    """
    columns = [column for group in columns_of(input_name, config.covariates) for column in components[group].columns]
    for outcome, classifier in _models(cells, config):
        one = cells.get(CellKey(ALL, outcome, input_name, classifier))
        if one is None or not one.explained:
            continue
        means = one.components / one.explained
        for i in np.argsort(-means, kind="stable"):
            yield {
                "outcome": outcome,
                "classifier": classifier,
                "group": columns[i].group,
                "component": columns[i].name,
                "label": columns[i].label,
                "mean_abs_shap": float(means[i]),
            }


def component_rows(components: Mapping[str, Components]) -> Iterator[dict[str, Any]]:
    """Rows of components.csv: the strongest features of each component of the last fit."""
    for family, block in components.items():
        for column in block.columns if block.fit_ else ():
            for rank, (feature, loading) in enumerate(column.top, start=1):
                yield {"family": family, "component": column.name, "rank": rank, "feature": feature, "loading": loading}


def _out_of_fold(
    splits: Sequence[SplitBlocks],
    cells: Mapping[CellKey, CellResult],
    ids: Sequence[str],
    outcome: str,
    input_name: str,
    classifier: str,
) -> Predicted:
    parts = []
    for split in splits:
        if split.fold.name != ALL:
            one = cells[CellKey(split.fold.name, outcome, input_name, classifier)]
            rows = split.fold.test[one.rows]
            y = split.y_test[outcome][one.rows].astype(np.int64)
            parts.append((rows, y, one.probability, np.full(len(rows), one.threshold), [split.fold.name] * len(rows)))
    rows, y, probability, threshold = (np.concatenate([part[k] for part in parts]) for k in range(4))
    fold = [name for part in parts for name in part[4]]
    order = np.argsort(rows)
    return Predicted(
        outcome, input_name, classifier, "validation", tuple(ids[rows[i]] for i in order),
        tuple(fold[i] for i in order), y[order], probability[order], threshold[order], rows[order],
    )  # fmt: skip


def _external(
    splits: Sequence[SplitBlocks], cells: Mapping[CellKey, CellResult], ids: Sequence[str], inside: Predicted
) -> Predicted | None:
    last = next((split for split in splits if split.fold.name == ALL), None)
    if last is None or not last.tested:
        return None
    one = cells[CellKey(ALL, inside.outcome, inside.input, inside.classifier)]
    if not len(one.rows):
        return None
    y = last.y_test[inside.outcome][one.rows].astype(np.int64)
    threshold = float(youden(inside.y, inside.probability))
    return Predicted(
        inside.outcome, inside.input, inside.classifier, "external", tuple(ids[i] for i in one.rows),
        ("external",) * len(y), y, one.probability, np.full(len(y), threshold), one.rows,
    )  # fmt: skip


def _models(cells: Mapping[CellKey, CellResult], config: ExperimentConfig) -> list[tuple[str, str]]:
    outcomes = dict.fromkeys(key.outcome for key in cells)
    return [(outcome, classifier) for outcome in outcomes for classifier in config.classifiers]
