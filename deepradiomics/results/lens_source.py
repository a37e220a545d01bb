"""The rows that tables, figures and the report are made of, read from a folder of `lens fit`."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import Any

from deepradiomics.errors import InputError
from deepradiomics.files import read_json

_NUMBERS = {
    "shift": (
        "i_pre", "i_ft", "delta_i", "delta_i_low", "delta_i_high", "p_null", "q_null", "p_family",
        "delta_i_standardised", "delta_i_fit_ft", "delta_i_fit_both", "r2_pre", "r2_ft", "mse_pre", "mse_ft", "rank",
    ),
    "table1": (
        "n_features", "mse_pre", "mse_ft", "r2_pre", "r2_ft", "r2_pooled_pre", "r2_pooled_ft", "p", "p_holm",
        "n_patients",
    ),
    "modality_r2": ("r2", "r2_pooled", "n_features", "best"),
    "tableA1": ("frozen", "tuned"),
}  # fmt: skip
Row = Mapping[str, Any]


@dataclass(frozen=True)
class LensSource:
    """One lens result, as rows.

    Args:
        folder: where it lies.
        about: lens.json.
        shift: a row for each modality × feature, largest ΔI first; numbers are floats, NaN where the cell is empty.
        table1: a row for each group of features.
        modality_r2: a row for each family × modality × stage.
        evaluations: rows of tableA1.csv; empty when no downstream performance was given.
        dropped: features left out, with the reason.
        cases: the cohort's cases with their files.
    """

    folder: Path
    about: Mapping[str, Any]
    shift: Sequence[Row]
    table1: Sequence[Row]
    modality_r2: Sequence[Row]
    evaluations: Sequence[Row] = ()
    dropped: Sequence[Row] = ()
    cases: Sequence[Mapping[str, str]] = ()

    @property
    def task(self) -> str:
        """The name of the fine-tuning's task, as it is shown."""
        return str(self.about.get("task") or "fine-tuning")

    @property
    def modalities(self) -> tuple[str, ...]:
        """Modalities in the order of the lens."""
        return tuple(
            str(one) for one in self.about.get("modalities") or dict.fromkeys(r["modality"] for r in self.shift)
        )

    @property
    def has_null(self) -> bool:
        """Whether a permutation null was computed."""
        return any(row["q_null"] == row["q_null"] for row in self.shift)

    def picked(self, group: str) -> list[Row]:
        """Rows of the five features of ``"top"``, ``"bottom"`` or ``"stable"``, in lens.json's order."""
        rows = {(row["modality"], row["feature"]): row for row in self.shift}
        names = (self.about.get("picked") or {}).get(group) or ()
        return [rows[key] for key in map(tuple, names) if key in rows]

    @classmethod
    def read(cls, folder: Path) -> LensSource:
        """Read a result folder.

        Raises:
            InputError: it is no folder of ``lens fit``, or a table lacks a column.
        """
        folder = Path(folder)
        about = read_json(folder / "lens.json")
        if about.get("format") != "deepradiomics-lens":
            raise InputError(f"{folder / 'lens.json'}: not a lens result (format {about.get('format')!r}).")
        shift = sorted(_rows(folder, "shift"), key=lambda row: row["rank"])
        return cls(
            folder, about, tuple(shift), *(tuple(_rows(folder, name)) for name in ("table1", "modality_r2")),
            *(tuple(_rows(folder, name, needed=False)) for name in ("tableA1", "dropped", "cases")),
        )  # fmt: skip


def _rows(folder: Path, name: str, needed: bool = True) -> list[dict[str, Any]]:
    path = folder / f"{name}.csv"
    if not path.is_file():
        if needed:
            raise InputError(f"{path}: this table of a lens result does not exist. Was `lens fit` interrupted?")
        return []
    with open(path, encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        missing = [column for column in _NUMBERS.get(name, ()) if column not in (reader.fieldnames or ())]
        if missing:
            raise InputError(f"{path}: lacks the column(s) {', '.join(missing)}; is it a table of `lens fit`?")
        return [_typed(row, _NUMBERS.get(name, ()), path) for row in reader]


def _typed(row: dict[str, str], numbers: Sequence[str], path: Path) -> dict[str, Any]:
    try:
        return {**row, **{name: float(row[name]) if row[name] else nan for name in numbers}}
    except ValueError as error:
        raise InputError(f"{path}: {error}; this column must hold numbers.") from error
