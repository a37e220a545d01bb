"""What ITK keeps silent about NIfTI files: it reads a file cut short as if the rest were 0, and NaN as 0.

The bytes are therefore looked at once before ITK's values are trusted (NIfTI-1 and NIfTI-2 headers,
https://nifti.nimh.nih.gov).
"""

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from deepradiomics.errors import InputError

_CHUNK = 1 << 24  # bytes
_FLOATS = {16: "f4", 64: "f8"}  # NIfTI's codes of real types that can hold NaN


def is_nifti(path: Path) -> bool:
    """Tell a NIfTI file by its name."""
    return path.name.lower().endswith((".nii", ".nii.gz"))


def scan_nifti(path: Path) -> np.ndarray | None:
    """Check that the file holds all the voxels its header promises.

    Returns:
        Flat indices (x fastest) of the voxels that are NaN or infinite, or None when all are finite.

    Raises:
        InputError: the file ends too early or its compression is damaged.
    """
    try:
        with open(path, "rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            if packed:
                with gzip.open(raw) as stream:
                    return _scan(path, cast(BinaryIO, stream))
            return _scan(path, raw)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(
            f"{path}: this NIfTI file is damaged or cut short ({error}). Copy or export it again."
        ) from error


def require_written(temporary: Path, path: Path) -> None:
    """Check a NIfTI file that ITK has just written, because its writer is silent about a full disk.

    Args:
        temporary: the file written.
        path: the name it shall get, for the message.

    Raises:
        InputError: it is not whole.
    """
    if not is_nifti(temporary):
        return
    try:
        scan_nifti(temporary)
    except InputError as error:
        raise InputError(
            f"{path}: the image could not be written whole. Is there space on the disk? Nothing was overwritten."
        ) from error


def _scan(path: Path, stream: BinaryIO) -> np.ndarray | None:
    layout = _layout(stream.read(544))
    if layout is None:  # not NIfTI after all: ITK says what it is
        return None
    order, kind, bits, count, start = layout
    stream.seek(start)
    promised, seen = count * bits // 8, 0
    found: list[np.ndarray] = []
    while seen < promised:
        chunk = stream.read(min(_CHUNK, promised - seen))
        if not chunk:
            raise InputError(
                f"{path}: this NIfTI file is cut short: its header promises {promised} bytes of voxels, "
                f"it holds {seen}. Copy or export it again."
            )
        if kind in _FLOATS:
            while len(chunk) % (bits // 8) and (more := stream.read(1)):
                chunk += more
            values = np.frombuffer(chunk[: len(chunk) // (bits // 8) * (bits // 8)], order + _FLOATS[kind])
            bad = np.flatnonzero(~np.isfinite(values))
            if bad.size:
                found.append(bad + seen * 8 // bits)
        seen += len(chunk)
    while stream.read(_CHUNK):  # to the end, where the checksum of the compression stands
        pass
    return np.concatenate(found) if found else None


def _layout(head: bytes) -> tuple[str, int, int, int, int] | None:
    """Byte order, type code, bits a voxel, number of voxels, where the voxels begin."""
    if len(head) < 348:
        return None
    for order in "<>":
        (size,) = struct.unpack_from(order + "i", head, 0)
        if size == 348:
            dims = struct.unpack_from(order + "8h", head, 40)
            kind, bits = struct.unpack_from(order + "2h", head, 70)
            (start,) = struct.unpack_from(order + "f", head, 108)
        elif size == 540 and len(head) >= 540:
            kind, bits = struct.unpack_from(order + "2h", head, 12)
            dims = struct.unpack_from(order + "8q", head, 16)
            (start,) = struct.unpack_from(order + "q", head, 168)
        else:
            continue
        if not 1 <= dims[0] <= 7 or bits < 1:
            return None
        return order, kind, bits, math.prod(max(1, n) for n in dims[1 : dims[0] + 1]), int(start)
    return None
