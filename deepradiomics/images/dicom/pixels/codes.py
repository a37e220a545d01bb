"""What compressed code says of its own size, which the header must not contradict: decoders trust either silently."""

from __future__ import annotations

import struct

from deepradiomics.errors import InputError

_SIZE_MARKERS = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}  # start of frame, of JPEG and JPEG-LS
_JPEG_2000_START = b"\xff\x4f\xff\x51"


def jpeg_size(code: bytes) -> tuple[int, int] | None:
    """Return rows and columns that the code of JPEG, JPEG-LS or JPEG 2000 holds, or None where it does not say.

    Raises:
        InputError: the code breaks off before its size.
    """
    try:
        if code[:4] == _JPEG_2000_START:
            width, height, left, top = struct.unpack_from(">4I", code, 8)
            return height - top, width - left
        at = 2
        while code[:2] == b"\xff\xd8" and code[at] == 0xFF:
            marker = code[at + 1]
            if marker in _SIZE_MARKERS:
                height, width = struct.unpack_from(">2H", code, at + 5)
                return height, width
            at += 1 if marker == 0xFF else 2 + struct.unpack_from(">H", code, at + 2)[0]
    except (struct.error, IndexError) as error:
        raise InputError("its compressed pixels are damaged: the code breaks off in its header.") from error
    return None
