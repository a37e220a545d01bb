"""Features of every labelled region of every case of a manifest: kept case by case, found again, never half-written.

row ─► read image and mask ─► key = hash(voxels, labels, settings, engine) ─► result kept? ─► done
                                                                             └─ no ─► extract ─► <id>.json

A case that cannot be used is told in its outcome and stops no other; a run that was stopped goes on where it was.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from deepradiomics.cohort.manifest import Manifest, ManifestRow
from deepradiomics.cohort.workers import run_everywhere
from deepradiomics.errors import Cancelled, DeepRadiomicsError, InputError, ManifestError, MaskError
from deepradiomics.files import content_hash, read_json, write_json
from deepradiomics.images import Mask
from deepradiomics.progress import Progress, silent

if TYPE_CHECKING:
    from deepradiomics.radiomics import Features, Settings
    from deepradiomics.radiomics.image_types import Effort
    from deepradiomics.radiomics.inputs import Inputs

FORMAT = "deepradiomics-case-features"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class Extraction:
    """What is asked of each case, and what it may use; the second line changes no number.

    Args:
        settings: the engine's settings; their label is the region's when ``all_labels`` is False.
        all_labels: every label of the mask instead of one.
        device, threads, max_memory_gb: as for :func:`deepradiomics.extract`.
    """

    settings: Settings
    all_labels: bool = False
    device: str = "auto"
    threads: int | None = None
    max_memory_gb: float | None = None

    def effort(self) -> Effort:
        """The second line, as the engine takes it.

        Raises:
            InputError: not a number of threads or gigabytes.
        """
        from deepradiomics.radiomics.image_types import Effort
        from deepradiomics.radiomics.memory import Budget
        from deepradiomics.radiomics.threads import thread_count

        return Effort(self.device, thread_count(self.threads), Budget(self.max_memory_gb))


@dataclass(frozen=True, eq=False)
class RegionFeatures:
    """Features by label, and for each label of the mask that cannot be used the reason."""

    found: Mapping[int, Features]
    skipped: Mapping[int, str]


@dataclass(frozen=True)
class CaseOutcome:
    """What became of an image of a case.

    Args:
        status: ``done`` now, ``kept`` from an earlier run, or ``failed``.
        message: why it failed.
        warnings: what to know about a case that did not fail.
        file: where its result is kept.
    """

    id: str
    view: str
    status: Literal["done", "kept", "failed"]
    message: str = ""
    warnings: tuple[str, ...] = ()
    file: Path | None = None
    seconds: float = field(default=0.0, compare=False)


@dataclass(frozen=True)
class _Job:
    """All that a worker needs for one image; small, for it travels."""

    row: ManifestRow
    view: str
    extraction: Extraction
    file: Path


def region_features(inputs: Inputs, extraction: Extraction, *, progress: Progress | None = None) -> RegionFeatures:
    """The features of one label, or of every label of a mask; of the latter those that cannot be used are left out.

    Args:
        inputs: what :func:`deepradiomics.radiomics.inputs.load` gave.
        extraction: what is asked.
        progress: told how far the work is.

    Raises:
        MaskError: the mask is empty, or none of its labels can be used.
        InputError: the image or a setting cannot be used.
    """
    from deepradiomics.radiomics.extract import features_of_loaded
    from deepradiomics.radiomics.many import labels_of_loaded

    report = progress or silent
    settings, effort = extraction.settings, extraction.effort()
    if not inputs.mask.labels_present():
        raise MaskError("mask: it is empty, no voxel has a label. Draw a region first.")
    if extraction.all_labels:
        found = labels_of_loaded(inputs, settings, "all", effort, report)
        return RegionFeatures(found, found.skipped)
    report(0.0, f"features of label {settings.label}")
    return RegionFeatures({settings.label: features_of_loaded(inputs, settings, effort)}, {})


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
        manifest: the cases. Where a row gives its region's label, this one is taken, whatever ``extraction`` says;
            a row without its image or mask is a case that failed.
        extraction: what to compute.
        folder: where each case's result is kept, as ``<id>.json`` (``<id>.<view>.json`` where cases have many views).
        workers: processes on this machine (more than one needs Dask).
        cluster: address of a Dask scheduler; its workers must see the same files.
        progress: called after each case; may raise Cancelled, which keeps what is done.

    Returns:
        The outcome of each image of each case, in the manifest's order.

    Raises:
        ManifestError: no case has a mask.
        InputError: the results cannot be written.
    """
    if all(row.mask is None for row in manifest.rows):
        raise ManifestError(f"Column mask of {manifest.where}: no case has a mask; name each case's label map there.")
    if workers > 1 and extraction.threads is None:
        from deepradiomics.radiomics.threads import thread_count

        extraction = replace(extraction, threads=max(1, thread_count() // workers))
    jobs = list(_jobs(manifest, extraction, Path(folder)))
    report = progress or silent
    outcomes: dict[int, CaseOutcome] = {}
    for done, (number, outcome) in enumerate(run_everywhere(_extract_or_explain, jobs, workers, cluster), start=1):
        outcomes[number] = outcome
        report(done / len(jobs), f"{_named(outcome)}: {outcome.status} ({done} of {len(jobs)})")
    return tuple(outcomes[number] for number in range(len(jobs)))


def read_case(file: Path) -> dict[str, Any]:
    """A kept result: ``id``, ``view``, ``labels`` (name, features, diagnostics by label), ``skipped``.

    Raises:
        InputError: the file is missing or something else.
    """
    document = read_json(file)
    if not isinstance(document, dict) or (document.get("format"), document.get("format_version")) != (
        FORMAT,
        FORMAT_VERSION,
    ):
        raise InputError(f"{file}: this is not a kept result of an extraction; remove it and run again.")
    return document


def described(found: RegionFeatures, mask: Mask) -> dict[str, Any]:
    """Features as they are written: by label its name, features and diagnostics; and the labels left out."""
    return {
        "labels": {
            str(label): {
                "name": mask.segment_names.get(label, ""),
                "features": dict(features),
                "diagnostics": features.diagnostics,
            }
            for label, features in found.found.items()
        },
        "skipped": {str(label): why for label, why in found.skipped.items()},
    }


def warnings_of(found: RegionFeatures, mask: Mask) -> tuple[str, ...]:
    """What a user should know: labels left out, then what the engine says of the others."""
    left_out = [
        f"label {label} {mask.segment_names.get(label, '')}".rstrip() + f" is left out: {why}"
        for label, why in found.skipped.items()
    ]
    said = [
        str(text) if f"label {label}" in str(text) else f"label {label}: {text}"
        for label, features in found.found.items()
        for text in features.diagnostics.get("warnings", ())
    ]
    return (*left_out, *said)


def _jobs(manifest: Manifest, extraction: Extraction, folder: Path) -> Iterator[_Job]:
    for row in manifest.rows:
        own = extraction
        if row.region is not None:
            own = replace(extraction, settings=extraction.settings.with_label(row.region), all_labels=False)
        for view in row.views or manifest.views[:1]:
            name = row.id if len(manifest.views) == 1 else f"{row.id}.{view}"
            yield _Job(row, view, own, folder / f"{name}.json")


def _named(outcome: CaseOutcome) -> str:
    return outcome.id if outcome.view == "image" else f"{outcome.id} {outcome.view}"


def _extract_or_explain(job: _Job) -> CaseOutcome:
    """Compute one image's regions unless they are kept; a fault of the case is told, a full disk is raised."""
    start = time.perf_counter()
    try:
        inputs = _read(job)
        key = _key(job, inputs)
        kept = _kept(job.file, key)
        if kept is not None:
            return CaseOutcome(job.row.id, job.view, "kept", warnings=tuple(kept["warnings"]), file=job.file)
        found = region_features(inputs, job.extraction)
    except Cancelled:
        raise
    except DeepRadiomicsError as error:
        return CaseOutcome(job.row.id, job.view, "failed", str(error))
    except Exception as error:  # whatever one case does, the others are computed; the message names the kind
        return CaseOutcome(job.row.id, job.view, "failed", f"{type(error).__name__}: {error}")
    warnings = warnings_of(found, inputs.mask)
    seconds = time.perf_counter() - start
    document = {"format": FORMAT, "format_version": FORMAT_VERSION, "key": key, "id": job.row.id, "view": job.view}
    write_json(job.file, document | described(found, inputs.mask) | {"warnings": list(warnings), "seconds": seconds})
    return CaseOutcome(job.row.id, job.view, "done", warnings=warnings, file=job.file, seconds=seconds)


def _read(job: _Job) -> Inputs:
    from deepradiomics.radiomics.inputs import load, opened_image, opened_mask

    row = job.row
    for column, path in ((job.view, row.views.get(job.view)), ("mask", row.mask)):
        if path is None:
            raise InputError(f"Case {row.id}, column {column}: this cell is empty; name a file there.")
    try:
        image = opened_image(row.views[job.view])
    except InputError as error:
        raise InputError(f"Case {row.id}, column {job.view}: {error}") from error
    try:
        mask = opened_mask(row.mask)
    except InputError as error:
        raise InputError(f"Case {row.id}, column mask: {error}") from error
    return load(image, mask, job.extraction.settings)


def _key(job: _Job, inputs: Inputs) -> str:
    """Hash of all that decides the numbers; names and places of files do not matter."""
    from deepradiomics.radiomics import ENGINE_VERSION

    image, mask = inputs.original, inputs.mask
    return content_hash(
        ENGINE_VERSION, job.extraction.settings.to_dict(), job.extraction.all_labels,
        image.voxels, image.geometry.to_dict(), mask.labels, mask.geometry.to_dict(),
        {str(label): name for label, name in mask.segment_names.items()},
        *(["two-dimensional"] if inputs.dimensions == 2 else []),
    )  # fmt: skip


def _kept(file: Path, key: str) -> dict[str, Any] | None:
    """The result of an earlier run, when it is whole and of the same content."""
    if not file.is_file():
        return None
    try:
        document = read_case(file)
    except InputError:
        return None
    return document if document.get("key") == key else None


__all__: Sequence[str] = (
    "CaseOutcome", "Extraction", "RegionFeatures", "described", "extract_regions", "read_case", "region_features",
    "warnings_of",
)  # fmt: skip
