"""Names that a NIfTI label map carries itself: the label table in its header extension, as TotalSegmentator writes it.

::

    <CaretExtension> … <Label Key="5" Red="0.0" Green="1.0" Blue="1.0" Alpha="1"><![CDATA[liver]]></Label> …

The table is looked for as text; no XML is interpreted.
"""

from __future__ import annotations

import gzip
import html
import re
import struct
import zlib
from pathlib import Path

from deepradiomics.images.masks.segment_terms import colour_of_text, segment_name
from deepradiomics.images.segment import Segment

_MOST_BYTES = 1 << 20  # a table of some thousand labels
_LABEL = re.compile(r"<Label\s([^<>]{1,300})>\s*(?:<!\[CDATA\[([^\]<>]{0,200})\]\]>|([^<>]{0,200}))\s*</Label>")
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')


def names_in_nifti(path: Path) -> dict[int, Segment]:
    """Name and colour of each label that the file's own table names; empty without a table."""
    table = _extension(path)
    segments: dict[int, Segment] = {}
    for match in _LABEL.finditer(table):
        attributes = dict(_ATTRIBUTE.findall(match[1]))
        name = segment_name(match[2] if match[2] is not None else html.unescape(match[3] or ""))
        key = attributes.get("Key", "")
        if not key.isdecimal() or not int(key) or not name:
            continue
        if int(key) in segments:
            return {}  # a table that names a label twice names none
        colour = colour_of_text(" ".join(attributes.get(part, "") for part in ("Red", "Green", "Blue")))
        segments[int(key)] = Segment(name, colour)
    return segments


def _extension(path: Path) -> str:
    """What stands between the NIfTI-1 header and the voxels, where it is such a table."""
    try:
        with open(path, "rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else open(path, "rb") as stream:
            head = stream.read(352)
            if len(head) < 352 or head[344:348] not in (b"n+1\0", b"ni1\0") or not head[348]:
                return ""
            order = "<" if struct.unpack_from("<i", head)[0] == 348 else ">"
            start = struct.unpack_from(order + "f", head, 108)[0]
            if not 352 < start < _MOST_BYTES:
                return ""
            content = stream.read(int(start) - 352)
    except (OSError, EOFError, zlib.error, ValueError):
        return ""  # whoever reads the voxels says what is wrong with the file
    return content.decode("utf-8", "replace") if b"<CaretExtension" in content else ""
