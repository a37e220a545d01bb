"""The cells of a CSV text, strictly: every quotation mark must make sense, or its line is named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from deepradiomics.errors import InputError

LONGEST_CELL = 131_072
"""Characters of a cell; longer ones come from a quotation mark that was never closed, or from no table at all."""
_QUOTED = re.compile(r'"([^"]*(?:""[^"]*)*)"')
_PLAIN = re.compile(r'[^,"\r\n]*')
_END = re.compile(r"\r\n|\n|\r")


def rows_of_text(text: str, path: Path, error: type[InputError]) -> Iterator[tuple[int, list[str]]]:
    """(line on which it begins, cells) of each row that is not blank.

    Raises:
        InputError: a quotation mark is never closed or stands inside a cell, or a cell is endless.
    """
    if '"' not in text:
        for line, row in enumerate(_END.split(text), start=1):
            if row:
                cells = row.split(",")
                _check_length(max(map(len, cells)), path, line, error)
                yield line, cells
        return
    place, line = 0, 1
    while place < len(text):
        first, row = line, []
        while True:
            cell, place, line = _next_cell(text, place, line, path, error)
            row.append(cell)
            if text[place : place + 1] != ",":
                break
            place += 1
        if end := _END.match(text, place):
            place, line = end.end(), line + 1
        yield first, row


def _next_cell(text: str, place: int, line: int, path: Path, error: type[InputError]) -> tuple[str, int, int]:
    """The cell that begins at ``place``, where it ends, and the line there."""
    if text[place : place + 1] != '"':
        plain = _PLAIN.match(text, place)
        assert plain is not None  # it matches the empty text too
        _check_length(len(plain[0]), path, line, error)
        if text[plain.end() : plain.end() + 1] == '"':
            raise error(
                f"{path}, line {line}: a quotation mark stands inside the cell {short(plain[0])}; put the cell in "
                "quotation marks and write the mark twice, or remove it."
            )
        return plain[0], plain.end(), line
    quoted = _QUOTED.match(text, place)
    if quoted is None:
        raise error(
            f"{path}, line {line}: a quotation mark is opened and never closed, before "
            f"{short(_END.split(text[place + 1 : place + 200])[0])}. Close or remove it."
        )
    _check_length(len(quoted[1]), path, line, error)
    last = line + len(_END.findall(quoted[0]))
    after = text[quoted.end() : quoted.end() + 1]
    if after not in ("", ",", "\r", "\n"):
        until = f" and closed on line {last}" if last > line else " and closed"
        raise error(
            f"{path}, line {line}: a quotation mark is opened{until} before {short(after)}, where a comma or the end "
            "of the line was expected. Perhaps the first one is never closed: close or remove it."
        )
    return quoted[1].replace('""', '"'), quoted.end(), last


def _check_length(length: int, path: Path, line: int, error: type[InputError]) -> None:
    if length > LONGEST_CELL:
        raise error(
            f"{path}, line {line}: a cell of {length} characters; {LONGEST_CELL} are the most. Is a quotation mark "
            "never closed, or is this no table?"
        )


def short(text: str) -> str:
    """A text in a message: quoted, and cut where it is long."""
    return repr(text if len(text) <= 40 else f"{text[:40]}…")
