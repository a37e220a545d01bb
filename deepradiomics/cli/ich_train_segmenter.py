"""``deepradiomics ich train-segmenter MANIFEST -o RUN``: a network learns to find haematomas."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    existing_model,
)
from deepradiomics.cli.outputs import check_output
from deepradiomics.cli.remarks import told_of_cases
from deepradiomics.cli.session import running
from deepradiomics.devices import checked_device
from deepradiomics.errors import InputError

if TYPE_CHECKING:
    from deepradiomics.ich.segment_config import SegmenterConfig

_SCALES = ("dual", "single")


def train_segmenter(
    manifest: Annotated[Path, typer.Argument(help="CSV of cases: id, patient, image, mask, split ….")],
    output: OutputFolder,
    preset: Preset = None,
    config: ConfigFile = None,
    scales: Annotated[
        str | None, typer.Option("--scales", help="dual (128³ and 64³, the default) or single.", show_default=False)
    ] = None,
    epochs: Epochs = None,
    folds: Annotated[
        int | None,
        typer.Option(
            "--folds",
            min=2,
            help="Train so many networks, each on the patients outside its fold (for latent features).",
        ),
    ] = None,
    init: Annotated[Path | None, typer.Option("--init", help="Bundle of a segmenter to start from.")] = None,
    missing: Annotated[
        str, typer.Option("--missing", help="Cases that cannot be used: refuse, or drop (and list).")
    ] = "refuse",
    seed: Seed = 0,
    cache: Annotated[
        Path | None, typer.Option("--cache", help="Folder of prepared heads, shared by runs.  (default: RUN/cache)")
    ] = None,
    device: DeviceName = "auto",
    resume: Annotated[bool, typer.Option("--resume/--no-resume", help="Go on from the last checkpoint.")] = True,
    json_lines: JsonLines = False,
) -> None:
    """Train a dual-scale U-Net (or its single-scale twin) on head CTs with drawn haematomas; a stopped run goes on.

    Writes bundle/, metrics.json (Dice of the held-out cases), examples.png, splits.csv, history.csv and checkpoints/.
    With --folds each fold has these in a folder of its own, and manifest.csv names in its column encoder, for every
    patient, the network that did not see him; give that manifest to 'ich train-autoencoder --folds' and then to
    'ich experiment'. A network for other patients is trained by a run of its own without --folds.
    """
    with running(json_lines) as session:
        check_output(output)
        if cache is not None:
            check_output(cache, "cache")
        checked_device(device)
        existing_file(manifest, "manifest")
        if init is not None:
            existing_model(init, "--init")
        settings = _configuration(preset, config, scales, epochs)
        session.progress(0.0, "reading the manifest")
        from deepradiomics.cohort.manifest import read_manifest
        from deepradiomics.ich.cohort import ICH_COLUMNS
        from deepradiomics.ich.segment_train import train_segmenter as compute

        run = compute(
            read_manifest(manifest, need_labels=False, more=ICH_COLUMNS), settings, output, seed=seed, folds=folds,
            init=init, missing=missing, resume=resume, device=device, cache=cache,  # type: ignore[arg-type]
            progress=session.progress,
        )  # fmt: skip
        session.progress(1.0, "done")
        for _, reason in run.dropped:
            session.warn(f"left out: {reason}")
        for remark in run.metrics["warnings"]:
            session.warn(remark)
        for text in told_of_cases(run.notes):
            session.warn(text)
        lines = [f"bundle    {folder}" for folder in run.bundles]
        lines += [] if run.manifest is None else [f"manifest  {run.manifest}"]
        lines.append(
            f"Dice      {run.metrics['mean']:.3f} ± {run.metrics['sd']:.3f} "
            f"({len(run.metrics['cases'])} cases, {run.metrics['held_out']})"
        )
        session.result(
            "\n".join(lines),
            bundles=[str(folder) for folder in run.bundles],
            manifest=None if run.manifest is None else str(run.manifest),
            metrics=run.metrics,
            dropped=dict(run.dropped),
        )


def _configuration(preset: str | None, file: Path | None, scales: str | None, epochs: int | None) -> "SegmenterConfig":
    check_preset(preset, file)
    if scales is not None and scales not in _SCALES:
        raise InputError(f"--scales: expected one of {', '.join(_SCALES)}, got {scales!r}.")
    from deepradiomics.ich.segment_config import SegmenterConfig, segmenter_config

    if file is not None:
        found = SegmenterConfig.read(existing_file(file, "--config"))
    else:
        found = segmenter_config(preset or "paper")  # type: ignore[arg-type]
    if scales is not None:
        found = dataclasses.replace(found, scales=scales)  # type: ignore[arg-type]
    if epochs is not None:
        found = dataclasses.replace(found, training=dataclasses.replace(found.training, epochs=epochs))
    return found
