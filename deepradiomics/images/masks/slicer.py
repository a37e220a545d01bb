"""Slicer's segmentations (``.seg.nrrd``): one or several layers, each a label map of segments that do not overlap.

Keys of the header, with i the segment and no order promised: ``Segment{i}_Name``, ``_LabelValue``, ``_Layer``,
``_Color``, ``_Tags`` (``TerminologyEntry:…|…``), ``_Extent``. Files of Slicer 4 have a layer for each segment and no
``_Layer``. Two layers may use one label value for two segments.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import SimpleITK as sitk

from deepradiomics.errors import MaskError
from deepradiomics.images.geometry import Geometry
from deepradiomics.images.masks.canvas import LabelCanvas
from deepradiomics.images.masks.segment_terms import colour_of_text, segment_name, terms_of_entry
from deepradiomics.images.segment import Segment
from deepradiomics.images.sitk import geometry_of
from deepradiomics.images.volume import Mask, whole_labels

_KEY = re.compile(r"Segment(\d+)_(ID|Name|LabelValue|Layer|Color|Tags)\Z")
_TAG = "TerminologyEntry:"


@dataclass(frozen=True)
class StoredSegment:
    """A segment as the header has it: its layer, its value there, and what is known of it."""

    layer: int
    value: int
    segment: Segment


def describes_segments(keys: Iterable[str]) -> bool:
    """Whether the keys of a header describe segments."""
    return any(_KEY.match(key) for key in keys)


def mask_of_image(image: sitk.Image, name: str = "", source: str = "") -> Mask:
    """The mask of a SimpleITK image with Slicer's keys: its layers are components of a voxel, or its fourth axis.

    Raises:
        MaskError: as :func:`mask_of_layers`.
    """
    layers, geometry = _layers(image, source or name or "segmentation")
    header = {key: _text(image.GetMetaData(key)) for key in image.GetMetaDataKeys()}
    return mask_of_layers(layers, geometry, header, name, source)


def mask_of_layers(
    layers: Sequence[np.ndarray], geometry: Geometry, header: Mapping[str, str], name: str = "", source: str = ""
) -> Mask:
    """The mask of layers (z, y, x) with Slicer's keys.

    Segments keep their label values; where two layers use one value for two segments, the later one gets a new label,
    with its value as the segment's number, and a note says so.

    Raises:
        MaskError: voxels that are not whole numbers, fractions, or a segment of a layer that is not there.
    """
    where = source or name or "segmentation"
    represented = header.get("Segmentation_MasterRepresentation") or header.get("Segmentation_SourceRepresentation", "")
    if "fractional" in represented.lower():
        raise MaskError(f"{where}: a fractional segmentation of Slicer. Export it as a binary labelmap first.")
    layers = [_whole_numbers(layer, where) for layer in layers]
    stored, notes = _stored_segments(header, len(layers), where)
    labels = _labels(stored)
    segments: dict[int, Segment] = {}
    for (label, renumbered), entry in zip(labels, stored, strict=True):
        segments[label] = replace(entry.segment, number=entry.value) if renumbered else entry.segment
    renamed = [(entry, label) for entry, (label, renumbered) in zip(stored, labels, strict=True) if renumbered]
    if renamed:
        listed = ", ".join(
            f"{entry.segment.name or 'unnamed'} {entry.value} -> {label}" for entry, label in renamed[:10]
        )
        more = f" and {len(renamed) - 10} more" if len(renamed) > 10 else ""
        notes += (f"Segments of different layers share a label value; new labels were given: {listed}{more}.",)
    unnamed, more_notes = _unnamed(layers, stored, segments)
    if any(value < 0 for _, value, _ in unnamed) or any(entry.value < 0 for entry in stored):
        raise MaskError(f"{where}: it has labels below 0; labels count from 1. Is this a grey-level image?")
    canvas = LabelCanvas(geometry, max([*segments, *(label for *_, label in unnamed)], default=1), where)
    for layer, value, label in unnamed:
        canvas.paint(label, layers[layer] == value)
    for (label, _), entry in zip(labels, stored, strict=True):
        canvas.paint(label, layers[entry.layer] == entry.value)
    return canvas.mask(name, source, segments, (*notes, *more_notes))


def _text(raw: str) -> str:
    """A text of the header; bytes that are not UTF-8 are read as Latin-1."""
    try:
        raw.encode("utf-8")
    except UnicodeEncodeError:
        raw = raw.encode("utf-8", "surrogateescape").decode("latin-1")
    return raw


def _layers(image: sitk.Image, where: str) -> tuple[list[np.ndarray], Geometry]:
    """The layers (z, y, x) of whole numbers, and their grid."""
    array = sitk.GetArrayFromImage(image)
    if image.GetDimension() == 4:
        if image.GetNumberOfComponentsPerPixel() != 1:
            raise MaskError(f"{where}: expected layers along one axis, got a fourth axis and several components.")
        layers = list(array)
        image = image[:, :, :, 0]
    elif image.GetNumberOfComponentsPerPixel() > 1:
        layers = [array[..., n] for n in range(array.shape[-1])]
    else:
        layers = [array]
    return layers, geometry_of(image, where)


def _whole_numbers(layer: np.ndarray, where: str) -> np.ndarray:
    if layer.dtype.kind == "f":
        return whole_labels(layer, where)
    if layer.dtype.kind not in "iu":
        raise MaskError(f"{where}: expected integer labels, got {layer.dtype}.")
    return layer


def _stored_segments(header: Mapping[str, str], layers: int, where: str) -> tuple[list[StoredSegment], tuple[str, ...]]:
    described: dict[int, dict[str, str]] = {}
    for key, text in header.items():
        if match := _KEY.match(key):
            described.setdefault(int(match[1]), {})[match[2]] = segment_name(text)
    one_each = layers > 1 and not any("Layer" in entry for entry in described.values())
    stored: list[StoredSegment] = []
    background: list[str] = []
    for number, entry in sorted(described.items()):
        called = f"{where}, segment {entry.get('Name') or number}"
        layer = number if one_each else _whole(entry.get("Layer", "0"), f"{called}, Layer")
        if not 0 <= layer < layers:
            raise MaskError(f"{called}: it lies in layer {layer}, but the file has {layers} (counted from 0).")
        if "LabelValue" not in entry and not one_each and (len(described) > 1 or layers > 1):
            raise MaskError(f"{called}: its LabelValue is missing, so that its voxels are not known.")
        value = _whole(entry.get("LabelValue", "1"), f"{called}, LabelValue")
        if value == 0:
            background.append(entry.get("Name", "") or str(number))
            continue
        tags = [tag for tag in entry.get("Tags", "").split("|") if tag.startswith(_TAG)]
        category, type = terms_of_entry(tags[0].removeprefix(_TAG)) if tags else (None, None)
        segment = Segment(entry.get("Name", ""), colour_of_text(entry.get("Color", "")), category, type)
        stored.append(StoredSegment(layer, value, segment))
    if not background:
        return stored, ()
    return stored, (f"Segments with label value 0, the background, were left out: {', '.join(background[:10])}.",)


def _whole(text: str, called: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise MaskError(f"{called}: expected a whole number, got {text[:40]!r}.") from None


def _labels(stored: list[StoredSegment]) -> list[tuple[int, bool]]:
    """A label of its own for each segment, and whether it is another one than its value."""
    free = max((entry.value for entry in stored), default=0) + 1
    taken: set[int] = set()
    labels = []
    for entry in stored:
        clash = entry.value in taken
        label = free if clash else entry.value
        free += clash
        taken.add(label)
        labels.append((label, clash))
    return labels


def _unnamed(
    layers: list[np.ndarray], stored: list[StoredSegment], segments: dict[int, Segment]
) -> tuple[list[tuple[int, int, int]], tuple[str, ...]]:
    """(layer, value, label) of values that no segment describes, and a note on those that need a new label."""
    known = {(entry.layer, entry.value) for entry in stored}
    taken = set(segments)
    values = [np.unique(layer).tolist() for layer in layers]
    free = max([*taken, *(value for layer in values for value in layer)], default=0) + 1
    unnamed: list[tuple[int, int, int]] = []
    notes: list[str] = []
    for layer, present in enumerate(values):
        for value in present:
            if value == 0 or (layer, value) in known:
                continue
            label = value
            if label in taken:
                label, free = free, free + 1
                notes.append(f"Value {value} of layer {layer}, which no segment describes, has label {label} here.")
            taken.add(label)
            unnamed.append((layer, value, label))
    return unnamed, tuple(notes)
