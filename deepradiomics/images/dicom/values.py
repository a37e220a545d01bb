"""Voxels of a stack: stored value × slope + intercept, slice by slice; whole numbers stay whole."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.images.dicom.elements import integer, items, number, text
from deepradiomics.images.dicom.frames import Frame
from deepradiomics.images.dicom.headers import Header
from deepradiomics.images.dicom.pixels.decode import PixelSource, lossy_note
from deepradiomics.images.dicom.pixels.layout import PixelLayout, padding_range, pixel_layout

_WHOLE = (np.int16, np.uint16, np.int32, np.uint32, np.int64)


def layouts_of(frames: Sequence[Frame]) -> dict[int, PixelLayout]:
    """Return how each file (by the identity of its header) stores its pixels.

    Raises:
        InputError: a file that cannot be read as grey values; the message names it.
    """
    headers = {id(frame.header): frame.header for frame in frames}
    return {key: _layout(header) for key, header in headers.items()}


def assemble(frames: Sequence[Frame], layouts: dict[int, PixelLayout]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the voxels (slices, rows, columns) of frames of one size, in their order, and notes.

    Whole slopes and intercepts give the smallest type of whole numbers that holds all that the stored bits may say;
    others give float64.

    Raises:
        InputError: a file's pixels cannot be read; the message names it.
    """
    first = layouts[id(frames[0].header)]
    kind = _value_type(frames, layouts)
    try:
        voxels = np.empty((len(frames), first.rows, first.columns), kind)
    except (MemoryError, ValueError) as error:
        raise InputError(
            f"{len(frames)} slices of {first.columns}×{first.rows} pixels do not fit the memory."
        ) from error
    tally = _Tally()
    by_file: dict[int, list[int]] = {}
    for k, frame in enumerate(frames):
        by_file.setdefault(id(frame.header), []).append(k)
    for places in by_file.values():
        header = frames[places[0]].header
        try:
            with PixelSource(header, layouts[id(header)]) as source:
                padding = padding_range(header, source.layout)
                for k in places:
                    stored = source.frame(frames[k].index)
                    tally.padding(stored, padding)
                    _rescale(stored, frames[k], voxels[k])
                tally.masked += source.masked
        except InputError as error:
            raise InputError(f"{header.path.name}: {error}") from error
        except OSError as error:
            raise InputError(f"{header.path.name}: this file could not be read ({error.strerror}).") from error
    return voxels, (*tally.notes(voxels), *_header_notes(frames))


def _layout(header: Header) -> PixelLayout:
    try:
        return pixel_layout(header)
    except InputError as error:
        raise InputError(f"{header.path.name}: {error}") from error


def _rescale(stored: np.ndarray, frame: Frame, voxels: np.ndarray) -> None:
    """Write stored × slope + intercept into ``voxels``."""
    if frame.slope == 1 and frame.intercept == 0:
        voxels[...] = stored
    elif voxels.dtype.kind in "iu":
        voxels[...] = stored
        if frame.slope != 1:
            voxels *= int(frame.slope)
        if frame.intercept != 0:
            voxels += voxels.dtype.type(int(frame.intercept))
    else:
        np.multiply(stored, frame.slope, out=voxels, dtype=np.float64)
        voxels += frame.intercept


def _value_type(frames: Sequence[Frame], layouts: dict[int, PixelLayout]) -> np.dtype:
    kinds = {id(frame.header): layouts[id(frame.header)] for frame in frames}.values()
    unchanged = all(frame.slope == 1 and frame.intercept == 0 for frame in frames)
    if any(layout.real for layout in kinds):
        alike = len({layout.dtype for layout in kinds}) == 1
        return next(iter(kinds)).dtype.newbyteorder("=") if unchanged and alike else np.dtype(np.float64)
    if unchanged and len({(layout.allocated, layout.signed) for layout in kinds}) == 1:
        layout = next(iter(kinds))
        return np.dtype(f"{'i' if layout.signed else 'u'}{layout.allocated // 8}")
    if any(frame.slope != int(frame.slope) or frame.intercept != int(frame.intercept) for frame in frames):
        return np.dtype(np.float64)
    low = high = 0
    for slope, intercept, bounds in {
        (int(frame.slope), int(frame.intercept), layouts[id(frame.header)].value_range) for frame in frames
    }:
        reached = [
            value * factor + offset for value in bounds for factor, offset in ((1, 0), (slope, 0), (slope, intercept))
        ]
        reached += [slope, intercept]
        low, high = min(low, *reached), max(high, *reached)
    for candidate in _WHOLE:
        if np.iinfo(candidate).min <= low and high <= np.iinfo(candidate).max:
            return np.dtype(candidate)
    return np.dtype(np.float64)


class _Tally:
    """Counts over the slices what is worth a note."""

    def __init__(self) -> None:
        self.masked = 0
        self._padded = 0
        self._ranges: set[tuple[float, float]] = set()

    def padding(self, stored: np.ndarray, padding: tuple[float, float] | None) -> None:
        """Count the stored values that the header calls padding."""
        if padding is None:
            return
        inside = stored == padding[0] if padding[0] == padding[1] else (stored >= padding[0]) & (stored <= padding[1])
        count = int(np.count_nonzero(inside))
        if count:
            self._padded += count
            self._ranges.add(padding)

    def notes(self, voxels: np.ndarray) -> list[str]:
        """What was counted, one sentence each."""
        notes = []
        if self._padded:
            shown = ", ".join(f"{a:g}" if a == b else f"{a:g} to {b:g}" for a, b in sorted(self._ranges)[:3])
            notes.append(
                f"{self._padded} of {voxels.size} voxels are padding (stored value {shown}); they keep their value."
            )
        if self.masked:
            notes.append(
                f"{self.masked} of {voxels.size} voxels hold bits above those stored (overlays), which are left out."
            )
        if voxels.dtype.kind == "f":
            bad = int(voxels.size - np.isfinite(voxels).sum())
            if bad:
                notes.append(f"{bad} of {voxels.size} voxels are NaN or infinite.")
        return notes


def _bits_lie_high(header: Header) -> bool:
    high, stored = integer(header.dataset, "HighBit"), integer(header.dataset, "BitsStored")
    return high is not None and stored is not None and high != stored - 1


def _header_notes(frames: Sequence[Frame]) -> list[str]:
    headers = list({id(frame.header): frame.header for frame in frames}.values())
    notes = []
    lossy = next((note for header in headers if (note := lossy_note(header))), "")
    if lossy:
        notes.append(lossy)
    if any(text(header.dataset, "PhotometricInterpretation") == "MONOCHROME1" for header in headers):
        notes.append("MONOCHROME1: large values are shown dark; the stored values are kept, not inverted.")
    if any(_bits_lie_high(header) for header in headers):
        notes.append("HighBit is not BitsStored - 1, as DICOM demands; the bits that it names were read.")
    without = sum(not frame.rescaled for frame in frames)
    if 0 < without < len(frames) and any((frame.slope, frame.intercept) != (1, 0) for frame in frames):
        notes.append(f"{without} of {len(frames)} slices have no slope and intercept; their stored values are kept.")
    elif _differ(frames):
        notes.append("Slope and intercept differ between the slices; each slice has its own.")
    if any(_contradicts(frame) for frame in frames):
        notes.append("Real World Value Mapping gives other values than slope and intercept; it is not applied.")
    return notes


def _differ(frames: Sequence[Frame]) -> bool:
    """Slopes differ where they are one as a rule: PET scales each slice."""
    scaled_by_slice = text(frames[0].header.dataset, "Modality") == "PT"
    return not scaled_by_slice and len({(frame.slope, frame.intercept) for frame in frames}) > 1


def _contradicts(frame: Frame) -> bool:
    for dataset in frame.datasets:
        for mapping in items(dataset, "RealWorldValueMappingSequence"):
            slope, intercept = number(mapping, "RealWorldValueSlope"), number(mapping, "RealWorldValueIntercept")
            if slope is None or (slope, intercept or 0.0) != (frame.slope, frame.intercept):
                return True
    return False
