"""``deepradiomics fingerprint train MANIFEST -o RUN_DIR``: learn relevance network and classifier from a cohort."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deepradiomics.cli.kernels import ready_kernels
from deepradiomics.cli.options import (
    Cluster,
    ConfigFile,
    DeviceName,
    Epochs,
    JsonLines,
    OutputFolder,
    Preset,
    Seed,
    TaskNames,
    Workers,
    check_preset,
    comma_list,
    existing_file,
)
from deepradiomics.cli.outputs import check_output
from deepradiomics.cli.session import running

if TYPE_CHECKING:
    from deepradiomics.fingerprint.config import FingerprintConfig


def train(
    manifest: Annotated[Path, typer.Argument(help="CSV: id, a path per view, mask, split, label_<task> …")],
    output: OutputFolder,
    preset: Preset = None,
    config: ConfigFile = None,
    tasks: TaskNames = None,
    seed: Seed = 0,
    epochs: Epochs = None,
    workers: Workers = 1,
    cluster: Cluster = None,
    device: DeviceName = "auto",
    resume: Annotated[bool, typer.Option("--resume/--no-resume", help="Go on from the last checkpoint.")] = True,
    json_lines: JsonLines = False,
) -> None:
    """Train a fingerprint model; a run that was stopped goes on where it stood.

    Writes bundle/ (the model: safetensors and JSON), history.csv, run.json and checkpoints/ into the output folder.
    """
    with running(json_lines) as session:
        check_output(output)
        session.progress(0.0, "reading the manifest")
        from deepradiomics.cohort import read_manifest

        cohort = read_manifest(manifest, tasks=comma_list(tasks))
        settings = configuration(preset, config, epochs)
        from deepradiomics.fingerprint.train import train as compute

        ready_kernels(session)
        run = compute(
            cohort, settings, output, seed=seed, resume=resume, workers=workers, cluster=cluster, device=device,
            progress=session.progress,
        )  # fmt: skip
        session.progress(1.0, "done")
        session.result(
            f"bundle   {run.bundle}\nhistory  {run.history}",
            bundle=str(run.bundle),
            history=str(run.history),
            metrics=run.metrics,
        )


def configuration(preset: str | None, file: Path | None, epochs: int | None = None) -> "FingerprintConfig":
    """Return the configuration that ``--preset``, ``--config`` and ``--epochs`` ask for.

    Raises:
        InputError: both a preset and a file, an unknown preset, or an unusable file.
    """
    check_preset(preset, file)
    from deepradiomics.fingerprint.config import FingerprintConfig
    from deepradiomics.fingerprint.config import config as of_preset

    if file is not None:
        found = FingerprintConfig.read(existing_file(file, "--config"))
    else:
        found = of_preset(preset or "paper")  # type: ignore[arg-type]
    if epochs is None:
        return found
    return dataclasses.replace(found, training=dataclasses.replace(found.training, epochs=epochs))
