"""Read a DICOM SEG: binary, fractional or label map, its segments in whatever order and at whatever positions.

::

    SegmentSequence ─ names, colours, terms of each number
    functional groups ─ segment and position of each frame ─ grid ─┐
    pixel data ─ one frame after the other ───────────────────────┴─ LabelCanvas ─ Mask

Source: DICOM PS3.3, C.8.20 (Segmentation) and A.51; label maps as added by Supplement 243.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np

from deepradiomics.errors import MaskError
from deepradiomics.images.geometry import Geometry
from deepradiomics.images.masks.canvas import LabelCanvas
from deepradiomics.images.masks.dicom_file import LABEL_MAP_SEG, dataset_of, faults_in_words, required
from deepradiomics.images.masks.seg_frames import Frame, frame_plane, frames_of
from deepradiomics.images.masks.seg_grid import Placement, place_frames
from deepradiomics.images.masks.seg_pixels import FramePixels
from deepradiomics.images.masks.segment_terms import Colour, code_of, colour_of_cielab, nameless_note, segment_name
from deepradiomics.images.options import MaskOptions
from deepradiomics.images.segment import Segment
from deepradiomics.images.volume import Mask

Kind = Literal["BINARY", "FRACTIONAL", "LABELMAP"]


def read_seg(path: Path, *, reference: Geometry | None = None, options: MaskOptions | None = None) -> Mask:
    """Read a DICOM SEG as a mask whose labels are its segments' numbers.

    Args:
        path: the file.
        reference: the grid of the image that it was drawn on. Where the frames lie on its slices the mask has that
            grid; else the smallest that holds all frames, slices without a frame being empty.
        options: the threshold of fractions.

    Raises:
        MaskError: it is tiled, lacks what a reader needs, or contradicts itself.
        GeometryError: its frames are no stack of slices.
        InputError: it is damaged, or compressed in a way for which there is no decoder.
    """
    with faults_in_words(path, "DICOM SEG"):
        return _read(path, dataset_of(path), reference, options or MaskOptions())


def _read(path: Path, dataset: Any, reference: Geometry | None, options: MaskOptions) -> Mask:
    where = str(path)
    _refuse_tiles(dataset, where)
    kind = _kind(dataset, where)
    segments, notes = _segments(dataset, where)
    plane = frame_plane(dataset, where)
    frames = frames_of(dataset, plane, where, labelled=kind == "LABELMAP")
    pixels = FramePixels(path, dataset, len(frames))
    placement = place_frames(frames, plane, pixels.shape, reference, where)
    if kind == "LABELMAP":
        labels = _LabelNumbers(dataset, segments, where)
        canvas = LabelCanvas(placement.geometry, max(labels.numbers.values(), default=1), where)
        _paint_label_map(canvas, frames, placement, pixels, labels, where)
        segments, more = labels.renumbered()
    else:
        undescribed = sorted({frame.segment or 0 for frame in frames} - set(segments))
        if undescribed:
            raise MaskError(f"{where}: frames belong to segment {undescribed[0]}, which its SegmentSequence lacks.")
        canvas = LabelCanvas(placement.geometry, max(segments), where)
        cut, more = _cut(dataset, kind, pixels, options, where)
        _paint_segments(canvas, frames, placement, pixels, cut, where)
    mask = canvas.mask(
        "DICOM SEG",
        f"DICOM SEG of {len(frames)} frames",
        segments,
        (*notes, *nameless_note(segments, "SegmentLabel"), *more, *pixels.notes, *placement.notes),
        str(dataset.get("FrameOfReferenceUID", "") or ""),
    )
    return placement.turned_back(mask)


def _refuse_tiles(dataset: Any, where: str) -> None:
    if dataset.get("TotalPixelMatrixRows") or str(dataset.get("DimensionOrganizationType", "")).startswith("TILED"):
        raise MaskError(
            f"{where}: this DICOM SEG is tiled (whole-slide microscopy), which has no slices in a patient. "
            "Masks of volumes are read: CT, MR, PET and the like."
        )


def _kind(dataset: Any, where: str) -> Kind:
    named = str(dataset.get("SegmentationType", "") or "").strip().upper()
    if str(dataset.get("SOPClassUID", "")) == LABEL_MAP_SEG and named != "LABELMAP":
        raise MaskError(f"{where}: a label map segmentation whose SegmentationType is {named or 'missing'}.")
    for kind in ("BINARY", "FRACTIONAL", "LABELMAP"):
        if named == kind:
            return kind  # type: ignore[return-value]
    raise MaskError(f"{where}: expected a SegmentationType of BINARY, FRACTIONAL or LABELMAP, got {named or 'none'}.")


def _segments(dataset: Any, where: str) -> tuple[dict[int, Segment], tuple[str, ...]]:
    """Each segment by its number, and a note on colours that a screen cannot show."""
    segments: dict[int, Segment] = {}
    outside: list[int] = []
    for item in required(dataset, "SegmentSequence", where):
        number = int(required(item, "SegmentNumber", f"{where}, SegmentSequence"))
        if number in segments:
            raise MaskError(f"{where}: two segments have the number {number}. Export it again.")
        colour, clipped = colour_of_cielab(item.get("RecommendedDisplayCIELabValue"))
        outside += [number] * clipped
        segments[number] = Segment(
            segment_name(item.get("SegmentLabel")),
            colour,
            code_of(item, "SegmentedPropertyCategoryCodeSequence"),
            code_of(item, "SegmentedPropertyTypeCodeSequence"),
        )
    if not outside:
        return segments, ()
    listed = ", ".join(map(str, outside[:10]))
    return segments, (f"The colours of segments {listed} lie outside what a screen shows; the nearest were taken.",)


def _cut(
    dataset: Any, kind: Kind, pixels: FramePixels, options: MaskOptions, where: str
) -> tuple[tuple[float, int], tuple[str, ...]]:
    """The stored value from which a voxel belongs to the segment, the largest allowed one, and what is to be noted."""
    if kind == "BINARY":
        return (1, 1), ()
    largest = int(required(dataset, "MaximumFractionalValue", where))
    if not 0 < largest < 1 << pixels.bits:
        raise MaskError(f"{where}: a MaximumFractionalValue of {largest} does not fit its {pixels.bits} bits.")
    meaning = str(dataset.get("SegmentationFractionalType", "") or "fraction").lower()
    note = f"Fractional segmentation: voxels of {meaning} {options.threshold:g} and above belong to the segment."
    return (max(1e-9, options.threshold * largest - 1e-6), largest), (note,)


def _stacked(frames: list[Frame], placement: Placement) -> Iterator[tuple[Frame, tuple[Any, ...], Frame | None]]:
    """The frames by segment and slice; with each its place, and the frame of the same segment that lies there too."""
    order = sorted(range(len(frames)), key=lambda n: (frames[n].segment or 0, placement.slices[n], n))
    before: tuple[Any, Frame] | None = None
    for n in order:
        place = placement.place(n)
        key = (frames[n].segment, place)
        yield frames[n], place, before[1] if before and before[0] == key else None
        before = (key, frames[n])


def _paint_segments(
    canvas: LabelCanvas,
    frames: list[Frame],
    placement: Placement,
    pixels: FramePixels,
    cut: tuple[float, int],
    where: str,
) -> None:
    for frame, place, twin in _stacked(frames, placement):
        values = pixels[frame.index]
        if values.max() > cut[1]:
            raise MaskError(f"{where}: frame {frame.index + 1} holds {values.max()}, above the largest value {cut[1]}.")
        _refuse_other_twin(frame, twin, values, pixels, where)
        canvas.paint(frame.segment or 0, values >= cut[0], place)


def _paint_label_map(
    canvas: LabelCanvas,
    frames: list[Frame],
    placement: Placement,
    pixels: FramePixels,
    labels: _LabelNumbers,
    where: str,
) -> None:
    for frame, place, twin in _stacked(frames, placement):
        values = pixels[frame.index]
        _refuse_other_twin(frame, twin, values, pixels, where)
        if twin is None:
            canvas.labels[place] = labels.of(values, frame.index)


def _refuse_other_twin(frame: Frame, twin: Frame | None, values: np.ndarray, pixels: FramePixels, where: str) -> None:
    if twin is not None and not np.array_equal(values, pixels[twin.index]):
        raise MaskError(
            f"{where}: frames {twin.index + 1} and {frame.index + 1} lie at one position and differ (several times or "
            "phases?). Export one of them."
        )


class _LabelNumbers:
    """Which label each stored value of a label map becomes: its own, but for the background and a segment 0."""

    def __init__(self, dataset: Any, segments: dict[int, Segment], where: str) -> None:
        self.where = where
        self.background = int(dataset.get("PixelPaddingValue", 0) or 0)
        palette = _palette(dataset)
        self.segments = {
            number: segment
            if segment.colour
            else Segment(segment.name, palette.get(number), segment.category, segment.type)
            for number, segment in segments.items()
            if number != self.background
        }
        free = max(self.segments, default=0) + 1
        self.numbers = {number: number or free for number in self.segments}
        self._table = np.full(1 << 16, -1, np.int64)
        self._table[list(self.numbers)] = list(self.numbers.values())
        self._table[self.background] = 0

    def of(self, values: np.ndarray, frame: int) -> np.ndarray:
        labels = self._table[values]
        if labels.min() < 0:
            value = int(values[labels < 0][0])
            raise MaskError(
                f"{self.where}: frame {frame + 1} holds the value {value}, which its SegmentSequence lacks."
            )
        return labels

    def renumbered(self) -> tuple[dict[int, Segment], tuple[str, ...]]:
        """The segments by label, and a note where a segment's number cannot be its label."""
        if 0 not in self.segments:
            return self.segments, ()
        zero, label = self.segments[0], self.numbers[0]
        segments = {number: segment for number, segment in self.segments.items() if number}
        segments[label] = Segment(zero.name, zero.colour, zero.category, zero.type, 0)
        note = f"Segment 0 ({zero.name}) has label {label} here: the background is 0, which the file numbers otherwise."
        return segments, (note,)


def _palette(dataset: Any) -> dict[int, Colour]:
    """sRGB of each value of a label map with its own colours (PALETTE COLOR)."""
    if str(dataset.get("PhotometricInterpretation", "")) != "PALETTE COLOR":
        return {}
    tables = []
    for name in ("Red", "Green", "Blue"):
        entries, first, bits = (int(v) for v in dataset[f"{name}PaletteColorLookupTableDescriptor"].value)
        stored = dataset.get(f"{name}PaletteColorLookupTableData")
        if not isinstance(stored, bytes) or bits not in (8, 16):
            return {}  # segmented palettes: names and regions do not depend on them
        count = entries or 1 << 16
        table = np.frombuffer(stored, "u1" if bits == 8 and len(stored) < 2 * count else "<u2")[:count]
        tables.append(table / (2**bits - 1))
    if len({len(table) for table in tables}) != 1:
        return {}
    colours = np.clip(np.stack(tables, axis=1), 0, 1).round(4)
    return {first + n: tuple(colour) for n, colour in enumerate(colours.tolist())}
