"""``deepradiomics fingerprint ablate MANIFEST -o DIR``: table T2, one choice changed at a time."""

from pathlib import Path
from typing import Annotated

import typer

from deepradiomics.cli.fingerprint.evaluate import RepetitionOptions
from deepradiomics.cli.groups import comma_list, with_groups
from deepradiomics.cli.kernels import ready_kernels
from deepradiomics.cli.options import JsonLines, OutputFolder
from deepradiomics.cli.outputs import check_output
from deepradiomics.cli.reading import FileOptions, note_all
from deepradiomics.cli.session import running
from deepradiomics.cli.shared_groups import ConfigOptions


@with_groups
def ablate(
    manifest: Annotated[Path, typer.Argument(help="CSV: id, a path per view, mask, split, label_<task> …")],
    output: OutputFolder,
    reading: FileOptions,
    settings: ConfigOptions,
    repetitions: RepetitionOptions,
    variants: Annotated[
        str | None, typer.Option("--variants", help="Names of variants, separated by commas.  (default: all)")
    ] = None,
    json_lines: JsonLines = False,
) -> None:
    """Change one choice at a time and compare (table T2): patch grid, feature families, selection, registration.

    Writes t2 (csv, json, md). With the folder of an evaluation as output, what was trained there is used again.
    """
    with running(json_lines) as session:
        check_output(output)
        chosen = reading.reading()
        session.progress(0.0, "reading the manifest")
        from deepradiomics.cohort import read_manifest
        from deepradiomics.fingerprint.evaluate.ablate import AblationRequest
        from deepradiomics.fingerprint.evaluate.ablate import ablate as compute
        from deepradiomics.fingerprint.model.config import FingerprintConfig
        from deepradiomics.reports.fingerprint.tables import t2, write_table

        cohort = read_manifest(manifest, tasks=comma_list(repetitions.tasks)).read_as(chosen)
        config, asked = settings.of(FingerprintConfig), repetitions.asked()
        ready_kernels(session)
        result = compute(
            AblationRequest(cohort, config, only=comma_list(variants), **asked),
            output,
            **repetitions.place(),
            progress=lambda fraction, message: session.progress(0.95 * fraction, message),
        )
        session.progress(0.95, "table")
        files = [str(path) for path in write_table(t2(result), output)]
        session.progress(1.0, "done")
        note_all(session, result.notes)
        session.result("\n".join(files), folder=str(output), files=files)
