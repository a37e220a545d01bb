"""``deepradiomics extract --manifest``: a row per region in one table; each finished case is kept for the next run.

features.csv          id, view, label, name, what is known of segments and scanners, the manifest's further columns,
                      then one column per feature
features.json         settings, versions, methods paragraph, and what became of each case
features-cases/*.json one file per case, with its diagnostics; found again when the command is run again
"""

import contextlib
import gc
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from deepradiomics.cli.images.dicom_out import check_dicom_out
from deepradiomics.cli.kernels import ready_kernels
from deepradiomics.cli.radiomics.extract_document import document_of
from deepradiomics.cli.radiomics.feature_rows import Columns, write_regions
from deepradiomics.cli.radiomics.feature_tables import STANDARD_OUTPUT
from deepradiomics.cli.remarks import grouped, told_of_cases
from deepradiomics.cli.session import Session
from deepradiomics.errors import InputError
from deepradiomics.files.lock import held
from deepradiomics.words import count

if TYPE_CHECKING:
    from deepradiomics.cohort.regions.cases import CaseOutcome
    from deepradiomics.cohort.regions.features import Extraction

_TOLD = 10  # remarks and failed cases told on the screen; the JSON holds all


def extract_manifest(
    manifest: Path,
    output: Path,
    extraction: "Extraction",
    session: Session,
    *,
    workers: int,
    cluster: str | None,
    allow_failures: bool = False,
) -> None:
    """Extract every case, write the table of those that can be used, and list those that cannot.

    Raises:
        typer.Exit: with 1 after everything is written, when a case failed and failures are not allowed.
        InputError: the manifest cannot be used, or no case of it can.
    """
    from deepradiomics.cohort import read_region_manifest
    from deepradiomics.cohort.regions.cases import extract_regions

    start = time.perf_counter()
    cases = read_region_manifest(manifest)
    check_dicom_out(
        extraction.dicom_out, [(f"case {row.id}", path) for row in cases.rows for path in row.views.values()]
    )
    ready_kernels(session)
    gc.freeze()  # the modules loaded by now are no garbage, and looking through them again and again takes its time
    with contextlib.ExitStack() as stack:
        if output == STANDARD_OUTPUT:
            kept = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="deepradiomics-cases-")))
        else:
            kept = output.with_name(f"{output.stem}-cases")
            stack.enter_context(held(kept))
        outcomes = extract_regions(cases, extraction, kept, workers=workers, cluster=cluster, progress=session.progress)
        failed = [outcome for outcome in outcomes if outcome.status == "failed"]
        _remark(outcomes, failed, output, session)
        if len(failed) == len(outcomes):
            none = "its only case cannot" if len(outcomes) == 1 else f"none of its {len(outcomes)} cases can"
            first = f"{'' if len(outcomes) == 1 else '; the first'}: {_told(failed[0])}"
            raise InputError(f"{manifest}: {none} be used{first}")
        session.progress(1.0, "writing the table")
        columns = Columns()
        for case in gathered(outcomes):
            columns.see(case)
        document = _document(outcomes, columns, extraction, start)
        more = {row.id: row.more for row in cases.rows}
        files = write_regions(output, lambda: gathered(outcomes), more, document, columns)
    _finish(outcomes, failed, columns, files, output, session, allow_failures)


def gathered(outcomes: Sequence["CaseOutcome"]) -> Iterator[Mapping[str, Any]]:
    """The results of this run, one file at a time.

    Raises:
        InputError: a file is not what this run has computed or found: another run has written there.
    """
    from deepradiomics.cohort.regions.kept import read_case

    for outcome in outcomes:
        if outcome.document is not None:
            yield outcome.document
        elif outcome.file is not None:
            yield read_case(outcome.file, outcome.key)


def _remark(outcomes: Sequence["CaseOutcome"], failed: Sequence["CaseOutcome"], output: Path, session: Session) -> None:
    """Show notes, warnings and failures, those that are alike once and a few of each; the JSON holds all."""
    more = "" if output == STANDARD_OUTPUT else f"; {output.with_suffix('.json')} holds them all"
    notes = told_of_cases(_by_case(outcomes))
    for text in notes[:_TOLD]:
        session.note(text)
    if len(notes) > _TOLD:
        session.note(f"… and {len(notes) - _TOLD} more notes{more}.")
    warnings = grouped(f"{outcome.id}: {text}" for outcome in outcomes for text in outcome.warnings)
    for text in warnings[:_TOLD]:
        session.warn(text)
    if len(warnings) > _TOLD:
        session.warn(f"… and {len(warnings) - _TOLD} more remarks{more}.")
    for outcome in failed[:_TOLD]:
        session.warn(_told(outcome))
    if len(failed) > _TOLD:
        session.warn(f"… and {len(failed) - _TOLD} more cases failed{more.replace('holds', 'names')}.")


def _by_case(outcomes: Sequence["CaseOutcome"]) -> dict[str, list[str]]:
    notes: dict[str, list[str]] = {}
    for outcome in outcomes:
        notes.setdefault(outcome.id, []).extend(outcome.notes)
    return notes


def _finish(
    outcomes: Sequence["CaseOutcome"],
    failed: Sequence["CaseOutcome"],
    columns: Columns,
    files: Sequence[Path],
    output: Path,
    session: Session,
    allow_failures: bool,
) -> None:
    """Say what was done; a failed case is an error unless it is allowed."""
    new = sum(outcome.status == "done" for outcome in outcomes)
    used = f"{len(outcomes) - len(failed)} of {count(len(outcomes), 'case')}"
    summary = f"{used} ({new} computed now), {count(len(columns.features), 'feature')}"
    names = _listed([outcome.id for outcome in failed])
    if failed:
        where = "" if output == STANDARD_OUTPUT else f" (reasons in {output.with_suffix('.json').name})"
        summary += f"; not in the table: {names}{where}"
        if not allow_failures:
            session.fail(f"{len(failed)} of {len(outcomes)} cases failed: {names}.", 1)
    session.result(
        summary if output == STANDARD_OUTPUT else f"{summary}\n{output}",
        files=[str(file) for file in files],
        computed=new,
        failed={outcome.id: outcome.message for outcome in failed},
    )
    if failed and not allow_failures:
        raise typer.Exit(1)


def _told(failed: "CaseOutcome") -> str:
    name = f"Case {failed.id}"
    return failed.message if failed.message.startswith(name) else f"{name}: {failed.message}"


def _listed(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _TOLD} more" if len(ids) > _TOLD else ""
    return ", ".join(ids[:_TOLD]) + more


def _document(
    outcomes: Sequence["CaseOutcome"], columns: Columns, extraction: "Extraction", start: float
) -> dict[str, Any]:
    settings, names = extraction.settings, columns.features
    if any("_shape2D_" in name for name in names) and not any("_shape_" in name for name in names):
        settings = settings.in_plane()  # all images were two-dimensional
    document = document_of(settings, columns.counts, start, extraction.device)
    document["cases"] = [
        {
            "id": outcome.id,
            "view": outcome.view,
            **({"region": outcome.region} if outcome.region else {}),
            "status": outcome.status,
            "message": outcome.message,
            "warnings": list(outcome.warnings),
            "notes": list(outcome.notes),
        }
        for outcome in outcomes
    ]
    return document
