"""``deepradiomics fingerprint ablate MANIFEST -o DIR``: table T2, one choice changed at a time."""

from pathlib import Path
from typing import Annotated

import typer

from deepradiomics.cli.fingerprint_evaluate import Cache, Folds, Seeds, SplitSeed
from deepradiomics.cli.fingerprint_train import configuration
from deepradiomics.cli.kernels import ready_kernels
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
    seeds: Seeds = "0,1,2",
    folds: Folds = 0,
    split_seed: SplitSeed = 0,
    only: Annotated[str | None, typer.Option("--only", help="Names of variants, separated by commas.")] = None,
    epochs: Epochs = None,
    workers: Workers = 1,
    cluster: Cluster = None,
    cache: Cache = None,
    device: DeviceName = "auto",
    json_lines: JsonLines = False,
) -> None:
    """Change one choice at a time and compare (table T2): patch grid, feature families, selection, registration.

    Writes t2 (csv, json, md). With the folder of an evaluation as output, what was trained there is used again.
    """
    with running(json_lines) as session:
        check_output(output)
        session.progress(0.0, "reading the manifest")
        from deepradiomics.cohort import read_manifest

        cohort = read_manifest(manifest, tasks=comma_list(tasks))
        settings, chosen = configuration(preset, config, epochs), integers(seeds, "--seeds")
        from deepradiomics.fingerprint.ablate import ablate as compute
        from deepradiomics.results.tables import t2, write_table

        ready_kernels(session)
        found = compute(
            cohort,
            settings,
            output,
            seeds=chosen,
            folds=folds,
            split_seed=split_seed,
            only=comma_list(only),
            workers=workers,
            cluster=cluster,
            device=device,
            cache=cache,
            progress=lambda fraction, message: session.progress(0.95 * fraction, message),
        )
        session.progress(0.95, "table")
        files = [str(path) for path in write_table(t2(found), output)]
        session.progress(1.0, "done")
        session.result("\n".join(files), folder=str(output), files=files)
