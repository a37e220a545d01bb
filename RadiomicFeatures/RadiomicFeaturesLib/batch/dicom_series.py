"""The DICOM database's image series, each with the SEG or RTSTRUCT that was drawn on it.

::

    patient ─ study ─┬─ CT series  ◄── referenced by ── SEG       → a pair
                     ├─ MR series  ◄── referenced by ── RTSTRUCT  → a pair
                     └─ MR series                                 → no pair

Tables name a pair by its code, which is made of the series' UIDs and tells nobody who it is; the panel's list shows the
code beside the patient's name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from deepradiomics.errors import InputError

MASK_MODALITIES = ("SEG", "RTSTRUCT")
_MODALITY, _DESCRIPTION, _NUMBER, _NAME = "0008,0060", "0008,103E", "0020,0011", "0010,0010"


class Database(Protocol):
    """What is asked of `slicer.dicomDatabase` (ctkDICOMDatabase)."""

    def patients(self) -> Sequence[str]:
        """The database's own numbers of the patients."""

    def studiesForPatient(self, patient: str) -> Sequence[str]:
        """UIDs of the studies."""

    def seriesForStudy(self, study: str) -> Sequence[str]:
        """UIDs of the series."""

    def filesForSeries(self, series: str) -> Sequence[str]:
        """Paths of the files."""

    def fileValue(self, file: str, tag: str) -> str:
        """A header's text; empty where it is absent."""


@dataclass(frozen=True)
class SeriesPair:
    """An image series and what was drawn on it.

    Attributes
    ----------
    code
        What tables call it, such as ``CT 3f9a0c1b2d``.
    title
        What the panel's list shows: the code, patient and descriptions. Never written.
    key
        UIDs of both series, by which the panel remembers what was ticked.
    image, mask
        Files of the two series.
    """

    code: str
    title: str
    key: str
    image: tuple[str, ...]
    mask: tuple[str, ...]


def series_pairs(database: Database) -> tuple[SeriesPair, ...]:
    """All SEG and RTSTRUCT series with the image series that each refers to, in the order of the database.

    A SEG or RTSTRUCT whose image series is not in the database is left out: there is nothing to measure.
    """
    return tuple(
        pair
        for patient in database.patients()
        for pair in _pairs_of_patient(
            database,
            [series for study in database.studiesForPatient(patient) for series in database.seriesForStudy(study)],
        )
    )


def pair_row(pair: SeriesPair) -> Mapping[str, str]:
    """The pair as a row of a manifest.

    Raises:
        InputError: the files of the image series do not lie in one folder, or the mask is more than one file.
    """
    folders = {str(Path(file).parent) for file in pair.image}
    if len(folders) != 1:
        raise InputError(
            f"{pair.code}: the files of the series lie in {len(folders)} folders. Import it as a copy "
            "(DICOM module, 'Import' with 'Copy')."
        )
    if len(pair.mask) != 1:
        raise InputError(f"{pair.code}: expected one SEG or RTSTRUCT file in its series, found {len(pair.mask)}.")
    return {"id": pair.code, "image": pair.image[0], "mask": pair.mask[0]}


def _pairs_of_patient(database: Database, series: Sequence[str]) -> Iterator[SeriesPair]:
    files = {uid: tuple(file for file in database.filesForSeries(uid) if file) for uid in series}
    modality = {uid: database.fileValue(names[0], _MODALITY) for uid, names in files.items() if names}
    for mask in (uid for uid in modality if modality[uid] in MASK_MODALITIES):
        referenced = referenced_series(Path(files[mask][0]))
        for image in (uid for uid in modality if uid in referenced and modality[uid] not in MASK_MODALITIES):
            code = f"{modality[image]} {hashlib.sha256(f'{image} {mask}'.encode()).hexdigest()[:10]}"
            texts = [
                database.fileValue(files[image][0], _NAME).replace("^", " ").strip(),
                _described(database, files[image][0]),
                f"{modality[mask]} {_described(database, files[mask][0])}",
            ]
            title = ", ".join(text.strip() for text in texts if text.strip())
            yield SeriesPair(code, f"{code}: {title}", f"{image} {mask}", files[image], files[mask])


def _described(database: Database, file: str) -> str:
    number, text = database.fileValue(file, _NUMBER), database.fileValue(file, _DESCRIPTION)
    return f"{number}: {text}" if number and text else number or text


def referenced_series(file: Path) -> set[str]:
    """UIDs of the image series that a SEG or RTSTRUCT refers to; none where it cannot be read."""
    import pydicom
    from pydicom.errors import InvalidDicomError

    tags = ["ReferencedSeriesSequence", "ReferencedFrameOfReferenceSequence"]
    try:
        header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=tags)
        listed = [*header.get("ReferencedSeriesSequence", [])]
        for frame in header.get("ReferencedFrameOfReferenceSequence", []):
            for study in frame.get("RTReferencedStudySequence", []):
                listed += study.get("RTReferencedSeriesSequence", [])
        return {str(item.SeriesInstanceUID) for item in listed if "SeriesInstanceUID" in item}
    except (OSError, ValueError, AttributeError, KeyError, TypeError, NotImplementedError, InvalidDicomError):
        return set()


def open_database(application: Any) -> Database | None:
    """Slicer's DICOM database where it is open, else None."""
    database = getattr(application, "dicomDatabase", None)
    return database if database is not None and database.isOpen else None
