"""What is made of a mask's regions before they are measured: their connected parts, and rings around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from deepradiomics.cohort.manifest import Manifest, ManifestRow
from deepradiomics.errors import InputError, MaskError
from deepradiomics.files.atomic import content_hash
from deepradiomics.images import Mask, Segment, Volume
from deepradiomics.images.masks.canvas import LabelCanvas
from deepradiomics.images.reading import Reading
from deepradiomics.prepare.regions import connected_parts, ring
from deepradiomics.prepare.resample import resample_mask


@dataclass(frozen=True)
class RegionShapes:
    """What is made of the regions chosen; the default leaves them as they are.

    Args:
        parts: the connected parts of each region are regions of their own.
        ring_mm: the shell from so far to so far around each region (from its border, in mm) instead of the region.
        within: mask that the shell is cut by.
        within_column: column of a manifest that names this mask for each case.
        minimum_mm3: parts smaller than this are left out.
    """

    parts: bool = False
    ring_mm: tuple[float, float] | None = None
    within: Path | None = None
    within_column: str | None = None
    minimum_mm3: float = 0.0

    def of_case(self, manifest: Manifest, row: ManifestRow) -> RegionShapes:
        """The shapes of one case of a manifest.

        Raises:
            InputError: the manifest has no such column.
        """
        column = self.within_column or ""
        cell = row.more.get(column)
        if cell is None:
            known = ", ".join(row.more) or "none besides id, image and mask"
            raise InputError(f"--ring-within {column}: {manifest.where} has no such column; further columns: {known}.")
        folder = manifest.path.parent if manifest.path is not None else Path()
        return replace(self, within=folder / cell if cell else None)

    def to_dict(self) -> dict[str, Any]:
        """JSON form of what is asked; the place of a mask is not part of it."""
        asked = {"parts": self.parts, "ring_mm": self.ring_mm, "within": self.within_column or bool(self.within)}
        return asked | ({"minimum_mm3": self.minimum_mm3} if self.minimum_mm3 else {})

    def content(self, image: Volume, reading: Reading) -> str:
        """Hash of the mask that the shell is cut by; empty without one.

        Raises:
            InputError: the mask cannot be read.
        """
        mask = self._cutting_mask(image, reading)
        return "" if mask is None else content_hash(mask.union().astype(np.uint8), mask.geometry.to_dict())

    def of(self, mask: Mask, labels: Sequence[int], image: Volume, reading: Reading) -> Shaped:
        """The regions to measure, made of these labels of a mask.

        Raises:
            MaskError: nothing is left of any region.
            InputError: the mask that cuts the shell cannot be read.
        """
        if not self.parts and self.ring_mm is None:
            return Shaped(mask, tuple(labels))
        notes: list[str] = []
        if self.parts:
            mask, labels = _parts_of(mask, labels, self.minimum_mm3)
        if self.ring_mm is None:
            return Shaped(mask, tuple(labels))
        if not mask.geometry.is_close(image.geometry):
            notes.append(f"{mask.called}: brought to the image's grid, for the ring reaches beyond its own.")
            mask = resample_mask(mask, image.geometry)
        return _rings_of(mask, labels, self.ring_mm, self._cutting_mask(image, reading), notes)

    def _cutting_mask(self, image: Volume, reading: Reading) -> Mask | None:
        if self.within is None:
            if self.within_column is not None:
                raise InputError(f"column {self.within_column}: this cell is empty; name the mask that cuts the ring.")
            return None
        return reading.read_drawn(self.within, image)


@dataclass(frozen=True, eq=False)
class Shaped:
    """Regions to measure.

    Args:
        mask: which holds them.
        labels: of the mask.
        notes: what was done on the way.
        skipped: for each label of which nothing is left the reason.
    """

    mask: Mask
    labels: tuple[int, ...]
    notes: tuple[str, ...] = ()
    skipped: Mapping[int, str] = field(default_factory=dict)


def _parts_of(mask: Mask, labels: Sequence[int], minimum_mm3: float) -> tuple[Mask, tuple[int, ...]]:
    """The connected parts of these labels as labels 1, 2, …, those of one label after the other."""
    if len(labels) == 1:
        parts = connected_parts(mask, labels[0], minimum_mm3=minimum_mm3)
        return parts, parts.labels_present()
    parts_by_label: list[Mask] = []
    notes = list(mask.notes)
    too_small: list[str] = []
    for label in labels:
        try:
            parts_by_label.append(connected_parts(mask, label, minimum_mm3=minimum_mm3))
        except MaskError as error:
            too_small.append(str(error))
        else:
            notes += parts_by_label[-1].notes
    if not parts_by_label:
        raise MaskError(too_small[0])
    canvas = LabelCanvas(mask.geometry, sum(len(parts.segments) for parts in parts_by_label))
    segments: dict[int, Segment] = {}
    for parts in parts_by_label:
        for number in parts.labels_present():
            label = len(segments) + 1
            canvas.paint(label, parts.region(number))
            segments[label] = parts.segments[number]
    remarks = tuple(dict.fromkeys([*notes, *too_small]))
    merged = canvas.mask(mask.name, mask.source, segments, remarks, mask.frame_of_reference)
    return merged, tuple(segments)


def _rings_of(
    mask: Mask, labels: Sequence[int], ring_mm: tuple[float, float], within: Mask | None, notes: Sequence[str]
) -> Shaped:
    """The shell around each of these labels, under its label; shells may overlap."""
    canvas = LabelCanvas(mask.geometry, max(labels))
    segments: dict[int, Segment] = {}
    skipped: dict[int, str] = {}
    remarks = list(notes)
    for label in labels:
        try:
            shell = ring(mask, label, inner_mm=ring_mm[0], outer_mm=ring_mm[1], within=within)
        except MaskError as error:
            if len(labels) == 1:
                raise
            skipped[label] = str(error)
            continue
        canvas.paint(label, shell.region(label))
        segments[label] = shell.segments[label]
        remarks += shell.notes
    if not segments:
        raise MaskError(next(iter(skipped.values())))
    shells = canvas.mask(mask.name, mask.source, segments, mask.notes, mask.frame_of_reference)
    return Shaped(shells, tuple(segments), tuple(dict.fromkeys(remarks)), skipped)
