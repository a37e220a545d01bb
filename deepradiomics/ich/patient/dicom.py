"""The haematoma as DICOM SEG, and its radiomic features as structured report."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepradiomics import __version__
from deepradiomics.dicom_out import BY_HAND, LEARNED, Drawn, prepare_case, write_case
from deepradiomics.errors import InputError
from deepradiomics.ich.patient.result import HAEMATOMA, RING, IchCase
from deepradiomics.images import Code, Mask, Segment

if TYPE_CHECKING:
    from deepradiomics.dicom_out import Drawn, SourceSeries, WrittenCase

HAEMATOMA_SEGMENT = Segment(
    "haematoma",
    (0.85, 0.1, 0.1),
    Code("49755003", "SCT", "Morphologically Abnormal Structure"),
    Code("35566002", "SCT", "Hematoma"),
)
RING_SEGMENT = Segment("ring", (1.0, 0.75, 0.2))


def write_haematoma(
    mask: Mask, source: SourceSeries, folder: Path, *, network: str, version: str, label: int = HAEMATOMA
) -> WrittenCase:
    """Write what a network has segmented as SEG.

    Args:
        mask: the haematoma on the CT's grid; not empty.
        source: the CT series.
        folder: to write into.
        network: the network's name.
        version: what tells it from others: the beginning of its hash.
        label: of the haematoma.

    Raises:
        InputError: files are there already, or cannot be written.
    """
    named = _with_segments(mask, {label: HAEMATOMA_SEGMENT})
    return write_case(named, source, folder, drawn=Drawn("AUTOMATIC", network, version, LEARNED))


def write_case_dicom(case: IchCase, source: SourceSeries, folder: Path) -> WrittenCase:
    """Write haematoma and ring of a patient as SEG, the haematoma's radiomic features as report.

    Raises:
        InputError: files are there already or cannot be written, or the case says nothing of its settings.
    """
    if case.settings is None:
        raise InputError("case: a structured report says by what the features were computed; this case does not know.")
    mask = _with_segments(case.segmentation, {HAEMATOMA: HAEMATOMA_SEGMENT, RING: RING_SEGMENT})
    features = {row.feature: row.value for row in case.features if row.label == HAEMATOMA}
    drawn = drawn_as(case.record["inputs"]["mask"])
    return prepare_case(mask, source, folder, drawn=drawn).write({HAEMATOMA: features}, case.settings)


def drawn_as(origin: Mapping[str, Any]) -> dict[int, Drawn]:
    """Who drew haematoma and ring, given what a record says of the mask: the user, or the network that it names."""
    haematoma = BY_HAND
    if origin["origin"] != "given":
        name, version = str(origin["name"] or origin["origin"]), str(origin["sha256"] or "")[:16]
        haematoma = Drawn("AUTOMATIC", name, version, LEARNED)
    return {HAEMATOMA: haematoma, RING: Drawn("SEMIAUTOMATIC", "DeepRadiomics ring", __version__)}


def _with_segments(mask: Mask, segments: dict[int, Segment]) -> Mask:
    present = {label: segment for label, segment in segments.items() if label in mask.labels_present()}
    return Mask(
        mask.labels, mask.geometry, mask.name, mask.source, present, mask.covered, mask.notes, mask.frame_of_reference
    )


__all__ = ["HAEMATOMA_SEGMENT", "RING_SEGMENT", "drawn_as", "write_case_dicom", "write_haematoma"]
