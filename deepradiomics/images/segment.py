"""Segment: what is known of one label of a mask besides its voxels."""

import math
from dataclasses import dataclass
from typing import NamedTuple

from deepradiomics.errors import MaskError


class Code(NamedTuple):
    """A term of a terminology, such as ``Code("4147007", "SCT", "Mass")``.

    value
        The term's code in its scheme.
    scheme
        The coding scheme's designator: SCT, DCM, UCUM, IBSI, 99…
    meaning
        What it says, for people.
    """

    value: str
    scheme: str
    meaning: str


@dataclass(frozen=True)
class Segment:
    """Name, colour and terms of one label.

    Args:
        name: what the person or program that drew it called it.
        colour: sRGB red, green and blue, each 0 to 1; None where the file says nothing.
        category: the term of its kind (SegmentedPropertyCategory), such as tissue or morphologically altered structure.
        type: the term of what it is (SegmentedPropertyType), such as neoplasm.
        number: the number that its file gives it, where that is not the label (two layers may both use label 1).

    Raises:
        MaskError: the colour is not three numbers of 0 to 1.
    """

    name: str
    colour: tuple[float, float, float] | None = None
    category: Code | None = None
    type: Code | None = None
    number: int | None = None

    def __post_init__(self) -> None:
        if self.colour is None:
            return
        colour = tuple(float(value) for value in self.colour)
        if len(colour) != 3 or not all(math.isfinite(value) and 0 <= value <= 1 for value in colour):
            raise MaskError(f"Segment {self.name}: expected a colour of three numbers 0 to 1, got {self.colour!r}.")
        object.__setattr__(self, "colour", colour)
