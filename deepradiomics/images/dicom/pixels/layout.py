"""How a file stores its pixels: bits, sign, byte order, and what of it cannot be read as one grey value a pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.images.dicom.elements import integer, numbers, text
from deepradiomics.images.dicom.headers import Header

_LARGEST_BYTES = 1 << 34  # of one file's pixels, unpacked
_LARGEST_PACKED_FRAME = 1 << 28  # pixels of one compressed frame
_GREY = ("MONOCHROME1", "MONOCHROME2")
_FLOATS = {"FloatPixelData": 32, "DoubleFloatPixelData": 64}


@dataclass(frozen=True, slots=True)
class PixelLayout:
    """The shape and type of a file's stored values.

    Args:
        frames, rows, columns: how many of each.
        allocated: bits a value takes.
        stored: bits a value uses.
        high: the highest of these.
        signed: two's complement.
        real: floating point.
        dtype: of a value as it is stored, byte order included.
    """

    frames: int
    rows: int
    columns: int
    allocated: int
    stored: int
    high: int
    signed: bool
    real: bool
    dtype: np.dtype

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame, not compressed."""
        return self.rows * self.columns * self.allocated // 8

    @property
    def value_range(self) -> tuple[int, int]:
        """Smallest and largest value that the stored bits can hold."""
        return (-(1 << self.stored - 1), (1 << self.stored - 1) - 1) if self.signed else (0, (1 << self.stored) - 1)


def pixel_layout(header: Header) -> PixelLayout:
    """Check and return how a file stores its pixels.

    Raises:
        InputError: colour, several samples a pixel, a bit depth that is not read, or sizes that do not fit.
    """
    dataset, place = header.dataset, header.pixels
    assert place is not None
    photometric, samples = text(dataset, "PhotometricInterpretation"), integer(dataset, "SamplesPerPixel")
    if samples not in (1, None) or (photometric and photometric not in _GREY):
        raise InputError(
            f"expected one grey value a pixel, got {samples or 1} of {photometric or 'unknown kind'}: a colour "
            "picture or an overlay. Name a grey-level series."
        )
    if "ModalityLUTSequence" in dataset:
        raise InputError(
            "its values stand in a table (Modality LUT Sequence), which is not read. Export with slope and intercept."
        )
    rows, columns = (_positive(integer(dataset, name), name) for name in ("Rows", "Columns"))
    frames = _positive(integer(dataset, "NumberOfFrames") or 1, "NumberOfFrames")
    real = place.keyword in _FLOATS
    allocated = _FLOATS[place.keyword] if real else integer(dataset, "BitsAllocated")
    if allocated not in (8, 16, 32, 64):
        raise InputError(f"BitsAllocated is {allocated}; 8, 16, 32 and 64 are read.")
    stored = allocated if real else (integer(dataset, "BitsStored") or allocated)
    high = stored - 1 if real else integer(dataset, "HighBit")
    high = stored - 1 if high is None else high
    if not 1 <= stored <= allocated or not stored - 1 <= high < allocated:
        raise InputError(f"BitsStored {stored}, HighBit {high} and BitsAllocated {allocated} do not fit each other.")
    representation = 0 if real else integer(dataset, "PixelRepresentation")
    if representation not in (0, 1):
        raise InputError(f"PixelRepresentation is {representation}; expected 0 (unsigned) or 1 (signed).")
    order = "<" if place.little else ">"
    dtype = np.dtype(f"{order}{'f' if real else 'u'}{allocated // 8}")
    layout = PixelLayout(frames, rows, columns, allocated, stored, high, bool(representation), real, dtype)
    _require_size(layout, place.length)
    return layout


def _positive(value: int | None, name: str) -> int:
    if value is None or value < 1:
        raise InputError(f"{name} is {'missing' if value is None else value}; expected a positive number.")
    return value


def _require_size(layout: PixelLayout, length: int | None) -> None:
    promised = layout.frames * layout.frame_bytes
    if length is not None and length not in (promised, promised + promised % 2):
        raise InputError(
            f"Rows × Columns × frames promise {promised} bytes of pixels "
            f"({layout.columns}×{layout.rows}×{layout.frames}, {layout.allocated} bits), it holds {length}."
        )
    if promised > _LARGEST_BYTES or (length is None and layout.rows * layout.columns > _LARGEST_PACKED_FRAME):
        raise InputError(f"it promises {promised} bytes of pixels, more than is read from one file.")


def padding_range(header: Header, layout: PixelLayout) -> tuple[float, float] | None:
    """Return the stored values that the header calls padding (first and last), or None."""
    values = [*numbers(header.dataset, "PixelPaddingValue")[:1], *numbers(header.dataset, "PixelPaddingRangeLimit")[:1]]
    if layout.signed:  # written as unsigned by some
        values = [value - (1 << layout.allocated) if value > layout.value_range[1] else value for value in values]
    return (min(values), max(values)) if values else None
