"""``deepradiomics ich experiment MANIFEST -o DIR``: inputs, classifiers and outcomes compared without leakage."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deepradiomics.cli.kernels import ready_kernels
from deepradiomics.cli.options import (
    ConfigFile,
    DeviceName,
    ExperimentCluster,
    ExperimentWorkers,
    JsonLines,
    OutputFolder,
    Preset,
    Seed,
    check_preset,
    comma_list,
    existing_file,
)
from deepradiomics.cli.outputs import check_output
from deepradiomics.cli.session import running
from deepradiomics.devices import checked_device
from deepradiomics.errors import InputError

if TYPE_CHECKING:
    from deepradiomics.ich.experiment_config import ExperimentConfig

Network = Annotated[
    Path | None,
    typer.Option("--encoder", help="Bundle of a segmenter for patients whose column encoder is empty."),
]
Vaegan = Annotated[
    Path | None,
    typer.Option("--autoencoder", help="Bundle of a VAE-GAN for patients whose column autoencoder is empty."),
]
Radiomics = Annotated[
    str | None, typer.Option("--radiomics", help="ich-1688, paper-1693 or a PyRadiomics file.  (default: ich-1688)")
]
BinWidth = Annotated[float | None, typer.Option("--bin-width", help="Width of grey-level bins in HU.  (default: 25)")]
Label = Annotated[
    int | None, typer.Option("--label", min=1, help="Label of the haematoma.  (default: the mask's only one)")
]
Cache = Annotated[
    Path | None, typer.Option("--cache", help="Folder of kept features, for experiments to share (OUTPUT/cache).")
]


def experiment(
    manifest: Annotated[
        Path, typer.Argument(help="CSV: id, patient, image, mask, value_mrs, value_expansion_ml, sex, site, encoder …")
    ],
    output: OutputFolder,
    external: Annotated[
        Path | None, typer.Option("--external", help="Manifest of the cohort that tests the final models.")
    ] = None,
    encoder: Network = None,
    autoencoder: Vaegan = None,
    preset: Preset = None,
    config: ConfigFile = None,
    inputs: Annotated[
        str | None,
        typer.Option(
            "--inputs",
            help="Some of radiomics, shape, encoder, vaegan, latents, radiomics+latents, shape+latents.  (default: all "
            "that the networks allow)",
        ),
    ] = None,
    classifiers: Annotated[
        str | None,
        typer.Option(
            "--classifiers", help="Some of random-forest, xgboost, naive-bayes, extra-trees, elastic-net, svm."
        ),
    ] = None,
    outcomes: Annotated[
        str | None,
        typer.Option(
            "--outcomes",
            help="Some of poor_outcome, expansion_3ml, expansion_6ml, expansion_9ml, expansion_33pct, or a "
            "label_ column.  (default: the first four)",
        ),
    ] = None,
    covariates: Annotated[
        str | None, typer.Option("--covariates", help="Clinical columns beside every input: age,sex (value_<name>).")
    ] = None,
    radiomics: Radiomics = None,
    bin_width: BinWidth = None,
    label: Label = None,
    lesions: Annotated[
        str | None, typer.Option("--lesions", help="Of several haematomas: all as one region, or largest.")
    ] = None,
    search: Annotated[
        str | None, typer.Option("--search", help="fixed (the paper's settings, default) or nested (searched inside).")
    ] = None,
    components: Annotated[
        int | None, typer.Option("--components", min=1, help="Of each family.  (default: 128)")
    ] = None,
    trees: Annotated[int | None, typer.Option("--trees", min=1, help="Of each ensemble.  (default: 1000)")] = None,
    folds: Annotated[int | None, typer.Option("--folds", min=2, help="Of the cross-validation.  (default: 5)")] = None,
    cache: Cache = None,
    workers: ExperimentWorkers = 1,
    cluster: ExperimentCluster = None,
    device: DeviceName = "auto",
    seed: Seed = 0,
    allow_leakage: Annotated[
        bool,
        typer.Option("--allow-leakage", help="Run although networks or cohorts have seen test patients; marked so."),
    ] = False,
    resume: Annotated[bool, typer.Option("--resume/--no-resume", help="Go on where a stopped run stood.")] = True,
    json_lines: JsonLines = False,
) -> None:
    """Compare seven inputs with six classifiers on each outcome: out of fold, and in an external cohort.

    Writes experiment.json, tables/*.csv, predictions.csv, figures/, report.html and bundle/ (for 'ich apply'). What is
    finished is not repeated when the command is given again. Latents must come from networks that did not see the
    patient: a run that would leak stops and says why. One --encoder and one --autoencoder trained on other patients
    serve both cohorts and single patients; networks out of fold (columns encoder and autoencoder) serve the training
    cohort alone.
    """
    with running(json_lines) as session:
        check_output(output)
        if cache is not None:
            check_output(cache, "cache")
        checked_device(device)
        existing_file(manifest, "manifest")
        for name, path in (("--external", external), ("--config", config)):
            if path is not None:
                existing_file(path, name)
        _existing_folders(encoder, autoencoder)
        settings = configuration(
            preset, config, inputs=comma_list(inputs), classifiers=comma_list(classifiers),
            outcomes=comma_list(outcomes), covariates=comma_list(covariates), radiomics=radiomics,
            bin_width_hu=bin_width, label=label, lesions=lesions, search=search, components=components, trees=trees,
            folds=folds,
        )  # fmt: skip
        session.progress(0.0, "reading the manifest")
        from deepradiomics.ich.experiment import run_experiment
        from deepradiomics.results.ich_report import write_experiment

        ready_kernels(session)
        found = run_experiment(
            manifest, output, external=external, config=settings, encoder=encoder, autoencoder=autoencoder, seed=seed,
            workers=workers, cluster=cluster, cache=cache, resume=resume, allow_leakage=allow_leakage, device=device,
            progress=lambda fraction, message: session.progress(0.95 * fraction, message),
        )  # fmt: skip
        drawn = write_experiment(
            output, progress=lambda fraction, message: session.progress(0.95 + 0.05 * fraction, message)
        )
        for text in found.about["warnings"]:
            session.warn(text)
        session.progress(1.0, "done")
        tables = sorted(str(path) for path in (output / "tables").glob("*.csv"))
        session.result(
            "\n".join([*tables, *map(str, drawn)]), folder=str(output), synthetic=found.about["synthetic"],
            leaking=found.about["leaking"], bundle=str(output / "bundle") if found.about["bundle"]["input"] else None,
            report=str(output / "report.html"), tables=tables, files=[str(path) for path in drawn],
            cohorts=found.about["cohorts"], dropped=found.about["dropped"],
        )  # fmt: skip


def configuration(preset: str | None, file: Path | None, **given: Any) -> "ExperimentConfig":
    """The configuration of a file or a preset, with the options that were given on top.

    Raises:
        InputError: preset and file together, or something unknown.
    """
    from deepradiomics.ich.experiment_config import ExperimentConfig, experiment_config

    check_preset(preset, file)
    base = ExperimentConfig.read(file) if file is not None else experiment_config(preset or "paper")  # type: ignore[arg-type]
    return replace(base, **{name: value for name, value in given.items() if value is not None})


def _existing_folders(encoder: Path | None, autoencoder: Path | None) -> None:
    for option, folder in (("--encoder", encoder), ("--autoencoder", autoencoder)):
        if folder is not None and not folder.is_dir():
            raise InputError(f"{option} {folder}: expected the folder of a bundle, found none.")
