"""``deepradiomics manifest mrnet DIR``: a manifest of MRNet's own folder layout."""

from pathlib import Path
from typing import Annotated

import typer

from deepradiomics.cli.options import JsonLines
from deepradiomics.cli.session import running
from deepradiomics.words import count


def mrnet(
    folder: Annotated[Path, typer.Argument(help="MRNet's folder: train/axial/0000.npy …, train-acl.csv …")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Manifest to write (.csv).")] = Path("manifest.csv"),
    json_lines: JsonLines = False,
) -> None:
    """Read MRNet's folder layout and label files and write a manifest for `fingerprint train`."""
    with running(json_lines) as session:
        from deepradiomics.cohort import mrnet_manifest, write_manifest

        manifest = mrnet_manifest(folder)
        write_manifest(manifest, output)
        session.result(
            f"{count(len(manifest.rows), 'case')}, tasks {', '.join(manifest.tasks)}\n{output}",
            manifest=str(output),
            cases=len(manifest.rows),
            tasks=list(manifest.tasks),
        )
