"""The column that tells which network gives a patient's latents: provenance, written by out-of-fold training."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from deepradiomics.cohort.manifest import Manifest, read_table, write_manifest
from deepradiomics.cohort.synthetic import is_synthetic
from deepradiomics.files import atomic_file, write_text
from deepradiomics.images import VIEWS

Column = Literal["encoder", "autoencoder"]


def write_with_network(manifest: Manifest, column: Column, folders: Mapping[str, Path], path: str | Path) -> Path:
    """Write a manifest again with one column more (or changed); all its other columns stay as they are.

    Paths below the new manifest's folder become relative to it, others absolute. Beside the manifest of a synthetic
    cohort a README.txt is written that says so, as everything made from one must.

    Args:
        manifest: as read, or made in memory.
        column: ``encoder`` or ``autoencoder``.
        folders: by id, the bundle of the network that did not see this patient; an empty cell where there is none.
        path: the new manifest.

    Raises:
        InputError: the folder cannot be written.
    """
    path = Path(path)
    if manifest.path is None:
        write_manifest(manifest, path)
    source = manifest.path or path
    columns, records = read_table(source)
    home = path.parent.resolve()
    header = [*(name for name in columns if name != column), column]
    with atomic_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, header, restval="", lineterminator="\n")
        table.writeheader()
        for _, record in records:
            moved = {
                name: _portable(source.parent / cell, home) if cell and _is_path(name) else cell
                for name, cell in record.items()
            }
            mine = folders.get(record["id"])
            table.writerow({**moved, column: "" if mine is None else _portable(mine, home)})
    if is_synthetic(manifest):
        write_text(path.with_name("README.txt"), f"SYNTHETIC DATA: {path.name} lists phantoms, not patients.\n")
    return path


def _is_path(column: str) -> bool:
    named = (*VIEWS, "image", "mask", "encoder", "autoencoder")
    return column in named or column.startswith(("view_", "mask_"))


def _portable(file: Path, home: Path) -> str:
    absolute = file.resolve()
    return (absolute.relative_to(home) if absolute.is_relative_to(home) else absolute).as_posix()
