"""``deepradiomics fingerprint evaluate MANIFEST -o DIR``: table T1, the methods side by side on the same splits."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from deepradiomics.cli.groups import comma_list, with_groups
from deepradiomics.cli.inputs import existing_file, integers
from deepradiomics.cli.kernels import ready_kernels
from deepradiomics.cli.options import Cache, DeviceName, Folds, JsonLines, OutputFolder, SplitSeed, TaskNames
from deepradiomics.cli.outputs import check_output
from deepradiomics.cli.reading import FileOptions, note_all
from deepradiomics.cli.session import running
from deepradiomics.cli.shared_groups import ConfigOptions, ExtractionOptions

Seeds = Annotated[str, typer.Option("--seeds", help="Seeds separated by commas, one repetition for each.")]


@dataclass(frozen=True)
class RepetitionOptions(ExtractionOptions):
    """On which splits and how often methods are trained; without ``folds`` the manifest's splits are taken."""

    seeds: Seeds = "0,1,2"
    folds: Folds = None
    split_seed: SplitSeed = 0
    tasks: TaskNames = None
    cache: Cache = None
    device: DeviceName = "auto"

    def asked(self) -> dict[str, Any]:
        """The repetitions as arguments of a request.

        Raises:
            InputError: seeds are not whole numbers.
        """
        return {"seeds": integers(self.seeds, "--seeds"), "folds": self.folds or 0, "split_seed": self.split_seed}

    def place(self) -> dict[str, Any]:
        """Where it is computed, and kept, as arguments of the computing side."""
        return {"cache": self.cache, "device": self.device, "workers": self.workers, "cluster": self.cluster}


@dataclass(frozen=True)
class ComparedOptions:
    """Which methods are compared, and what they are given."""

    methods: Annotated[
        str | None, typer.Option("--methods", help="Some of fingerprint, nofs, signature, mrnet, elnet (default: all).")
    ] = None
    truth: Annotated[
        Path | None,
        typer.Option("--truth", help="Table of planted lesions (default: truth.csv beside the manifest, if there)."),
    ] = None
    imagenet_weights: Annotated[
        Path | None,
        typer.Option("--imagenet-weights", help="Safetensors file of AlexNet for MRNet (default: from scratch)."),
    ] = None

    def check(self) -> None:
        """Raise InputError where a file is not there."""
        for option, path in (("--truth", self.truth), ("--imagenet-weights", self.imagenet_weights)):
            if path is not None:
                existing_file(path, option)


@with_groups
def evaluate(
    manifest: Annotated[Path, typer.Argument(help="CSV: id, a path per view, mask, split, label_<task> …")],
    output: OutputFolder,
    reading: FileOptions,
    settings: ConfigOptions,
    repetitions: RepetitionOptions,
    compared: ComparedOptions,
    json_lines: JsonLines = False,
) -> None:
    """Compare the fingerprint with its controls and baselines (table T1).

    Writes t1 (csv, json, md): accuracy, sensitivity, specificity and AUC, mean ± SD over repetitions, confidence
    intervals and tests against each baseline; further tables, figures/, and each method's runs. What is finished is
    not repeated when the command is run again.
    """
    with running(json_lines) as session:
        check_output(output)
        chosen = reading.reading()
        session.progress(0.0, "reading the manifest")
        from deepradiomics.cohort import read_manifest
        from deepradiomics.fingerprint.model.config import FingerprintConfig

        cohort = read_manifest(manifest, tasks=comma_list(repetitions.tasks)).read_as(chosen)
        compared.check()
        config, asked = settings.of(FingerprintConfig), repetitions.asked()
        from deepradiomics.fingerprint.evaluate.methods import GROUPS
        from deepradiomics.fingerprint.evaluate.run import EvaluationRequest, evaluate_fingerprint
        from deepradiomics.fingerprint.evaluate.slices import SliceOptions
        from deepradiomics.reports.fingerprint.evaluation import write_evaluation

        ready_kernels(session)
        result = evaluate_fingerprint(
            EvaluationRequest(
                cohort,
                config,
                methods=comma_list(compared.methods) or GROUPS,  # type: ignore[arg-type]
                slices=SliceOptions(imagenet_weights=compared.imagenet_weights),
                **asked,
            ),
            output,
            **repetitions.place(),
            progress=lambda fraction, message: session.progress(0.9 * fraction, message),
        )
        session.progress(0.9, "tables and figures")
        planted = compared.truth or manifest.parent / "truth.csv"
        files = write_evaluation(result, output, truth=planted if planted.is_file() else None, warn=session.warn)
        session.progress(1.0, "done")
        note_all(session, result.notes)
        session.result("\n".join(map(str, files)), folder=str(output), files=[str(file) for file in files])
