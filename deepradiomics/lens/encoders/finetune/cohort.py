"""Which column a fine-tuning learns, which cases have it, and what the task takes from the training cases."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, get_args

import numpy as np

from deepradiomics.cohort.manifest import Manifest, check_classes
from deepradiomics.errors import InputError, ManifestError
from deepradiomics.lens.encoders.finetune.tasks import COLUMNS, ClassTask, RegressTask, SegmentTask, Task, TaskKind


def target_of(manifest: Manifest, kind: str, target: str | None) -> str:
    """Find the column to learn: ``target`` with or without its prefix, or the only one there is (a region: lesion).

    Raises:
        InputError: the kind is unknown.
        ManifestError: there is no such column, or several to choose from; the message lists them.
    """
    if kind not in get_args(TaskKind):
        raise InputError(f"task: expected one of {', '.join(get_args(TaskKind))}, got {kind!r}.")
    column = COLUMNS[kind]  # type: ignore[index]
    there = {"class": manifest.tasks, "segment": manifest.rois, "regress": manifest.value_names}[kind]
    shown = ", ".join(f"{column}_{name}" for name in there) or "none"
    if target is None:
        # The only region of a cohort is most often that of the gland, which is hardly ever what shall be learned.
        choices = tuple(name for name in there if name == "lesion") if kind == "segment" else there
        if len(choices) != 1:
            raise ManifestError(
                f"{manifest.where}: the task {kind!r} learns a column {column}_<name>; there are {shown}. "
                f"{f'Name one of them as target (--target {there[0]}).' if there else 'Add such a column.'}"
            )
        return choices[0]
    name = target.removeprefix(f"{column}_")
    if name not in there:
        raise ManifestError(
            f"{manifest.where} has no column {column}_{name}, which the task {kind!r} would learn; there are: {shown}."
        )
    return name


def having_target(manifest: Manifest, kind: TaskKind, target: str) -> tuple[Manifest, tuple[tuple[str, str], ...]]:
    """The cases that have a target, and (id, reason) of the others.

    Classes stay as the manifest's only task, by which splits are stratified.

    Raises:
        ManifestError: no case has one, or a class has fewer than two cases.
    """
    held: dict[TaskKind, Any] = {
        "class": lambda row: target in row.labels,
        "segment": lambda row: target in row.masks,
        "regress": lambda row: target in row.values,
    }
    rows = tuple(row for row in manifest.rows if held[kind](row))
    column = f"{COLUMNS[kind]}_{target}"
    if not rows:
        raise ManifestError(f"{manifest.where}: no case has anything in the column {column}.")
    ids = {row.id for row in rows}
    reason = "no region was drawn" if kind == "segment" else "the cell is empty"
    without = tuple(
        (row.id, f"Case {row.id}, column {column}: {reason}.") for row in manifest.rows if row.id not in ids
    )
    cohort = replace(manifest, rows=rows, tasks=(target,) if kind == "class" else ())
    if kind == "class":
        check_classes(cohort)
    return cohort, without


def make_task(manifest: Manifest, kind: TaskKind, target: str) -> Task:
    """The task for a cohort with splits; what it learns of the cohort (classes, scale) comes from the training cases.

    Raises:
        ManifestError: the training cases all have the same class or value.
    """
    train = manifest.subset("train")
    if kind == "segment":
        return SegmentTask(target)
    if kind == "class":
        classes = tuple(sorted(set(train.labels(target))))
        if len(classes) < 2:
            raise ManifestError(
                f"Column label_{target}: all training cases are of class {classes[0]}. Put cases of another class into "
                "training (column split), or learn another column."
            )
        return ClassTask(target, classes)
    values = np.array(train.values(target))
    if not np.isfinite(values).all():
        raise ManifestError(f"Column value_{target}: some values are not finite; leave such cells empty.")
    if math.isclose(values.min(), values.max()):
        raise ManifestError(
            f"Column value_{target}: all training cases have the value {values[0]:g}; there is nothing to learn. Put "
            "cases with other values into training (column split), or learn another column."
        )
    return RegressTask(target, float(values.min()), float(values.max()))
