"""IchCase: what applying an outcome model to one patient gives, and the folder it is written to.

::

    OUT/
      ich.json                 volumes, risks with their calibration, groups, provenance, methods text (written last)
      segmentation.nii.gz      on the CT's own grid: 1 haematoma, 2 ring of the dilated haematoma
      gradcam.nii.gz           where the latents speak for each risk, one map an outcome; 0 outside haematoma and ring
      features.csv             measured features: label, feature, family, value
      lesion_features.csv      the same of each haematoma by itself, where asked for; label = its number by size
      shap.csv                 share of each component in each risk, largest first
      expansion.nii.gz, followup_registered.nii.gz, expansion.json   with a follow-up
"""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from deepradiomics.errors import InputError
from deepradiomics.files import write_json
from deepradiomics.images import Mask, Volume, write_mask, write_stack, write_volume

if TYPE_CHECKING:
    from deepradiomics.ich.expansion import Expansion

KIND = "ich-case"
HAEMATOMA, RING = 1, 2
"""Labels of segmentation.nii.gz."""
JSON_FILE, SEGMENTATION_FILE, GRADCAM_FILE = "ich.json", "segmentation.nii.gz", "gradcam.nii.gz"
FEATURES_FILE, LESIONS_FILE, SHAP_FILE = "features.csv", "lesion_features.csv", "shap.csv"
EXPANSION_JSON, EXPANSION_FILE, FOLLOWUP_FILE = "expansion.json", "expansion.nii.gz", "followup_registered.nii.gz"
CASE_FILES = (
    JSON_FILE, SEGMENTATION_FILE, GRADCAM_FILE, FEATURES_FILE, LESIONS_FILE, SHAP_FILE, EXPANSION_JSON, EXPANSION_FILE,
    FOLLOWUP_FILE,
)  # fmt: skip
"""Every file that :func:`write_case` may write."""


@dataclass(frozen=True)
class FeatureRow:
    """One measured feature: of which label of the haematoma's mask, its name, family and value (NaN: undefined)."""

    label: int
    feature: str
    family: str
    value: float


@dataclass(frozen=True)
class ShapRow:
    """Share of one component in the risk of one outcome.

    Args:
        outcome: name of the outcome.
        group: feature group of the component.
        component: name of the column.
        label: what a person calls it.
        value: of the patient, as the classifier sees it.
        shap: its share, in units of probability; shares and base value sum to the probability.
    """

    outcome: str
    group: str
    component: str
    label: str
    value: float
    shap: float


@dataclass(frozen=True, eq=False)
class IchCase:
    """Risk and explanation of one patient.

    Args:
        record: the content of ich.json, but for ``files``.
        ct: the baseline CT.
        segmentation: 1 haematoma, 2 ring, on the CT's grid.
        gradcam: by outcome, on the CT's grid; empty where the input holds no latents.
        features: as measured.
        shap: outcomes one after another, each with its largest absolute shares first.
        expansion: what the follow-up shows.
        lesions: features of each haematoma by itself; empty unless asked for.
    """

    record: Mapping[str, Any]
    ct: Volume
    segmentation: Mask
    gradcam: Mapping[str, Volume]
    features: tuple[FeatureRow, ...]
    shap: tuple[ShapRow, ...]
    expansion: Expansion | None = None
    lesions: tuple[FeatureRow, ...] = ()

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Names of the outcomes, in order."""
        return tuple(self.record["outcomes"])


def write_case(case: IchCase, folder: str | Path) -> Path:
    """Write the result folder: everything is made beside it first, then moved in, ``ich.json`` last.

    Files of ours that an earlier run left and this one did not make are removed; other files stay as they are.

    Raises:
        InputError: the folder cannot be written, or the disk is full.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".part-", dir=folder) as name:
            part = Path(name)
            write_mask(case.segmentation, part / SEGMENTATION_FILE)
            if case.gradcam:
                write_stack([case.gradcam[one] for one in case.outcomes], part / GRADCAM_FILE)
            _write_rows(part / FEATURES_FILE, [one.name for one in fields(FeatureRow)], case.features)
            if case.lesions:
                _write_rows(part / LESIONS_FILE, [one.name for one in fields(FeatureRow)], case.lesions)
            _write_rows(part / SHAP_FILE, [one.name for one in fields(ShapRow)], case.shap)
            if case.expansion is not None:
                write_mask(case.expansion.change, part / EXPANSION_FILE)
                write_volume(case.expansion.followup, part / FOLLOWUP_FILE)
                write_json(part / EXPANSION_JSON, case.expansion.to_dict())
            written = [one.name for one in part.iterdir()]
            write_json(part / JSON_FILE, {**case.record, "files": _named(written)})
            for name in (*sorted(written), JSON_FILE):
                os.replace(part / name, folder / name)
        for name in set(CASE_FILES) - {*written, JSON_FILE}:
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: the result could not be written ({error.strerror or error}).") from error
    return folder


def _named(written: Iterable[str]) -> dict[str, str]:
    """The files by what they are: ``{"segmentation": "segmentation.nii.gz", …}``."""
    found = {name.partition(".")[0]: name for name in sorted(written) if name != EXPANSION_JSON}
    return {**found, **({"expansion_record": EXPANSION_JSON} if EXPANSION_JSON in written else {})}


def _write_rows(path: Path, columns: Sequence[str], rows: Iterable[FeatureRow] | Iterable[ShapRow]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(columns)
        table.writerows([_cell(value) for value in astuple(row)] for row in rows)


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.9g}"
    return value
