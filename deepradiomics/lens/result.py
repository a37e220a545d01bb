"""LensResult: a folder of `lens fit`, read back as rows; needs nothing but this package and its CSV files."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from math import nan
from pathlib import Path
from typing import Any, Literal

from deepradiomics.errors import InputError
from deepradiomics.files import read_json
from deepradiomics.lens.doubt import doubt_of_rows
from deepradiomics.lens.readings import IMPORTANCE, Reading

FORMAT, FORMAT_VERSION = "deepradiomics-lens", 2
SHIFT_COLUMNS = (
    "modality", "feature", "family", "image_type", "i_pre", "i_ft", "delta_i", "delta_i_low", "delta_i_high", "p_null",
    "q_null", "p_family", "delta_i_standardised", "delta_i_fit_ft", "delta_i_fit_both", "r2_pre", "r2_ft", "mse_pre",
    "mse_ft", "rank", "explained_pre", "explained_ft", "delta_explained", "delta_explained_low", "delta_explained_high",
    "p_explained", "q_explained", "p_family_explained", "rank_explained", "noise_pre", "noise_ft",
)  # fmt: skip
TABLE1_COLUMNS = (
    "kind", "group", "n_features", "mse_pre", "mse_ft", "r2_pre", "r2_ft", "r2_pooled_pre", "r2_pooled_ft", "p",
    "p_holm", "stars", "n_patients",
)  # fmt: skip
MODALITY_R2_COLUMNS = ("group", "modality", "stage", "r2", "r2_pooled", "n_features", "best")
EVALUATION_COLUMNS = ("task", "metric", "better", "frozen", "tuned", "unit")
DROPPED_COLUMNS = ("modality", "feature", "reason")
_WORDS = {
    "modality", "feature", "family", "image_type", "kind", "group", "stars", "stage", "task", "metric", "better",
    "unit", "reason",
}  # fmt: skip
Pick = Literal["top", "bottom", "stable"]
Row = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class LensResult:
    """What a lens found for one fine-tuning.

    Args:
        folder: where it lies.
        about: lens.json: task, counts, encoders, configuration, warnings, leakage, methods text, summary, picked rows.
        shift: a row for each modality × feature, largest ΔI first; numbers are floats, NaN where a cell is empty.
        table1: a row for each group of features.
        modality_r2: a row for each family × modality × stage.
        evaluations: downstream performance, frozen and tuned; empty when none was given.
        dropped: features left out, with the reason.
        cases: id, split and files of each case.
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
        return str(self.about["task"])

    @property
    def modalities(self) -> tuple[str, ...]:
        """Modalities in the order of the lens."""
        return tuple(self.about["modalities"])

    @property
    def has_null(self) -> bool:
        """Whether a permutation null was computed."""
        return any(row["q_null"] == row["q_null"] for row in self.shift)

    def picked(self, group: Pick, by: Reading = IMPORTANCE) -> list[Row]:
        """The rows of the five features with the largest ΔI (or ΔE), the smallest, or the most stable ones."""
        groups = self.about["picked"] if by == IMPORTANCE else self.about["picked"][by.name]
        return [self.row(*key) for key in groups[group]]

    @property
    def doubt(self) -> str:
        """Why ΔE should be read instead of ΔI; empty where nothing speaks against ΔI."""
        return doubt_of_rows(self.shift)

    def row(self, modality: str, feature: str) -> Row:
        """The shift table's row of a feature.

        Raises:
            InputError: there is none; near matches, or why it was left out, are told.
        """
        for row in self.shift:
            if row["modality"] == modality and row["feature"] == feature:
                return row
        if modality not in self.modalities:
            raise InputError(f"modality {modality!r}: this lens has {', '.join(self.modalities)}.")
        for row in self.dropped:
            if row["modality"] == modality and row["feature"] == feature:
                raise InputError(f"feature {feature!r} of {modality} was left out of this lens: {row['reason']}.")
        known = [row["feature"] for row in self.shift if row["modality"] == modality]
        near = get_close_matches(feature, known, 3, 0.6) or [one for one in known if one.endswith(f"_{feature}")][:3]
        hint = f"Did you mean {', '.join(near)}?" if near else f"{self.folder / 'shift.csv'} lists them all."
        raise InputError(f"feature {feature!r} is not in this lens's shift table for {modality}. {hint}")

    @classmethod
    def read(cls, folder: str | Path) -> LensResult:
        """Read a result folder.

        Raises:
            InputError: it is no folder of ``lens fit``, the fit was not finished, or a table lacks a column.
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise InputError(f"{folder}: expected a result folder of 'lens fit', found no folder.")
        if not (folder / "lens.json").is_file():
            unfinished = (folder / "run.json").is_file()
            raise InputError(
                f"{folder}: this run of 'lens fit' is not finished; start the same command again and it goes on."
                if unfinished
                else f"{folder}: this is no result folder of 'lens fit', it holds no lens.json."
            )
        about = read_json(folder / "lens.json")
        if not isinstance(about, dict) or about.get("format") != FORMAT:
            raise InputError(f"{folder / 'lens.json'}: this JSON is not a lens result.")
        version = about.get("format_version")
        if isinstance(version, int) and version < FORMAT_VERSION:
            raise InputError(f"{folder}: this result was made by an older version of deepradiomics: fit it again.")
        if version != FORMAT_VERSION:
            raise InputError(
                f"{folder / 'lens.json'}: expected format version {FORMAT_VERSION}, "
                f"got {about.get('format_version')!r}. Use the release of deepradiomics that wrote it, or fit it again."
            )
        shift = _rows(folder / "shift.csv", SHIFT_COLUMNS)
        return cls(
            folder,
            about,
            tuple(sorted(shift, key=lambda row: row["rank"])),
            tuple(_rows(folder / "table1.csv", TABLE1_COLUMNS)),
            tuple(_rows(folder / "modality_r2.csv", MODALITY_R2_COLUMNS)),
            tuple(_rows(folder / "tableA1.csv", EVALUATION_COLUMNS, needed=False)),
            tuple(_rows(folder / "dropped.csv", DROPPED_COLUMNS, needed=False)),
            tuple(_rows(folder / "cases.csv", (), needed=False)),
        )


def is_current(folder: Path) -> bool:
    """Whether a folder holds a whole result of this version's format."""
    try:
        about = read_json(folder / "lens.json")
    except InputError:
        return False
    return isinstance(about, dict) and about.get("format_version") == FORMAT_VERSION


def _rows(path: Path, columns: Sequence[str], needed: bool = True) -> list[dict[str, Any]]:
    """Rows of a table; the columns named are read as numbers unless they hold words."""
    if not path.is_file():
        if needed:
            raise InputError(f"{path}: this table of a lens result is missing. Was it removed? Fit the lens again.")
        return []
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        missing = [column for column in columns if column not in (reader.fieldnames or ())]
        if missing:
            raise InputError(
                f"{path}: it lacks the column {missing[0]!r}. It was made by an older version of deepradiomics, or is "
                "no table of 'lens fit': fit it again."
            )
        numbers = [one for one in columns if one not in _WORDS]
        try:
            return [{**row, **{name: float(row[name]) if row[name] else nan for name in numbers}} for row in reader]
        except ValueError as error:
            raise InputError(f"{path}: {error}; this column must hold numbers.") from error
