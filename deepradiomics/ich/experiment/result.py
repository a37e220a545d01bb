"""An experiment's folder, read back: ``experiment.json`` and the tables beside it, nothing else.

experiment.json            cohorts, outcomes, inputs, classifiers, networks, warnings, methods
tables/<name>.csv      ─►  rows of texts and numbers; an empty number is NaN
predictions.csv            read for one model at a time: all cells together have some hundred thousand lines
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import nan
from pathlib import Path
from typing import Any

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.files.reading import reads
from deepradiomics.files.results import Row, read_object
from deepradiomics.files.tables import read_csv
from deepradiomics.ich.cohort.manifest import TITLES
from deepradiomics.ich.experiment.config import INPUT_TITLES
from deepradiomics.ich.experiment.tables import COLUMNS
from deepradiomics.modelling.classifier_names import CLASSIFIER_TITLES
from deepradiomics.public import one_line
from deepradiomics.words import title_of

KIND = "ich-experiment"
COHORTS = {"validation": "Validation (out of fold)", "external": "External cohort"}
# Every other column holds numbers.
_TEXTS = frozenset(
    ("outcome", "input", "classifier", "cohort", "fold", "reference", "input_a", "input_b", "group", "component",
     "label", "family", "feature", "variable", "level", "training", "external", "test", "split", "id")
)  # fmt: skip


@one_line
@dataclass(frozen=True, eq=False)
class Experiment:
    """A finished experiment.

    Args:
        folder: where it lies.
        about: ``experiment.json``.
        tables: rows by the table's name; a table that was not written is missing.
    """

    folder: Path
    about: Mapping[str, Any]
    tables: Mapping[str, Sequence[Row]] = field(default_factory=dict)

    @classmethod
    @reads("experiment.json")
    def read(cls, folder: Path | str) -> Experiment:
        """Read a folder of ``ich experiment``.

        Raises:
            InputError: it is none, its table of scores is missing, or a table lacks a column.
        """
        folder = Path(folder)
        about = read_about(folder)
        tables = {file.stem: read_rows(file) for file in sorted((folder / "tables").glob("*.csv"))}
        if not tables.get("cells"):
            raise InputError(
                f"{folder / 'tables' / 'cells.csv'}: the scores are missing or empty, so there is nothing to report. "
                "Run 'ich experiment' with the same output folder again: finished cells are kept."
            )
        for name, rows in tables.items():
            absent = [column for column in COLUMNS.get(name, ()) if rows and column not in rows[0]]
            if absent:
                raise InputError(
                    f"{folder / 'tables' / name}.csv: this table has no column {absent[0]!r}. Was it changed or cut? "
                    "Run 'ich experiment' with the same output folder again: finished cells are kept."
                )
        return cls(folder, about, tables)

    @property
    def outcomes(self) -> dict[str, str]:
        """Titles by name, in the experiment's order."""
        return titles_of(self.about.get("outcomes"), self._found("outcome"), TITLES)

    @property
    def inputs(self) -> dict[str, str]:
        return titles_of(self.about.get("inputs"), self._found("input"), INPUT_TITLES)

    @property
    def classifiers(self) -> dict[str, str]:
        return titles_of(self.about.get("classifiers"), self._found("classifier"), CLASSIFIER_TITLES)

    @property
    def cohorts(self) -> dict[str, str]:
        """``validation``, and ``external`` where there is one."""
        found = set(self._found("cohort"))
        return {name: title for name, title in COHORTS.items() if name in found}

    @property
    def chosen(self) -> tuple[str, str]:
        """Input and classifier of the model in the bundle, named before any score was known."""
        bundle = self.about.get("bundle") or {}
        return str(bundle.get("input", "")), str(bundle.get("classifier", ""))

    @property
    def synthetic(self) -> bool:
        return bool(self.about.get("synthetic"))

    @property
    def real_head(self) -> bool:
        """Whether the synthetic haematomas lie in a real person's head."""
        return bool(self.about.get("real_head"))

    @property
    def leaking(self) -> bool:
        return bool(self.about.get("leaking"))

    def rows(self, table: str, **where: str) -> list[Row]:
        """The rows of a table whose columns hold these texts; none when the table was not written."""
        return [
            row for row in self.tables.get(table, ()) if all(row.get(name) == value for name, value in where.items())
        ]

    def row(self, table: str, **where: str) -> Row:
        """The first such row; an empty one when there is none."""
        return next(iter(self.rows(table, **where)), {})

    def title(self, name: str) -> str:
        """The title of an outcome, input or classifier; no two of them have one name."""
        return self._titles.get(name, name)

    def cell(self, outcome: str, input_: str, classifier: str, cohort: str, fold: str = "") -> Row:
        """The scores of one model: of all out-of-fold predictions together, or of the external cohort."""
        fold = fold or ("external" if cohort == "external" else "pooled")
        return self._cells.get((outcome, input_, classifier, cohort, fold), {})

    def predictions(self, input_: str, classifier: str) -> dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]:
        """Labels and probabilities (n,) of one model by outcome and cohort; empty when they were not kept."""
        path = self.folder / "predictions.csv"
        if not path.is_file():
            return {}
        found: dict[tuple[str, str], list[tuple[float, float]]] = {}
        for row in read_csv(path).rows:
            if row["input"] == input_ and row["classifier"] == classifier and row["y"] and row["probability"]:
                pair = float(row["y"]), float(row["probability"])
                found.setdefault((row["outcome"], row["cohort"]), []).append(pair)
        arrays = {key: np.array(pairs) for key, pairs in found.items()}
        return {key: (pairs[:, 0].astype(int), pairs[:, 1]) for key, pairs in arrays.items()}

    @cached_property
    def _titles(self) -> dict[str, str]:
        return {**self.outcomes, **self.inputs, **self.classifiers}

    @cached_property
    def _cells(self) -> dict[tuple[str, ...], Row]:
        """Rows of cells.csv by outcome, input, classifier, cohort and fold: the tables look each up several times."""
        names = ("outcome", "input", "classifier", "cohort", "fold")
        return {tuple(row[name] for name in names): row for row in self.tables.get("cells", ())}

    def _found(self, column: str) -> list[str]:
        return list(dict.fromkeys(str(row[column]) for row in self.tables.get("cells", ())))


def read_about(folder: Path) -> dict[str, Any]:
    """The content of ``experiment.json``.

    Raises:
        InputError: it is missing, damaged, or of another kind of result.
    """
    about = read_object(folder / "experiment.json")
    if about.get("kind") != KIND:
        raise InputError(
            f"{folder / 'experiment.json'}: expected an experiment of 'ich experiment' (kind {KIND!r}), got "
            f"{about.get('kind')!r}."
        )
    return about


def read_rows(path: Path) -> tuple[Row, ...]:
    """Read a CSV: texts stay, everything else becomes a number, NaN where it is empty.

    Raises:
        InputError: the file cannot be read.
    """
    return tuple({name: _value(name, text) for name, text in row.items()} for row in read_csv(path).rows)


def titles_of(described: Any, names: Iterable[str], known: Mapping[str, str]) -> dict[str, str]:
    """Titles by name: those described (``[{"name", "title"}]``) in their order, then the others of ``names``.

    >>> titles_of([{"name": "b", "title": "Bee"}], ["a", "b"], {"a": "Ay"})
    {'b': 'Bee', 'a': 'Ay'}
    >>> titles_of([], ["late_stroke"], {})
    {'late_stroke': 'Late stroke'}
    """
    titles = {
        str(one["name"]): title_of(one["name"], one.get("title") or known.get(one["name"], ""))
        for one in described or ()
    }
    return titles | {name: title_of(name, known.get(name, "")) for name in names if name not in titles}


def _value(name: str, text: str) -> Any:
    if name in _TEXTS:
        return text
    if not text.strip():
        return nan
    try:
        return float(text)
    except ValueError:
        return text
