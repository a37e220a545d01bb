"""The bytes of an image's voxels: exactly as many as its header promises, unpacked, with their checksum looked at.

Nothing is unpacked or set aside in memory before the promise was compared with the limit and with the file: a packed
file of a megabyte can hold a gigabyte.
"""

import bz2
import os
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Literal

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.headers.regular import GZIP, printable

Packing = Literal["raw", "gzip", "zlib", "bzip2"]

LIMIT_VARIABLE = "DEEPRADIOMICS_IMAGE_LIMIT_GB"
_LIMIT_GB = 4.0
_CHUNK = 1 << 20
_PACKED, _UNPACKED = 1 << 18, 1 << 22  # bytes at a time: little input is copied again when the output is full
_MOST = {"gzip": 1100, "zlib": 1100, "bzip2": 60_000}  # the highest rate that a packing can reach


def limit_bytes() -> int:
    """How many bytes of voxels an image may have: 4 GB or what the environment says, never more than the memory.

    Raises:
        InputError: the environment's value is no positive number.
    """
    text = os.environ.get(LIMIT_VARIABLE, "")
    try:
        gigabytes = float(text) if text else _LIMIT_GB
    except ValueError:
        gigabytes = 0.0
    if not 0 < gigabytes < 1e6:
        raise InputError(f"{LIMIT_VARIABLE}: expected a number of gigabytes such as 16, got {text!r}.")
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        memory = -1
    limit = int(gigabytes * 1e9)
    return min(limit, memory) if memory > 0 else limit


class VoxelSource:
    """A file's bytes from some place on, unpacked only as far as they are asked for.

    Args:
        path: the file, for messages.
        stream: the open file; it is read from where it stands.
        packing: how the bytes are packed from there on.
    """

    def __init__(self, path: Path, stream: IO[bytes], packing: Packing = "raw") -> None:
        self.path, self.packing = path, packing
        self._stream = stream
        self._waiting = b""
        self._unpacker = self._new()
        self._taken = 0
        self.packed_bytes = os.fstat(stream.fileno()).st_size - stream.tell()

    def require_room(self, promised: int) -> None:
        """Raise InputError where this many bytes are above the limit, or more than the file can hold."""
        if promised > limit_bytes():
            raise InputError(
                f"{printable(self.path)}: its header promises {promised / 1e9:.3g} GB of voxels; at most "
                f"{limit_bytes() / 1e9:.3g} GB are read. If the file is right, set {LIMIT_VARIABLE} higher, or crop it."
            )
        rest = promised + self._taken
        if self.packing == "raw" and rest > self.packed_bytes:
            raise _cut_short(self.path, promised, self.packed_bytes - self._taken)
        if self.packing != "raw" and rest > self.packed_bytes * _MOST[self.packing] + 1000:
            raise _cut_short(self.path, promised, None)

    def take(self, count: int) -> bytes:
        """The next bytes, fewer only where the file ends."""
        buffer = bytearray(count)
        return bytes(buffer[: self._fill(memoryview(buffer))])

    def voxels(self, promised: int) -> np.ndarray:
        """The next ``promised`` bytes, uint8.

        Raises:
            InputError: there are fewer, they are damaged, or this many are above the limit.
        """
        self.require_room(promised)
        array = np.empty(promised, np.uint8)
        filled = self._fill(memoryview(array))  # type: ignore[arg-type]
        if filled < promised:
            raise _cut_short(self.path, promised, filled)
        return array

    def require_end(self, promised: int) -> None:
        """Raise InputError where more follows than the header promised, or the checksum is wrong."""
        if self._fill(memoryview(bytearray(1))):
            raise InputError(
                f"{printable(self.path)}: it is longer than its header promises ({promised} bytes of voxels): header "
                "and voxels do not belong together, or the file is damaged. Copy or export it again."
            )

    def _fill(self, target: memoryview) -> int:
        filled = 0
        try:
            while filled < len(target):
                piece = self._piece(min(len(target) - filled, _UNPACKED))
                if not piece:
                    break
                target[filled : filled + len(piece)] = piece
                filled += len(piece)
        except (zlib.error, OSError, EOFError) as error:
            raise _damaged(self.path, str(error)) from error
        self._taken += filled
        return filled

    def _piece(self, most: int) -> bytes:
        while self._unpacker is not None:
            if self._unpacker.eof and not self._next_member():
                return b""
            if self._waiting or getattr(self._unpacker, "needs_input", True):
                packed = self._waiting or self._stream.read(_PACKED)
            else:
                packed = b""
            ended = not packed and getattr(self._unpacker, "needs_input", True)
            piece = self._unpacker.decompress(packed, most)
            self._waiting = getattr(self._unpacker, "unconsumed_tail", b"")
            if piece:
                return piece
            if ended and not self._unpacker.eof:
                raise EOFError("it ends within its compressed data")
        return self._stream.read(most)

    def _next_member(self) -> bool:
        """Go on to the next of several gzip members; what follows otherwise, other than padding, is refused."""
        rest = self._unpacker.unused_data if self._unpacker is not None else b""
        while not rest.strip(b"\0"):
            rest = self._stream.read(_CHUNK)
            if not rest:
                return False
        rest = rest.lstrip(b"\0") + self._stream.read(2)
        if self.packing != "gzip" or rest[:2] != GZIP:
            raise EOFError("other bytes follow its compressed data")
        self._waiting, self._unpacker = rest, self._new()
        return True

    def _new(self) -> "zlib._Decompress | bz2.BZ2Decompressor | None":
        if self.packing == "raw":
            return None
        return bz2.BZ2Decompressor() if self.packing == "bzip2" else zlib.decompressobj(47)


def read_voxels(
    files: Sequence[Path], promised: int, packing: Packing, *, offset: int = 0, lines: int = 0, skip: int = 0
) -> np.ndarray:
    """Read the voxels of a file, or of several that hold equal parts each, as bytes.

    Args:
        files: where they lie, in order.
        promised: bytes of all voxels.
        packing: how they are packed.
        offset: where they begin in the file, before unpacking.
        lines: lines to skip from there, before unpacking.
        skip: bytes to skip after unpacking; -1: the voxels are the file's last bytes.

    Raises:
        InputError: shorter or longer than promised, damaged, or above the limit.
    """
    if promised % len(files):
        raise InputError(f"{printable(files[0])}: {promised} bytes of voxels cannot lie in {len(files)} equal files.")
    part = promised // len(files)
    parts = []
    for file in files:
        with open(file, "rb") as stream:
            stream.seek(offset)
            for _ in range(lines):
                stream.readline(_CHUNK)
            if skip < 0:
                stream.seek(max(0, os.fstat(stream.fileno()).st_size - part))
            source = VoxelSource(file, stream, packing)
            source.require_room(promised if len(files) == 1 or promised > limit_bytes() else part)
            if skip > 0:
                source.require_room(skip)
                source.voxels(skip)
            parts.append(source.voxels(part))
            source.require_end(part)
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _cut_short(path: Path, promised: int, held: int | None) -> InputError:
    there = "its compressed data cannot hold as many" if held is None else f"it holds {held}"
    return InputError(
        f"{printable(path)}: this file is cut short: its header promises {promised} bytes of voxels, {there}. "
        "Copy or export it again."
    )


def _damaged(path: Path, reason: str) -> InputError:
    return InputError(f"{printable(path)}: this file is damaged or cut short ({reason}). Copy or export it again.")
