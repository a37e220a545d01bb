"""``deepradiomics encode``: the embedding of every case of a manifest, as one table."""

from pathlib import Path
from typing import Annotated

import typer

from deepradiomics.cli.options import DeviceName, JsonLines, comma_list, existing_file
from deepradiomics.cli.outputs import check_output
from deepradiomics.cli.session import running
from deepradiomics.errors import InputError
from deepradiomics.words import count


def encode(
    manifest: Annotated[Path, typer.Argument(help="CSV of cases: id, view_<modality> …, mask_<roi> ….")],
    encoder: Annotated[
        str,
        typer.Option(
            "--encoder",
            "-e",
            help="Bundle folder, weights file, or module:function (its code runs).",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Table to write (.parquet or .csv).", show_default=False)
    ],
    layer: Annotated[
        str | None, typer.Option("--layer", help="Layer to pool, such as stages.2.  (default: the encoder's own)")
    ] = None,
    modalities: Annotated[
        str | None, typer.Option("--modalities", help="Use only these channels of the encoder, separated by commas.")
    ] = None,
    roi: Annotated[
        str, typer.Option("--roi", help="Region in whose middle the stack lies: a mask_<roi> column, or ellipsoid.")
    ] = "gland",
    missing: Annotated[
        str, typer.Option("--missing", help="Cases that cannot be encoded: refuse or drop (and list).")
    ] = "refuse",
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Cases a pass.")] = 4,
    cache: Annotated[
        Path | None, typer.Option("--cache", help="Folder of embeddings already made (cache beside OUTPUT by default).")
    ] = None,
    device: DeviceName = "auto",
    json_lines: JsonLines = False,
) -> None:
    """Encode every case: one row of numbers a case, beside its id.

    Cases already in the cache are not encoded again, so that a stopped run can simply be repeated.
    """
    with running(json_lines) as session:
        if output.suffix.lower() not in (".parquet", ".csv"):
            raise InputError(f"--output {output}: expected a file name that ends in .parquet or .csv.")
        if output.is_dir():
            raise InputError(f"--output {output}: expected a file, this is a folder.")
        check_output(output.parent)
        existing_file(manifest, "manifest")
        session.progress(0.0, "loading the encoder")
        from deepradiomics.cohort.manifest import read_manifest
        from deepradiomics.lens.encode import encode as encode_cohort
        from deepradiomics.networks.encoder import load_encoder

        cases = read_manifest(manifest, need_labels=False)
        loaded = load_encoder(encoder, layer=layer, device=device)
        if modalities is not None:
            loaded = loaded.with_channels(comma_list(modalities) or ())
        embeddings = encode_cohort(
            cases, loaded, cache or output.parent / "cache" / "embeddings", roi=roi, device=device,
            batch_size=batch_size, missing=missing, progress=session.progress,  # type: ignore[arg-type]
        )  # fmt: skip
        embeddings.write(output)
        session.progress(1.0, "done")
        dropped: dict[str, str] = dict(embeddings.about["dropped"])
        for reason in dropped.values():
            session.warn(f"left out: {reason}")
        session.result(
            f"{count(len(embeddings), 'case')}, {embeddings.dimension} numbers each\n{output}",
            file=str(output),
            files=[str(output)],
            cases=len(embeddings),
            dimension=embeddings.dimension,
            encoder=embeddings.about["encoder"],
            notes=embeddings.about["notes"],
            dropped=dropped,
        )
