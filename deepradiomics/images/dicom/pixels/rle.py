"""RLE Lossless (PS3.5 annex G): a plane for each byte of a value, the highest first, each packed as runs.

Unpacked here rather than by GDCM, which cuts code that is too long to the header's size and refuses small frames.
"""

from __future__ import annotations

import itertools
import struct

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.images.dicom.pixels.layout import PixelLayout

_HEADER = 64  # bytes: number of planes and where each begins


def rle_frame(code: bytes, layout: PixelLayout) -> np.ndarray:
    """Return one frame (rows, columns) of unsigned values as many bits wide as are allocated.

    Raises:
        InputError: planes are missing, too short or too long.
    """
    width, pixels = layout.allocated // 8, layout.rows * layout.columns
    count, *offsets = struct.unpack_from("<16I", code) if len(code) >= _HEADER else (0,)
    edges = [*offsets[:count], len(code)] if count <= 15 else []
    if count != width or any(not _HEADER <= a <= b <= len(code) for a, b in itertools.pairwise(edges)):
        raise InputError(f"its compressed pixels (RLE) hold {count} planes of bytes, not {width}, or break off.")
    frame = np.empty((pixels, width), np.uint8)
    for number, (start, end) in enumerate(itertools.pairwise(edges)):
        plane = _plane(code[start:end], pixels)
        if len(plane) != pixels:
            raise InputError(
                f"its compressed pixels (RLE) unpack to {len(plane)} bytes in plane {number}, not to {pixels}."
            )
        frame[:, width - 1 - number] = np.frombuffer(plane, np.uint8)
    return frame.view(f"<u{width}").reshape(layout.rows, layout.columns).astype(f"u{width}")


def _plane(packed: bytes, enough: int) -> bytearray:
    """The bytes of a PackBits segment; a padding byte may follow when there are enough."""
    plane, at, size = bytearray(), 0, len(packed)
    while at < size and not (len(plane) == enough and at == size - 1):
        head = packed[at]
        if head < 128:  # head + 1 values follow as they are
            plane += packed[at + 1 : at + head + 2]
            at += head + 2
        elif head > 128:  # one is repeated
            plane += packed[at + 1 : at + 2] * (257 - head)
            at += 2
        else:
            at += 1
    return plane
