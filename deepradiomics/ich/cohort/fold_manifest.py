"""The manifest of a cohort with one more column: for every patient the network, or networks, that did not see him."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from deepradiomics.cohort.manifest import IMAGE, VIEWS, Manifest, read_table
from deepradiomics.errors import ManifestError
from deepradiomics.files import atomic_file

_NETWORKS = ("encoder", "autoencoder")


def write_fold_manifest(
    manifest: Manifest, path: str | Path, column: str, network_of: Mapping[str, str], *, otherwise: str
) -> Path:
    """Write the manifest's own table with ``column`` filled; its other columns stay, its paths still lead to the files.

    Args:
        manifest: read from a file.
        path: the new manifest.
        column: ``encoder`` or ``autoencoder``; replaced where it is there.
        network_of: folder of the network by patient, relative to the new manifest's folder.
        otherwise: network of patients that no fold dealt (their cases could not be used, so nobody saw them).

    Raises:
        ManifestError: the manifest was made in memory.
    """
    path = Path(path)
    if manifest.path is None:
        raise ManifestError("The manifest was made in memory; write it to a file first, so that no column is lost.")
    columns, records = read_table(Path(manifest.path))
    patients = {row.id: patient for row, patient in zip(manifest.rows, manifest.groups, strict=True)}
    before, after = Path(manifest.path).parent.resolve(), path.parent.resolve()
    header = [name for name in columns if name != column] + [column]
    with atomic_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, header, lineterminator="\n")
        table.writeheader()
        for _, cells in records:
            if cells["id"] not in patients:
                continue
            moved = {name: _moved(name, text, before, after) for name, text in cells.items()}
            table.writerow({**moved, column: network_of.get(patients[cells["id"]], otherwise)})
    return path


def _moved(name: str, text: str, before: Path, after: Path) -> str:
    """The same file, seen from the new folder: relative below it, else absolute."""
    is_path = name in (*VIEWS, IMAGE, "mask", *_NETWORKS) or name.startswith(("view_", "mask_"))
    if not is_path or not text:
        return text
    file = (before / text).resolve()
    return (file.relative_to(after) if file.is_relative_to(after) else file).as_posix()
