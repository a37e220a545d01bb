"""``deepradiomics fingerprint evaluate MANIFEST -o DIR``: table T1, the methods side by side on the same splits."""

from pathlib import Path
from typing import Annotated

import typer

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
    existing_file,
    integers,
)
from deepradiomics.cli.outputs import check_output
from deepradiomics.cli.session import running

Seeds = Annotated[str, typer.Option("--seeds", help="One repetition a seed, separated by commas.")]
Folds = Annotated[int, typer.Option("--folds", min=0, help="0: fixed splits; k: k-fold cross-validation.")]
SplitSeed = Annotated[int, typer.Option("--split-seed", help="Seed of the splits, which all repetitions share.")]
Cache = Annotated[Path | None, typer.Option("--cache", help="Folder of extracted features (OUTPUT/cache by default).")]


def evaluate(
    manifest: Annotated[Path, typer.Argument(help="CSV: id, a path per view, mask, split, label_<task> …")],
    output: OutputFolder,
    preset: Preset = None,
    config: ConfigFile = None,
    tasks: TaskNames = None,
    seeds: Seeds = "0,1,2",
    folds: Folds = 0,
    split_seed: SplitSeed = 0,
    methods: Annotated[
        str | None, typer.Option("--methods", help="Some of fingerprint, nofs, signature, mrnet, elnet (default: all).")
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option("--truth", help="Table of planted lesions (default: truth.csv beside the manifest, if there)."),
    ] = None,
    imagenet_weights: Annotated[
        Path | None,
        typer.Option("--imagenet-weights", help="Safetensors file of AlexNet for MRNet (default: from scratch)."),
    ] = None,
    epochs: Epochs = None,
    workers: Workers = 1,
    cluster: Cluster = None,
    cache: Cache = None,
    device: DeviceName = "auto",
    json_lines: JsonLines = False,
) -> None:
    """Compare the fingerprint with its controls and baselines (table T1).

    Writes t1 (csv, json, md): accuracy, sensitivity, specificity and AUC, mean ± SD over repetitions, confidence
    intervals and tests against each baseline; further tables, figures/, and each method's runs. What is finished is
    not repeated when the command is run again.
    """
    with running(json_lines) as session:
        check_output(output)
        session.progress(0.0, "reading the manifest")
        from deepradiomics.cohort import read_manifest

        cohort = read_manifest(manifest, tasks=comma_list(tasks))
        if truth is not None:
            existing_file(truth, "--truth")
        if imagenet_weights is not None:
            existing_file(imagenet_weights, "--imagenet-weights")
        settings, chosen = configuration(preset, config, epochs), integers(seeds, "--seeds")
        from deepradiomics.fingerprint.eval_methods import GROUPS
        from deepradiomics.fingerprint.eval_slices import SliceOptions
        from deepradiomics.fingerprint.evaluate import evaluate as compute
        from deepradiomics.results.evaluation import write_evaluation

        ready_kernels(session)
        found = compute(
            cohort,
            settings,
            output,
            seeds=chosen,
            folds=folds,
            split_seed=split_seed,
            methods=comma_list(methods) or GROUPS,  # type: ignore[arg-type]
            slices=SliceOptions(imagenet_weights=imagenet_weights),
            workers=workers,
            cluster=cluster,
            device=device,
            cache=cache,
            progress=lambda fraction, message: session.progress(0.9 * fraction, message),
        )
        session.progress(0.9, "tables and figures")
        planted = truth or manifest.parent / "truth.csv"
        files = write_evaluation(found, output, truth=planted if planted.is_file() else None, warn=session.warn)
        session.progress(1.0, "done")
        session.result("\n".join(map(str, files)), folder=str(output), files=[str(file) for file in files])
