"""Values of DICOM elements, typed: decimal strings are parsed as the standard writes them, whatever the locale."""

from __future__ import annotations

import math
import re
import struct
import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.tag import BaseTag

from deepradiomics.errors import InputError

# What pydicom raises when a value is not what its type promises.
PYDICOM_ERRORS = (
    ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, NotImplementedError, EOFError,
    RecursionError, struct.error, MemoryError, AssertionError, BytesLengthException, InvalidDicomError,
)  # fmt: skip

_TEXT_TYPES = ["AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"]
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


_ONE_AT_A_TIME = threading.RLock()  # the filters of warnings belong to the whole process


@contextmanager
def quiet_pydicom() -> Iterator[None]:
    """Keep pydicom's remarks about odd values to itself: what matters of them is checked and said here."""
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@cache
def tag_of(keyword: str) -> BaseTag:
    """Return the tag of a keyword of the standard."""
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise LookupError(f"{keyword} is no keyword of DICOM")
    return BaseTag(tag)


@cache
def _vr(tag: BaseTag) -> str:
    try:
        return dictionary_VR(tag)
    except KeyError:
        return "UN"


def _content(dataset: Dataset, tag: BaseTag) -> tuple[Any, str]:
    """Value (bytes where pydicom has not converted it) and type of an element; (None, "") where it is absent."""
    element = dataset.get_item(tag)
    if element is None:
        return None, ""
    vr = element.VR
    return element.value, (_vr(tag) if vr in (None, "UN") else str(vr))


def _converted(dataset: Dataset, tag: BaseTag) -> Any:
    """The value of a binary element as pydicom makes it out; None where it cannot."""
    try:
        return dataset[tag].value
    except PYDICOM_ERRORS:
        return None


def texts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """Return the values of a text element without padding; empty where it is absent."""
    return texts_at(dataset, tag_of(keyword))


def texts_at(dataset: Dataset, tag: BaseTag) -> tuple[str, ...]:
    """As :func:`texts`, by tag: for private elements."""
    value, vr = _content(dataset, tag)
    if isinstance(value, bytes):
        value = value.decode("latin-1") if vr in _TEXT_TYPES or vr == "UN" else _converted(dataset, tag)
    if value is None:
        return ()
    if isinstance(value, str):
        value = value.split("\\")
    elif not isinstance(value, list | tuple) and not hasattr(value, "__iter__"):
        value = [value]
    parts = tuple(str(part).strip(" \0\t\r\n") for part in value)
    return parts if any(parts) else ()


def text(dataset: Dataset, keyword: str) -> str:
    """Return the first value of a text element, or nothing."""
    values = texts(dataset, keyword)
    return values[0] if values else ""


def decimal(written: str) -> float | None:
    """Return the finite number that a decimal string of DICOM stands for, or None.

    >>> decimal(" -1.5e2 "), decimal("1,5"), decimal("nan")
    (-150.0, None, None)
    """
    written = written.strip(" \0")
    if not _DECIMAL.fullmatch(written):
        return None
    number = float(written)
    return number if math.isfinite(number) else None


def numbers(dataset: Dataset, keyword: str, count: int | None = None) -> tuple[float, ...]:
    """Return the finite numbers of an element; empty where it is absent or empty.

    Raises:
        InputError: it holds something else, or not ``count`` numbers.
    """
    values = numbers_at(dataset, tag_of(keyword), keyword)
    if values and count is not None and len(values) != count:
        raise InputError(f"{keyword} should hold {count} numbers, it holds {len(values)}.")
    return values


def numbers_at(dataset: Dataset, tag: BaseTag, called: str) -> tuple[float, ...]:
    """As :func:`numbers`, by tag: for private elements."""
    value, vr = _content(dataset, tag)
    if value == b"":
        return ()
    if isinstance(value, bytes):
        if vr not in ("DS", "IS"):
            value = _converted(dataset, tag)
            if value is None:
                raise InputError(f"{called} could not be read as a number.")
        else:
            value = value.decode("latin-1")
    if value is None or (isinstance(value, str) and not value.strip(" \0")):
        return ()
    if isinstance(value, str):
        value = value.split("\\")
    elif isinstance(value, int | float):
        value = [value]
    elif not isinstance(value, Iterable) or isinstance(value, bytes):
        raise InputError(f"{called} could not be read as a number.")
    result = []
    for part in value:
        number = decimal(part) if isinstance(part, str) else _finite(part)
        if number is None:
            raise InputError(f"{called} should be a number with a decimal point, it is {str(part)[:40]!r}.")
        result.append(number)
    return tuple(result)


def private_tag(dataset: Dataset, group: int, creator: str, element: int) -> BaseTag | None:
    """Return the tag of a private element in the block that its maker has reserved (PS3.5 7.8.1), or None."""
    for block in range(0x10, 0x100):
        reserved = BaseTag(group << 16 | block)
        if reserved not in dataset:
            continue
        names = texts_at(dataset, reserved)
        tag = BaseTag(group << 16 | block << 8 | element & 0xFF)
        if names and names[0].upper() == creator and tag in dataset:
            return tag
    return None


def _finite(part: Any) -> float | None:
    try:
        number = float(part)
    except PYDICOM_ERRORS:
        return None
    return number if math.isfinite(number) else None


def number(dataset: Dataset, keyword: str) -> float | None:
    """Return the one number of an element, or None where it is absent or empty."""
    values = numbers(dataset, keyword)
    return values[0] if values else None


def integer(dataset: Dataset, keyword: str) -> int | None:
    """Return the one whole number of an element, or None where it is absent or empty.

    Raises:
        InputError: it is a fraction, or no number.
    """
    value = number(dataset, keyword)
    if value is None:
        return None
    if value != int(value):
        raise InputError(f"{keyword} should be a whole number, it is {value:g}.")
    return int(value)


def items(dataset: Dataset, keyword: str) -> list[Dataset]:
    """Return the items of a sequence; none where it is absent.

    Raises:
        InputError: it is no sequence, or nested too deep to be read.
    """
    tag = tag_of(keyword)
    if tag not in dataset:
        return []
    try:
        value = dataset[tag].value
        return list(value) if value is not None else []
    except PYDICOM_ERRORS as error:
        raise InputError(f"{keyword} could not be read as a sequence ({type(error).__name__}).") from error
