"""``deepradiomics fingerprint train MANIFEST -o RUN_DIR``: learn relevance network and classifier from a cohort."""

from pathlib import Path
from typing import Annotated

import typer

from deepradiomics.cli.groups import comma_list, with_groups
from deepradiomics.cli.kernels import ready_kernels
from deepradiomics.cli.options import JsonLines, OutputFolder, TaskNames
from deepradiomics.cli.outputs import check_output
from deepradiomics.cli.reading import FileOptions, note_cases
from deepradiomics.cli.session import running
from deepradiomics.cli.shared_groups import ExtractionOptions, TrainingOptions


@with_groups
def train(
    manifest: Annotated[Path, typer.Argument(help="CSV: id, a path per view, mask, split, label_<task> …")],
    output: OutputFolder,
    reading: FileOptions,
    run: TrainingOptions,
    extraction: ExtractionOptions,
    tasks: TaskNames = None,
    json_lines: JsonLines = False,
) -> None:
    """Train a fingerprint model; a run that was stopped is resumed.

    Writes bundle/ (the model: safetensors and JSON), history.csv, run.json and checkpoints/ into the output folder.
    """
    with running(json_lines) as session:
        check_output(output)
        chosen = reading.reading()
        session.progress(0.0, "reading the manifest")
        from deepradiomics.cohort import read_manifest
        from deepradiomics.fingerprint.model.config import FingerprintConfig
        from deepradiomics.fingerprint.train.run import TrainRequest, train_fingerprint

        cohort = read_manifest(manifest, tasks=comma_list(tasks)).read_as(chosen)
        config = run.of(FingerprintConfig)
        ready_kernels(session)
        result = train_fingerprint(
            TrainRequest(cohort, config, seed=run.seed, workers=extraction.workers, cluster=extraction.cluster),
            output,
            resume=run.resume,
            device=run.device,
            cache=run.cache,
            progress=session.progress,
        )
        session.progress(1.0, "done")
        note_cases(session, result.notes)
        session.result(
            f"bundle   {result.bundle}\nhistory  {result.history}",
            bundle=str(result.bundle),
            history=str(result.history),
            metrics=result.metrics,
        )
