"""How a file is to be read where it allows more than one reading."""

import math
from dataclasses import dataclass
from typing import Literal

from deepradiomics.errors import InputError

SliceSpacing = Literal["SliceThickness", "SpacingBetweenSlices"]
"""Headers of DICOM that may stand in for positions that are missing, where the user says so."""


@dataclass(frozen=True)
class ReadOptions:
    """Choices of the user about how images are read.

    Args:
        stack: which of several images at each position: a number of the list that the error gives, or words of it such
            as ``b=1000`` or ``echo=2``; None takes the one that is plainly meant, or refuses.
        slice_spacing: the DICOM header that gives the distance of slices without a position, or None: refused.
        suv: turn PET activity into the standardised uptake value by body weight (SUVbw, g/mL).

    Raises:
        InputError: ``slice_spacing`` is not one of the two headers.
    """

    stack: str | None = None
    slice_spacing: SliceSpacing | None = None
    suv: bool = False

    def __post_init__(self) -> None:
        if self.slice_spacing not in (None, "SliceThickness", "SpacingBetweenSlices"):
            raise InputError(
                f"slice_spacing: expected SliceThickness or SpacingBetweenSlices, got {self.slice_spacing!r}."
            )


@dataclass(frozen=True)
class MaskOptions:
    """Choices of the user about how masks are read.

    Args:
        threshold: the fraction from which a voxel of a fractional DICOM SEG belongs to the segment, above 0 to 1.
        any_frame: accept a mask whose frame of reference is not the image's.

    Raises:
        InputError: the threshold is not above 0 and at most 1.
    """

    threshold: float = 0.5
    any_frame: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.threshold) and 0 < self.threshold <= 1):
            raise InputError(f"threshold: expected a fraction above 0 and at most 1, got {self.threshold!r}.")
