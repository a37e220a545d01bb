"""The options on reading that all commands share, as groups of options (see :mod:`deepradiomics.cli.groups`).

A command has one parameter ``reading``, whose type says which options it has: those on images (ImageOptions), those on
files with a mask (FileOptions), or all (ReadingOptions); inside its session it asks that for a Reading.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from deepradiomics.cli.inputs import SEG_THRESHOLD, mask_options, names_of, read_options
from deepradiomics.cli.options import (
    AllLabels,
    AnyFrame,
    LabelNames,
    LabelOption,
    MergeLabels,
    SegmentName,
    SegThreshold,
    SliceSpacingOption,
    Stack,
    Suv,
)
from deepradiomics.cli.remarks import told_of_cases
from deepradiomics.cli.session import Session
from deepradiomics.errors import InputError

if TYPE_CHECKING:
    from deepradiomics.images import Mask, Volume
    from deepradiomics.images.reading import Reading
    from deepradiomics.radiomics.region.regions import RegionChoice


@dataclass(frozen=True)
class ImageOptions:
    """How images are read."""

    stack: Stack = None
    slice_spacing: SliceSpacingOption = None
    suv: Suv = False

    def reading(self) -> "Reading":
        """The same as the computing side takes it.

        Raises:
            InputError: a value cannot be used.
        """
        from deepradiomics.images.reading import Reading

        return Reading(read_options(self.stack, self.slice_spacing, self.suv))


@dataclass(frozen=True)
class FileOptions(ImageOptions):
    """How images and masks are read."""

    seg_threshold: SegThreshold = SEG_THRESHOLD
    any_frame: AnyFrame = False

    def reading(self) -> "Reading":
        """The same as the computing side takes it; which labels of a mask are meant is not asked here."""
        return replace(super().reading(), mask=mask_options(self.seg_threshold, self.any_frame))


@dataclass(frozen=True)
class LabelOptions(FileOptions):
    """How images and masks are read, and which label a user named; what that means is asked elsewhere."""

    label: LabelOption = None
    segment: SegmentName = None
    label_names: LabelNames = None

    def reading(self) -> "Reading":
        """How the files are read, without the label.

        Raises:
            InputError: a value, or the file of label names, cannot be used.
        """
        return replace(super().reading(), names=names_of(self.label_names))


@dataclass(frozen=True)
class LabelsInTurn(LabelOptions):
    """The labels of a mask as regions of their own."""

    all_labels: AllLabels = False

    def choice(self, params: str | None) -> "RegionChoice":
        """The same as the engine takes it."""
        from deepradiomics.radiomics.region.regions import RegionChoice

        return RegionChoice.of(params, self.label, self.segment, self.all_labels)


@dataclass(frozen=True)
class ReadingOptions(LabelOptions):
    """How images and masks are read, and which labels of a mask are the region."""

    merge_labels: MergeLabels = False

    @property
    def options(self) -> str:
        """Those options on the mask's labels that were given, as a message names them."""
        names = ("label", "segment", "merge_labels", "label_names")
        return ", ".join(f"--{name.replace('_', '-')}" for name in names if getattr(self, name) not in (None, False))

    def reading(self) -> "Reading":
        """The same as the computing side takes it.

        Raises:
            InputError: options that exclude each other, or a value that cannot be used.
        """
        if (self.label is not None) + (self.segment is not None) + self.merge_labels > 1:
            raise InputError("--label, --segment, --merge-labels: give one of them, each says which labels are meant.")
        return replace(super().reading(), label=self.label, segment=self.segment, all_labels=self.merge_labels)


def readable(path: Path, what: str) -> Path:
    """Return the path of an image or mask when it is there: a file, or a folder of DICOM.

    Raises:
        InputError: it does not exist.
    """
    if not path.exists():
        raise InputError(f"{what} {path}: this file does not exist.")
    return path


def mask_of_option(
    reading: "Reading", path: Path, option: str, image: "Volume", others: "Iterable[Volume]" = ()
) -> "Mask":
    """Read the mask of an option and compare it with the image that it was drawn on; errors name the option.

    Raises:
        InputError: it cannot be read; its subclass MaskError: it belongs to another image.
    """
    try:
        return reading.read_drawn(path, image, others)
    except InputError as error:
        raise type(error)(f"{option}: {error}") from error


def note_all(session: Session, notes: Iterable[str]) -> None:
    """Show the notes of a case, each once."""
    for text in dict.fromkeys(notes):
        session.note(text)


def note_cases(session: Session, notes: Mapping[str, Iterable[str]]) -> None:
    """Show the notes of a cohort, one line for all that differ in their numbers only."""
    note_all(session, told_of_cases(notes))


__all__ = [
    "FileOptions",
    "ImageOptions",
    "LabelOptions",
    "LabelsInTurn",
    "ReadingOptions",
    "mask_of_option",
    "note_all",
    "note_cases",
    "readable",
]
