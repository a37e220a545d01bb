"""Which kind of image file it is, told by its first bytes; pipes, devices and folders are no image files."""

import os
import stat
import zlib
from pathlib import Path
from typing import Literal

from deepradiomics.errors import InputError

FileKind = Literal["nifti", "analyze", "nrrd", "metaimage", "npy", "other"]
GZIP = b"\x1f\x8b"
_NAMES = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}
_FIRST = 544  # bytes: as long as the longest binary header that is known here


def printable(path: str | os.PathLike[str]) -> str:
    """A path as text that every file and screen takes: bytes that are no UTF-8 are shown as replacement characters."""
    return os.fspath(path).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def require_there(path: Path) -> int:
    """Raise InputError unless there is something at the path; returns its mode, as ``stat`` has it."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(f"{printable(path)}: this file does not exist.") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{printable(path)[:300]}: this file cannot be read ({reason}).") from error


def require_regular(path: Path) -> None:
    """Raise InputError unless the path leads to a plain file; a pipe or device is never opened, it might never end."""
    mode = require_there(path)
    if stat.S_ISDIR(mode):
        raise InputError(f"{printable(path)}: expected an image file, got a folder.")
    if not stat.S_ISREG(mode):
        what = _NAMES.get(stat.S_IFMT(mode), "no plain file")
        raise InputError(f"{printable(path)}: expected an image file, got {what}. Copy its content into a file first.")


def first_bytes(path: Path) -> bytes:
    """The first bytes of a plain file, unpacked where they are gzip.

    Raises:
        InputError: no plain file, or it cannot be read.
    """
    require_regular(path)
    try:
        with open(path, "rb") as stream:
            head = stream.read(4096)
    except OSError as error:
        raise InputError(f"{printable(path)}: this file cannot be read ({error.strerror or error}).") from error
    return unpacked(head)


def unpacked(head: bytes) -> bytes:
    """The first bytes of an image from those of its file, which may be gzip."""
    if head[:2] != GZIP:
        return head[:_FIRST]
    try:
        return zlib.decompressobj(31).decompress(head, _FIRST)
    except zlib.error:
        return head[:_FIRST]


def file_kind(path: Path) -> FileKind:
    """Tell the kind of an image file by its content; MetaImage, which has no mark of its own, by its name.

    Raises:
        InputError: no plain file, or it cannot be read.
    """
    return kind_of(first_bytes(path), path.name)


def kind_of(head: bytes, name: str) -> FileKind:
    """The kind of an image file of that name, by its first bytes, unpacked."""
    name = name.lower()
    if head.startswith(b"NRRD"):
        return "nrrd"
    if head.startswith(b"\x93NUMPY") or name.endswith(".npy"):
        return "npy"
    if name.endswith((".mha", ".mhd")):
        return "metaimage"
    if head[:4] in (b"\x5c\x01\0\0", b"\0\0\x01\x5c", b"\x1c\x02\0\0", b"\0\0\x02\x1c"):  # 348 or 540 bytes of header
        marked = head[344:348] in (b"n+1\0", b"ni1\0") or head[4:8] in (b"n+2\0", b"ni2\0")
        return "nifti" if marked or name.endswith((".nii", ".nii.gz")) else "analyze"
    return "nifti" if name.endswith((".nii", ".nii.gz")) else "other"
