"""Tasks: what is predicted. A binary task has one logit, a task of n > 2 classes has n; all stand side by side.

::

    tasks     abnormality (binary) | grade (3 classes) | acl (binary)
    outputs   0                    | 1      2      3   | 4
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.special import expit, softmax

from deepradiomics.errors import ManifestError
from deepradiomics.words import title_of

if TYPE_CHECKING:
    from deepradiomics.cohort.manifest import Manifest


@dataclass(frozen=True)
class Task:
    """One prediction.

    Args:
        name: the manifest's column without ``label_``.
        classes: the labels as the manifest writes them, ascending; class index i means ``classes[i]``.
        title: what people read; empty for the name as words.

    Raises:
        ManifestError: fewer than two classes.
    """

    name: str
    classes: tuple[int, ...]
    title: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", tuple(int(label) for label in self.classes))
        if len(self.classes) < 2 or tuple(sorted(set(self.classes))) != self.classes:
            raise ManifestError(
                f"task {self.name!r}: expected at least two distinct classes in ascending order, got {self.classes}."
            )

    @property
    def readable(self) -> str:
        """Its title, else its name as words."""
        return title_of(self.name, self.title)

    @property
    def kind(self) -> Literal["binary", "multiclass"]:
        """``binary`` for two classes."""
        return "binary" if len(self.classes) == 2 else "multiclass"

    @property
    def n_outputs(self) -> int:
        """Logits that this task needs."""
        return 1 if self.kind == "binary" else len(self.classes)

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        titled = {"title": self.title} if self.title else {}
        return {"name": self.name, "type": self.kind, "classes": list(self.classes), **titled}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Task:
        """Inverse of :meth:`to_dict`."""
        return cls(str(stored["name"]), tuple(stored["classes"]), str(stored.get("title") or ""))


def tasks_of(manifest: Manifest) -> tuple[Task, ...]:
    """Return the manifest's tasks with the classes that occur in it.

    Raises:
        ManifestError: there is no task, or a task has a single class.
    """
    if not manifest.tasks:
        raise ManifestError(f"{manifest.path}: no task; add a column 'label_<task>' with whole-number classes.")
    return tuple(Task(name, tuple(sorted({row.labels[name] for row in manifest.rows}))) for name in manifest.tasks)


def class_indices(labels: Iterable[Mapping[str, int]], tasks: Sequence[Task]) -> np.ndarray:
    """Labels per case → class indices, int64 (N, T).

    Raises:
        ManifestError: a label is not one of the task's classes.
    """
    rows = []
    for position, row in enumerate(labels):
        for task in tasks:
            if row.get(task.name) not in task.classes:
                raise ManifestError(
                    f"case {position + 1}, task {task.name!r}: expected one of the classes {task.classes}, "
                    f"got {row.get(task.name)!r}."
                )
        rows.append([task.classes.index(row[task.name]) for task in tasks])
    return np.array(rows, dtype=np.int64).reshape(len(rows), len(tasks))


def output_slices(tasks: Sequence[Task]) -> tuple[slice, ...]:
    """Where each task's logits stand."""
    stops = np.cumsum([task.n_outputs for task in tasks])
    return tuple(slice(int(stop) - task.n_outputs, int(stop)) for task, stop in zip(tasks, stops, strict=True))


def task_of_output(tasks: Sequence[Task]) -> tuple[int, ...]:
    """Index of the task that each logit belongs to."""
    return tuple(t for t, task in enumerate(tasks) for _ in range(task.n_outputs))


def probabilities(logits: np.ndarray, tasks: Sequence[Task]) -> tuple[np.ndarray, ...]:
    """Logits (N, C) → per task: (N,) of the second class for a binary task, (N, classes) otherwise."""
    logits = np.asarray(logits, dtype=np.float64)
    return tuple(
        expit(logits[:, where.start]) if task.kind == "binary" else softmax(logits[:, where], axis=1)
        for task, where in zip(tasks, output_slices(tasks), strict=True)
    )
