"""A result of the scene on its way to DICOM: the files of its volume, its regions and values, or why it cannot go.

::

    table ─ refers to ─► volume ─ DICOM.instanceUIDs ─► database ─► files of the series ┐
      └─ result folder: regions as they were measured ─────────────────────────────────┴─► Request

The segmentation in the scene may have been edited since; what goes out is the region that was measured.
"""

from __future__ import annotations

import math
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from deepradiomics import __version__
from deepradiomics.dicom_out import BY_HAND, Drawn
from deepradiomics.dicom_out.request import Request
from deepradiomics.errors import InputError
from deepradiomics.files.atomic import read_json
from deepradiomics.files.tables import read_csv
from deepradiomics.ich.patient.dicom import HAEMATOMA_SEGMENT, RING_SEGMENT, drawn_as
from deepradiomics.ich.patient.result import FEATURES_FILE, HAEMATOMA, JSON_FILE, RING, SEGMENTATION_FILE
from deepradiomics.scene.job.runner import FOLDER_ATTRIBUTE
from deepradiomics.scene.nodes.export import columns_of
from deepradiomics.scene.nodes.terminology import segment_of
from deepradiomics.scene.runs.node_files import write_image
from deepradiomics.scene.tree.folder import referenced_inputs
from deepradiomics.scene.tree.provenance import read_stamp

INSTANCES = "DICOM.instanceUIDs"
"""Attribute by which Slicer's DICOM module says which instances a volume was read from."""
REGIONS = "regions*.nrrd"
"""Label maps of what was measured, in the result's folder."""


class DicomDatabase(Protocol):
    """Slicer's DICOM database (``slicer.dicomDatabase``): the file of an instance, or an empty text."""

    def fileForInstance(self, uid: str, /) -> str: ...


def why_not_dicom(table: Any, database: DicomDatabase | None) -> str:
    """Say why a table's features cannot go out as DICOM; empty where they can, as far as a glance tells."""
    if table is None:
        return "There is no result yet."
    if reason := why_not_volume(referenced_inputs(table).get("image"), database):
        return reason
    if not _regions(table):
        return "The files of this result are gone. Run again; an output folder keeps them beyond this session."
    if "settings" not in read_stamp(table):
        return "This result does not say by what settings it was computed. Run again."
    return ""


def why_not_volume(volume: Any, database: DicomDatabase | None) -> str:
    """Say why nothing about a volume node can be written as DICOM; empty where it can, as far as a glance tells."""
    if find_spec("highdicom") is None:
        return "Writing DICOM needs the Python package highdicom, which is bundled from Slicer 5.12 on."
    if volume is None:
        return "The volume of this result is no longer in the scene."
    uids = _instances(volume)
    if not uids:
        return f"'{volume.GetName()}' was not loaded from Slicer's DICOM database, which alone knows its files."
    if database is None or not _file(database, uids[0]):
        return f"The DICOM files of '{volume.GetName()}' are not in Slicer's DICOM database (any more)."
    return ""


def dicom_request(table: Any, database: DicomDatabase | None, folder: Path) -> Request:
    """Write what the program needs into a folder, and return the request.

    Raises
    ------
    InputError
        The result cannot go out; the message says why.
    """
    if reason := why_not_dicom(table, database):
        raise InputError(reason)
    inputs = referenced_inputs(table)
    segmentation = inputs.get("segmentation")
    columns = columns_of(table)
    features: dict[int, dict[str, float]] = {}
    names: dict[int, str] = {}
    for label, region, feature, value in zip(*(columns[name] for name in _COLUMNS), strict=True):
        features.setdefault(int(label), {})[str(feature)] = math.nan if value is None else float(value)
        names[int(label)] = str(region)
    return Request(
        files=files_of(inputs["image"], database),
        image=written_image(inputs["image"], folder),
        masks=tuple(_regions(table)),
        segments={label: segment_of(segmentation, name) for label, name in names.items()},
        features=features,
        settings=read_stamp(table)["settings"],
        drawn=dict.fromkeys(
            features, BY_HAND if "segmentation" in inputs else Drawn("SEMIAUTOMATIC", "DeepRadiomics box", __version__)
        ),
    )


def ich_dicom_request(result: Path, ct: Any, database: DicomDatabase | None, folder: Path) -> Request:
    """The same for a patient's haematoma: ``result`` is the folder of ``ich apply``, ``ct`` the volume node.

    Raises
    ------
    InputError
        The result cannot go out, or its folder is damaged; the message says why.
    """
    if reason := why_not_volume(ct, database):
        raise InputError(reason)
    record = read_json(result / JSON_FILE)
    if not isinstance(record, dict) or not isinstance(record.get("settings"), dict):
        raise InputError(f"{result / JSON_FILE} does not say by what settings the features were computed. Apply again.")
    table = read_csv(result / FEATURES_FILE)
    rows = zip(*(table.column(name) for name in ("label", "feature", "value")), strict=True)
    features = {name: float(value or "nan") for label, name, value in rows if int(label) == HAEMATOMA}
    return Request(
        files=files_of(ct, database),
        image=written_image(ct, folder),
        masks=(result / SEGMENTATION_FILE,),
        segments={HAEMATOMA: HAEMATOMA_SEGMENT, RING: RING_SEGMENT},
        features={HAEMATOMA: features},
        settings=record["settings"],
        drawn=drawn_as((record.get("inputs") or {}).get("mask") or {"origin": "given"}),
    )


def files_of(volume: Any, database: DicomDatabase | None) -> tuple[Path, ...]:
    """The DICOM files of a volume node.

    Raises
    ------
    InputError
        Some are not in the database, or no longer there.
    """
    uids = _instances(volume)
    files = [_file(database, uid) for uid in uids] if database is not None else []
    there = tuple(file for file in files if file is not None)
    if len(there) < len(uids):
        raise InputError(
            f"'{volume.GetName()}': {len(uids) - len(there)} of its {len(uids)} DICOM files are not in Slicer's DICOM "
            "database (any more)."
        )
    return there


def written_image(volume: Any, folder: Path) -> Path:
    """Write a volume node's voxels for the program, which compares them with the DICOM files."""
    return write_image(volume, folder / "image.nrrd", flat=True)


_COLUMNS = ("label", "region", "feature", "value")


def _instances(volume: Any) -> list[str]:
    return str(volume.GetAttribute(INSTANCES) or "").split()


def _file(database: DicomDatabase, uid: str) -> Path | None:
    """The file of an instance, where the database has it and it is still there."""
    name = database.fileForInstance(uid)
    path = Path(name) if name else None
    return path if path is not None and path.is_file() else None


def _regions(table: Any) -> list[Path]:
    folder = table.GetAttribute(FOLDER_ATTRIBUTE)
    return sorted(Path(folder).glob(REGIONS)) if folder else []


__all__ = ["DicomDatabase", "dicom_request", "ich_dicom_request", "why_not_dicom", "why_not_volume"]
