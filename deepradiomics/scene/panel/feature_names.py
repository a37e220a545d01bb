"""Names of features in the narrow lists of panels: family and name first, long ones over several lines."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from deepradiomics.errors import InputError
from deepradiomics.radiomics.catalogue.explain import explain

ONE_LINE = 26  # letters that fit beside two other columns in a panel 440 pixels wide
BESIDE_FOUR = 12  # the same beside four other columns
LINE_PX, FURTHER_LINE_PX = 22, 14
_MAY_BREAK = re.compile(r"(?<=[a-z])(?=[A-Z])")
BREAK = "\u200b"  # takes no room; a line may end there


@lru_cache(maxsize=8192)
def label_and_tip(feature: str) -> tuple[str, str]:
    """A feature's short name ("GLCM Contrast, wavelet LLH"), and its whole name with what it measures.

    A name that the catalogue does not know, or cannot tell because a package is missing, stands for itself.
    """
    try:
        about = explain(feature)
    except (InputError, ModuleNotFoundError):
        return feature, feature
    return about.label, f"{feature}\n{about.text}"


def breakable(label: str) -> str:
    """The same text, in which lines may end before each capital: "LargeArea|LowGrayLevel|Emphasis"."""
    return _MAY_BREAK.sub(BREAK, label)


def fit_rows(table: Any, labels: list[str], one_line: int = ONE_LINE) -> None:
    """Give rows with a long name the height of several lines of `one_line` letters."""
    table.setWordWrap(True)
    for row, label in enumerate(labels):
        table.setRowHeight(row, LINE_PX + (lines_of(label, one_line) - 1) * FURTHER_LINE_PX)


@lru_cache(maxsize=8192)
def lines_of(label: str, one_line: int) -> int:
    """The number of lines of `one_line` letters that a label takes which is broken at blanks and before capitals.

    >>> lines_of("GLDM SmallDependenceEmphasis", 16)
    3
    """
    lines, length = 1, 0
    for piece in re.findall(r"[^ \u200b]+ ?", breakable(label)):
        if length and length + len(piece.rstrip()) > one_line:
            lines, length = lines + 1, 0
        length += len(piece)
    return lines
