"""Stored values of a file's frames, whatever the transfer syntax."""

from __future__ import annotations

import zlib
from contextlib import ExitStack
from importlib.util import find_spec
from io import FileIO

import numpy as np
from pydicom.uid import UID

from deepradiomics.errors import InputError
from deepradiomics.images.dicom.elements import text
from deepradiomics.images.dicom.headers import DEFLATED, Header, PixelElement
from deepradiomics.images.dicom.pixels.codes import jpeg_size
from deepradiomics.images.dicom.pixels.encapsulated import frame_codes, joined
from deepradiomics.images.dicom.pixels.gdcm import FrameUnpacker
from deepradiomics.images.dicom.pixels.layout import PixelLayout, pixel_layout
from deepradiomics.images.dicom.pixels.rle import rle_frame

NATIVE = ("", "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", DEFLATED, "1.2.840.10008.1.2.2")
_RLE = "1.2.840.10008.1.2.5"
_JPEG_LS = ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81")
_JPEG = tuple(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 57, 70))
_JPEG_2000 = ("1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91")
_END_MARKED = (*_JPEG_LS, *_JPEG, *_JPEG_2000)  # their code ends with FFD9
_AFTER = 1 << 20  # bytes that may follow the pixels of a deflated file
_TAIL = 16  # bytes in which that end must lie: padding may follow
_LOSSY, _PERHAPS_LOSSY = _JPEG[:2], (_JPEG_LS[1], _JPEG_2000[1])


class PixelSource:
    """The stored values of one file, frame by frame. Use it as a context.

    Raises:
        InputError: the pixels are not one grey value each, or of a compression that nothing here unpacks.
    """

    def __init__(self, header: Header, layout: PixelLayout | None = None) -> None:
        self.header = header
        self.layout = layout or pixel_layout(header)
        self.masked = 0  # values whose bits above those stored said something else
        self._stack = ExitStack()
        self._codes: list[list[tuple[int, int]]] | None = None
        self._unpacker: FrameUnpacker | None = None
        self._inflated: bytes | None = None
        self._file: FileIO

    def __enter__(self) -> PixelSource:
        try:
            self._open()
        except BaseException:
            self._stack.close()
            raise
        return self

    def _open(self) -> None:
        header, place = self.header, self.header.pixels
        assert place is not None
        self._file = self._stack.enter_context(header.path.open("rb", buffering=0))
        native = header.syntax in NATIVE
        if native != (place.length is not None):
            raise InputError("its pixels are not packed as its transfer syntax says.")
        if not native:
            self._open_packed(place)
        elif place.deflated_at:
            self._inflate(place)

    def _open_packed(self, place: PixelElement) -> None:
        layout, syntax = self.layout, self.header.syntax
        if syntax not in (_RLE, *_END_MARKED) or layout.real:
            raise InputError(f"its compression ({_name(syntax)}) is not read. Export it without compression.")
        if layout.allocated > 16 and syntax != _RLE:
            raise InputError(f"{layout.allocated} bits a value, compressed as {_name(syntax)}, are not read.")
        self._codes = frame_codes(self._file, place.offset, layout.frames, syntax in _END_MARKED)
        if syntax != _RLE:
            self._unpacker = self._stack.enter_context(FrameUnpacker(syntax, layout))

    def _inflate(self, place: PixelElement) -> None:
        self._file.seek(place.deflated_at)
        promised = place.offset + self.layout.frames * self.layout.frame_bytes
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            self._inflated = unpacker.decompress(self._file.read(), promised + _AFTER)
        except zlib.error as error:
            raise InputError("its deflated content is damaged.") from error
        if len(self._inflated) < promised or not unpacker.eof:
            raise InputError("its deflated content is damaged or cut short.")

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def frame(self, index: int) -> np.ndarray:
        """Return the stored values of a frame (rows, columns), counted from 0, native byte order, sign restored.

        Raises:
            InputError: the pixels are damaged.
        """
        layout = self.layout
        raw = self._native(index) if self._codes is None else self._packed(joined(self._file, self._codes[index]))
        if layout.real:
            return raw
        return self._used_bits(raw)

    def _packed(self, code: bytes) -> np.ndarray:
        if self._unpacker is None:
            return rle_frame(code, self.layout)
        self._require_whole(code)
        return self._unpacked(code, self._unpacker)

    def _require_whole(self, code: bytes) -> None:
        """Refuse code that ends too early, or is of another size or kind than the header says."""
        layout, syntax = self.layout, self.header.syntax
        if b"\xff\xd9" not in code[-_TAIL:]:
            raise InputError("its compressed pixels are cut short: the code of a frame has no end.")
        if syntax in (*_JPEG, *_JPEG_LS) and code[:2] != b"\xff\xd8":
            raise InputError(f"its compressed pixels are no {_name(syntax)}.")
        size = jpeg_size(code)
        if size is not None and size != (layout.rows, layout.columns):
            raise InputError(
                f"its compressed pixels are {size[1]}×{size[0]}, the header says {layout.columns}×{layout.rows}."
            )

    def _unpacked(self, code: bytes, gdcm: FrameUnpacker) -> np.ndarray:
        """By GDCM; JPEG-LS of few bits, which it does not take, by pyjpegls if it is there."""
        try:
            return gdcm.unpack(code)
        except InputError:
            if self.header.syntax not in _JPEG_LS or find_spec("jpeg_ls") is None:
                raise
        import jpeg_ls

        try:
            values = np.asarray(jpeg_ls.decode(np.frombuffer(code, np.uint8)))
        except Exception as error:  # the decoder raises errors of its own
            raise InputError("its compressed pixels (JPEG-LS) could not be unpacked.") from error
        if values.shape != (self.layout.rows, self.layout.columns):
            raise InputError(f"its compressed pixels unpack to {values.shape}, not to the size that the header says.")
        return values.astype(f"u{self.layout.allocated // 8}")

    def _native(self, index: int) -> np.ndarray:
        layout, place = self.layout, self.header.pixels
        assert place is not None
        start = place.offset + index * layout.frame_bytes
        count = layout.rows * layout.columns
        dtype = layout.dtype
        if layout.allocated == 8 and not place.little and place.vr == "OW":  # bytes lie swapped in words
            return self._swapped_bytes(place.offset, index * count, count).reshape(layout.rows, layout.columns)
        if self._inflated is not None:
            values = np.frombuffer(self._inflated, dtype, count, start)
        else:
            self._file.seek(start)
            values = np.fromfile(self._file, dtype, count)
        if values.size < count:
            raise InputError("its pixels are cut short.")
        if not dtype.isnative:
            values = values.astype(dtype.newbyteorder("="))
        return values.reshape(layout.rows, layout.columns)

    def _swapped_bytes(self, offset: int, first: int, count: int) -> np.ndarray:
        begin, end = first // 2 * 2, (first + count + 1) // 2 * 2
        self._file.seek(offset + begin)
        pairs = np.fromfile(self._file, np.uint8, end - begin)
        if pairs.size < end - begin:
            raise InputError("its pixels are cut short.")
        return pairs.reshape(-1, 2)[:, ::-1].reshape(-1)[first - begin : first - begin + count].copy()

    def _used_bits(self, raw: np.ndarray) -> np.ndarray:
        """Keep the bits that are stored, with the sign; others may hold overlays."""
        layout = self.layout
        as_stored = raw.view(f"i{layout.allocated // 8}") if layout.signed else raw
        if layout.stored == layout.allocated:
            return as_stored
        above = layout.allocated - 1 - layout.high
        values = raw << raw.dtype.type(above) if above else raw
        if layout.signed:
            values = values.view(as_stored.dtype)
        values = values >> values.dtype.type(layout.allocated - layout.stored)
        if layout.high == layout.stored - 1:  # above lie zeros or copies of the sign, or else an overlay
            other = (values != as_stored) & ((raw >> raw.dtype.type(layout.stored)) != 0)
            self.masked += int(np.count_nonzero(other))
        return values


def lossy_note(header: Header) -> str:
    """Say that the pixels were compressed with loss, and how much where the header tells; empty where not."""
    dataset = header.dataset
    lossy = text(dataset, "LossyImageCompression")
    if lossy != "01" and header.syntax not in _LOSSY:
        if header.syntax in _PERHAPS_LOSSY and lossy != "00":
            return f"The pixels may have been compressed with loss ({_name(header.syntax)}); the header does not say."
        return ""
    ratio = text(dataset, "LossyImageCompressionRatio")
    how = f" (ratio {ratio})" if ratio else ""
    return f"The pixels were compressed with loss{how}: values are not those that were measured."


def _name(syntax: str) -> str:
    return UID(syntax).name or "unknown"
