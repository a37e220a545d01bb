"""``deepradiomics fingerprint evaluate MANIFEST -o DIR``: table T1, the methods side by side on the same splits."""

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


def evaluate(
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
    """Compare the fingerprint with its controls and baselines (table T1).

    Writes t1.csv and t1.json: accuracy, sensitivity, specificity and AUC, mean ± SD over seeds, confidence intervals
    and tests against each baseline.
    """
    with running(json_lines) as session:
        check_output(output)
        session.progress(0.0, "reading the manifest")
        from deepradiomics.cohort import read_manifest

        cohort = read_manifest(manifest, tasks=comma_list(tasks))
        settings = configuration(preset, config, epochs)
        chosen = integers(seeds, "--seeds")
        from deepradiomics.fingerprint.evaluate import evaluate as compute

        compute(
            cohort, settings, output, seeds=chosen, workers=workers, cluster=cluster, device=device,
            progress=session.progress,
        )  # fmt: skip
        files = [str(output / name) for name in ("t1.csv", "t1.json") if (output / name).is_file()]
        session.progress(1.0, "done")
        session.result("\n".join(files), folder=str(output), files=files)
