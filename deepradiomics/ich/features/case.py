"""Radiomics and volume of one patient of a cohort, kept by content: what a worker does with a row of the manifest.

row ─► CT (HU?) ─► haematoma on the CT's grid ─► all, largest or each ─► key = hash(CT, region, settings, engine)
 └─► key = hash(files, settings, version): kept? then no image is read    └─► kept? else 1,688 features
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deepradiomics import __version__
from deepradiomics.cohort.manifest import ManifestRow
from deepradiomics.errors import DeepRadiomicsError, InputError
from deepradiomics.files import content_hash, read_json, sha256_image, write_json
from deepradiomics.ich.case_region import given_region
from deepradiomics.ich.cohort import image_of
from deepradiomics.ich.marks import image_mark
from deepradiomics.images import Mask, Volume, read_mask, read_volume
from deepradiomics.prepare.hu import check_hu

if TYPE_CHECKING:
    from deepradiomics.radiomics import Settings

RADIOMICS_VERSION = "1"  # raise when the same CT and region would give other numbers
_LEVELS = "grey level"  # the engine's warnings of few levels are the same for nearly everybody: told once, not by case


@dataclass(frozen=True)
class FeatureSettings:
    """What is measured of each patient.

    Args:
        radiomics: a preset of the engine or a PyRadiomics file.
        bin_width_hu: width of the grey-level bins; None takes the preset's (25).
        label: of the haematoma in the masks; None takes the only label a mask has.
        lesions: of several haematomas ``all`` as one region, the ``largest``, or ``each`` in a row of its own.
    """

    radiomics: str = "ich-1688"
    bin_width_hu: float | None = None
    label: int | None = None
    lesions: str = "all"

    def params(self) -> dict[str, Any]:
        """The engine's parameters (a PyRadiomics structure).

        Raises:
            InputError: no such preset or file, or an unknown setting in it.
        """
        from deepradiomics.radiomics.parameters import read_params

        sections = dict(read_params(self.radiomics))
        setting = {**(sections.get("setting") or {}), "label": 1}  # the region comes as label 1
        if self.bin_width_hu is not None:
            setting["binWidth"] = self.bin_width_hu
        return {**sections, "setting": setting}

    def engine(self) -> Settings:
        """The engine's settings."""
        from deepradiomics.radiomics import Settings

        return Settings.from_params(self.params())

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Measured:
    """One row of the feature table.

    Args:
        id: the case; with ``lesions="each"`` and several haematomas ``<case>#<number>``.
        values: radiomic features in the engine's order, NaN where undefined.
        volume_ml: of the haematoma, on the mask's own grid.
        mark: of the CT.
        region: hash of the haematoma on the CT's grid.
        lesion: 0 for the whole region, else the number of the haematoma by falling size.
        notes: what was assumed or found.
        computed: whether it was not kept from an earlier run.
    """

    id: str
    values: NDArray[np.float64]
    volume_ml: float
    mark: str
    region: str
    lesion: int
    notes: tuple[str, ...]
    computed: bool


@dataclass(frozen=True)
class CaseJob:
    """All that a worker needs for one patient; small, for it travels."""

    row: ManifestRow
    settings: FeatureSettings
    cache: Path
    threads: int | None = None


def measure_or_explain(job: CaseJob) -> tuple[Measured, ...] | str:
    """The patient's rows, or why he cannot be used. A full disk is no fault of the patient: it is raised."""
    summary = _summary(job)
    known = _remembered(job, summary)
    if known is not None:
        return known
    found = []
    try:
        for ct, mask, volume_ml, lesion, notes in case_regions(job.row, job.settings):
            mark, region = image_mark(ct), content_hash(np.packbits(mask.labels != 0), ct.geometry.to_dict())
            file = _file(job, mark, region)
            entry = _kept(file)
            computed = entry is None
            if entry is None:
                entry = _extracted(ct, mask, job)
            found.append((file, entry, _row(job, entry, volume_ml, mark, region, lesion, notes, computed)))
    except InputError as error:
        text = str(error)
        return text if f"Case {job.row.id}" in text else f"Case {job.row.id}: {text}"
    except DeepRadiomicsError:
        raise
    except Exception as error:
        error.add_note(f"This happened in case {job.row.id}.")
        raise
    for file, entry, row in found:
        if row.computed:
            write_json(file, entry)
    measured = tuple(row for _, _, row in found)
    if summary is not None:
        _remember(job, summary, [file for file, _, _ in found], measured)
    return measured


def case_regions(
    row: ManifestRow, settings: FeatureSettings, *, check: bool = True
) -> tuple[tuple[Volume, Mask, float, int, tuple[str, ...]], ...]:
    """The CT, the haematoma (label 1 on the CT's grid), its volume in mL, its number, and notes; one entry a region.

    Raises:
        InputError: the CT or the mask cannot be used; the message names the case.
    """
    ct, hu_notes = read_ct(row, check=check)
    if row.mask is None:
        raise InputError(
            f"Case {row.id}, column mask: this cell is empty. Draw the haematoma and name its mask there, or let a "
            "network segment it (column encoder, or --encoder)."
        )
    try:
        mask = read_mask(row.mask)
    except InputError as error:
        raise type(error)(f"Case {row.id}, column mask: {error}") from error
    each = settings.lesions == "each"
    lesions = "largest" if settings.lesions == "largest" else "all"
    region = given_region(ct, mask, label=settings.label, lesions=lesions, each=each, case=row.id)
    notes = (*hu_notes, *region.notes)
    if not each or len(region.parts_ml) == 1:
        volume_ml = region.parts_ml[0] if lesions == "largest" else sum(region.parts_ml)
        return ((ct, region.mask, volume_ml, 0, notes),)
    return tuple(
        (ct, Mask(region.parts.labels == number, ct.geometry, f"haematoma {number}"), ml, number, notes)
        for number, ml in enumerate(region.parts_ml, start=1)
    )


def read_ct(row: ManifestRow, *, check: bool = True) -> tuple[Volume, tuple[str, ...]]:
    """The baseline CT and notes on it; ``check`` is left out where its grey levels were checked before.

    Raises:
        InputError: it cannot be read, or cannot be in HU; the message names the case.
    """
    path = image_of(row)
    try:
        ct = read_volume(path)
    except InputError as error:
        raise type(error)(f"Case {row.id}, column image: {error}") from error
    return ct, tuple(check_hu(ct, case=row.id)) if check else ()


def _remembered(job: CaseJob, file: Path | None) -> tuple[Measured, ...] | None:
    """The rows of an earlier run on the same files, found without reading an image; None where there are none."""
    if file is None:
        return None
    found = []
    try:
        for row in read_json(file)["rows"]:
            entry = _kept(job.cache / row["file"])
            if entry is None:
                return None
            place = (row["volume_ml"], row["mark"], row["region"], row["lesion"], tuple(row["notes"]))
            found.append(_row(job, entry, *place, computed=False))
    except (InputError, KeyError, TypeError):  # not there, or damaged
        return None
    return tuple(found)


def _remember(job: CaseJob, file: Path, entries: Sequence[Path], measured: Sequence[Measured]) -> None:
    rows = [
        {
            "file": entry.relative_to(job.cache).as_posix(), "volume_ml": row.volume_ml, "mark": row.mark,
            "region": row.region, "lesion": row.lesion, "notes": row.notes,
        }
        for entry, row in zip(entries, measured, strict=True)
    ]  # fmt: skip
    write_json(file, {"rows": rows})


def _summary(job: CaseJob) -> Path | None:
    """Where it is kept what was found in a case's files; None where they cannot be read."""
    row = job.row
    if "image" not in row.views or row.mask is None:
        return None
    try:
        files = [sha256_image(row.views["image"]), sha256_image(row.mask)]
    except InputError:  # the reader says what is wrong with them
        return None
    settings = [job.settings.engine().to_dict(), job.settings.label, job.settings.lesions]
    key = content_hash(__version__, RADIOMICS_VERSION, _engine_version(), settings, row.id, files)
    return job.cache / "cases" / key[:2] / f"{key}.json"


def _file(job: CaseJob, mark: str, region: str) -> Path:
    key = content_hash(RADIOMICS_VERSION, _engine_version(), job.settings.engine().to_dict(), mark, region)
    return job.cache / "radiomics" / key[:2] / f"{key}.json"


def _row(
    job: CaseJob,
    entry: Mapping[str, Any],
    volume_ml: float,
    mark: str,
    region: str,
    lesion: int,
    notes: tuple[str, ...],
    computed: bool,
) -> Measured:
    name = f"{job.row.id}#{lesion}" if lesion else job.row.id
    values = np.array([np.nan if one is None else one for one in entry["values"]], np.float64)
    told = tuple(dict.fromkeys((*notes, *entry["warnings"])))
    return Measured(name, values, volume_ml, mark, region, lesion, told, computed)


def _extracted(ct: Volume, mask: Mask, job: CaseJob) -> dict[str, Any]:
    from deepradiomics.radiomics import extract

    found = extract(ct, mask, job.settings.params(), device="cpu", threads=job.threads)
    told = [str(text) for text in found.diagnostics.get("warnings", ()) if _LEVELS not in str(text)]
    return {
        "values": [float(value) if np.isfinite(value) else None for value in found.values()],
        "levels": dict(found.diagnostics.get("grey_levels_by_image") or {}),
        "warnings": told,
    }


def _kept(file: Path) -> Mapping[str, Any] | None:
    """A kept result; None where it is not there or damaged (then it is computed again)."""
    try:
        entry = read_json(file)
    except InputError:
        return None
    return entry if isinstance(entry, dict) and {"values", "warnings"} <= set(entry) else None


@cache
def _engine_version() -> str:
    from deepradiomics.radiomics import ENGINE_VERSION

    return str(ENGINE_VERSION)
