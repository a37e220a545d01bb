"""The text header of an NRRD file: fields, key/value pairs, the data files it names (https://teem.sourceforge.net/nrrd)."""

import re
from dataclasses import dataclass
from pathlib import Path

from deepradiomics.errors import InputError
from deepradiomics.headers.regular import printable, require_regular

HEADER_LIMIT = 1 << 24  # bytes; a segmentation with hundreds of segments has some 100 kB
_FIRST = 1 << 16  # bytes that are read at once; few headers are longer
_OTHER_NAMES = {
    "datafile": "data file",
    "lineskip": "line skip",
    "byteskip": "byte skip",
    "centers": "centerings",
    "axismins": "axis mins",
    "axismaxs": "axis maxs",
    "oldmin": "old min",
    "oldmax": "old max",
    "blocksize": "block size",
    "sampleunits": "sample units",
}
_FIELDS = frozenset({
    "content", "number", "type", "block size", "dimension", "space", "space dimension", "sizes", "spacings",
    "thicknesses", "axis mins", "axis maxs", "space directions", "centerings", "kinds", "labels", "units", "min",
    "max", "old min", "old max", "endian", "encoding", "line skip", "byte skip", "sample units", "space units",
    "space origin", "measurement frame", "data file",
})  # fmt: skip


@dataclass(frozen=True)
class NrrdHeader:
    """What an NRRD header says.

    Attributes
    ----------
    fields
        The format's own fields, such as ``sizes``, by their first name in lower case.
    keys
        The pairs ``key:=value`` that programs add, such as Slicer's segments.
    listed
        Names that stand below ``data file: LIST``.
    offset
        Where the bytes after the header begin.
    """

    fields: dict[str, str]
    keys: dict[str, str]
    listed: tuple[str, ...]
    offset: int


def read_nrrd_header(path: Path) -> NrrdHeader:
    """Read the header.

    Raises:
        InputError: no plain file, no NRRD, a field that is unknown or stands twice, or a header without end.
    """
    require_regular(path)
    text = _first_part(path)
    if not re.match(rb"NRRD000[1-5]\r?\n", text):
        raise InputError(f"{printable(path)}: this is no NRRD file of version 1 to 5, or it is damaged.")
    blank = re.search(rb"\n\r?\n", text)
    if blank is None and len(text) == HEADER_LIMIT:
        raise InputError(f"{printable(path)}: its header does not end within {HEADER_LIMIT >> 20} MB: it is damaged.")
    end, after = (blank.start(), blank.end()) if blank else (len(text), len(text))
    fields: dict[str, str] = {}
    keys: dict[str, str] = {}
    listed: list[str] = []
    for number, raw in enumerate(text[:end].split(b"\n")[1:], 2):
        line = raw.decode("utf-8", "surrogateescape").rstrip("\r")
        if line.startswith("#") or not line:
            continue
        if fields.get("data file", "").split(" ")[0] == "LIST":
            listed.append(line.strip())
            continue
        _read_line(line, fields, keys, f"{printable(path)}, line {number} of its header")
    return NrrdHeader(fields, keys, tuple(listed), after)


def _first_part(path: Path) -> bytes:
    """The file as far as its header goes, and some of what follows; at most the limit."""
    with open(path, "rb") as stream:
        text = stream.read(_FIRST)
        while len(text) < HEADER_LIMIT and not re.search(rb"\n\r?\n", text):
            piece = stream.read(min(len(text), HEADER_LIMIT - len(text)))
            if not piece:
                break
            text += piece
    return text


def _read_line(line: str, fields: dict[str, str], keys: dict[str, str], where: str) -> None:
    field, colon, value = line.partition(": ")
    name = field.strip().lower()
    name = _OTHER_NAMES.get(name, name)
    if colon and name in _FIELDS:
        if name in fields:
            raise InputError(f"{where}: the field {name!r} stands twice. Which is right? Correct the header.")
        fields[name] = value.strip()
        return
    key, assigned, value = line.partition(":=")
    if not assigned:
        raise InputError(
            f"{where}: {printable(line[:60])!r} is no field that NRRD knows. Correct it, or write the file again."
        )
    keys[_text(key)] = _text(value).replace("\\n", "\n").replace("\\\\", "\\")


def _text(value: str) -> str:
    """A text of the header; bytes that are no UTF-8 are read as Latin-1."""
    raw = value.encode("utf-8", "surrogateescape")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
