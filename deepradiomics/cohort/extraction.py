"""Extract a cohort's features: each examination once, kept by content, resumable after a kill, on one core or many.

row ─► load_case ─► key = hash(voxels, recipe, settings, version) ─► in the store? ─► done
                                                                       └─ no ─► prepare ─► extract ─► store
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepradiomics.cohort.each_case import Fault, each_case, refusal
from deepradiomics.cohort.exam_features import EXAMS, ExamFeatures, exam_store
from deepradiomics.cohort.load import load_case
from deepradiomics.cohort.manifest import Manifest, ManifestRow
from deepradiomics.errors import InputError
from deepradiomics.files.atomic import content_hash
from deepradiomics.files.store import ContentStore, Kind
from deepradiomics.images import Case
from deepradiomics.prepare import PreparedExam, Recipe, Templates, build_templates, prepare_exam
from deepradiomics.progress import Progress, part, silent
from deepradiomics.radiomics import ENGINE_VERSION, PatchFeatures, extract_patches, features_preset

TEMPLATES = Kind("templates", version=1, files=("templates.json",))
"""Raise the version when build_templates gives other numbers."""


@dataclass(frozen=True, eq=False)
class CohortFeatures:
    """Regions and feature pools of all cases, in the manifest's order.

    Args:
        ids: N names.
        images: (N, V, z, y, x) float32.
        values: (N, J, V, K) float64.
        feature_names: K names.
        views: V names.
        notes: by case, what was assumed or warned of; cases without notes are left out.
        computed: how many cases were not in the cache.
        grey_levels: (N, J, V) number of grey levels of each patch and view; None where textures were not asked for.
    """

    ids: tuple[str, ...]
    images: NDArray[np.float32]
    values: NDArray[np.float64]
    feature_names: tuple[str, ...]
    views: tuple[str, ...]
    notes: dict[str, tuple[str, ...]]
    computed: int = 0
    grey_levels: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class _Job:
    """All that a worker needs for one case; small, for it travels."""

    row: ManifestRow
    recipe: Recipe
    cache_dir: Path
    templates_dir: Path | None
    templates_key: str


def extract_cohort(
    manifest: Manifest,
    recipe: Recipe,
    cache_dir: str | Path,
    *,
    templates: Templates | None = None,
    workers: int = 1,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> CohortFeatures:
    """Prepare every case and extract its pool, taking from the cache what is there.

    Args:
        manifest: the cases; each needs all views of the recipe.
        recipe: how to prepare, and which features.
        cache_dir: the store; shared by all runs, and by all workers of a cluster.
        templates: for registration="template"; None builds them from the cases of the split train (see
            cohort_templates()).
        workers: processes on this machine (more than one needs Dask).
        cluster: address of a Dask scheduler, such as tcp://host:8786; its workers must see the same files.
        progress: called after each case; may raise Cancelled, which keeps what is done.

    Raises:
        InputError: cases that cannot be used, named with the reason; the others are in the cache by then.
    """
    store = exam_store(cache_dir)  # refuses an unusable folder before any work
    report = progress or silent
    share = 0.0
    if recipe.registration == "template" and templates is None:
        share = 0.4
        templates = cohort_templates(manifest, recipe, cache_dir, progress=lambda f, m: report(share * f, m))
    templates_dir, templates_key = None, ""
    if templates is not None and recipe.registration == "template":
        templates_dir, templates_key = _keep(templates, Path(cache_dir))
    jobs = [_Job(row, recipe, Path(cache_dir), templates_dir, templates_key) for row in manifest.rows]
    cases = each_case(
        jobs,
        _extract,
        missing=None,
        doing=_state,
        name=_id_of,
        workers=workers,
        cluster=cluster,
        progress=part(progress, share, 1.0),
    )
    if cases.unusable:
        raise InputError(refusal(cases.unusable, len(jobs), "be used (the others are in the cache)", advice=""))
    keys = [key for key, _ in cases.results]
    return _gather(store, jobs, keys, computed=sum(new for _, new in cases.results))


def cohort_templates(
    manifest: Manifest, recipe: Recipe, cache_dir: str | Path, *, progress: Progress | None = None
) -> Templates | None:
    """The templates that the recipe's registration needs, from the split train only; None where it needs none.

    They are kept beside the features and found again while recipe and training images are the same.

    Raises:
        InputError: registration="template" and no case is in the split train.
    """
    if recipe.registration != "template":
        return None
    rows = manifest.subset("train").rows
    voxels = [_voxel_hash(load_case(row), recipe) for row in rows]
    store, key = ContentStore(cache_dir, TEMPLATES), TEMPLATES.key(recipe=recipe.to_dict(), images=sorted(voxels))
    entry = store.get(key)
    if entry is not None:
        return Templates.read(entry.folder)
    templates = build_templates(_Loaded(rows), recipe, progress=progress)
    store.put(key, {}, write=templates.write_into)
    return templates


def exam_features(
    exam: PreparedExam, recipe: Recipe, *, device: str = "auto", progress: Progress | None = None
) -> PatchFeatures:
    """The radiomic pool (J, V, K) of a prepared exam: its grey levels times intensity_scale, in bins of bin_width."""
    return extract_patches(
        exam.volumes(recipe.intensity_scale),
        exam.patches,
        radiomics_params(recipe),
        foreground=exam.foreground,
        device=device,  # type: ignore[arg-type]
        progress=progress,
    )


def radiomics_params(recipe: Recipe) -> dict[str, Any]:
    """The engine's settings that follow from a recipe: its feature preset with its bin width."""
    params = dict(features_preset(recipe.features))
    params["setting"] = {**params.get("setting", {}), "binWidth": recipe.bin_width}
    return params


class _Loaded:
    """Training cases read one at a time, as often as asked, so that a cohort need not fit into memory."""

    def __init__(self, rows: tuple[ManifestRow, ...]) -> None:
        self._rows = rows

    def __iter__(self) -> Iterator[Case]:
        return (load_case(row) for row in self._rows)


def _id_of(job: _Job) -> str:
    return job.row.id


def _state(job: _Job, outcome: tuple[str, bool] | Fault) -> str:
    state = "failed" if isinstance(outcome, Fault) else "computed" if outcome[1] else "from the cache"
    return f"features of {job.row.id}: {state}"


def _extract(job: _Job) -> tuple[str, bool]:
    """The case's key, and whether its features were computed now."""
    store, case = exam_store(job.cache_dir), load_case(job.row)
    key = EXAMS.key(
        engine=ENGINE_VERSION,
        recipe=job.recipe.to_dict(),
        params=radiomics_params(job.recipe),
        templates=job.templates_key,
        images=_voxel_hash(case, job.recipe),
        notes=_notes(case, job.recipe),
    )
    if store.get(key) is not None:
        return key, False
    templates = Templates.read(job.templates_dir) if job.templates_dir else None
    exam = prepare_exam(case, job.recipe, templates=templates)
    pool = exam_features(exam, job.recipe)
    ExamFeatures(exam.image, pool.values, pool.feature_names, exam.views, exam.notes, dict(pool.diagnostics)).keep(
        store, key
    )
    return key, True


def _voxel_hash(case: Case, recipe: Recipe) -> str:
    """Hash of the images the recipe uses, with their geometry; names and files do not matter."""
    missing = [view for view in recipe.views if view not in case.views]
    if missing:
        raise InputError(f"Case {case.id} lacks the view {', '.join(missing)}, which the recipe needs.")
    parts: list[Any] = []
    for view in recipe.views:
        volume = case.views[view]
        parts += [view, volume.voxels, volume.geometry.to_dict()]
    return content_hash(*parts)


def _notes(case: Case, recipe: Recipe) -> list[str]:
    """What is noted of the images themselves: kept features come with it, so other notes make another entry."""
    return [note for view in recipe.views for note in case.views[view].notes]


def _keep(templates: Templates, cache_dir: Path) -> tuple[Path, str]:
    """Write templates where workers find them; return folder and key."""
    key = TEMPLATES.key(
        grid=templates.grid.to_dict(),
        voxels={name: content_hash(volume.voxels) for name, volume in templates.views.items()},
    )
    store = ContentStore(cache_dir, TEMPLATES)
    entry = store.get(key) or store.put(key, {}, write=templates.write_into)
    return entry.folder, key


def _gather(store: ContentStore, jobs: list[_Job], keys: list[str], computed: int) -> CohortFeatures:
    """Read all entries into arrays; one damaged since it was written is computed again."""
    images: NDArray[np.float32] | None = None
    values: NDArray[np.float64] | None = None
    first: ExamFeatures | None = None
    notes: dict[str, tuple[str, ...]] = {}
    levels: list[Any] = []
    for n, (job, key) in enumerate(zip(jobs, keys, strict=True)):
        entry = store.get(key)
        if entry is None:
            entry = store.get(_extract(job)[0])
        if entry is None:
            raise InputError(
                f"Case {job.row.id}: its features could not be read from {store.folder}; is the disk sound?"
            )
        exam = ExamFeatures.of_entry(entry)
        if first is None or images is None or values is None:
            first = exam
            images = np.empty((len(jobs), *exam.image.shape), np.float32)
            values = np.empty((len(jobs), *exam.values.shape), np.float64)
        images[n], values[n] = exam.image, exam.values
        levels.append(exam.diagnostics.get("grey_levels"))
        if exam.notes:
            notes[job.row.id] = exam.notes
    assert first is not None and images is not None and values is not None  # a manifest has rows
    known = np.array(levels, np.int64) if all(level is not None for level in levels) else None
    ids = tuple(job.row.id for job in jobs)
    return CohortFeatures(ids, images, values, first.feature_names, first.views, notes, computed, known)
