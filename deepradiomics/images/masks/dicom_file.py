"""DICOM objects that hold masks: which of a folder is meant, what a file is, and faults of a file put into words."""

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from deepradiomics.errors import InputError, MaskError

SEG = "1.2.840.10008.5.1.4.1.1.66.4"
LABEL_MAP_SEG = "1.2.840.10008.5.1.4.1.1.66.7"
RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
MASK_OBJECTS = {SEG: "DICOM SEG", LABEL_MAP_SEG: "DICOM SEG", RTSTRUCT: "RTSTRUCT"}
"""SOP classes that are read as masks, and what messages call them."""
_OTHER_OBJECTS = {  # SOP classes that people may take for a mask
    "1.2.840.10008.5.1.4.1.1.66.5": "a surface segmentation (meshes)",
    "1.2.840.10008.5.1.4.1.1.66.8": "a height map segmentation",
    "1.2.840.10008.5.1.4.1.1.66.1": "a spatial registration",
    "1.2.840.10008.5.1.4.1.1.66.3": "a deformable registration",
    "1.2.840.10008.5.1.4.1.1.481.2": "an RT dose",
    "1.2.840.10008.5.1.4.1.1.481.5": "an RT plan",
    "1.2.840.10008.5.1.4.1.1.88.34": "a structured report",
    "1.2.840.10008.5.1.4.1.1.30": "a parametric map",
}
_FAULTS = (
    ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError, RecursionError, NotImplementedError,
    OSError, EOFError, RuntimeError, MemoryError, struct.error, zlib.error,
)  # fmt: skip


@contextmanager
def faults_in_words(path: Path, what: str) -> Iterator[None]:
    """Turn what pydicom and numpy raise over a broken file into an InputError with the file's name.

    Raises:
        InputError: anything else than our own errors was raised.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pydicom, about values that are checked here
            yield
    except InputError:
        raise
    except _FAULTS as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(
            f"{path}: this {what} is damaged or not as DICOM has it ({reason}). Copy or export it again."
        ) from error


def mask_object(path: Path) -> Path | None:
    """The one DICOM SEG or RTSTRUCT that a path means: the file itself, or the only one of a folder; None: neither.

    Raises:
        InputError: a folder with several of them, or a DICOM object that can hold no mask.
    """
    if path.is_file():
        kind = sop_class(path)
        if kind in _OTHER_OBJECTS:
            raise InputError(
                f"{path}: expected a mask (DICOM SEG, RTSTRUCT, or a label image), got {_OTHER_OBJECTS[kind]}."
            )
        return path if kind in MASK_OBJECTS else None
    if not path.is_dir():
        return None
    objects = {file: sop_class(file) for file in sorted(path.iterdir()) if file.is_file()}
    masks = [file for file, kind in objects.items() if kind in MASK_OBJECTS]
    if len(masks) > 1:
        listed = ", ".join(f"{file.name} ({MASK_OBJECTS[objects[file] or '']})" for file in masks[:10])
        more = f" and {len(masks) - 10} more" if len(masks) > 10 else ""
        raise InputError(f"{path}: this folder holds {len(masks)} masks: {listed}{more}. Name the file that is meant.")
    return masks[0] if masks else None


def sop_class(path: Path) -> str | None:
    """The SOP class of a DICOM file; None of any other file."""
    import pydicom

    try:
        with open(path, "rb") as stream:
            if stream.read(132)[128:] != b"DICM" and path.suffix.lower() not in (".dcm", ".dicom", ".ima"):
                return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            header = pydicom.dcmread(path, force=True, stop_before_pixels=True, specific_tags=["SOPClassUID"])
            return str(header.get("SOPClassUID", "")) or None
    except Exception:  # pydicom 3 raises kinds of its own over bytes that are no DICOM
        return None


def dataset_of(path: Path) -> Any:
    """The pydicom dataset of a file. Call it inside :func:`faults_in_words`."""
    import pydicom

    return pydicom.dcmread(path, force=True)


def required(dataset: Any, name: str, where: str) -> Any:
    """An attribute that must be there and not be empty.

    Raises:
        MaskError: it is missing.
    """
    value = dataset.get(name)
    if value is None or (hasattr(value, "__len__") and len(value) == 0):
        raise MaskError(f"{where}: its attribute {name} is missing. Export it again.")
    return value


def numbers(dataset: Any, name: str, count: int, where: str) -> np.ndarray:
    """An attribute of ``count`` finite numbers.

    Raises:
        MaskError: it is missing, has another number of values, or one that is not finite.
    """
    values = np.atleast_1d(np.asarray(required(dataset, name, where), float))
    if values.shape != (count,) or not np.isfinite(values).all():
        raise MaskError(f"{where}: expected {count} finite numbers in its attribute {name}, got {values.tolist()}.")
    return values
