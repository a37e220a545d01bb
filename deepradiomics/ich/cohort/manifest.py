"""The patients of an experiment: outcomes (some may be missing), covariates, sex, site, and who gave their latents.

value_mrs          > 3              poor_outcome
value_expansion_ml > 3, 6, 9        expansion_3ml, expansion_6ml, expansion_9ml
                   > 33 % of the baseline volume       expansion_33pct
label_<name>       0 or 1           <name>; it stands above what the numbers say, patient by patient
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deepradiomics import words
from deepradiomics.cohort.manifest import Manifest, ManifestRow, read_manifest
from deepradiomics.cohort.synthetic import has_real_heads, is_synthetic
from deepradiomics.errors import ManifestError
from deepradiomics.files.names import distinct_parts
from deepradiomics.images.reading import Reading

ICH_COLUMNS = ("sex", "site", "encoder", "autoencoder")
"""Columns of a manifest beside the usual: F or M, where the scan was made, bundles that give a patient's latents."""

TITLES = {
    "poor_outcome": "Poor outcome (mRS > 3)",
    "expansion_3ml": "Expansion > 3 mL",
    "expansion_6ml": "Expansion > 6 mL",
    "expansion_9ml": "Expansion > 9 mL",
    "expansion_33pct": "Expansion > 33 %",
}
PAPER_OUTCOMES = ("poor_outcome", "expansion_3ml", "expansion_6ml", "expansion_9ml")
_LIMITS_ML = {"expansion_3ml": 3.0, "expansion_6ml": 6.0, "expansion_9ml": 9.0}
POOR_ABOVE_MRS = 3.0
EXPANSION_LIMIT = 0.33
_SEXES = {"f": "F", "female": "F", "m": "M", "male": "M", "": ""}


@dataclass(frozen=True, eq=False)
class IchCohort:
    """Patients in the manifest's order.

    Args:
        manifest: its rows.
        sex: ``F``, ``M`` or nothing, for each.
        site: for each, or nothing.
        synthetic: whether they are phantoms.
        real_head: of phantoms, whether their haematomas lie in a real person's head.
    """

    manifest: Manifest
    sex: tuple[str, ...]
    site: tuple[str, ...]
    synthetic: bool = False
    real_head: bool = False

    def __len__(self) -> int:
        return len(self.manifest)

    @property
    def ids(self) -> tuple[str, ...]:
        return self.manifest.ids

    @property
    def patients(self) -> tuple[str, ...]:
        """Whose scan each row is."""
        return self.manifest.groups

    @property
    def where(self) -> str:
        """How messages call it."""
        return self.manifest.where

    def numbers(self, name: str) -> NDArray[np.float64]:
        """The column ``value_<name>``, (n,); NaN where a cell is empty.

        Raises:
            ManifestError: there is no such column.
        """
        if name not in self.manifest.value_names:
            raise ManifestError(
                f"{self.where} has no column value_{name}; it has: "
                f"{', '.join('value_' + one for one in self.manifest.value_names) or 'no value_ column'}."
            )
        return np.array([row.values.get(name, np.nan) for row in self.manifest.rows], np.float64)

    def outcome_names(self) -> tuple[str, ...]:
        """The outcomes that the columns tell, the paper's first."""
        return tuple(dict.fromkeys(name for name in (*TITLES, *self.manifest.tasks) if self._tells(name)))

    def outcome(self, name: str, volume_ml: ArrayLike | None = None) -> NDArray[np.float64]:
        """0, 1, or NaN where it is not known, (n,).

        Args:
            name: one of :meth:`outcome_names`.
            volume_ml: baseline volumes, which ``expansion_33pct`` needs.

        Raises:
            ManifestError: the columns do not tell it, or a label is neither 0 nor 1.
        """
        if not self._tells(name):
            raise ManifestError(
                f"{self.where} does not tell the outcome {name!r}: {_needs(name)}. "
                f"It tells: {', '.join(self.outcome_names()) or 'none'}."
            )
        found = self._computed(name, volume_ml)
        for i, row in enumerate(self.manifest.rows):
            if name in row.labels:
                if row.labels[name] > 1:
                    raise ManifestError(f"Case {row.id}, column label_{name}: expected 0 or 1, got {row.labels[name]}.")
                found[i] = row.labels[name]
        return found

    def network(self, column: str, default: Path | None = None) -> tuple[Path | None, ...]:
        """The bundle that each row names in ``encoder`` or ``autoencoder``, else ``default``."""
        folder = self.manifest.path.parent if self.manifest.path else Path()
        return tuple(folder / row.more[column] if column in row.more else default for row in self.manifest.rows)

    def take(self, rows: Sequence[int]) -> IchCohort:
        """Some of the rows, in this order."""
        kept = tuple(self.manifest.rows[i] for i in rows)
        return IchCohort(
            replace(self.manifest, rows=kept),
            tuple(self.sex[i] for i in rows),
            tuple(self.site[i] for i in rows),
            self.synthetic,
            self.real_head,
        )

    def _tells(self, name: str) -> bool:
        values = self.manifest.value_names
        by_value = "mrs" in values if name == "poor_outcome" else name in TITLES and "expansion_ml" in values
        return name in self.manifest.tasks or by_value

    def _computed(self, name: str, volume_ml: ArrayLike | None) -> NDArray[np.float64]:
        """What the numbers tell; NaN everywhere for an outcome that has a label column only."""
        none = np.full(len(self), np.nan)
        values = self.manifest.value_names
        if name == "poor_outcome" and "mrs" in values:
            return _above(self._mrs(), POOR_ABOVE_MRS)
        if name not in TITLES or name == "poor_outcome" or "expansion_ml" not in values:
            return none
        expansion = self.numbers("expansion_ml")
        if name in _LIMITS_ML:
            return _above(expansion, _LIMITS_ML[name])
        if volume_ml is None:
            return none
        return _above(expansion, EXPANSION_LIMIT * np.asarray(volume_ml, np.float64))

    def _mrs(self) -> NDArray[np.float64]:
        mrs = self.numbers("mrs")
        known = ~np.isnan(mrs)
        wrong = known & ((mrs < 0) | (mrs > 6) | (mrs != np.rint(mrs)))
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise ManifestError(
                f"Case {self.ids[row]}, column value_mrs: expected a whole number from 0 to 6, got {mrs[row]:g}."
            )
        return mrs


def read_cohort(path: str | Path, reading: Reading | None = None) -> IchCohort:
    """Read a manifest of haemorrhage patients, whose files are read as ``reading`` says.

    Raises:
        ManifestError: it cannot be read, has no column ``image``, or a cell of ``sex`` is none of F, M or empty.
    """
    manifest = read_manifest(path, need_labels=False, more=ICH_COLUMNS)
    return as_cohort(manifest if reading is None else manifest.read_as(reading))


def as_cohort(manifest: Manifest) -> IchCohort:
    """The cohort of a manifest that was read with :data:`ICH_COLUMNS` or made in memory.

    Raises:
        ManifestError: as for :func:`read_cohort`.
    """
    if "image" not in manifest.views:
        raise ManifestError(
            f"{manifest.where} has no column 'image', which names each patient's baseline CT; "
            f"its views are: {', '.join(manifest.views)}."
        )
    outcomes = dict.fromkeys((*TITLES, *manifest.tasks))  # each names a folder of an experiment
    distinct_parts(outcomes, f"{manifest.where}: outcomes", error=ManifestError)
    sex = []
    for row in manifest.rows:
        given = row.more.get("sex", "")
        if given.casefold() not in _SEXES:
            raise ManifestError(f"Case {row.id}, column sex: expected F, M or nothing, got {given!r}.")
        sex.append(_SEXES[given.casefold()])
    site = tuple(row.more.get("site", "") for row in manifest.rows)
    return IchCohort(manifest, tuple(sex), site, is_synthetic(manifest), has_real_heads(manifest))


def title_of(outcome: str) -> str:
    """What a person calls an outcome: ``"Expansion > 6 mL"``, or its name as words."""
    return words.title_of(outcome, TITLES.get(outcome, ""))


def image_of(row: ManifestRow) -> Path:
    """The file of the baseline CT.

    Raises:
        ManifestError: the cell is empty.
    """
    if "image" not in row.views:
        raise ManifestError(f"Case {row.id}, column image: this cell is empty; name the baseline CT there.")
    return row.views["image"]


def _above(values: NDArray[np.float64], limit: float | NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):
        found = (values > limit).astype(np.float64)
    found[np.isnan(values) | np.isnan(np.broadcast_to(limit, values.shape))] = np.nan
    return found


def _needs(name: str) -> str:
    needs: Mapping[str, str] = {"poor_outcome": "value_mrs"}
    column = needs.get(name, "value_expansion_ml" if name in TITLES else "")
    return f"it needs the column {column + ' or ' if column else ''}label_{name}"
