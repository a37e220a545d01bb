"""Texts as DICOM's short and long strings hold them."""

from collections.abc import Sequence

LONG = 64
"""Characters of a long string (LO)."""


def long_string(text: str, length: int = LONG) -> str:
    """Return a text without control characters and backslashes, without blanks at its ends, cut to ``length``."""
    plain = "".join(" " if character == "\\" or not character.isprintable() else character for character in text)
    return " ".join(plain.split())[:length].strip()


def listed(names: Sequence[str], limit: int = 5) -> str:
    """The first names of a list, and how many more there are.

    >>> listed(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more
