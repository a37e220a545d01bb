"""Who drew a region: by hand, half or wholly by an algorithm; what a DICOM segmentation must say of each segment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError

from deepradiomics.errors import InputError
from deepradiomics.images import Code
from deepradiomics.images.dicom.elements import PYDICOM_ERRORS, quiet_pydicom

_SEGMENTATIONS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")


@dataclass(frozen=True)
class Drawn:
    """How a region came about.

    DICOM knows three ways and no "unknown". A mask that does not say is MANUAL: the one way that names no algorithm.

    Args:
        way: MANUAL, SEMIAUTOMATIC or AUTOMATIC.
        algorithm: its name; needed but for MANUAL.
        version: of the algorithm.
        family: the term of its kind (CID 7162), where it is known.

    Raises:
        InputError: an algorithm's way without its name.
    """

    way: Literal["MANUAL", "SEMIAUTOMATIC", "AUTOMATIC"] = "MANUAL"
    algorithm: str = ""
    version: str = ""
    family: Code | None = None

    def __post_init__(self) -> None:
        if self.way not in ("MANUAL", "SEMIAUTOMATIC", "AUTOMATIC"):
            raise InputError(f"way: expected MANUAL, SEMIAUTOMATIC or AUTOMATIC, got {self.way!r}.")
        if self.way != "MANUAL" and not self.algorithm:
            raise InputError(f"{self.way} segmentation: DICOM asks for the algorithm's name.")


BY_HAND = Drawn()

LEARNED = Code("123110", "DCM", "Artificial Intelligence")
"""The family of our own networks."""


def drawn_in(path: str | os.PathLike[str]) -> Mapping[int, Drawn]:
    """Return how each segment (by number) of a DICOM SEG was drawn; nothing for a mask of another format."""
    path = Path(path)
    files = sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]
    for file in files:
        try:
            with quiet_pydicom():
                header = dcmread(file, stop_before_pixels=True)
        except (InvalidDicomError, OSError, *PYDICOM_ERRORS):
            continue
        if header.get("SOPClassUID") in _SEGMENTATIONS:
            return {int(item.SegmentNumber): _of(item) for item in header.get("SegmentSequence", ())}
    return {}


def _of(item: Dataset) -> Drawn:
    way = str(item.get("SegmentAlgorithmType", ""))
    identified = (item.get("SegmentationAlgorithmIdentificationSequence") or [Dataset()])[0]
    name = str(identified.get("AlgorithmName") or item.get("SegmentAlgorithmName") or "")
    if way not in ("SEMIAUTOMATIC", "AUTOMATIC") or not name:
        return BY_HAND
    terms = identified.get("AlgorithmFamilyCodeSequence")
    family = None
    if terms and terms[0].get("CodeValue"):
        family = Code(*(str(terms[0].get(word, "")) for word in ("CodeValue", "CodingSchemeDesignator", "CodeMeaning")))
    return Drawn(way, name, str(identified.get("AlgorithmVersion") or ""), family)  # type: ignore[arg-type]
