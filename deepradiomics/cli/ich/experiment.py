"""``deepradiomics ich experiment MANIFEST -o DIR``: inputs, classifiers and outcomes compared without leakage."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from deepradiomics.cli.groups import Changes, Chosen, with_groups
from deepradiomics.cli.inputs import existing_file
from deepradiomics.cli.kernels import ready_kernels
from deepradiomics.cli.options import AutoencoderBundle, EncoderBundle, JsonLines, OutputFolder
from deepradiomics.cli.outputs import check_output
from deepradiomics.cli.reading import ReadingOptions, note_cases
from deepradiomics.cli.session import running
from deepradiomics.cli.shared_groups import DistributedRunOptions, SettingOptions
from deepradiomics.errors import InputError
from deepradiomics.ich.experiment.config import ExperimentConfig

ExperimentChoices = Annotated[
    Changes,
    Chosen(
        ExperimentConfig, "inputs", "classifiers", "outcomes", "covariates", "bin_width_hu", "lesions", "search",
        "components", "trees", "folds",
    ),
]  # fmt: skip


@dataclass(frozen=True)
class NetworkOptions:
    """Networks for patients whose row of the manifest names none."""

    encoder: EncoderBundle = None
    autoencoder: AutoencoderBundle = None

    def check(self) -> None:
        """Raise InputError where a folder is not there."""
        for option, folder in (("--encoder", self.encoder), ("--autoencoder", self.autoencoder)):
            if folder is not None and not folder.is_dir():
                raise InputError(f"{option} {folder}: expected the folder of a bundle, found none.")


@dataclass(frozen=True)
class ComparedOptions(NetworkOptions):
    """Networks, and the cohort that tests the final models."""

    external: Annotated[
        Path | None, typer.Option("--external", help="Manifest of the cohort that tests the final models.")
    ] = None
    allow_leakage: Annotated[
        bool,
        typer.Option("--allow-leakage", help="Run although networks or cohorts have seen test patients; marked so."),
    ] = False


@dataclass(frozen=True)
class ExperimentRunOptions(DistributedRunOptions, SettingOptions):
    """How an experiment is configured and run."""


@with_groups
def experiment(
    manifest: Annotated[
        Path, typer.Argument(help="CSV: id, patient, image, mask, value_mrs, value_expansion_ml, sex, site, encoder …")
    ],
    output: OutputFolder,
    reading: ReadingOptions,
    compared: ComparedOptions,
    choices: ExperimentChoices,
    run: ExperimentRunOptions,
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
        run.check()
        existing_file(manifest, "manifest")
        for name, path in (("--external", compared.external), ("--config", run.config)):
            if path is not None:
                existing_file(path, name)
        compared.check()
        chosen = reading.reading()
        config = run.of(ExperimentConfig, choices, "radiomics")
        session.progress(0.0, "reading the manifest")
        from deepradiomics.ich.experiment.request import ExperimentRequest
        from deepradiomics.ich.experiment.run import run_experiment
        from deepradiomics.ich.features.run import Machines
        from deepradiomics.reports.ich.report import write_experiment

        ready_kernels(session)
        result = run_experiment(
            ExperimentRequest(
                manifest, compared.external, config, chosen, compared.encoder, compared.autoencoder, run.seed,
                compared.allow_leakage,
            ),
            output, machines=Machines(run.workers, run.cluster, run.device), cache=run.cache, resume=run.resume,
            progress=lambda fraction, message: session.progress(0.95 * fraction, message),
        )  # fmt: skip
        drawn = write_experiment(
            output, progress=lambda fraction, message: session.progress(0.95 + 0.05 * fraction, message)
        )
        for text in result.about["warnings"]:
            session.warn(text)
        for notes in result.about["notes"].values():
            note_cases(session, notes)
        session.progress(1.0, "done")
        tables = sorted(str(path) for path in (output / "tables").glob("*.csv"))
        session.result(
            "\n".join([*tables, *map(str, drawn)]),
            folder=str(output),
            synthetic=result.about["synthetic"],
            leaking=result.about["leaking"],
            bundle=str(output / "bundle") if result.about["bundle"]["input"] else None,
            report=str(output / "report.html"),
            tables=tables,
            files=[str(path) for path in drawn],
            cohorts=result.about["cohorts"],
            dropped=result.about["dropped"],
        )
