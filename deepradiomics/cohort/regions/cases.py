"""Features of every region of every case of a manifest: kept case by case, found again, never half-written.

row ─► files = hash(files, settings, options) ─► a result of these there? ─► done
        └─ no ─► read image and mask ─► key = hash(voxels, labels, settings, options) ─► a result of these? ─► done
                                                                                         └─ no ─► extract ─► <id>.json

Nothing is taken on trust for being quick: every file of a case is hashed again, in full, whatever its time stamps say;
what a finished case spares is decoding its images and computing. A case that cannot be used is reported in its outcome
and stops no other; a run that was stopped resumes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from deepradiomics import __version__
from deepradiomics.cohort.columns import view_column
from deepradiomics.cohort.contents import image_hash
from deepradiomics.cohort.each_case import Fault, each_case
from deepradiomics.cohort.manifest import Manifest, ManifestRow
from deepradiomics.cohort.regions.dicom import WriteDicom, dicom_writer
from deepradiomics.cohort.regions.features import (
    Extraction,
    described,
    region_features,
    scanner_of,
    segment_record,
    warnings_of,
)
from deepradiomics.cohort.regions.jobs import on_image_grid, region_jobs
from deepradiomics.cohort.regions.kept import kept_case, write_case
from deepradiomics.errors import Cancelled, DeepRadiomicsError, InputError, ManifestError
from deepradiomics.files.atomic import content_hash
from deepradiomics.progress import Progress
from deepradiomics.radiomics import ENGINE_VERSION
from deepradiomics.radiomics.region.inputs import Inputs, normalised_inputs, opened_image, opened_mask, read_pair
from deepradiomics.radiomics.region.regions import RegionChoice
from deepradiomics.threads import thread_count

_MOST_BYTES = 64 << 20  # of kept results that stay in memory for the table


@dataclass(frozen=True)
class CaseOutcome:
    """What became of a region, or all regions of a mask, in an image of a case.

    Args:
        id, view, region: the case, its image, and the region's name where the manifest has columns ``mask_<roi>``.
        status: ``done`` now, ``kept`` from an earlier run, or ``failed``.
        message: why it failed.
        warnings: what to know about a case that did not fail.
        notes: what was assumed, chosen or done while its files were read.
        file: where its result is kept.
        key: what its result was computed from.
        document: its result without diagnostics, where an earlier run's was read and memory allows keeping it.
    """

    id: str
    view: str
    region: str
    status: Literal["done", "kept", "failed"]
    message: str = ""
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    file: Path | None = None
    key: str = ""
    seconds: float = field(default=0.0, compare=False)
    document: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class _Job:
    """All that a worker needs for one image; small, for it travels."""

    row: ManifestRow
    view: str
    extraction: Extraction
    file: Path
    asked: str  # hash of what is asked, the same for most cases
    carries: bool  # a result that is found travels no further than this process


def extract_regions(
    manifest: Manifest,
    extraction: Extraction,
    folder: str | Path,
    *,
    workers: int = 1,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> tuple[CaseOutcome, ...]:
    """Extract the regions of every case, taking from ``folder`` what an earlier run has left there.

    Args:
        manifest: the cases. Where a row names its region's label or segment, this one is taken, whatever ``extraction``
            says; a row without its image or mask is a case that failed.
        extraction: what to compute.
        folder: where each case's result is kept, as ``<id>.json`` (``<id>.<view>.<region>.json`` where cases have many
            views or regions). Hold it for the run (:func:`deepradiomics.cohort.regions.kept.held`).
        workers: processes on this machine (more than one needs Dask).
        cluster: address of a Dask scheduler; its workers must see the same files.
        progress: called after each case; may raise Cancelled, which keeps what is done.

    Returns:
        The outcome of each image of each case, in the manifest's order.

    Raises:
        ManifestError: no case has a mask, or two images would share a file.
        InputError: the results cannot be written.
    """
    if all(row.mask is None for row in manifest.rows):
        raise ManifestError(f"Column mask of {manifest.where}: no case has a mask; name each case's label map there.")
    if workers > 1 and extraction.threads is None:
        extraction = replace(extraction, threads=max(1, thread_count() // workers))
    jobs = list(_jobs(manifest, extraction, Path(folder), carries=workers == 1 and cluster is None))
    cases = each_case(
        jobs, _extract_or_explain, doing=_state, name=_id_of, workers=workers, cluster=cluster, progress=progress
    )
    return tuple(_within_memory(cases.results))


def _within_memory(outcomes: Sequence[CaseOutcome]) -> Iterator[CaseOutcome]:
    """The outcomes, the first of which keep their documents."""
    bytes_left = _MOST_BYTES
    for outcome in outcomes:
        if outcome.document is not None and outcome.file is not None:
            bytes_left -= outcome.file.stat().st_size
        yield outcome if bytes_left > 0 or outcome.document is None else replace(outcome, document=None)


def _id_of(job: _Job) -> str:
    return job.row.id


def _jobs(manifest: Manifest, extraction: Extraction, folder: Path, carries: bool) -> Iterator[_Job]:
    common = _asked(extraction)
    for row, view, stem in region_jobs(manifest):
        of_case, asked = extraction, common
        if row.region is not None or row.segment is not None:
            of_case = replace(of_case, choice=_choice(extraction).of_case(row.region, row.segment))
        if extraction.shapes.within_column is not None:
            of_case = replace(of_case, shapes=extraction.shapes.of_case(manifest, row))
        if of_case is not extraction:
            asked = _asked(of_case)
        yield _Job(row, view, of_case, folder / f"{stem}.json", asked, carries)


def _choice(extraction: Extraction) -> Any:
    return extraction.choice or RegionChoice(label=extraction.settings.label)


def _state(job: _Job, outcome: CaseOutcome | Fault) -> str:
    view = "" if job.view == "image" else job.view
    status = "failed" if isinstance(outcome, Fault) else outcome.status
    return f"{' '.join(part for part in (job.row.id, view, job.row.roi) if part)}: {status}"


def _extract_or_explain(job: _Job) -> CaseOutcome:
    """Compute one image's regions unless they are there; a fault of the case is its outcome, a full disk is raised."""
    start = time.perf_counter()
    try:
        document, note = kept_case(job.file)
        if (document.get("id"), document.get("view"), document.get("region")) != (job.row.id, job.view, job.row.roi):
            document = {}
        files = _files(job)
        if files and document.get("files") == files and job.extraction.dicom_out is None:
            return _found(job, document, ())
        inputs = _read(job)
        scanner, scanner_notes = _scanner(job)
        inputs = replace(inputs, notes=(*inputs.notes, *scanner_notes))
        key = _key(job, inputs, scanner)
        write_dicom = _dicom_writer(job, inputs, key)
        if document.get("key") == key:
            values = {int(label): region["features"] for label, region in document["labels"].items()}
            outcome = _found(job, document, write_dicom(values))
        else:
            result = region_features(normalised_inputs(inputs, job.extraction.settings), job.extraction)
            dicom_notes = write_dicom(result.found)
            outcome = None
    except Cancelled:
        raise
    except DeepRadiomicsError as error:
        return CaseOutcome(job.row.id, job.view, job.row.roi, "failed", str(error))
    except Exception as error:  # whatever one case does, the others are computed; the message names the kind
        return CaseOutcome(job.row.id, job.view, job.row.roi, "failed", f"{type(error).__name__}: {error}")
    if outcome is not None:
        write_case(job.file, {**document, "files": files})  # so that it is found by its files the next time
        return outcome
    warnings, seconds = warnings_of(result), time.perf_counter() - start
    about = {"key": key, "files": files, "id": job.row.id, "view": job.view, "region": job.row.roi}
    document = {**about, **described(result), "scanner": scanner}
    write_case(job.file, document | {"warnings": list(warnings), "seconds": seconds})
    notes = (*result.notes, *([note] if note else ()), *dicom_notes)
    return CaseOutcome(
        job.row.id,
        job.view,
        job.row.roi,
        "done",
        warnings=warnings,
        notes=notes,
        file=job.file,
        key=key,
        seconds=seconds,
    )


def _found(job: _Job, document: Mapping[str, Any], dicom_notes: Sequence[str]) -> CaseOutcome:
    """The outcome of a case whose result an earlier run has left."""
    shown = None
    if job.carries:
        shown = {name: document[name] for name in ("id", "view", "region", "scanner")}
        labels = document["labels"].items()
        shown["labels"] = {label: {**region, "diagnostics": {}} for label, region in labels}  # the bulk of it
    return CaseOutcome(
        job.row.id,
        job.view,
        job.row.roi,
        "kept",
        warnings=tuple(document["warnings"]),
        notes=(*document["notes"], *dicom_notes),
        file=job.file,
        key=document["key"],
        document=shown,
    )


def _files(job: _Job) -> str:
    """Hash of all that decides a result, by the files of the case, read but not decoded; empty where one is missing.

    Their names are part of it, for notes may hold them: renamed files are decoded and compared by their voxels.
    """
    row = job.row
    paths = {**row.views, "mask": row.mask, "within": job.extraction.shapes.within}
    try:
        hashes = {name: [str(path), image_hash(path)] for name, path in paths.items() if path is not None}
    except InputError:
        return ""
    return content_hash(__version__, job.asked, job.view, hashes)


def _dicom_writer(job: _Job, inputs: Inputs, key: str) -> WriteDicom:
    """What writes the image's regions and features as DICOM; nothing where that is not asked for."""
    folder, mask = job.extraction.dicom_out, job.row.mask
    if folder is None or mask is None:
        return lambda features: ()
    image = job.row.views[job.view]
    return dicom_writer(folder / job.file.stem, image, mask, inputs, job.extraction, key=key)


def _read(job: _Job) -> Inputs:
    row, settings, reading = job.row, job.extraction.settings, job.extraction.reading
    image_column, mask_column = view_column(job.view), f"mask_{row.roi}" if row.roi else "mask"
    path = row.views.get(job.view)
    if path is None or row.mask is None:
        column = image_column if path is None else mask_column
        raise InputError(f"Case {row.id}, column {column}: this cell is empty; name a file there.")
    try:
        image = opened_image(path, reading)
    except InputError as error:
        raise InputError(f"Case {row.id}, column {image_column}: {error}") from error
    try:
        mask = opened_mask(row.mask, image, reading, channel=settings.label_channel)
    except InputError as error:
        raise InputError(f"Case {row.id}, column {mask_column}: {error}") from error
    mask = on_image_grid(row, job.view, image, mask, reading)
    return read_pair(image, mask, settings, reading)


def _scanner(job: _Job) -> tuple[dict[str, Any], tuple[str, ...]]:
    if not job.extraction.scanner:
        return {}, ()
    return scanner_of(job.row.views[job.view], job.extraction.reading)


def _asked(extraction: Extraction) -> str:
    """Hash of what is asked of a case; what it may use for it changes no number."""
    choice, shapes = _choice(extraction), extraction.shapes
    return content_hash(
        ENGINE_VERSION,
        extraction.settings.to_dict(),
        extraction.reading.to_dict(),
        extraction.scanner,
        [choice.label, choice.segment, choice.all_labels, choice.of_params, choice.silent],
        shapes.to_dict(),
    )


def _key(job: _Job, inputs: Inputs, scanner: Mapping[str, Any]) -> str:
    """Hash of all that decides what is written; names and places of files do not matter."""
    image, mask = inputs.original, inputs.mask
    known = {str(label): [mask.segment_names.get(label), segment_record(mask, label)] for label in mask.segments}
    return content_hash(
        job.asked,
        image.voxels,
        image.geometry.to_dict(),
        mask.labels,
        mask.geometry.to_dict(),
        known,
        *(part for label, region in sorted(mask.covered.items()) for part in (label, region)),
        list(inputs.notes),
        dict(scanner),
        inputs.dimensions,
        job.extraction.shapes.content(image, job.extraction.reading),
    )


__all__: Sequence[str] = ("CaseOutcome", "extract_regions")
