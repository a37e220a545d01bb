"""Reading: how the images and masks of one run are read, and which labels of a mask make its region.

One object carries all of it from the command line (or a configuration) to each case; nothing on the way looks into it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from deepradiomics.errors import InputError, MaskError
from deepradiomics.images.label_names import with_label_names
from deepradiomics.images.labels import LabelChoice, chosen_labels, listed_labels
from deepradiomics.images.options import MaskOptions, ReadOptions
from deepradiomics.images.pairing import check_pair
from deepradiomics.images.read import read_mask, read_volume
from deepradiomics.images.segment import Segment
from deepradiomics.images.volume import Mask, Volume


@dataclass(frozen=True)
class Reading:
    """How images and masks are read, and which labels of a mask make the region; the defaults take what is plain.

    Args:
        image: which stack, what stands in for positions, uptake values.
        mask: threshold of fractions, other frames of reference.
        label: number of the region's label.
        segment: or name of its segment.
        all_labels: or all labels together.
        names: (label, name) of a file of label names, which the masks lack; a Segment where it brings a colour too.
        only_label: a mask with a single label gives that label, whatever ``label`` or ``segment`` names: for regions
            beside the one that they were given for.

    Raises:
        InputError: more than one of label, segment and all_labels is given.
    """

    image: ReadOptions = field(default_factory=ReadOptions)
    mask: MaskOptions = field(default_factory=MaskOptions)
    label: int | None = None
    segment: str | None = None
    all_labels: bool = False
    names: tuple[tuple[int, Segment | str], ...] = ()
    only_label: bool = False

    def __post_init__(self) -> None:
        if (self.label is not None) + (self.segment is not None) + bool(self.all_labels) > 1:
            raise InputError("label, segment, all labels: give one of them, each says which labels make the region.")

    @property
    def names_labels(self) -> bool:
        """Whether it says which labels make the region."""
        return self.label is not None or self.segment is not None or self.all_labels

    @property
    def described(self) -> str:
        """Which labels make the region, for a sentence; empty where the masks' only label does."""
        if self.label is not None:
            return f"label {self.label}"
        if self.segment is not None:
            return f"segment {self.segment!r}"
        return "all labels together" if self.all_labels else ""

    def for_label(self, label: int | None) -> Reading:
        """The same with another label, as a row of a table may name it; None changes nothing."""
        return self if label is None else replace(self, label=int(label), segment=None, all_labels=False)

    def for_row(self, label: int | None, segment: str | None) -> Reading:
        """The same with the label or segment that a row of a table names; both None change nothing."""
        if label is None and segment is None:
            return self
        return replace(self, label=label, segment=segment if label is None else None, all_labels=False)

    def or_labels_of(self, other: Reading) -> Reading:
        """The same with the labels that ``other`` names, where this one names none."""
        if self.names_labels:
            return self
        return replace(self, label=other.label, segment=other.segment, all_labels=other.all_labels)

    def read_volume(self, path: str | os.PathLike[str], *, plane: str | None = None) -> Volume:
        """Read an image; see :func:`deepradiomics.images.read_volume`."""
        return read_volume(path, plane=plane, options=self.image)

    def read_mask(self, path: str | os.PathLike[str], *, reference: Volume | None = None) -> Mask:
        """Read a mask with the names of its labels, drawn on ``reference`` where that is known."""
        return self.named(read_mask(path, reference=reference, options=self.mask))

    def read_drawn(self, path: str | os.PathLike[str], image: Volume, others: Iterable[Volume] = ()) -> Mask:
        """Read a mask, and compare it with the image that it was drawn on.

        Args:
            path: see :func:`deepradiomics.images.read_mask`.
            image: that it was drawn on.
            others: images of the same examination, one of which it may have been drawn on instead.

        Returns:
            The mask; its notes tell where its grid is another than the image's.

        Raises:
            InputError: the file cannot be read.
            MaskError: it is of another frame of reference than the image, or lies outside it.
        """
        mask = self.read_mask(path, reference=image)
        if not mask.labels_present():
            return mask
        notes = (*mask.notes, *self._compared(mask, (image, *others)))
        return replace(mask, notes=tuple(dict.fromkeys(notes)))

    def named(self, mask: Mask) -> Mask:
        """The mask with the names of its labels, where it brings none itself."""
        return with_label_names(mask, dict(self.names)) if self.names else mask

    def _compared(self, mask: Mask, images: Sequence[Volume]) -> tuple[str, ...]:
        """What is to be said of a mask beside the image that it was drawn on, or most likely was."""
        same = [image for image in images if image.geometry.is_close(mask.geometry)]
        refused: list[MaskError] = []
        for image in (*same, *images):
            try:
                return check_pair(image, mask, self.mask)
            except MaskError as error:
                refused.append(error)
        raise refused[0]

    def chosen(self, mask: Mask, where: str = "") -> LabelChoice:
        """Which labels of a mask are meant; see :func:`deepradiomics.images.chosen_labels`.

        Raises:
            MaskError: the mask is empty, lacks what is named, or has several labels and none is named.
        """
        if self.only_label and len(mask.labels_present()) == 1:
            return chosen_labels(mask, where=where)
        return chosen_labels(mask, label=self.label, segment=self.segment, all_labels=self.all_labels, where=where)

    def region(self, mask: Mask, where: str = "", *, name: str = "") -> Mask:
        """The chosen labels of a mask as label 1; its notes, and which label was taken where none was named.

        Args:
            mask: as read; its segments may overlap.
            where: how messages call it, such as ``Case 7, column mask``.
            name: what the region is called; the segment's or the mask's name by default.

        Raises:
            MaskError: the mask is empty, lacks what is named, or has several labels and none is named.
        """
        chosen = self.chosen(mask, where)
        inside = np.zeros(mask.geometry.shape, bool)
        for label in chosen.labels:
            inside |= mask.region(label)
        notes = list(chosen.notes)
        if len(chosen.labels) > 1:
            listed = listed_labels(mask)  # only all labels are several
            notes.append(f"{where or mask.called}: its {len(chosen.labels)} labels were taken together, {listed}.")
        segment = mask.segments.get(chosen.labels[0]) if len(chosen.labels) == 1 else None
        if name:
            segment = Segment(name) if segment is None else replace(segment, name=name)
        return Mask(
            inside,
            mask.geometry,
            mask.name,
            mask.source,
            {} if segment is None else {1: segment},
            notes=(*mask.notes, *notes),
            frame_of_reference=mask.frame_of_reference,
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON form of what is not the default, so that a run without choices keeps its identity."""
        plain: dict[str, Any] = {}
        for name in ("image", "mask"):
            options = getattr(self, name)
            changed = {
                option.name: getattr(options, option.name)
                for option in fields(options)
                if getattr(options, option.name) != getattr(type(options)(), option.name)
            }
            plain |= {name: changed} if changed else {}
        for name in ("label", "segment"):
            plain |= {name: getattr(self, name)} if getattr(self, name) is not None else {}
        for name in ("all_labels", "only_label"):
            plain |= {name: True} if getattr(self, name) else {}
        return plain | ({"names": [_stored_name(label, name) for label, name in self.names]} if self.names else {})

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Reading:
        """Inverse of :meth:`to_dict`.

        Raises:
            InputError: an unknown key, or a value that does not fit.
        """
        if not isinstance(stored, Mapping):
            raise InputError(f"reading: expected named choices, got {stored!r}.")
        known = {option.name for option in fields(cls)}
        if unknown := sorted(set(stored) - known):
            raise InputError(f"reading: unknown choice {unknown[0]!r}; known are {', '.join(sorted(known))}.")
        try:
            plain = dict(stored)
            plain["image"] = ReadOptions(**plain.get("image", {}))
            plain["mask"] = MaskOptions(**plain.get("mask", {}))
            plain["names"] = tuple(_name_of(*entry) for entry in plain.get("names", ()))
            return cls(**plain)
        except (TypeError, ValueError) as error:
            raise error if isinstance(error, InputError) else InputError(f"reading: {error}.") from error


def _stored_name(label: int, name: Segment | str) -> list[Any]:
    """JSON form of a label's name, with its colour where it has one."""
    if isinstance(name, str):
        return [label, name]
    return [label, name.name] if name.colour is None else [label, name.name, list(name.colour)]


def _name_of(label: Any, name: Any, colour: Any = None) -> tuple[int, Segment | str]:
    """Inverse of :func:`_stored_name`."""
    return int(label), str(name) if colour is None else Segment(str(name), tuple(colour))


__all__ = ["Reading"]
