"""Kept results of an extraction, one file per case: written whole, read back only as they were written.

::

    <output>-cases/.lock          held while a run works there (:mod:`deepradiomics.files.lock`)
    <output>-cases/<case>.json    features of the case, hashes of what they were computed from, and a checksum

A file of another key is of other settings or another image, and is computed anew; one that was changed since it was
written is computed anew, with a note.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deepradiomics.errors import InputError
from deepradiomics.files.sealed import ChangedError, open_sealed, write_sealed

FORMAT = "deepradiomics-case-features"
FORMAT_VERSION = 3


def write_case(file: Path, document: Mapping[str, Any]) -> None:
    """Write a case's result with its checksum.

    Raises:
        InputError: the file cannot be written.
    """
    write_sealed(file, {"format": FORMAT, "format_version": FORMAT_VERSION, **document})


def read_case(file: Path, key: str | None = None) -> dict[str, Any]:
    """A kept result: ``id``, ``view``, ``labels`` (name, features, diagnostics by label), ``skipped``, ``notes``.

    Args:
        file: of the case.
        key: what it must have been computed from; None: anything.

    Raises:
        InputError: the file is missing, is something else, was changed since it was written, or has another key.
    """
    document = open_sealed(file)
    if (document.get("format"), document.get("format_version")) != (FORMAT, FORMAT_VERSION):
        raise InputError(f"{file}: this is not a kept result of an extraction; remove it and run again.")
    if key is not None and document.get("key") != key:
        raise InputError(f"{file}: this kept result is of another image, mask or setting; run again.")
    return document


def kept_case(file: Path) -> tuple[dict[str, Any], str]:
    """The result of an earlier run, empty where there is none; and a note where it was changed since then."""
    try:
        return read_case(file), ""
    except ChangedError:
        return {}, f"{file.name}: the kept result was changed since it was written; it is computed anew."
    except InputError:
        return {}, ""
