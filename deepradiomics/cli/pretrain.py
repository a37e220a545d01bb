"""``deepradiomics pretrain MANIFEST -o RUN``: an encoder learns from images alone."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from deepradiomics.cli.options import (
    ConfigFile,
    DeviceName,
    Epochs,
    JsonLines,
    OutputFolder,
    Preset,
    Seed,
    check_preset,
    existing_file,
)
from deepradiomics.cli.outputs import check_output
from deepradiomics.cli.session import running

if TYPE_CHECKING:
    from deepradiomics.lens.training_config import EncoderConfig

Roi = Annotated[
    str, typer.Option("--roi", help="Region in whose middle the images lie: a mask_<roi> column, or ellipsoid.")
]
Missing = Annotated[str, typer.Option("--missing", help="Cases that cannot be used: refuse, or drop (and list).")]
StackCache = Annotated[
    Path | None, typer.Option("--cache", help="Folder of prepared images, shared by runs.  (default: RUN/cache)")
]
Resume = Annotated[bool, typer.Option("--resume/--no-resume", help="Go on from the last checkpoint.")]


def pretrain(
    manifest: Annotated[Path, typer.Argument(help="CSV of cases: id, patient, view_<modality> …, mask_<roi> ….")],
    output: OutputFolder,
    preset: Preset = None,
    config: ConfigFile = None,
    epochs: Epochs = None,
    roi: Roi = "gland",
    init: Annotated[
        str | None,
        typer.Option("--init", help="Encoder to start from: a bundle, or a checkpoint in ProFound's layout."),
    ] = None,
    missing: Missing = "refuse",
    seed: Seed = 0,
    cache: StackCache = None,
    device: DeviceName = "auto",
    resume: Resume = True,
    json_lines: JsonLines = False,
) -> None:
    """Pre-train a 3D ConvNeXt-V2 as a masked autoencoder; a run that was stopped goes on where it stood.

    Labels are not used, and cases of the split test are left out. Writes encoder/ (the bundle), history.csv,
    splits.csv, reconstruction.png, run.json and checkpoints/ into the output folder.
    """
    with running(json_lines) as session:
        check_output(output)
        existing_file(manifest, "manifest")
        settings = configuration(preset, config, epochs, "pretraining")
        session.progress(0.0, "reading the manifest")
        from deepradiomics.cohort.manifest import read_manifest
        from deepradiomics.lens.pretrain import pretrain as compute

        run = compute(
            read_manifest(manifest, need_labels=False), settings, output, roi=roi, seed=seed, init=init,
            missing=missing, resume=resume, device=device, cache=cache,  # type: ignore[arg-type]
            progress=session.progress,
        )  # fmt: skip
        session.progress(1.0, "done")
        for _, reason in run.dropped:
            session.warn(f"left out: {reason}")
        for remark in run.metrics.get("warnings", ()):
            session.warn(remark)
        session.result(
            f"encoder         {run.encoder}\nhistory         {run.history}\n"
            f"reconstruction  {run.out / 'reconstruction.png'}",
            encoder=str(run.encoder),
            history=str(run.history),
            reconstruction=str(run.out / "reconstruction.png"),
            metrics=run.metrics,
            dropped=dict(run.dropped),
        )


def configuration(
    preset: str | None, file: Path | None, epochs: int | None, stage: Literal["pretraining", "finetuning"]
) -> "EncoderConfig":
    """Return the configuration that ``--preset``, ``--config`` and ``--epochs`` (of one stage) ask for.

    Raises:
        InputError: both a preset and a file, an unknown preset, or an unusable file.
    """
    check_preset(preset, file)
    from deepradiomics.lens.training_config import EncoderConfig, encoder_config

    if file is not None:
        found = EncoderConfig.read(existing_file(file, "--config"))
    else:
        found = encoder_config(preset or "paper")  # type: ignore[arg-type]
    if epochs is None:
        return found
    changed = dataclasses.replace(getattr(found, stage), epochs=epochs)
    return dataclasses.replace(found, **{stage: changed})
