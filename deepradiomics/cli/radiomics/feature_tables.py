"""Tables of radiomic features: a row per feature for one case, a row per region for many cases; CSV or Parquet."""

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from deepradiomics.errors import InputError, MissingDependencyError
from deepradiomics.files.atomic import read_json

SUFFIXES = (".csv", ".parquet", ".json")
COLUMNS = ("label", "feature", "family", "value")
REGION_COLUMNS = ("id", "view", "label", "name")
SEGMENT_COLUMNS = ("segment_number", "segment_colour", "segment_category", "segment_type")
STANDARD_OUTPUT = Path("-")


def check_table_name(path: Path) -> None:
    """Raise InputError unless the name ends in one of SUFFIXES, MissingDependencyError where Parquet cannot be written.

    Before any work: a table that cannot be written at the end would be hours lost.
    """
    if path == STANDARD_OUTPUT:
        return
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"--output {path}: expected a name ending in .csv, .parquet or .json, or - (standard output).")
    if path.is_dir():
        raise InputError(f"--output {path}: expected a file, this is a folder. Name the table inside it.")
    if path.suffix.lower() == ".parquet":
        _pyarrow()


def check_json_beside(table: Path) -> None:
    """Raise InputError when the JSON that lies beside ``table`` is somebody's own and would be lost.

    One that an earlier run of ours wrote may be replaced; a table that is itself .json is what the user named.
    """

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


def write_long(path: Path, regions: Mapping[str, Mapping[str, Any]], more: Mapping[str, Any] | None = None) -> None:
    """Write one case: label, feature, family, value; then what is known of the segments, and ``more`` of the image.

    Args:
        path: the caller moves the file to its place; ``-`` is standard output.
        regions: by label what :func:`deepradiomics.cohort.regions.features.described` says of it.
        more: further columns, the same in each row.
    """
    there = {name for region in regions.values() for name in segment_cells(region)}
    known = [name for name in ("name", *SEGMENT_COLUMNS) if name in there]
    more = more or {}
    rows = (
        (int(label), name, family_of_key(name), float(value), *(cells.get(column) for column in known), *more.values())
        for label, region in regions.items()
        for cells in (segment_cells(region),)
        for name, value in region["features"].items()
    )
    write_rows(path, (*COLUMNS, *known, *more), rows)


def segment_cells(region: Mapping[str, Any]) -> dict[str, Any]:
    """Name, number, colour and terms of a region's segment as cells of a table; what is not known is missing.

    >>> segment_cells({"name": "core", "segment": {"colour": [1, 0.5, 0]}})
    {'name': 'core', 'segment_colour': '#ff8000'}
    """
    segment = region.get("segment") or {}
    cells: dict[str, Any] = {"name": region["name"]} if region.get("name") else {}
    if "number" in segment:
        cells["segment_number"] = segment["number"]
    if "colour" in segment:
        cells["segment_colour"] = "#" + "".join(f"{math.floor(255 * value + 0.5):02x}" for value in segment["colour"])
    for term in ("category", "type"):
        if term in segment:
            code = segment[term]
            cells[f"segment_{term}"] = f"{code['scheme']}^{code['value']}^{code['meaning']}"
    return cells


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a table as the ending of its name says; ``-`` is CSV on standard output."""
    if path.suffix.lower() == ".parquet":
        _write_parquet(path, columns, list(rows))
    elif path == STANDARD_OUTPUT:
        from deepradiomics.files.tables import csv_lines

        sys.stdout.writelines(csv_lines(columns, rows))
        sys.stdout.flush()
    else:
        from deepradiomics.files.tables import csv_lines, open_csv  # it brings numpy, which --help does without

        with open_csv(path) as stream:
            stream.writelines(csv_lines(columns, rows))


def family_of_key(key: str) -> str:
    """The family of a full key: ``wavelet-LLH_glcm_Contrast`` -> ``glcm``; image prefixes hold no underscore."""
    parts = key.split("_")
    return parts[0] if parts[0] == "diagnostics" or len(parts) < 3 else parts[1]


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
