"""Names, colours and terms of segments, as DICOM and Slicer write them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from deepradiomics.images.segment import Code, Segment

Colour = tuple[float, float, float]


def segment_name(text: Any) -> str:
    """A name as people may read it: what steers a terminal or breaks a line becomes a space.

    >>> segment_name("Liver\\n\\x1b[31m "), segment_name(None)
    ('Liver  [31m', '')
    """
    return "".join(letter if letter.isprintable() else " " for letter in str(text or "")).strip()


def nameless_note(segments: Mapping[int, Segment], attribute: str) -> tuple[str, ...]:
    """A note on segments to which their file gives no name; empty where each has one.

    >>> nameless_note({1: Segment("liver"), 2: Segment("")}, "SegmentLabel")
    ('Segment 2 has no name in the file (SegmentLabel is missing or empty); it goes by its label.',)
    """
    nameless = [str(label) for label, segment in sorted(segments.items()) if not segment.name]
    if not nameless:
        return ()
    listed = ", ".join(nameless[:10]) + (f" and {len(nameless) - 10} more" if len(nameless) > 10 else "")
    what = f"Segment {listed} has" if len(nameless) == 1 else f"Segments {listed} have"
    goes = "it goes by its label" if len(nameless) == 1 else "they go by their labels"
    return (f"{what} no name in the file ({attribute} is missing or empty); {goes}.",)


def code_of(item: Any, name: str) -> Code | None:
    """The first code of a code sequence of a DICOM item; None where it has none."""
    codes = item.get(name)
    if not codes:
        return None
    code = codes[0]
    value = code.get("CodeValue") or code.get("LongCodeValue") or code.get("URNCodeValue") or ""
    if not value:
        return None
    scheme, meaning = code.get("CodingSchemeDesignator"), code.get("CodeMeaning")
    return Code(segment_name(value), segment_name(scheme), segment_name(meaning))


def colour_of_cielab(stored: Any) -> tuple[Colour | None, bool]:
    """sRGB of a ``RecommendedDisplayCIELabValue`` (three 16-bit numbers), and whether it had to be clipped to sRGB.

    L* is stored × 65535/100, a* and b* + 128 × 257 (PS3.3 C.10.7.1.1). White is D65, as dcmqi and highdicom have it.

    >>> colour_of_cielab([65535, 128 * 257, 128 * 257])[0]
    (1.0, 1.0, 1.0)
    """
    values = [int(value) for value in stored] if stored is not None else []
    if len(values) != 3 or not all(0 <= value <= 65535 for value in values):
        return None, False
    lightness, a, b = values[0] * 100 / 65535, values[1] / 257 - 128, values[2] / 257 - 128
    y = (lightness + 16) / 116
    x, z = y + a / 500, y - b / 200
    X, Y, Z = (
        white * (v**3 if v > 6 / 29 else (v - 4 / 29) * 3 * (6 / 29) ** 2)
        for v, white in zip((x, y, z), (0.95047, 1.0, 1.08883), strict=True)
    )
    linear = (
        3.2404542 * X - 1.5371385 * Y - 0.4985314 * Z,
        -0.9692660 * X + 1.8760108 * Y + 0.0415560 * Z,
        0.0556434 * X - 0.2040259 * Y + 1.0572252 * Z,
    )
    colour = [1.055 * v ** (1 / 2.4) - 0.055 if v > 0.0031308 else 12.92 * v for v in linear]
    clipped = any(not -0.005 <= v <= 1.005 for v in colour)  # beyond what rounding to 8 bits does
    red, green, blue = (round(min(1.0, max(0.0, v)), 4) for v in colour)
    return (red, green, blue), clipped


def colour_of_text(text: str) -> Colour | None:
    """Three numbers 0 to 1 of a text, as Slicer writes them; None where it holds no colour."""
    try:
        red, green, blue = (float(part) for part in text.split())
    except ValueError:
        return None
    if not all(math.isfinite(value) and 0 <= value <= 1 for value in (red, green, blue)):
        return None
    return red, green, blue


def terms_of_entry(entry: str) -> tuple[Code | None, Code | None]:
    """Category and type in Slicer's serialised terminology entry; None for a term that it leaves out.

    >>> terms_of_entry("Any~SCT^85756007^Tissue~SCT^41216001^Prostate~^^~Anatomic~^^~^^")[1]
    Code(value='41216001', scheme='SCT', meaning='Prostate')
    """
    terms: list[Code | None] = []
    for part in [*entry.split("~"), "", "", ""][1:3]:
        code = part.split("^", 2)
        terms.append(Code(code[1], code[0], code[2].rstrip("|")) if len(code) == 3 and code[1] else None)
    return terms[0], terms[1]


def entry_of_terms(category: Code | None, type: Code | None) -> str:
    """Slicer's serialised terminology entry of a category and a type; empty without either."""
    if category is None and type is None:
        return ""
    parts = [
        "^".join(re.sub(r"[~^|]", " ", text) for text in (code.scheme, code.value, code.meaning)) if code else "^^"
        for code in (category, type)
    ]
    contexts = "Segmentation category and type - DICOM master list", "Anatomic codes - DICOM master list"
    return f"{contexts[0]}~{parts[0]}~{parts[1]}~^^~{contexts[1]}~^^~^^"
