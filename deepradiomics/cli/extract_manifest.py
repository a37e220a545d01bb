"""``deepradiomics extract --manifest``: a row a region in one table; each finished case is kept for the next run.

features.csv          id, view, label, name, the manifest's further columns, then one column a feature
features.json         settings, versions, methods paragraph, and what became of each case
features-cases/*.json one file a case, with its diagnostics; found again when the command is run again
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from deepradiomics.cli.kernels import ready_kernels
from deepradiomics.cli.remarks import grouped
from deepradiomics.cli.session import Session
from deepradiomics.errors import InputError
from deepradiomics.words import count

if TYPE_CHECKING:
    from deepradiomics.cohort.region_features import CaseOutcome, Extraction

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
    from deepradiomics.cohort.region_features import extract_regions, read_case

    start = time.perf_counter()
    cases = read_region_manifest(manifest)
    ready_kernels(session)
    kept = output.with_name(f"{output.stem}-cases")
    outcomes = extract_regions(cases, extraction, kept, workers=workers, cluster=cluster, progress=session.progress)
    failed = [one for one in outcomes if one.status == "failed"]
    warnings = grouped(f"{one.id}: {text}" for one in outcomes for text in one.warnings)
    for text in warnings[:_TOLD]:
        session.warn(text)
    if len(warnings) > _TOLD:
        session.warn(f"… and {len(warnings) - _TOLD} more remarks; {output.with_suffix('.json')} holds them all.")
    for one in failed[:_TOLD]:
        session.warn(_told(one))
    if len(failed) > _TOLD:
        session.warn(f"… and {len(failed) - _TOLD} more cases failed; {output.with_suffix('.json')} names them all.")
    if len(failed) == len(outcomes):
        none = "its only case cannot" if len(outcomes) == 1 else f"none of its {len(outcomes)} cases can"
        raise InputError(f"{manifest}: {none} be used{'' if len(outcomes) == 1 else '; the first'}: {_told(failed[0])}")
    session.progress(1.0, "writing the table")
    files = [one.file for one in outcomes if one.file is not None]
    names, counts = _names_and_counts(read_case(file) for file in files)
    more = {row.id: row.more for row in cases.rows}
    _write(output, files, names, more, _document(outcomes, names, counts, extraction, start))
    new = sum(one.status == "done" for one in outcomes)
    used = f"{len(outcomes) - len(failed)} of {count(len(outcomes), 'case')}"
    summary = f"{used} ({new} computed now), {count(len(names), 'feature')}"
    if failed:
        reasons = output.with_suffix(".json")
        summary += f"; not in the table: {_listed([one.id for one in failed])} (reasons in {reasons.name})"
        sentence = f"{len(failed)} of {len(outcomes)} cases failed: {_listed([one.id for one in failed])}."
        if not allow_failures:
            session.fail(sentence, 1)
    session.result(
        f"{summary}\n{output}",
        files=[str(output), str(output.with_suffix(".json"))],
        computed=new,
        failed={one.id: one.message for one in failed},
    )
    if failed and not allow_failures:
        raise typer.Exit(1)


def _told(failed: "CaseOutcome") -> str:
    name = f"Case {failed.id}"
    return failed.message if failed.message.startswith(name) else f"{name}: {failed.message}"


def _listed(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _TOLD} more" if len(ids) > _TOLD else ""
    return ", ".join(ids[:_TOLD]) + more


def _names_and_counts(documents: Iterator[Mapping[str, Any]]) -> tuple[list[str], list[int]]:
    """All features in the order in which they first come, and how many each region has."""
    found: dict[str, None] = {}
    counts: list[int] = []
    for document in documents:
        for region in document["labels"].values():
            found |= dict.fromkeys(region["features"])
            counts.append(len(region["features"]))
    return list(found), counts


def _document(
    outcomes: Sequence["CaseOutcome"],
    names: Sequence[str],
    counts: list[int],
    extraction: "Extraction",
    start: float,
) -> dict[str, Any]:
    from deepradiomics.cli.extract import document_of

    settings = extraction.settings
    if any("_shape2D_" in name for name in names) and not any("_shape_" in name for name in names):
        settings = settings.in_plane()  # all images were two-dimensional
    document = document_of(settings, counts, start, extraction.device)
    document["cases"] = [
        {
            "id": one.id,
            "view": one.view,
            "status": one.status,
            "message": one.message,
            "warnings": list(one.warnings),
        }
        for one in outcomes
    ]
    return document


def _write(
    output: Path,
    files: Sequence[Path],
    names: Sequence[str],
    more: Mapping[str, Mapping[str, str]],
    document: dict[str, Any],
) -> None:
    from deepradiomics.cli.feature_tables import REGION_COLUMNS, write_wide
    from deepradiomics.files import atomic_file, write_json

    further = list(next(iter(more.values())))
    regions = ((about, more[about[0]], values) for about, values in _regions(files))
    if output.suffix.lower() == ".json":
        listed = [
            {**dict(zip(REGION_COLUMNS, about, strict=True)), **({"manifest": own} if own else {}), "features": values}
            for about, own, values in regions
        ]
        write_json(output, document | {"regions": listed})
        return
    columns = [f"manifest_{name}" if name in (*REGION_COLUMNS, *names) else name for name in further]
    rows = (((*about, *(own[name] for name in further)), values) for about, own, values in regions)
    with atomic_file(output) as temporary:
        write_wide(temporary, rows, names, columns)
        write_json(output.with_suffix(".json"), document)


def _regions(files: Sequence[Path]) -> Iterator[tuple[tuple[Any, ...], Mapping[str, float]]]:
    """Every region of the kept cases, one file at a time, so that a cohort need not fit into memory as text."""
    from deepradiomics.cohort.region_features import read_case

    for file in files:
        document = read_case(file)
        for label, region in document["labels"].items():
            yield (document["id"], document["view"], int(label), region["name"]), region["features"]
