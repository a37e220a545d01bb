"""``deepradiomics fingerprint ablate MANIFEST -o DIR``: table T2, one choice changed at a time."""

from pathlib import Path
from typing import Annotated

import typer

from deepradiomics.cli.fingerprint_train import configuration
from deepradiomics.cli.options import (
    Cluster,
    ConfigFile,
    DeviceName,
    Epochs,
    JsonLines,
    OutputFolder,
    Preset,
    TaskNames,
    Workers,
    comma_list,
    integers,
)
from deepradiomics.cli.outputs import check_output
from deepradiomics.cli.session import running


def ablate(
    manifest: Annotated[Path, typer.Argument(help="CSV: id, a path per view, mask, split, label_<task> …")],
    output: OutputFolder,
    preset: Preset = None,
    config: ConfigFile = None,
    tasks: TaskNames = None,
    seeds: Annotated[str, typer.Option("--seeds", help="One repetition a seed, separated by commas.")] = "0,1,2",
    epochs: Epochs = None,
    workers: Workers = 1,
    cluster: Cluster = None,
    device: DeviceName = "auto",
    json_lines: JsonLines = False,
) -> None:
    """Change one choice at a time and compare (table T2): grid, feature families, registration, regulariser.

    Writes t2.csv and t2.json.
    """
    with running(json_lines) as session:
        check_output(output)
        session.progress(0.0, "reading the manifest")
        from deepradiomics.cohort import read_manifest

        cohort = read_manifest(manifest, tasks=comma_list(tasks))
        settings = configuration(preset, config, epochs)
        chosen = integers(seeds, "--seeds")
        from deepradiomics.fingerprint.ablate import ablate as compute

        compute(
            cohort, settings, output, seeds=chosen, workers=workers, cluster=cluster, device=device,
            progress=session.progress,
        )  # fmt: skip
        files = [str(output / name) for name in ("t2.csv", "t2.json") if (output / name).is_file()]
        session.progress(1.0, "done")
        session.result("\n".join(files), folder=str(output), files=files)
