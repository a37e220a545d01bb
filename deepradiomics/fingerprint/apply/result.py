"""What applying a model to one exam gives (FingerprintResult), and its folder, written and read (FingerprintFolder).

::

    OUT/
      prediction.json      probabilities, thresholds, patches, provenance, methods text (written last)
      fingerprint.csv      one row per feature of the pool and task, largest contribution first
      relevance.nii.gz     mean relevance of each patch, painted into the region, one map per task
      gradcam.nii.gz       where the relevance network looked, one map per task (absent without a network)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepradiomics.errors import InputError
from deepradiomics.files.atomic import move_in, stage_inside
from deepradiomics.files.reading import reads
from deepradiomics.files.results import Row, column_types, read_object, read_rows
from deepradiomics.files.sealed import write_sealed
from deepradiomics.files.tables import write_csv
from deepradiomics.images import Case, Volume, write_stack
from deepradiomics.images.maps import read_stack
from deepradiomics.public import one_line

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


COLUMNS = column_types(FingerprintRow)
"""Columns of fingerprint.csv, and what they hold."""


@one_line
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


@one_line
@dataclass(frozen=True, eq=False)
class FingerprintFolder:
    """A fingerprint's folder, read back.

    Args:
        path: where it lies.
        prediction: the content of prediction.json.
        rows: of fingerprint.csv, typed as :data:`COLUMNS`.
        relevance: per task, on the reference view's own grid.
        gradcam: likewise; empty if the folder has none.
    """

    path: Path
    prediction: Mapping[str, Any]
    rows: Sequence[Row]
    relevance: Mapping[str, Volume]
    gradcam: Mapping[str, Volume]

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks in the order of prediction.json, which is that of the maps."""
        return tuple(self.prediction["tasks"])

    @classmethod
    @reads("prediction.json")
    def read(cls, folder: str | Path, *, spelled: Callable[[str], str] = str) -> FingerprintFolder:
        """Read and check a folder of ``fingerprint apply``.

        Args:
            folder: where it lies.
            spelled: how names of tasks are spelled where the result is shown.

        Raises:
            InputError: a file is missing or damaged; the message names it.
        """
        folder = Path(folder)
        prediction = read_object(folder / "prediction.json")
        for key in ("tasks", "views", "patches", "reference_view"):
            if key not in prediction:
                raise InputError(
                    f"{folder / 'prediction.json'} has no '{key}': it was not written by fingerprint apply"
                )
        prediction["tasks"] = {spelled(name): task for name, task in prediction["tasks"].items()}
        tasks, gradcam = tuple(prediction["tasks"]), folder / "gradcam.nii.gz"
        relevance = read_stack(folder / "relevance.nii.gz", tasks, "tasks")
        maps = read_stack(gradcam, tasks, "tasks") if gradcam.is_file() else {}
        rows = read_rows(folder / "fingerprint.csv", COLUMNS)
        return cls(folder, prediction, [{**row, "task": spelled(row["task"])} for row in rows], relevance, maps)


def write_result(result: FingerprintResult, folder: str | Path) -> Path:
    """Write the result folder: everything is made beside it first, then moved in, ``prediction.json`` last.

    Other files in the folder stay as they are.

    Raises:
        InputError: the folder cannot be written, or the disk is full.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with stage_inside(folder) as part:
            _write_rows(result, part / "fingerprint.csv")
            write_stack([result.relevance[task] for task in result.tasks], part / "relevance.nii.gz")
            if result.gradcam:
                write_stack([result.gradcam[task] for task in result.tasks], part / "gradcam.nii.gz")
            else:
                (folder / "gradcam.nii.gz").unlink(missing_ok=True)
            write_sealed(part / "prediction.json", result.prediction)
            for file in sorted(part.iterdir(), key=lambda path: path.name == "prediction.json"):
                move_in(file, folder / file.name)
    except OSError as error:
        raise InputError(f"{folder}: the result could not be written ({error.strerror or error}).") from error
    return folder


def _write_rows(result: FingerprintResult, path: Path) -> None:
    write_csv(path, tuple(COLUMNS), ([_cell(value) for value in astuple(row)] for row in result.rows))


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.9g}"
    return value
