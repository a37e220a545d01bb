"""Networks trained in folds: a manifest with one more column, which names for each patient a network blind to them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from deepradiomics.cohort.manifest import IMAGE, VIEWS, Manifest, read_table
from deepradiomics.cohort.synthetic import is_synthetic, made_up_heads
from deepradiomics.errors import ManifestError
from deepradiomics.files.atomic import write_text
from deepradiomics.files.tables import write_csv

_NETWORKS = ("encoder", "autoencoder")


def write_folds(manifest: Manifest, out: Path, column: str, folds: Mapping[str, Manifest], bundle: str) -> None:
    """Write what tells of the networks of all folds: manifest.csv and, of a synthetic cohort, README.txt.

    Args:
        manifest: of the cohort, read from a file.
        out: folder of the run.
        column: ``encoder`` or ``autoencoder``.
        folds: by folder inside ``out``, the manifest whose test patients the network there has not seen.
        bundle: folder of a network's bundle inside the folder of its fold.

    Raises:
        ManifestError: the manifest was made in memory.
    """
    network_of = {
        patient: f"{name}/{bundle}"
        for name, fold in folds.items()
        for row, patient in zip(fold.rows, fold.groups, strict=True)
        if row.split == "test"
    }
    write_fold_manifest(manifest, out / "manifest.csv", column, network_of, otherwise=f"{next(iter(folds))}/{bundle}")
    if is_synthetic(manifest):
        write_text(
            out / "README.txt", f"SYNTHETIC: networks trained on {made_up_heads(manifest)}, and their manifest.\n"
        )


def write_fold_manifest(
    manifest: Manifest, path: str | Path, column: str, network_of: Mapping[str, str], *, otherwise: str
) -> Path:
    """Write the manifest's own table with ``column`` filled; other columns stay, paths still lead to the files.

    Args:
        manifest: read from a file.
        path: the new manifest.
        column: ``encoder`` or ``autoencoder``; replaced where it is there.
        network_of: folder of the network by patient, relative to the new manifest's folder.
        otherwise: network of patients who are in no fold (their cases could not be used, so no network saw them).

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
    rows = []
    for _, cells in records:
        if cells["id"] in patients:
            moved = {name: _moved(name, text, before, after) for name, text in cells.items()}
            rows.append({**moved, column: network_of.get(patients[cells["id"]], otherwise)})
    return write_csv(path, header, rows)


def _moved(name: str, text: str, before: Path, after: Path) -> str:
    """The same file, seen from the new folder: relative below it, else absolute."""
    is_path = name in (*VIEWS, IMAGE, "mask", *_NETWORKS) or name.startswith(("view_", "mask_"))
    if not is_path or not text:
        return text
    file = (before / text).resolve()
    return (file.relative_to(after) if file.is_relative_to(after) else file).as_posix()
