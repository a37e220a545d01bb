"""What a segment is said to be, read from its tag, as a text for tables."""

from __future__ import annotations

from typing import Any

import vtk

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
