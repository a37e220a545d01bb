"""What all result folders have in common when they are read: the JSON that names them, tables with typed columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from math import nan
from pathlib import Path
from typing import Any

from deepradiomics.errors import InputError
from deepradiomics.files.atomic import read_json
from deepradiomics.files.tables import read_csv

Row = Mapping[str, Any]
_MISSING = "is missing: the run did not finish, or this is another folder"
_TYPES: dict[str, type] = {"str": str, "int": int, "bool": int, "float": float}
_NAMES = {int: "a whole number", float: "a number"}


def read_object(path: Path) -> dict[str, Any]:
    """A JSON object from a file of a result.

    Raises:
        InputError: it is missing, damaged or no object; the message names the file.
    """
    must_be_there(path)
    try:
        content = read_json(path)
    except InputError as error:
        raise InputError(f"{path} is damaged: {error} Run again") from error
    if not isinstance(content, dict):
        raise InputError(f"{path} should hold a JSON object, not a {type(content).__name__}; run again")
    return content


def read_rows(path: Path, types: Mapping[str, type]) -> list[dict[str, Any]]:
    """The rows of a table, by column: texts, but for columns of whole numbers (int) and of numbers (float).

    Args:
        path: of the CSV.
        types: columns that must be there, and what they hold; an empty number (float) is NaN.

    Raises:
        InputError: the table is missing or lacks a column, or a cell is no number; the message names column and line.
    """
    must_be_there(path)
    table = read_csv(path)
    if missing := [name for name in types if name not in table.columns]:
        raise InputError(
            f"{path} has no column {', '.join(missing)}. It was made by an older version of deepradiomics, or is "
            "another table: run again."
        )
    numbers = {name: kind for name, kind in types.items() if kind is not str}
    return [
        {**row, **{name: _number(row[name], kind, path, line, name) for name, kind in numbers.items()}}
        for line, row in zip(table.lines, table.rows, strict=True)
    ]


def columns_of(rows: Iterable[Row], names: Iterable[str]) -> dict[str, list[Any]]:
    """The same rows, column by column.

    >>> columns_of([{"id": "a", "n": 1}, {"id": "b", "n": 2}], ("n", "id"))
    {'n': [1, 2], 'id': ['a', 'b']}
    """
    rows = list(rows)
    return {name: [row[name] for row in rows] for name in names}


def column_types(row: type) -> dict[str, type]:
    """What the columns of a table hold that is written from instances of a dataclass; truths are 0 and 1."""
    return {field.name: _TYPES[str(field.type)] for field in fields(row)}


def must_be_there(path: Path) -> None:
    """Refuse a folder that lacks a file of its result.

    Raises:
        InputError: there is no such file.
    """
    if not path.is_file():
        raise InputError(f"{path} {_MISSING}")


def _number(text: str, kind: type, path: Path, line: int, name: str) -> Any:
    if kind is float and not text.strip():
        return nan
    try:
        return kind(text)
    except ValueError:
        raise InputError(f"{path}, line {line}: {text!r} in column {name!r} is not {_NAMES[kind]}") from None
