"""LensResult: a folder of `lens fit`, read back as rows; needs nothing but this package and its CSV files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import product
from pathlib import Path
from typing import Any, Literal

from deepradiomics.errors import InputError
from deepradiomics.files.atomic import read_json
from deepradiomics.files.reading import reads
from deepradiomics.files.results import Row, read_object, read_rows
from deepradiomics.lens.estimator.doubt import doubt_of_rows
from deepradiomics.lens.readings import IMPORTANCE, READINGS, Reading
from deepradiomics.public import one_line

FORMAT, FORMAT_VERSION = "deepradiomics-lens", 2
_TEXTS = frozenset(
    [
        "modality",
        "feature",
        "family",
        "image_type",
        "kind",
        "group",
        "stars",
        "stage",
        "task",
        "metric",
        "better",
        "unit",
        "reason",
    ]
)
_COUNTS = frozenset(["rank", "rank_explained", "n_features", "n_patients", "best"])


def _typed(names: str) -> dict[str, type]:
    return {name: str if name in _TEXTS else int if name in _COUNTS else float for name in names.split()}


SHIFT_COLUMNS = _typed(
    "modality feature family image_type i_pre i_ft delta_i delta_i_low delta_i_high p_null q_null p_family "
    "delta_i_standardised delta_i_fit_ft delta_i_fit_both r2_pre r2_ft mse_pre mse_ft rank explained_pre explained_ft "
    "delta_explained delta_explained_low delta_explained_high p_explained q_explained p_family_explained "
    "rank_explained noise_pre noise_ft"
)
TABLE1_COLUMNS = _typed(
    "kind group n_features mse_pre mse_ft r2_pre r2_ft r2_pooled_pre r2_pooled_ft p p_holm stars n_patients"
)
MODALITY_R2_COLUMNS = _typed("group modality stage r2 r2_pooled n_features best")
EVALUATION_COLUMNS = _typed("task metric better frozen tuned unit")
DROPPED_COLUMNS = _typed("modality feature reason")
"""Columns of shift.csv, table1.csv, modality_r2.csv, tableA1.csv and dropped.csv in order, and what they hold."""
Pick = Literal["top", "bottom", "stable"]
PICKS: tuple[Pick, ...] = ("top", "bottom", "stable")


@one_line
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
        return str(self.about.get("task") or "fine-tuning")

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
        return [self.row(modality, feature) for modality, feature in self._picked(group, by)]

    def _picked(self, group: Pick, by: Reading) -> list[list[str]]:
        groups = self.about.get("picked") or {}
        return list((groups if by == IMPORTANCE else groups.get(by.name) or {}).get(group) or ())

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
        near = get_close_matches(feature, known, 3, 0.6) or [name for name in known if name.endswith(f"_{feature}")][:3]
        hint = f"Did you mean {', '.join(near)}?" if near else f"{self.folder / 'shift.csv'} lists them all."
        raise InputError(f"feature {feature!r} is not in this lens's shift table for {modality}. {hint}")

    @classmethod
    @reads("lens.json")
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
        about = read_object(folder / "lens.json")
        if about.get("format") != FORMAT:
            raise InputError(f"{folder / 'lens.json'}: this JSON is not a lens result: not written by `lens fit`.")
        version = about.get("format_version")
        if isinstance(version, int) and version < FORMAT_VERSION:
            raise InputError(f"{folder}: this result was made by an older version of deepradiomics: fit it again.")
        if version != FORMAT_VERSION:
            raise InputError(
                f"{folder / 'lens.json'}: expected format version {FORMAT_VERSION}, "
                f"got {about.get('format_version')!r}. Use the release of deepradiomics that wrote it, or fit it again."
            )
        shift = read_rows(folder / "shift.csv", SHIFT_COLUMNS)
        if not shift:
            raise InputError(f"{folder / 'shift.csv'} has no rows: the lens kept no feature; see dropped.csv.")
        result = cls(
            folder,
            about,
            tuple(sorted(shift, key=lambda row: row["rank"])),
            tuple(read_rows(folder / "table1.csv", TABLE1_COLUMNS)),
            tuple(read_rows(folder / "modality_r2.csv", MODALITY_R2_COLUMNS)),
            *(
                tuple(read_rows(folder / name, types)) if (folder / name).is_file() else ()
                for name, types in (
                    ("tableA1.csv", EVALUATION_COLUMNS),
                    ("dropped.csv", DROPPED_COLUMNS),
                    ("cases.csv", {}),
                )
            ),
        )
        result._check_picked()
        return result

    def _check_picked(self) -> None:
        known = {(row["modality"], row["feature"]) for row in self.shift}
        for group, by in product(PICKS, READINGS):
            for pick in self._picked(group, by):
                if tuple(pick) not in known:
                    raise InputError(
                        f"{self.folder / 'lens.json'}: 'picked' ({group}) names {' '.join(pick)}, which shift.csv "
                        "lacks; run again"
                    )


def is_current(folder: Path) -> bool:
    """Whether a folder holds a whole result of this version's format."""
    try:
        about = read_json(folder / "lens.json")
    except InputError:
        return False
    return isinstance(about, dict) and about.get("format_version") == FORMAT_VERSION
