"""Names of features in the narrow lists of panels: family and name first, long ones over two lines."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

ONE_LINE = 26  # letters that fit beside the other columns of a panel 440 pixels wide
LINE_PX, TWO_LINES_PX = 22, 36
_MAY_BREAK = re.compile(r"(?<=[a-z])(?=[A-Z])")
BREAK = "\u200b"  # takes no room; a line may end there


@lru_cache(maxsize=8192)
def label_and_tip(feature: str) -> tuple[str, str]:
    """A feature's short name ("GLCM Contrast, wavelet LLH"), and its whole name with what it measures.

    A name that the catalogue does not know, or cannot tell because a package is missing, stands for itself.
    """
    from deepradiomics.errors import InputError

    try:
        from deepradiomics.radiomics.explain import explain

        about = explain(feature)
    except (InputError, ModuleNotFoundError):
        return feature, feature
    return about.label, f"{feature}\n{about.text}"


def breakable(label: str) -> str:
    """The same text, in which lines may end before each capital: "LargeArea|LowGrayLevel|Emphasis"."""
    return _MAY_BREAK.sub(BREAK, label)


def fit_rows(table: Any, labels: list[str]) -> None:
    """Give rows with a long name the height of two lines."""
    table.setWordWrap(True)
    for row, label in enumerate(labels):
        table.setRowHeight(row, TWO_LINES_PX if len(label) > ONE_LINE else LINE_PX)
