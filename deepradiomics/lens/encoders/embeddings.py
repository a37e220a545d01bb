"""Embeddings: one vector a case, with the case's name; kept as a table that a user can also bring.

A table has a column `id` and numeric columns, in Parquet or CSV. Parquet keeps beside the numbers which encoder made
them (``about``); CSV holds the numbers only, in full precision.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepradiomics.errors import InputError, MissingDependencyError
from deepradiomics.files.atomic import atomic_file
from deepradiomics.files.reading import parse_json, reading
from deepradiomics.files.tables import csv_lines, open_csv, read_csv
from deepradiomics.public import one_line

_METADATA = b"deepradiomics"
_SUFFIXES = (".parquet", ".csv")
_SHOWN = 5


@one_line
@dataclass(frozen=True, eq=False)
class Embeddings:
    """What an encoder says of each case of a cohort.

    Args:
        ids: n names, none twice.
        values: float64 (n, d), finite.
        about: encoder, region and notes, JSON-able; empty where unknown.
        columns: d names of the numbers, as a table has them; those we write where none are given.

    Raises:
        InputError: shapes do not fit, an id is repeated, or a value is NaN or infinite; the message names the case.
    """

    ids: tuple[str, ...]
    values: NDArray[np.float64]
    about: Mapping[str, Any] = field(default_factory=dict)
    columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", tuple(str(name) for name in self.ids))
        values = np.asarray(self.values, np.float64)
        if values.ndim != 2 or len(values) != len(self.ids) or not values.size:
            raise InputError(
                f"embeddings: expected one row of numbers for each of {len(self.ids)} cases, got shape {values.shape}."
            )
        repeated = [name for name, count in Counter(self.ids).items() if count > 1]
        if repeated:
            raise InputError(f"embeddings: the id {_some(repeated)} is there more than once; keep one row per case.")
        bad = [self.ids[i] for i in np.flatnonzero(~np.isfinite(values).all(axis=1))]
        if bad:
            raise InputError(
                f"embeddings: NaN or infinite values for case {_some(bad)}. Leave the case out, or encode it again."
            )
        object.__setattr__(self, "values", values)
        names = tuple(self.columns) or tuple(f"e{i:04d}" for i in range(values.shape[1]))
        if len(names) != values.shape[1]:
            raise InputError(f"embeddings: expected {values.shape[1]} names of columns, got {len(names)}.")
        object.__setattr__(self, "columns", names)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def dimension(self) -> int:
        """Length d of a vector."""
        return int(self.values.shape[1])

    def select(self, ids: Sequence[str]) -> Embeddings:
        """The rows of these cases, in this order.

        Raises:
            InputError: a case is not there.
        """
        rows = {name: row for row, name in enumerate(self.ids)}
        missing = [name for name in ids if name not in rows]
        if missing:
            raise InputError(f"embeddings: no row for case {_some(missing)}; encode these cases too.")
        return Embeddings(tuple(ids), self.values[[rows[name] for name in ids]], self.about, self.columns)

    def write(self, path: str | Path) -> Path:
        """Write a table (.parquet or .csv), whole or not at all.

        Raises:
            InputError: another suffix, or the file cannot be written.
        """
        path = _checked_suffix(Path(path))
        columns = self.columns
        with atomic_file(path) as temporary:
            if path.suffix.lower() == ".csv":
                rows = ([name, *row] for name, row in zip(self.ids, self.values.tolist(), strict=True))
                with open_csv(temporary) as stream:
                    stream.writelines(csv_lines(["id", *columns], rows))
            else:
                pa, pq = _pyarrow()
                table = pa.table({"id": list(self.ids)} | {n: self.values[:, i] for i, n in enumerate(columns)})
                pq.write_table(table.replace_schema_metadata({_METADATA: json.dumps(dict(self.about))}), temporary)
        return path

    @classmethod
    def read(cls, path: str | Path) -> Embeddings:
        """Read a table that :meth:`write` or a user made: a column ``id``, every other column numbers.

        Raises:
            InputError: the file is not such a table; the message names column and case.
        """
        path = _checked_suffix(Path(path))
        if not path.is_file():
            raise InputError(f"{path}: this table of embeddings does not exist.")
        columns, about = _read_csv(path) if path.suffix.lower() == ".csv" else _read_parquet(path)
        if "id" not in columns:
            near = get_close_matches("id", [name.lower() for name in columns], n=1, cutoff=0.5)
            meant = next((name for name in columns if name.lower() in near), None)
            hint = f" Did you mean the column {meant!r}? Call it 'id'." if meant else ""
            raise InputError(
                f"{path}: expected a column 'id' that names each case, got the columns {_some(list(columns))}.{hint}"
            )
        ids = tuple(str(name) for name in columns.pop("id"))
        if not columns or not ids:
            raise InputError(f"{path}: expected numeric columns beside 'id' and one row per case; there are none.")
        empty = [row for row, name in enumerate(ids, start=1) if name in ("", "None")]
        if empty:
            raise InputError(f"{path}: row {empty[0]} has no id.")
        values = np.stack([_numbers(path, name, cells, ids) for name, cells in columns.items()], axis=1)
        try:
            return cls(ids, values, about, tuple(columns))
        except InputError as error:
            raise InputError(f"{path}: {error}") from error


def _numbers(path: Path, column: str, cells: Sequence[Any], ids: Sequence[str]) -> NDArray[np.float64]:
    """A column as float64; the first cell that is no finite number is named."""
    try:
        values = np.asarray(cells, dtype=np.float64)
    except (TypeError, ValueError):
        values = np.array([_number(cell) for cell in cells])
    if values.ndim != 1:
        values = np.full(len(ids), np.nan)
    for row in np.flatnonzero(~np.isfinite(values))[:1]:
        raise InputError(
            f"{path}, case {ids[row]}, column {column!r}: expected a finite number, got {cells[row]!r}. "
            "Only 'id' may hold text; leave out other columns, and cases without an embedding."
        )
    return values


def _number(cell: Any) -> float:
    try:
        return float(cell)
    except (TypeError, ValueError):
        return float("nan")


def _read_csv(path: Path) -> tuple[dict[str, list[Any]], dict[str, Any]]:
    table = read_csv(path, strip=True, what="table of embeddings")
    return {name: table.column(name) for name in table.columns}, {}


def _read_parquet(path: Path) -> tuple[dict[str, list[Any]], dict[str, Any]]:
    pa, pq = _pyarrow()
    try:
        table = pq.read_table(path)
    except Exception as error:  # pyarrow has many kinds of error for a damaged file
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{path}: this is not a readable Parquet file ({reason}).") from error
    _check_header(path, table.column_names)
    stored = (table.schema.metadata or {}).get(_METADATA)
    with reading(path, "what this table says of itself", "Write it again with deepradiomics encode."):
        about = parse_json(stored.decode("utf-8")) if stored else {}
        if not isinstance(about, dict):
            raise TypeError("it is no JSON object")
    columns = {name: table.column(name) for name in table.column_names}
    numbers = [name for name, one in columns.items() if name != "id" and pa.types.is_floating(one.type)]
    return {name: one.to_numpy() if name in numbers else one.to_pylist() for name, one in columns.items()}, about


def _check_header(path: Path, header: Sequence[str]) -> None:
    repeated = [name for name, count in Counter(header).items() if count > 1]
    if repeated:
        raise InputError(f"{path}: the column {repeated[0]!r} is there more than once.")


def _checked_suffix(path: Path) -> Path:
    if path.suffix.lower() not in _SUFFIXES:
        raise InputError(f"embeddings {path}: expected a file name that ends in {' or '.join(_SUFFIXES)}.")
    return path


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingDependencyError(
            "Parquet tables need pyarrow: pip install 'deepradiomics[train]'. Or use a .csv file."
        ) from error
    return pyarrow, pyarrow.parquet


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
