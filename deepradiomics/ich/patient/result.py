"""What an outcome model gives for one patient (IchCase), and its folder: written, and read back (CaseFolder).

::

    OUT/
      ich.json                 volumes, risks with their calibration, groups, provenance, methods text (written last)
      segmentation.nii.gz      on the CT's own grid: 1 haematoma, 2 ring of the dilated haematoma
      gradcam.nii.gz           where the latents speak for each risk, one map per outcome; 0 outside haematoma and ring
      features.csv             measured features: label, feature, family, value
      lesion_features.csv      the same of each haematoma by itself, where asked for; label = its number by size
      shap.csv                 share of each component in each risk, largest first
      expansion.nii.gz, followup_registered.nii.gz, expansion.json   with a follow-up
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field, fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from deepradiomics.errors import GeometryError, InputError
from deepradiomics.files.atomic import write_json
from deepradiomics.files.reading import reads
from deepradiomics.files.results import Row, column_types, read_object, read_rows
from deepradiomics.files.tables import write_csv
from deepradiomics.ich.cohort.manifest import title_of
from deepradiomics.ich.features.patient import FeatureRow
from deepradiomics.ich.haematoma.result import (
    EXPANSION_FILE,
    EXPANSION_JSON,
    FOLLOWUP_FILE,
    ExpansionFolder,
    read_labels,
)
from deepradiomics.images import Geometry, Mask, Volume, write_mask, write_stack
from deepradiomics.images.maps import read_stack
from deepradiomics.public import one_line

if TYPE_CHECKING:
    from deepradiomics.ich.haematoma.expansion import Expansion
    from deepradiomics.radiomics import Settings

KIND = "ich-case"
HAEMATOMA, RING = 1, 2
"""Labels of segmentation.nii.gz."""
JSON_FILE, SEGMENTATION_FILE, GRADCAM_FILE = "ich.json", "segmentation.nii.gz", "gradcam.nii.gz"
FEATURES_FILE, LESIONS_FILE, SHAP_FILE = "features.csv", "lesion_features.csv", "shap.csv"
CASE_FILES = (
    JSON_FILE,
    SEGMENTATION_FILE,
    GRADCAM_FILE,
    FEATURES_FILE,
    LESIONS_FILE,
    SHAP_FILE,
    EXPANSION_JSON,
    EXPANSION_FILE,
    FOLLOWUP_FILE,
)
"""Every file that :func:`write_case` may write."""


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


@one_line
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
        settings: what the features were computed by.
    """

    record: Mapping[str, Any]
    ct: Volume
    segmentation: Mask
    gradcam: Mapping[str, Volume]
    features: tuple[FeatureRow, ...]
    shap: tuple[ShapRow, ...]
    expansion: Expansion | None = None
    lesions: tuple[FeatureRow, ...] = ()
    settings: Settings | None = None

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Names of the outcomes, in order."""
        return tuple(self.record["outcomes"])


@one_line
@dataclass(frozen=True, eq=False)
class CaseFolder:
    """A patient's results, read back.

    Args:
        folder: where they lie.
        record: ``ich.json``.
        segmentation: 1 haematoma, 2 ring.
        gradcam: by outcome, on the segmentation's grid; empty where the model takes no latents.
        shap: rows of shap.csv, the largest of each outcome first.
        features: rows of features.csv.
        ct: the baseline CT; None when it was not given, for the folder does not hold it.
        expansion: what became of the haematoma; None without a follow-up.
    """

    folder: Path
    record: Mapping[str, Any]
    segmentation: Mask
    gradcam: Mapping[str, Volume] = field(default_factory=dict)
    shap: Sequence[Row] = ()
    features: Sequence[Row] = ()
    ct: Volume | None = None
    expansion: ExpansionFolder | None = None

    @classmethod
    @reads(JSON_FILE)
    def read(
        cls,
        folder: Path | str,
        ct: Volume | None = None,
        followup: Volume | None = None,
        *,
        spelled: Callable[[str], str] = str,
    ) -> CaseFolder:
        """Read and check a folder of ``ich apply``.

        Args:
            folder: where it lies.
            ct: the baseline CT.
            followup: the registered follow-up, instead of the folder's own.
            spelled: how names of outcomes are spelled where the result is shown.

        Raises:
            InputError: it is none, or a file is missing or damaged; the message names the file.
            GeometryError: the CT or a map is not on the segmentation's grid.
        """
        folder = Path(folder)
        record = _read_record(folder / JSON_FILE)
        record["outcomes"] = {spelled(name): outcome for name, outcome in record["outcomes"].items()}
        segmentation = read_labels(folder / SEGMENTATION_FILE, (HAEMATOMA, RING))
        grid = segmentation.geometry
        maps = folder / GRADCAM_FILE
        gradcam = read_stack(maps, tuple(record["outcomes"]), "outcomes") if maps.is_file() else {}
        expansion = ExpansionFolder.read(folder) if record.get("followup") is not None else None
        if expansion is not None and followup is not None:
            expansion = replace(expansion, followup=followup)
        _check_grid(grid, ct, "the CT")
        for name, volume in gradcam.items():
            _check_grid(grid, volume, f"{maps}: the map of {name}")
        if expansion is not None:
            _check_grid(grid, expansion.change, EXPANSION_FILE)
            _check_grid(grid, expansion.followup, "the registered follow-up")
        return cls(
            folder,
            record,
            segmentation,
            {name: Volume(volume.voxels.astype(np.float32), grid, name) for name, volume in gradcam.items()},
            [
                {**row, "outcome": spelled(row["outcome"])}
                for row in read_rows(folder / SHAP_FILE, column_types(ShapRow))
            ],
            read_rows(folder / FEATURES_FILE, column_types(FeatureRow)),
            ct,
            expansion,
        )

    @property
    def outcomes(self) -> Mapping[str, Mapping[str, Any]]:
        """What is known of each outcome, by name, in the order of the maps."""
        return self.record.get("outcomes") or {}

    def title(self, outcome: str) -> str:
        """An outcome's title."""
        return str(self.outcomes[outcome].get("title") or title_of(outcome))

    @property
    def outside(self) -> bool:
        """Whether the case lies outside the training cohort, so that no class is shown."""
        return bool(self.record.get("outside_training_cohort"))

    @property
    def haematoma(self) -> np.ndarray:
        """Where the haematoma is, bool (z, y, x)."""
        return self.segmentation.labels == HAEMATOMA

    @property
    def dilated(self) -> np.ndarray:
        """The haematoma with its ring, bool (z, y, x)."""
        return self.segmentation.labels > 0


def _read_record(path: Path) -> dict[str, Any]:
    record = read_object(path)
    if record.get("kind") != KIND:
        raise InputError(
            f"{path}: expected a case of 'ich apply' (kind {KIND!r}), got {record.get('kind')!r}: it was not written "
            "by `ich apply`."
        )
    lacking = [key for key in ("outcomes", "volumes", "case_id") if key not in record]
    if lacking or not isinstance(record["outcomes"], Mapping):
        what = f"has no '{lacking[0]}'" if lacking else "does not describe one patient's haematoma"
        raise InputError(f"{path} {what}: it was not written by `ich apply`")
    for name, outcome in record["outcomes"].items():
        if absent := [key for key in ("probability", "threshold", "groups") if key not in outcome]:
            raise InputError(f"{path}: outcome '{name}' has no '{absent[0]}'; run `ich apply` again")
    return record


def _check_grid(grid: Geometry, image: Volume | Mask | None, what: str) -> None:
    # Not as strict as elsewhere: a header in single precision may move a corner of a large image by a hundredth.
    if image is not None and not image.geometry.is_close(grid, tolerance_mm=0.05):
        raise GeometryError(
            f"{what} is not on the grid of {SEGMENTATION_FILE} (size {image.geometry.size}, expected {grid.size}, or "
            "another place). Give the CT that 'ich apply' was given, or apply again."
        )


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
                write_stack([case.gradcam[name] for name in case.outcomes], part / GRADCAM_FILE)
            _write_rows(part / FEATURES_FILE, [column.name for column in fields(FeatureRow)], case.features)
            if case.lesions:
                _write_rows(part / LESIONS_FILE, [column.name for column in fields(FeatureRow)], case.lesions)
            _write_rows(part / SHAP_FILE, [column.name for column in fields(ShapRow)], case.shap)
            if case.expansion is not None:
                measured = case.expansion
                ExpansionFolder(measured.to_dict(), measured.change, measured.followup).write(part)
            written = [file.name for file in part.iterdir()]
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
    write_csv(path, columns, ([_cell(value) for value in astuple(row)] for row in rows))


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.9g}"
    return value
