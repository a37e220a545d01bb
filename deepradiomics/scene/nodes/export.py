"""Export a table node as CSV or Parquet, with the values as they were computed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from deepradiomics.errors import InputError, MissingDependencyError
from deepradiomics.files.atomic import atomic_file
from deepradiomics.files.tables import csv_lines, open_csv

SUFFIXES = (".csv", ".parquet")


def export_table(node: Any, path: Path) -> Path:
    """Write all columns of a table node; numbers keep every digit, NaN is empty in CSV and null in Parquet.

    Raises
    ------
    InputError
        The name has another ending, the table is empty, or the file cannot be written.
    MissingDependencyError
        Parquet is asked for and pyarrow is not installed.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path.name}: expected a name ending in .csv or .parquet")
    columns = columns_of(node)
    if not columns:
        raise InputError(f"the table '{node.GetName()}' is empty: there is nothing to export")
    with atomic_file(path) as temporary:
        if path.suffix.lower() == ".csv":
            _write_csv(temporary, columns)
        else:
            _write_parquet(temporary, columns)
    return path


def columns_of(node: Any) -> dict[str, list[Any]]:
    """The values of a table node by column, typed as the node has them; NaN is None."""
    table = node.GetTable()
    columns = {}
    for index in range(table.GetNumberOfColumns()):
        column = table.GetColumn(index)
        values = [column.GetValue(row) for row in range(column.GetNumberOfValues())]
        columns[column.GetName()] = [None if value != value else value for value in values]
    return columns


def _write_csv(path: Path, columns: dict[str, list[Any]]) -> None:
    with open_csv(path) as stream:
        stream.writelines(csv_lines(list(columns), zip(*columns.values(), strict=True)))


def _write_parquet(path: Path, columns: dict[str, list[Any]]) -> None:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise MissingDependencyError(
            "a .parquet file needs the Python package pyarrow, which is not installed; export as .csv, or install it"
        ) from error
    parquet.write_table(pyarrow.table(columns), path)
