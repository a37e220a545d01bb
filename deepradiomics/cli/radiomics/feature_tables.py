"""Tables of radiomic features: a row a feature for one case, a row a region for many cases; CSV or Parquet."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from deepradiomics.errors import InputError, MissingDependencyError

SUFFIXES = (".csv", ".parquet", ".json")
COLUMNS = ("label", "feature", "family", "value")
REGION_COLUMNS = ("id", "view", "label", "name")


def check_table_name(path: Path) -> None:
    """Raise InputError unless the name ends in one of SUFFIXES, MissingDependencyError where Parquet cannot be written.

    Before any work: a table that cannot be written at the end would be hours lost.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"--output {path}: expected a name ending in .csv, .parquet or .json.")
    if path.is_dir():
        raise InputError(f"--output {path}: expected a file, this is a folder. Name the table inside it.")
    if path.suffix.lower() == ".parquet":
        _pyarrow()


def check_json_beside(table: Path) -> None:
    """Raise InputError when the JSON that lies beside ``table`` is somebody's own and would be lost.

    One that an earlier run of ours wrote may be replaced; a table that is itself .json is what the user named.
    """
    from deepradiomics.files import read_json  # it brings numpy, which --help does without

    beside = table.with_suffix(".json")
    if table.suffix.lower() == ".json" or not beside.exists():
        return
    try:
        found = read_json(beside)
    except (InputError, OSError):
        found = None
    if not isinstance(found, dict) or (found.get("kind"), found.get("software")) != ("features", "deepradiomics"):
        raise InputError(
            f"--output {table}: settings and diagnostics go to {beside.name} beside it, and a {beside.name} of another "
            "origin is there. Choose another name for the table, or move that file."
        )


def write_long(path: Path, features: Mapping[int, Mapping[str, float]]) -> None:
    """Write one case: label, feature, family, value; the caller moves the file to its place."""
    rows = [
        (label, name, family_of_key(name), float(value))
        for label, found in features.items()
        for name, value in found.items()
    ]
    _write(path, COLUMNS, rows)


def write_wide(
    path: Path,
    regions: Iterable[tuple[Sequence[Any], Mapping[str, float]]],
    names: Sequence[str],
    more: Sequence[str] = (),
) -> None:
    """Write many cases: REGION_COLUMNS, ``more`` columns, then one column a feature; what a region lacks is empty."""
    rows = (
        (*about, *(float(value) if (value := features.get(name)) is not None else None for name in names))
        for about, features in regions
    )
    _write(path, (*REGION_COLUMNS, *more, *names), rows)


def family_of_key(key: str) -> str:
    """The family of a full key: ``wavelet-LLH_glcm_Contrast`` -> ``glcm``; image prefixes hold no underscore."""
    parts = key.split("_")
    return parts[0] if parts[0] == "diagnostics" or len(parts) < 3 else parts[1]


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    if path.suffix.lower() == ".parquet":
        _write_parquet(path, columns, list(rows))
        return
    with open(path, "w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        writer.writerows([repr(value) if isinstance(value, float) else value for value in row] for row in rows)


def _write_parquet(path: Path, columns: Sequence[str], rows: list[Sequence[Any]]) -> None:
    pyarrow, parquet = _pyarrow()
    by_column = zip(*rows, strict=True) if rows else ([] for _ in columns)
    parquet.write_table(pyarrow.table(dict(zip(columns, map(list, by_column), strict=True))), path)


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise MissingDependencyError(
            "a .parquet table needs pyarrow, which is not installed: pip install pyarrow, or choose .csv."
        ) from error
    return pyarrow, parquet
