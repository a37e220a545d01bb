"""How results become names and exact values: nested records, tables, bundles.

Where today's code gives a thing another name than the frozen commit did, ``AS_BEFORE`` gives the old one back.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Entry = Mapping[str, Any]
"""Names and values: numbers, arrays, or texts without blanks."""

AS_BEFORE: dict[str, str] = {
    "train_adversarial": "train_deceiving",
    "train_discriminator": "train_judging",
    "autoencoder": "vaegan",
}
"""Today's name → the name at the frozen commit, for keys, columns, cells and parts of a network's tensor names."""

_NUMBERED = re.compile(r"(.*?)((?:_\d+|\[\d+\])?)", re.DOTALL)

LEFT_OUT = frozenset(
    {"seconds", "auc_low", "auc_high", "external_low", "external_high", "low_female", "high_female", "low_male",
     "high_male", "bytes", "pid", "threads"}
)  # fmt: skip


def scores(metrics: Any, prefix: str = "") -> dict[str, Any]:
    """The numbers of a nested record by their path; sentences, names and times are left out."""
    if isinstance(metrics, Mapping):
        pairs: Sequence[tuple[str, Any]] = [(_name(str(key)), value) for key, value in metrics.items()]
    elif isinstance(metrics, list | tuple):
        pairs = [(str(number), value) for number, value in enumerate(metrics)]
    else:
        return {} if isinstance(metrics, str) else {prefix: metrics}
    inner = (scores(value, f"{prefix}/{name}") for name, value in pairs if name not in LEFT_OUT)
    return {key: leaf for part in inner for key, leaf in part.items()}


def table(path: Path) -> dict[str, Any]:
    """The cells of a CSV file."""
    with open(path, encoding="utf-8", newline="") as stream:
        return rows_of(list(csv.DictReader(stream)))


def rows_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The columns of a table, its rows sorted by their texts; sentences (with blanks) and paths are left out."""
    names = sorted({name for row in rows for name in row} - LEFT_OUT, key=_name)
    cells = [[_cell(row.get(name)) for name in names] for row in rows]
    cells.sort(key=lambda row: [cell for cell in row if isinstance(cell, str)])
    return {f"{_name(name)}[]": [row[i] for row in cells] for i, name in enumerate(names)}


def _cell(value: Any) -> float | str | None:
    if value is None or isinstance(value, bool | int | float):
        return None if value is None else float(value)
    try:
        return float(value)
    except ValueError:
        return "" if " " in value or "/" in value else _name(value)


def weights(bundle: Path) -> dict[str, Any]:
    """The tensors of a bundle by name."""
    from deepradiomics.networks.bundle import load_bundle

    tensors, _ = load_bundle(bundle)
    return {".".join(_name(part) for part in key.split(".")): tensor for key, tensor in tensors.items()}


def _name(name: str) -> str:
    """The name at the frozen commit; a number behind it (``autoencoder_003``, ``autoencoder[7]``) stays."""
    word, number = _NUMBERED.fullmatch(name).groups()  # type: ignore[union-attr]
    return AS_BEFORE.get(word, word) + number
