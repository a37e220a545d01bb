"""A table that grows row by row, so that an interrupted run keeps what it has done."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def append_row(path: Path, row: Mapping[str, Any], columns: Sequence[str]) -> None:
    """Add a row, after the header where the file is new."""
    new = not path.is_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerow(row)
