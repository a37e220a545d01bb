"""Compressed pixels as DICOM packs them: a table of offsets, then fragments that make up the frames (PS3.5 A.4)."""

from __future__ import annotations

import struct
from io import FileIO
from itertools import pairwise
from typing import BinaryIO

from deepradiomics.errors import InputError

_ITEM, _END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"


def frame_codes(
    stream: BinaryIO | FileIO, start: int, frames: int, syntax_is_jpeg: bool
) -> list[list[tuple[int, int]]]:
    """Return where the fragments of each frame lie: (first byte, length) each.

    Args:
        stream: the file.
        start: first byte of the pixel element's value.
        frames: how many frames the header promises.
        syntax_is_jpeg: the code of a frame ends with JPEG's end marker, which tells frames apart.

    Raises:
        InputError: the fragments break off, or do not make up the frames.
    """
    table, fragments = _fragments(stream, start)
    if len(fragments) < frames:
        raise InputError(f"{frames} frames are promised, the compressed pixels hold {len(fragments)} parts.")
    if len(fragments) == frames:
        return [[fragment] for fragment in fragments]
    if frames == 1:
        if syntax_is_jpeg and len(_by_end_marker(stream, fragments)) > 1:
            raise InputError("1 frame is promised, the compressed pixels hold several.")
        return [fragments]
    if len(table) == frames:
        return _by_table(fragments, table)
    if syntax_is_jpeg:
        groups = _by_end_marker(stream, fragments)
        if len(groups) == frames:
            return groups
    raise InputError(f"{len(fragments)} compressed parts cannot be told apart into {frames} frames.")


def joined(stream: BinaryIO | FileIO, parts: list[tuple[int, int]]) -> bytes:
    """Return the code of one frame."""
    code = bytearray()
    for offset, length in parts:
        stream.seek(offset)
        code += stream.read(length)
    return bytes(code)


def _fragments(stream: BinaryIO | FileIO, start: int) -> tuple[list[int], list[tuple[int, int]]]:
    """Basic offset table and fragments; fragment offsets count from the first byte of the file."""
    size = stream.seek(0, 2)
    stream.seek(start)
    table: list[int] | None = None
    fragments: list[tuple[int, int]] = []
    while True:
        head = stream.read(8)
        if head[:4] == _END:
            return table or [], fragments
        if len(head) < 8 or head[:4] != _ITEM:
            raise InputError("its compressed pixels are damaged or cut short.")
        (length,) = struct.unpack("<I", head[4:])
        position = stream.tell()
        if position + length > size:
            raise InputError("its compressed pixels are cut short.")
        if table is None:
            content = stream.read(length)
            table = list(struct.unpack(f"<{length // 4}I", content[: length // 4 * 4]))
        else:
            fragments.append((position, length))
            stream.seek(position + length)


def _by_table(fragments: list[tuple[int, int]], table: list[int]) -> list[list[tuple[int, int]]]:
    first = fragments[0][0] - 8
    starts = {offset - 8 - first: n for n, (offset, _) in enumerate(fragments)}
    if table != sorted(set(table)) or table[0] != 0 or any(offset not in starts for offset in table):
        raise InputError("the offsets of its compressed frames do not fit the parts.")
    edges = [starts[offset] for offset in table] + [len(fragments)]
    return [fragments[a:b] for a, b in pairwise(edges)]


def _by_end_marker(stream: BinaryIO | FileIO, fragments: list[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    groups: list[list[tuple[int, int]]] = [[]]
    for offset, length in fragments:
        groups[-1].append((offset, length))
        stream.seek(offset + max(0, length - 10))
        if b"\xff\xd9" in stream.read(min(10, length)):
            groups.append([])
    return groups[:-1] if not groups[-1] else groups
