"""Results kept in JSON that vouch for themselves: changed by a hand or by a disk, they are made anew, with a note.

write_sealed(path, {"values": [1.0, 2.0]})          # JSON with a checksum of its text as its last entry
read_sealed(path, keys=("values",))                 # the content; None where it is not there or is damaged

The note is a warning. Within :func:`collected_notes` it is put into a list instead, which a worker sends home with its
result: the warnings of another process reach nobody.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from deepradiomics.errors import InputError
from deepradiomics.files.atomic import json_text, write_text
from deepradiomics.files.reading import explained, parse_json, reading

_SEAL = "sha256"
_LAST_ENTRY = re.compile(rb',\n  "sha256": "([0-9a-f]{64})"\n\}\n\Z')
_notes: ContextVar[list[str] | None] = ContextVar("notes on damaged results", default=None)


class ChangedError(InputError):
    """A kept result is not what was written."""


def write_sealed(path: str | Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object, which must not be empty, with a checksum of its text, atomically."""
    text = json_text(content).removesuffix("\n}\n")
    write_text(path, f'{text},\n  "{_SEAL}": "{_checksum(text.encode())}"\n}}\n', durable=False)


def open_sealed(path: str | Path, keys: Sequence[str] = ()) -> dict[str, Any]:
    """Return what :func:`write_sealed` wrote.

    Args:
        path: the file.
        keys: which the content must have.

    Raises:
        ChangedError: it is damaged or was changed since it was written.
        InputError: it is missing or cannot be read.
    """
    with reading(path, "this kept result"), open(path, "rb") as stream:
        data = stream.read()
    with explained(path, "this kept result", error=ChangedError):
        content = parse_json(data.decode("utf-8"))
        if not isinstance(content, dict):
            raise TypeError("it is no JSON object")
        missing = [key for key in (_SEAL, *keys) if key not in content]
        if missing:
            raise KeyError(missing[0])
        match = _LAST_ENTRY.search(data, max(0, len(data) - 100))
        if match is None or match[1].decode() != _checksum(data[: match.start()]):
            raise ValueError("its content does not fit its checksum")
    del content[_SEAL]
    return content


def read_sealed(path: str | Path, keys: Sequence[str] = ()) -> dict[str, Any] | None:
    """As :func:`open_sealed`; None where the file is not there or, with a note, where it is damaged or was changed."""
    if not Path(path).is_file():
        return None
    try:
        return open_sealed(path, keys)
    except InputError as error:
        note_made_anew(error)
        return None


def note_made_anew(problem: object) -> None:
    """Tell that a kept result cannot be used: a warning, or an entry of the list of :func:`collected_notes`."""
    text = f"{problem} It is made anew."
    notes = _notes.get()
    if notes is None:
        warnings.warn(text, stacklevel=3)
    else:
        notes.append(text)


@contextmanager
def collected_notes() -> Iterator[list[str]]:
    """Within it, notes on damaged results go into the list that it yields."""
    notes: list[str] = []
    before = _notes.set(notes)
    try:
        yield notes
    finally:
        _notes.reset(before)


def _checksum(text: bytes) -> str:
    return hashlib.sha256(b"sealed 2\n" + text).hexdigest()
