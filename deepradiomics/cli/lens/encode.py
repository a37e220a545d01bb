"""``deepradiomics encode MANIFEST ENCODER -o TABLE``: the embedding of every case of a manifest, as one table."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from deepradiomics.cli.groups import comma_list, with_groups
from deepradiomics.cli.inputs import existing_file
from deepradiomics.cli.options import Cache, DeviceName, JsonLines, Layer, Modalities
from deepradiomics.cli.outputs import check_output
from deepradiomics.cli.reading import ReadingOptions, note_cases
from deepradiomics.cli.session import running
from deepradiomics.cli.shared_groups import CohortOptions
from deepradiomics.errors import InputError
from deepradiomics.words import count


@dataclass(frozen=True)
class EmbeddingOptions:
    """What of an encoder is used, and where."""

    layer: Layer = None
    modalities: Modalities = None
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Number of cases per pass.")] = 4
    cache: Cache = None
    device: DeviceName = "auto"


@with_groups
def encode(
    manifest: Annotated[Path, typer.Argument(help="CSV of cases: id, view_<modality> …, mask_<roi> ….")],
    encoder: Annotated[
        str,
        typer.Argument(help="Bundle folder, weights file, or module:function (its code runs).", show_default=False),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Table to write (.parquet or .csv).", show_default=False)
    ],
    reading: ReadingOptions,
    embedding: EmbeddingOptions,
    cohort: CohortOptions,
    json_lines: JsonLines = False,
) -> None:
    """Encode every case: one row of numbers per case, beside its id.

    Cases already in the cache are not encoded again, so that a stopped run can simply be repeated.
    """
    with running(json_lines) as session:
        if output.suffix.lower() not in (".parquet", ".csv"):
            raise InputError(f"--output {output}: expected a file name that ends in .parquet or .csv.")
        if output.is_dir():
            raise InputError(f"--output {output}: expected a file, this is a folder.")
        check_output(output.parent)
        existing_file(manifest, "manifest")
        chosen = reading.reading()
        session.progress(0.0, "loading the encoder")
        from deepradiomics.cohort.manifest import read_manifest
        from deepradiomics.lens.encoders.encode import encode as encode_cohort
        from deepradiomics.networks.encoders.load import load_encoder

        cases = read_manifest(manifest, need_labels=False).read_as(chosen)
        loaded = load_encoder(encoder, layer=embedding.layer, device=embedding.device)
        if embedding.modalities is not None:
            loaded = loaded.with_channels(comma_list(embedding.modalities) or ())
        embeddings = encode_cohort(
            cases,
            loaded,
            embedding.cache or output.parent / "cache" / "embeddings",
            roi=cohort.centre,
            device=embedding.device,
            batch_size=embedding.batch_size,
            missing=cohort.missing,  # type: ignore[arg-type]
            progress=session.progress,
        )
        embeddings.write(output)
        session.progress(1.0, "done")
        dropped: dict[str, str] = dict(embeddings.about["dropped"])
        for reason in dropped.values():
            session.warn(f"left out: {reason}")
        note_cases(session, embeddings.about["notes"])
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
