"""What a segment is said to be, read from its tag, as a text for tables."""

from __future__ import annotations

from typing import Any

import vtk

from deepradiomics.images import Code, Segment

TAG = "TerminologyEntry"
_PARTS = slice(1, 4)  # category, type, modifier; before them the context's name, after them the anatomic region


def terminology_of(segment: Any) -> str:
    """A segment's category, type and modifier, as in "Tissue / Prostate"; empty where its tag is missing."""
    entry = vtk.reference("")
    return terminology_text(str(entry.get())) if segment.GetTag(TAG, entry) else ""


def terminology_text(entry: str) -> str:
    """The meanings in a serialised entry.

    >>> terminology_text("Anatomy~SCT^85756007^Tissue~SCT^41216001^Prostate~^^~Regions~^^~^^|")
    'Tissue / Prostate'
    """
    codes = [part.split("^", 2) for part in entry.split("~")[_PARTS]]
    return " / ".join(code[2] for code in codes if len(code) == 3 and code[2])


def codes_of(entry: str) -> tuple[Code | None, Code | None]:
    """The terms of category and type in a serialised entry.

    >>> codes_of("Anatomy~SCT^85756007^Tissue~SCT^41216001^Prostate~^^~Regions~^^~^^|")[1]
    Code(value='41216001', scheme='SCT', meaning='Prostate')
    """
    codes = [part.split("^", 2) for part in entry.split("~")[1:3]]
    terms = [Code(code[1], code[0], code[2]) if len(code) == 3 and all(code) else None for code in codes]
    category, kind = (*terms, None, None)[:2]
    return category, kind


def segment_of(segmentation: Any, name: str) -> Segment:
    """What a segmentation knows of the one segment of a name; the name alone where there is none, or several."""
    if segmentation is None:
        return Segment(name)
    segments = segmentation.GetSegmentation()
    every = [segments.GetNthSegment(place) for place in range(segments.GetNumberOfSegments())]
    matching = [segment for segment in every if segment.GetName() == name]
    if len(matching) != 1:
        return Segment(name)
    entry = vtk.reference("")
    category, kind = codes_of(str(entry.get())) if matching[0].GetTag(TAG, entry) else (None, None)
    return Segment(name, tuple(matching[0].GetColor()), category, kind)
