"""Tables as CSV: one writer that a spreadsheet cannot turn into formulas, and one strict reader that restores texts.

=1+1        is written  '=1+1      a text that a spreadsheet would take for a formula gets a leading apostrophe
'=1+1       is written  ''=1+1     so that every text comes back as it was
-1.5, 1e-3  stay                   numbers are no formulas, whether they come as numbers or as texts

Files are UTF-8 with commas, a decimal point and a line of column names. What is anything else is refused with the line
and what to do: nobody's table is read half.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TextIO, TypeVar

import numpy as np

from deepradiomics.errors import InputError
from deepradiomics.files.atomic import atomic_file
from deepradiomics.files.csv_text import rows_of_text, short
from deepradiomics.files.reading import require_an_end

_Row = TypeVar("_Row")
Cells = Mapping[str, Any] | Sequence[Any]
_FORMULA = "=+-@\t\r\n＝＋－＠"  # as OWASP lists them, with the full-width forms that spreadsheets in Asia take too
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z|[+-]?(nan|inf|infinity)\Z", re.ASCII | re.IGNORECASE)
_COMMA_NUMBER = re.compile(r"[+-]?\d+,\d+\Z", re.ASCII)
_SEPARATORS = {";": "semicolons or tabs", "\t": "semicolons or tabs", "|": "vertical bars"}


@dataclass(frozen=True, eq=False)
class Table:
    """A table of texts.

    Args:
        path: its file, for messages.
        columns: names, none empty, none twice.
        records: (line of the file, cells in the columns' order) of each row that is not blank.
    """

    path: Path
    columns: tuple[str, ...]
    records: tuple[tuple[int, tuple[str, ...]], ...]

    def __len__(self) -> int:
        return len(self.records)

    @cached_property
    def rows(self) -> list[dict[str, str]]:
        """Cells by column."""
        return [dict(zip(self.columns, cells, strict=True)) for _, cells in self.records]

    def parsed(self, parse: Callable[[dict[str, str]], _Row]) -> tuple[_Row, ...]:
        """Each row as what ``parse`` makes of its cells.

        Raises:
            InputError: it cannot; the message names the line.
        """
        results = []
        for line, row in zip(self.lines, self.rows, strict=True):
            try:
                results.append(parse(row))
            except ValueError as error:
                raise InputError(f"{self.path}, line {line}: {error}. Was the table changed by hand?") from error
        return tuple(results)

    @property
    def lines(self) -> list[int]:
        """Line of the file of each row."""
        return [line for line, _ in self.records]

    def column(self, name: str) -> list[str]:
        """The cells of a column."""
        place = self.columns.index(name)
        return [cells[place] for _, cells in self.records]


def write_csv(path: str | Path, columns: Sequence[str], rows: Iterable[Cells]) -> Path:
    """Write a table, whole or not at all.

    Args:
        path: the file.
        columns: its names.
        rows: cells by column (what a row lacks is empty), or in the columns' order; taken one at a time. None is an
            empty cell; numbers are written in full precision.

    Raises:
        InputError: the file cannot be written.
    """
    path = Path(path)
    with atomic_file(path) as temporary, open_csv(temporary) as stream:
        stream.writelines(csv_lines(columns, rows))
    return path


def write_table(path: str | Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Path:
    """Write a table of rows by column, whole or not at all; numbers to the last bit, NaN and None as empty cells.

    Raises:
        InputError: a row has a column that the table has not.
    """
    path = Path(path)
    return write_csv(path, columns, (_defined(row, columns, path) for row in rows))


def open_csv(path: Path) -> TextIO:
    """A file to write lines of :func:`csv_lines` to; letters that UTF-8 lacks (broken file names) are spelled."""
    return path.open("w", encoding="utf-8", errors="backslashreplace", newline="")


def csv_lines(columns: Sequence[str], rows: Iterable[Cells]) -> Iterator[str]:
    """The lines of a table, as :func:`write_csv` writes them.

    >>> list(csv_lines(("id", "change"), [{"id": "=1+1", "change": -1.5}]))
    ['id,change\\n', "'=1+1,-1.5\\n"]
    """
    yield _line(columns)
    for row in rows:
        yield _line([row.get(name) for name in columns] if isinstance(row, Mapping) else row)


def read_csv(
    path: str | Path,
    *,
    needed: Sequence[str] = (),
    strip: bool = False,
    what: str = "table",
    error: type[InputError] = InputError,
) -> Table:
    """Read a table, strictly; texts that :func:`write_csv` has escaped are as they were.

    Args:
        path: the file.
        needed: columns that must be there.
        strip: remove blanks around cells, as in tables written by hand.
        what: how messages call it.
        error: the kind of error.

    Raises:
        InputError: the file is missing, empty, not UTF-8, has another separator, unnamed or repeated columns, a row of
            another length, a quote that is never closed or stands inside a cell; the message names the line.
    """
    path = Path(path)
    table = parse_csv(table_text(path, what, error), path, strip=strip, what=what, error=error)
    if absent := [name for name in needed if name not in table.columns]:
        raise error(
            f"{path}: expected the columns {', '.join(needed)}; {', '.join(absent)} missing. "
            f"It has: {', '.join(table.columns)}."
        )
    return table


def parse_csv(
    text: str, path: Path, *, strip: bool = False, what: str = "table", error: type[InputError] = InputError
) -> Table:
    """A table from the text of its file; see :func:`read_csv`."""
    parsed = (
        (line, tuple(_restored(cell.strip() if strip else cell) for cell in row))
        for line, row in rows_of_text(text, path, error)
    )
    filled = [(line, row) for line, row in parsed if any(row)]
    if not filled:
        raise error(f"{path}: this {what} is empty; its first line must name the columns.")
    columns = filled[0][1]
    _check_columns(path, columns, filled[0][0], error)
    for line, row in filled[1:]:
        if len(row) != len(columns):
            hint = ""
            if len(row) > len(columns):
                hint = (
                    " A comma inside a cell needs quotes around the cell; numbers need a decimal point (1.5 not 1,5)."
                )
            raise error(f"{path}, line {line}: expected {len(columns)} cells, got {len(row)}.{hint}")
    return Table(path, columns, tuple(filled[1:]))


def decimal_comma(text: str) -> bool:
    """Whether a text is a number with a comma where a point belongs.

    >>> decimal_comma("1,5"), decimal_comma("1.5"), decimal_comma("a,b")
    (True, False, False)
    """
    return _COMMA_NUMBER.match(text) is not None


def number_of(text: str) -> float | None:
    """A cell as a number, None where it is none; without Python's own liberties such as ``1_000``."""
    return float(text) if _NUMBER.match(text) else None


def escaped(text: str) -> str:
    """A text as it stands in a cell: an apostrophe before what a spreadsheet would take for a formula.

    >>> escaped("=1+1"), escaped("-1.5"), escaped("'=x"), escaped("'t Hooft")
    ("'=1+1", '-1.5', "''=x", "'t Hooft")
    """
    if text[:1] in _FORMULA and text and not _NUMBER.match(text):
        return f"'{text}"
    return f"'{text}" if _is_marked(text) else text


def _restored(cell: str) -> str:
    return cell[1:] if _is_marked(cell) else cell


def _is_marked(text: str) -> bool:
    return len(text) > 1 and text[0] == "'" and (text[1] == "'" or text[1] in _FORMULA)


def _line(cells: Iterable[Any]) -> str:
    line = ",".join([repr(value) if type(value) is float else _cell(value) for value in cells])
    return f"{line}\n" if line else '""\n'


def _cell(value: Any) -> str:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return repr(float(value))
    if value is None:
        return ""
    text = str(value) if isinstance(value, int) else escaped(str(value).replace("\0", "\\x00"))
    if any(letter in text for letter in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def _defined(row: Mapping[str, Any], columns: Sequence[str], path: Path) -> list[str]:
    if strange := sorted(set(row) - set(columns)):
        raise InputError(f"{path.name}: the table has no column {strange[0]!r}.")
    return [_number_or_text(row.get(name)) for name in columns]


def _number_or_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str | int) and not isinstance(value, bool):
        return str(value)
    number = float(value)
    return "" if math.isnan(number) else repr(number)


def table_text(path: Path, what: str, error: type[InputError] = InputError) -> str:
    """The text of a table's file.

    Raises:
        InputError: it is missing, or is not UTF-8; the message says what it is instead.
    """
    require_an_end(path, f"this {what}", error)
    try:
        data = path.read_bytes()
    except FileNotFoundError as failure:
        raise error(f"{path}: this {what} does not exist.") from failure
    except OSError as failure:
        raise error(
            f"{path}: this {what} is not a readable UTF-8 CSV file ({failure.strerror or failure})."
        ) from failure
    how = "Save it again as CSV UTF-8."
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise error(f"{path}: this {what} is not a readable UTF-8 CSV file (it is UTF-16). {how}")
    if data[:4] == b"PK\x03\x04":
        raise error(f"{path}: this {what} is not a readable UTF-8 CSV file (it is a workbook or a zip). {how}")
    if 0 in data:
        line = _lines_before(data[: data.index(0)])
        raise error(f"{path}, line {line}: this {what} is not a readable UTF-8 CSV file (it holds a NUL byte). {how}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        line = _lines_before(data[: failure.start])
        raise error(
            f"{path}, line {line}: this {what} is not a readable UTF-8 CSV file (byte 0x{data[failure.start]:02x} is "
            f"none of UTF-8; perhaps it is Latin-1 or Windows-1252). {how}"
        ) from failure


def _lines_before(data: bytes) -> int:
    return len(re.findall(rb"\r\n|\n|\r", data)) + 1


def _check_columns(path: Path, columns: Sequence[str], line: int, error: type[InputError]) -> None:
    if columns[0].lower().startswith("sep="):
        raise error(f"{path}: the first line {columns[0]!r} is for spreadsheets only; remove it, and use commas.")
    for mark, name in _SEPARATORS.items():
        if sum(column.count(mark) for column in columns) >= len(columns):
            raise error(
                f"{path}: the columns must be separated by commas, not {name}; save it again as CSV with commas and "
                "decimal points."
            )
    for number, column in enumerate(columns, start=1):
        if not column:
            beside = f", after {columns[number - 2]!r}," if number > 1 else ""
            raise error(f"{path}, line {line}: column {number}{beside} has no name; name it, or remove it.")
    for name, count in Counter(columns).items():
        if count > 1:
            raise error(f"{path}: the column {short(name)} is there {count} times; keep one, or rename the others.")
