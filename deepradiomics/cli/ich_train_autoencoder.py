"""``deepradiomics ich train-autoencoder MANIFEST -o RUN``: a VAE-GAN learns what haematomas look like."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
from deepradiomics.cli.remarks import told_of_cases
from deepradiomics.cli.session import running
from deepradiomics.devices import checked_device

if TYPE_CHECKING:
    from deepradiomics.ich.autoencoder_config import AutoencoderConfig


def train_autoencoder(
    manifest: Annotated[Path, typer.Argument(help="CSV of cases: id, patient, image (CT), mask (haematoma).")],
    output: OutputFolder,
    preset: Preset = None,
    config: ConfigFile = None,
    epochs: Epochs = None,
    folds: Annotated[
        int | None,
        typer.Option("--folds", min=2, help="Also train so many networks out-of-fold; manifest.csv names them."),
    ] = None,
    masked: Annotated[
        bool | None,
        typer.Option("--masked/--unmasked", help="Show only the dilated haematoma, or its surroundings too."),
    ] = None,
    missing: Annotated[
        str, typer.Option("--missing", help="Cases that cannot be used: refuse, or drop (and list).")
    ] = "refuse",
    seed: Seed = 0,
    cache: Annotated[
        Path | None, typer.Option("--cache", help="Folder of the lesion crops, shared by runs.  (default: RUN/cache)")
    ] = None,
    device: DeviceName = "auto",
    resume: Annotated[bool, typer.Option("--resume/--no-resume", help="Go on from the last checkpoint.")] = True,
    json_lines: JsonLines = False,
) -> None:
    """Train a VAE-GAN on crops around haematomas; a run that was stopped goes on where it stood.

    Labels are not used. Writes bundle/, history.csv, splits.csv, reconstruction.png, run.json and checkpoints/; with
    --folds also fold-1/ … and manifest.csv, whose column autoencoder names for every patient the network that did not
    see him (its other columns, encoder too, are those of MANIFEST).
    """
    with running(json_lines) as session:
        check_output(output)
        if cache is not None:
            check_output(cache, "cache")
        checked_device(device)
        existing_file(manifest, "manifest")
        settings = _configuration(preset, config, epochs, masked)
        session.progress(0.0, "reading the manifest")
        from deepradiomics.cohort.manifest import read_manifest
        from deepradiomics.ich.autoencoder_train import train_autoencoder as compute
        from deepradiomics.ich.cohort import ICH_COLUMNS

        run = compute(
            read_manifest(manifest, need_labels=False, more=ICH_COLUMNS), settings, output, seed=seed, folds=folds,
            missing=missing, resume=resume, device=device, cache=cache,  # type: ignore[arg-type]
            progress=session.progress,
        )  # fmt: skip
        session.progress(1.0, "done")
        for _, reason in run.dropped:
            session.warn(f"left out: {reason}")
        for remark in run.metrics["warnings"]:
            session.warn(remark)
        for text in told_of_cases(run.notes):
            session.warn(text)
        picture = run.out / "reconstruction.png"
        lines = [f"bundle          {run.bundle}", f"history         {run.history}", f"reconstruction  {picture}"]
        files = {"bundle": run.bundle, "history": run.history, "reconstruction": picture}
        if run.manifest is not None:
            lines.append(f"manifest        {run.manifest}")
            files["manifest"] = run.manifest
        lines.append(_summary(run.metrics))
        fields = {name: str(file) for name, file in files.items()}
        session.result("\n".join(lines), **fields, metrics=run.metrics, dropped=dict(run.dropped))


def _summary(metrics: Any) -> str:
    active = metrics["active"]
    return (
        f"active units    {active['active']} of {active['units']} ({active['share']:.0%})\n"
        f"error           {metrics['error_hu']:.1f} HU (mean image: {metrics['mean_image_error_hu']:.1f}), in lesions "
        f"{metrics['lesion_error_hu']:.1f} HU (mean image: {metrics['lesion_mean_image_error_hu']:.1f}), "
        f"on {metrics['held_out']} cases kept from training"
    )


def _configuration(
    preset: str | None, file: Path | None, epochs: int | None, masked: bool | None
) -> "AutoencoderConfig":
    """Return the configuration that the options ask for.

    Raises:
        InputError: both a preset and a file, an unknown preset, or an unusable file.
    """
    check_preset(preset, file)
    from deepradiomics.ich.autoencoder_config import AutoencoderConfig, autoencoder_config

    if file is not None:
        found = AutoencoderConfig.read(existing_file(file, "--config"))
    else:
        found = autoencoder_config(preset or "paper")  # type: ignore[arg-type]
    if epochs is not None:
        found = dataclasses.replace(found, training=dataclasses.replace(found.training, epochs=epochs))
    if masked is not None:
        found = dataclasses.replace(found, recipe=dataclasses.replace(found.recipe, masked=masked))
    return found
