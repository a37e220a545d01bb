"""Radiomics and volume of one patient of a cohort, kept by content: what a worker does with a row of the manifest.

row ─► CT (HU?) ─► haematoma on the CT's grid ─► all, largest or each ─► key = hash(CT, region, settings, engine)
 └─► key = hash(files, settings, version): there? then no image is read   └─► there? else 1,688 features
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepradiomics import __version__
from deepradiomics.cohort.contents import image_hash
from deepradiomics.cohort.manifest import ManifestRow
from deepradiomics.cohort.roi import reading_of
from deepradiomics.cohort.seen.marks import image_mark
from deepradiomics.errors import InputError
from deepradiomics.files.atomic import content_hash
from deepradiomics.files.store import ContentStore, Entry, Kind
from deepradiomics.ich.cohort.manifest import image_of
from deepradiomics.ich.haematoma.region import given_region
from deepradiomics.images import Mask, Volume
from deepradiomics.prepare.head.hu import check_hu
from deepradiomics.radiomics import ENGINE_VERSION, Settings, extract
from deepradiomics.radiomics.settings.parameters import read_params

RADIOMICS = Kind("radiomics", version=2, about=("values", "levels", "warnings"))
"""Raise the version when the same CT and region would give other numbers."""
SUMMARIES = Kind("cases", version=3, about=("rows",))
"""What was found in a case's files; raise the version when its notes or volumes would be others."""
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
        sections = dict(read_params(self.radiomics))
        setting = {**(sections.get("setting") or {}), "label": 1}  # the region comes as label 1
        if self.bin_width_hu is not None:
            setting["binWidth"] = self.bin_width_hu
        return {**sections, "setting": setting}

    def engine(self) -> Settings:
        """The engine's settings."""
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


def measure(job: CaseJob) -> tuple[Measured, ...]:
    """The patient's rows.

    Raises:
        InputError: their CT or mask cannot be used.
    """
    summary = _summary_key(job)
    known = None if summary is None else _remembered(job, summary)
    if known is not None:
        return known
    store = ContentStore(job.cache, RADIOMICS)
    measured, rows = [], []
    for ct, mask, volume_ml, lesion, notes in case_regions(job.row, job.settings):
        mark, region = image_mark(ct), content_hash(np.packbits(mask.union()), ct.geometry.to_dict())
        key = RADIOMICS.key(
            engine=_engine_version(), settings=job.settings.engine().to_dict(), image=mark, region=region
        )
        entry = store.get(key)
        computed = entry is None
        if entry is None:
            entry = store.put(key, _extracted(ct, mask, job))
        place = {"volume_ml": volume_ml, "mark": mark, "region": region, "lesion": lesion, "notes": list(notes)}
        measured.append(_row(job, entry, place, computed))
        rows.append({"key": key, **place})
    if summary is not None:
        ContentStore(job.cache, SUMMARIES).put(summary, {"rows": rows})
    return tuple(measured)


def case_regions(
    row: ManifestRow, settings: FeatureSettings, *, check: bool = True
) -> tuple[tuple[Volume, Mask, float, int, tuple[str, ...]], ...]:
    """The CT, the haematoma (label 1 on the CT's grid), its volume in mL, its number, and notes; one entry per region.

    Raises:
        InputError: the CT or the mask cannot be used; the message names the case.
    """
    ct, hu_notes = read_ct(row, check=check)
    if row.mask is None:
        raise InputError(
            f"Case {row.id}, column mask: this cell is empty. Draw the haematoma and name its mask there, or let a "
            "network segment it (column encoder, or --encoder)."
        )
    reading = reading_of(row)
    if settings.label is not None and not reading.names_labels:
        reading = reading.for_label(settings.label)
    try:
        mask = reading.read_drawn(row.mask, ct)
    except InputError as error:
        raise type(error)(f"Case {row.id}, column mask: {error}") from error
    each = settings.lesions == "each"
    lesions = "largest" if settings.lesions == "largest" else "all"
    region = given_region(ct, mask, reading=reading, lesions=lesions, each=each, case=row.id)
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
        ct = reading_of(row).read_volume(path)
    except InputError as error:
        raise type(error)(f"Case {row.id}, column image: {error}") from error
    return ct, (*ct.notes, *(check_hu(ct, case=row.id) if check else ()))


def _remembered(job: CaseJob, summary: str) -> tuple[Measured, ...] | None:
    """The rows of an earlier run on the same files, found without reading an image; None where there are none."""
    entry = ContentStore(job.cache, SUMMARIES).get(summary)
    rows = entry.about["rows"] if entry is not None else []
    store, measured = ContentStore(job.cache, RADIOMICS), []
    for row in rows:
        features = store.get(row["key"])
        if features is None:
            return None
        measured.append(_row(job, features, row, computed=False))
    return tuple(measured) or None


def _summary_key(job: CaseJob) -> str | None:
    """Key of what was found in a case's files; None where they cannot be read."""
    row = job.row
    if "image" not in row.views or row.mask is None:
        return None
    try:
        files = [image_hash(row.views["image"]), image_hash(row.mask)]
    except InputError:  # the reader says what is wrong with them
        return None
    return SUMMARIES.key(
        software=__version__,
        engine=_engine_version(),
        radiomics=RADIOMICS.version,
        settings=job.settings.engine().to_dict(),
        label=job.settings.label,
        lesions=job.settings.lesions,
        reading=reading_of(row).to_dict(),
        id=row.id,
        files=files,
    )


def _row(job: CaseJob, entry: Entry, place: Mapping[str, Any], computed: bool) -> Measured:
    lesion = place["lesion"]
    name = f"{job.row.id}#{lesion}" if lesion else job.row.id
    values = np.array([np.nan if value is None else value for value in entry.about["values"]], np.float64)
    notes = tuple(dict.fromkeys((*place["notes"], *entry.about["warnings"])))
    return Measured(name, values, place["volume_ml"], place["mark"], place["region"], lesion, notes, computed)


def _extracted(ct: Volume, mask: Mask, job: CaseJob) -> dict[str, Any]:
    features = extract(ct, mask, job.settings.params(), device="cpu", threads=job.threads)
    warnings = [str(text) for text in features.diagnostics.get("warnings", ()) if _LEVELS not in str(text)]
    return {
        "values": [float(value) if np.isfinite(value) else None for value in features.values()],
        "levels": dict(features.diagnostics.get("grey_levels_by_image") or {}),
        "warnings": warnings,
    }


@cache
def _engine_version() -> str:
    return str(ENGINE_VERSION)
