"""FingerprintResult: what applying a model to one exam gives, and the folder it is written to.

::

    OUT/
      prediction.json      probabilities, thresholds, patches, provenance, methods text (written last)
      fingerprint.csv      one row a feature of the pool and task, largest contribution first
      relevance.nii.gz     mean relevance of each patch, painted into the region, one map a task
      gradcam.nii.gz       where the relevance network looked, one map a task (absent without a network)
"""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from deepradiomics.errors import InputError
from deepradiomics.files import write_json
from deepradiomics.images import Case, Volume, write_stack

if TYPE_CHECKING:
    from deepradiomics.prepare import PreparedExam


@dataclass(frozen=True)
class FingerprintRow:
    """One feature of the pool for one task.

    Args:
        task: name of the task.
        feature: PyRadiomics name.
        view: view it was measured in.
        patch: patch number, from 1.
        family: feature class.
        value: as measured; NaN where undefined.
        z: standardised with the training cohort and clipped.
        relevance: q in [0, 1], by the network, for this patient.
        selected: whether q reaches the task's relevance threshold: whether it belongs to the fingerprint.
        contribution: its share of the logit (of the predicted class, where there are several).
    """

    task: str
    feature: str
    view: str
    patch: int
    family: str
    value: float
    z: float
    relevance: float
    selected: bool
    contribution: float


COLUMNS = tuple(field.name for field in fields(FingerprintRow))


@dataclass(frozen=True, eq=False)
class FingerprintResult:
    """Prediction and explanation of one exam.

    Args:
        prediction: the content of prediction.json.
        rows: tasks one after another, each with its largest absolute contributions first.
        relevance: per task, patch relevance painted on the reference view's own grid; 0 outside the region.
        gradcam: per task, Grad-CAM on the same grid, 0 to 1; empty without a relevance network.
        exam: the prepared exam.
        case: the case with all views that were used, reformatted ones included.
    """

    prediction: Mapping[str, Any]
    rows: tuple[FingerprintRow, ...]
    relevance: Mapping[str, Volume]
    gradcam: Mapping[str, Volume]
    exam: PreparedExam
    case: Case

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks, in order."""
        return tuple(self.prediction["tasks"])

    def fingerprint(self, task: str) -> tuple[FingerprintRow, ...]:
        """Return the selected features of one task, largest absolute contribution first."""
        if task not in self.prediction["tasks"]:
            raise InputError(f"task: expected one of {', '.join(self.tasks)}, got {task!r}.")
        return tuple(row for row in self.rows if row.task == task and row.selected)


def write_result(result: FingerprintResult, folder: str | Path) -> Path:
    """Write the result folder: everything is made beside it first, then moved in, ``prediction.json`` last.

    Other files in the folder stay as they are.

    Raises:
        InputError: the folder cannot be written, or the disk is full.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".part-", dir=folder) as name:
            part = Path(name)
            _write_rows(result, part / "fingerprint.csv")
            write_stack([result.relevance[task] for task in result.tasks], part / "relevance.nii.gz")
            if result.gradcam:
                write_stack([result.gradcam[task] for task in result.tasks], part / "gradcam.nii.gz")
            else:
                (folder / "gradcam.nii.gz").unlink(missing_ok=True)
            write_json(part / "prediction.json", dict(result.prediction))
            for file in sorted(part.iterdir(), key=lambda path: path.name == "prediction.json"):
                os.replace(file, folder / file.name)
    except OSError as error:
        raise InputError(f"{folder}: the result could not be written ({error.strerror or error}).") from error
    return folder


def _write_rows(result: FingerprintResult, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows([_cell(value) for value in astuple(row)] for row in result.rows)


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.9g}"
    return value
