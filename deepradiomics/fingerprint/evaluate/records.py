"""What an evaluation leaves behind: a row for each case, method, seed and task, from which every number follows.

``predictions.csv`` holds the rows; the tables are pure functions of them (see ``eval_scores``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from deepradiomics.errors import InputError
from deepradiomics.files.tables import read_csv, write_csv

Part = Literal["validation", "test"]


@dataclass(frozen=True)
class Prediction:
    """One case judged by one method.

    Attributes:
        method: key of the method, e.g. ``"fingerprint"``.
        inference: ``"paper"`` or ``"masked"`` for methods that select features, ``""`` for the others.
        seed, fold: the unit of repetition; fold is 0 where the splits are fixed.
        task, case: names as in the manifest.
        part: thresholds come from ``"validation"`` rows, scores from ``"test"`` rows.
        label: true class.
        probabilities: (P(class 1),) of a binary task, else one probability for each class.
        threshold: decision threshold on P(class 1), chosen on validation; ``None`` for several classes.
        predicted: class decided.
    """

    method: str
    inference: str
    seed: int
    fold: int
    task: str
    case: str
    part: Part
    label: int
    probabilities: tuple[float, ...]
    threshold: float | None
    predicted: int

    @property
    def unit(self) -> tuple[int, int]:
        return self.seed, self.fold

    @property
    def key(self) -> tuple[str, str]:
        return self.method, self.inference

    @property
    def margin(self) -> float:
        """How far P(class 1) lies above the threshold; the decision is positive where this is not negative."""
        return self.probabilities[0] - (self.threshold if self.threshold is not None else 0.5)


COLUMNS = tuple(field.name for field in fields(Prediction))


def write_predictions(predictions: Iterable[Prediction], path: Path | str) -> None:
    """Write ``predictions.csv``; probabilities of several classes stand in one cell, separated by blanks."""
    write_csv(path, COLUMNS, map(_cells, predictions))


def _cells(row: Prediction) -> dict[str, object]:
    threshold = None if row.threshold is None else float(row.threshold)
    probabilities = " ".join(repr(float(p)) for p in row.probabilities)
    return {name: getattr(row, name) for name in COLUMNS} | {"probabilities": probabilities, "threshold": threshold}


def read_predictions(path: Path | str) -> tuple[Prediction, ...]:
    """Read what :func:`write_predictions` wrote, to the last bit.

    Raises:
        InputError: the file is absent or its columns are others.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: this file of predictions does not exist.")
    table = read_csv(path)
    if table.columns != COLUMNS:
        raise InputError(f"{path}: expected the columns {', '.join(COLUMNS)}, got {', '.join(table.columns)}.")
    return table.parsed(_parse)


def _parse(row: dict[str, str]) -> Prediction:
    return Prediction(
        method=row["method"],
        inference=row["inference"],
        seed=int(row["seed"]),
        fold=int(row["fold"]),
        task=row["task"],
        case=row["case"],
        part="validation" if row["part"] == "validation" else "test",
        label=int(row["label"]),
        probabilities=tuple(float(p) for p in row["probabilities"].split()),
        threshold=float(row["threshold"]) if row["threshold"] else None,
        predicted=int(row["predicted"]),
    )


def tasks_of(predictions: Sequence[Prediction]) -> tuple[str, ...]:
    """Tasks in the order in which they first appear."""
    return tuple(dict.fromkeys(row.task for row in predictions))


def keys_of(predictions: Sequence[Prediction]) -> tuple[tuple[str, str], ...]:
    """(method, inference) in the order in which they first appear."""
    return tuple(dict.fromkeys(row.key for row in predictions))
