"""The headers of DICOM files: each file is opened once, and its pixels stay where they are until they are needed."""

from __future__ import annotations

import os
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_dataset, read_file_meta_info, read_partial
from pydicom.uid import UID

from deepradiomics.errors import InputError
from deepradiomics.headers.dicom_start import may_be_dicom
from deepradiomics.images.dicom.elements import PYDICOM_ERRORS, text

PIXEL_TAGS = {0x7FE00010: "PixelData", 0x7FE00008: "FloatPixelData", 0x7FE00009: "DoubleFloatPixelData"}
DEFLATED = "1.2.840.10008.1.2.1.99"
DIRECTORY = "1.2.840.10008.1.3.10"
UNDEFINED = 0xFFFFFFFF  # the length of an element that ends with a delimiter
SUFFIXES = (".dcm", ".dicom", ".ima")

_MOST_ELEMENTS = 20_000  # outside sequences; scanners write some hundreds
_LARGEST_HEADER = 1 << 26  # bytes, inflated
_UID = re.compile(r"[0-9]+(\.[0-9]+)+")


@dataclass(frozen=True, slots=True)
class PixelElement:
    """Where the pixels of a file lie.

    Args:
        keyword: which of the three elements that hold pixels.
        offset: first byte of the value, in the file or, deflated, in what it inflates to.
        length: bytes, or None: in fragments up to a delimiter.
        vr: OB or OW; empty where the file does not say.
        little: little-endian.
        deflated_at: first byte of the deflated part of the file, or 0.
    """

    keyword: str
    offset: int
    length: int | None
    vr: str
    little: bool
    deflated_at: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Header:
    """What one file says, without its pixels."""

    path: Path
    dataset: Dataset
    syntax: str
    pixels: PixelElement | None

    @property
    def sop_class(self) -> str:
        """UID of the kind of object."""
        return text(self.dataset, "SOPClassUID")


def is_dicom(path: Path) -> bool:
    """Tell whether a file is DICOM: 128 bytes, then DICM; or, without these, elements that name a SOP class."""
    with open(path, "rb") as stream:
        head = stream.read(2048)
    if not may_be_dicom(head):
        return False
    if head[128:132] == b"DICM":
        return True
    try:
        return read_header(path) is not None
    except InputError:
        return False


def read_header(path: Path) -> Header | None:
    """Read a file's header; None where it is no DICOM file, or a DICOMDIR.

    Raises:
        InputError: it is a DICOM file that is damaged or cut short. The message does not name it.
    """
    try:
        with open(path, "rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            head = stream.read(2048)
            preamble = head[128:132] == b"DICM"
            if not may_be_dicom(head):
                return None
            if DIRECTORY.encode() in head:
                return None
            stream.seek(0)
            if preamble and DEFLATED.encode() in head:
                dataset, place = _inflated(path)
                syntax = DEFLATED
            else:
                dataset = read_partial(stream, _AtPixels(), force=True)
                syntax = str(getattr(dataset, "file_meta", Dataset()).get("TransferSyntaxUID", "") or "")
                start = stream.tell()
                place = _place(stream.read(12), start)
        sop_class = text(dataset, "SOPClassUID")
    except (*PYDICOM_ERRORS, OSError, zlib.error) as error:
        if isinstance(error, InputError):
            raise
        reason = "nested too deep" if isinstance(error, RecursionError) else "damaged or cut short"
        raise InputError(reason) from error
    if not _UID.fullmatch(sop_class):
        if preamble:
            raise InputError("damaged: it names no SOP class")
        return None
    header = Header(path, dataset, syntax.strip(" \0"), place)
    _require_whole(header, size)
    return header


class _AtPixels:
    """Stops pydicom before the pixels, and in a file that is filled with elements that mean nothing."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, tag: int, vr: str | None, length: int) -> bool:
        self._count += 1
        if self._count > _MOST_ELEMENTS:
            raise InputError(f"damaged: its header has more than {_MOST_ELEMENTS} elements")
        return int(tag) in PIXEL_TAGS


def _place(head: bytes, start: int, deflated_at: int = 0) -> PixelElement | None:
    """Read tag, type and length of the pixel element that begins at byte ``start``."""
    for little in (True, False):
        order = "little" if little else "big"
        tag = int.from_bytes(head[:2], order) << 16 | int.from_bytes(head[2:4], order)  # type: ignore[arg-type]
        if tag in PIXEL_TAGS and len(head) >= 8:
            explicit = head[4:6].isalpha() and head[4:6].isupper()
            raw = head[8:12] if explicit else head[4:8]
            length = int.from_bytes(raw, order)  # type: ignore[arg-type]
            return PixelElement(
                PIXEL_TAGS[tag],
                start + (12 if explicit else 8),
                None if length == UNDEFINED else length,
                head[4:6].decode() if explicit else "",
                little,
                deflated_at,
            )
    return None


def _inflated(path: Path) -> tuple[Dataset, PixelElement | None]:
    """Header of a deflated file; no more is inflated than a header may hold."""
    meta = read_file_meta_info(path)
    start = 132 + 12 + int(meta.FileMetaInformationGroupLength)
    with open(path, "rb") as stream:
        stream.seek(start)
        buffer = zlib.decompressobj(-zlib.MAX_WBITS).decompress(stream.read(), _LARGEST_HEADER)
    source = DicomBytesIO(buffer)
    dataset = read_dataset(source, False, True, stop_when=_AtPixels())  # type: ignore[arg-type]
    position = source.tell()
    return dataset, _place(buffer[position : position + 12], position, start)


def _require_whole(header: Header, size: int) -> None:
    """Refuse a file that ends before its pixels do."""
    place = header.pixels
    if place is None:
        image = "Rows" in header.dataset or UID(header.sop_class).name.endswith("Image Storage")
        if image:
            raise InputError("cut short: it holds no pixels")
        return
    if place.length is not None and not place.deflated_at and place.offset + place.length > size:
        raise InputError(f"cut short: {place.length} bytes of pixels are promised, {size - place.offset} are there")
