"""Extract a cohort's features: each examination once, kept by content, resumable after a kill, on one core or many.

row ─► load_case ─► key = hash(voxels, recipe, settings, version) ─► in the store? ─► done
                                                                       └─ no ─► prepare ─► extract ─► store
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from deepradiomics.cohort.load import load_case
from deepradiomics.cohort.manifest import Manifest, ManifestRow
from deepradiomics.cohort.store import ExamFeatures, FeatureStore
from deepradiomics.cohort.workers import run_everywhere
from deepradiomics.errors import DeepRadiomicsError, InputError
from deepradiomics.files import content_hash
from deepradiomics.images import Case
from deepradiomics.prepare import PreparedExam, Recipe, Templates, prepare_exam
from deepradiomics.progress import Progress, silent

if TYPE_CHECKING:
    from deepradiomics.radiomics import PatchFeatures

PREPARATION_VERSION = "1"  # raise when prepare_exam gives other numbers: old entries are then left aside
_SHOWN = 5


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
    FeatureStore(cache_dir)  # refuses an unusable folder before any work
    report = progress or silent
    share = 0.0
    if recipe.registration == "template" and templates is None:
        share = 0.4
        templates = cohort_templates(manifest, recipe, cache_dir, progress=lambda f, m: report(share * f, m))
    templates_dir, templates_key = None, ""
    if templates is not None and recipe.registration == "template":
        templates_dir, templates_key = _keep(templates, Path(cache_dir))
    jobs = [_Job(row, recipe, Path(cache_dir), templates_dir, templates_key) for row in manifest.rows]
    keys: dict[str, tuple[str, bool]] = {}
    failed: dict[str, str] = {}
    for done, (number, outcome) in enumerate(run_everywhere(_extract_or_explain, jobs, workers, cluster), start=1):
        case = manifest.rows[number].id
        if isinstance(outcome, str):
            failed[case] = outcome
        else:
            keys[case] = outcome
        state = "failed" if case in failed else "computed" if outcome[1] else "from the cache"
        report(share + (1 - share) * done / len(jobs), f"features of {case}: {state} ({done} of {len(jobs)})")
    if failed:
        raise InputError(_explain(failed, len(jobs)))
    return _gather(manifest, {case: key for case, (key, _) in keys.items()}, jobs, sum(new for _, new in keys.values()))


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
    from deepradiomics.prepare import build_templates

    rows = manifest.subset("train").rows
    voxels = [_voxel_hash(load_case(row), recipe) for row in rows]
    folder = Path(cache_dir) / "templates" / content_hash(PREPARATION_VERSION, recipe.to_dict(), sorted(voxels))[:32]
    if (folder / "templates.json").is_file():
        return Templates.read(folder)
    templates = build_templates(_Loaded(rows), recipe, progress=progress)
    templates.write(folder)
    return templates


def exam_features(
    exam: PreparedExam, recipe: Recipe, *, device: str = "auto", progress: Progress | None = None
) -> PatchFeatures:
    """The radiomic pool (J, V, K) of a prepared exam: its grey levels times intensity_scale, in bins of bin_width."""
    from deepradiomics.radiomics import extract_patches

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
    from deepradiomics.radiomics import features_preset

    params = dict(features_preset(recipe.features))
    params["setting"] = {**params.get("setting", {}), "binWidth": recipe.bin_width}
    return params


class _Loaded:
    """Training cases read one at a time, as often as asked, so that a cohort need not fit into memory."""

    def __init__(self, rows: tuple[ManifestRow, ...]) -> None:
        self._rows = rows

    def __iter__(self) -> Iterator[Case]:
        return (load_case(row) for row in self._rows)


def _extract_or_explain(job: _Job) -> tuple[str, bool] | str:
    """The case's key and whether it was computed now, or, for a case that cannot be used, why.

    That an entry cannot be kept (a full disk) is no fault of the case: it is raised and stops the cohort.
    """
    store = FeatureStore(job.cache_dir)
    try:
        key, entry = _find_or_compute(job, store)
    except InputError as error:
        return str(error)
    except DeepRadiomicsError:
        raise
    except Exception as error:
        error.add_note(f"This happened in case {job.row.id}.")
        raise
    if entry is not None:
        store.put(key, entry)
    return key, entry is not None


def _find_or_compute(job: _Job, store: FeatureStore) -> tuple[str, ExamFeatures | None]:
    """The case's key, and its features unless the store has them."""
    from deepradiomics.radiomics import ENGINE_VERSION

    case = load_case(job.row)
    key = content_hash(
        PREPARATION_VERSION, ENGINE_VERSION, job.recipe.to_dict(), radiomics_params(job.recipe), job.templates_key,
        _voxel_hash(case, job.recipe),
    )  # fmt: skip
    if store.get(key) is not None:
        return key, None
    templates = Templates.read(job.templates_dir) if job.templates_dir else None
    exam = prepare_exam(case, job.recipe, templates=templates)
    pool = exam_features(exam, job.recipe)
    entry = ExamFeatures(exam.image, pool.values, pool.feature_names, exam.views, exam.notes, dict(pool.diagnostics))
    return key, entry


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


def _keep(templates: Templates, cache_dir: Path) -> tuple[Path, str]:
    """Write templates where workers find them; return folder and hash."""
    key = content_hash(
        templates.grid.to_dict(), *[part for v in templates.views.items() for part in (v[0], v[1].voxels)]
    )
    folder = cache_dir / "templates" / f"used-{key[:32]}"
    if not (folder / "templates.json").is_file():
        templates.write(folder)
    return folder, key


def _gather(manifest: Manifest, keys: dict[str, str], jobs: list[_Job], computed: int) -> CohortFeatures:
    """Read all entries into arrays; one damaged since it was written is computed again."""
    store = FeatureStore(jobs[0].cache_dir)
    images: NDArray[np.float32] | None = None
    values: NDArray[np.float64] | None = None
    first: ExamFeatures | None = None
    notes: dict[str, tuple[str, ...]] = {}
    levels: list[Any] = []
    for n, job in enumerate(jobs):
        entry = store.get(keys[job.row.id])
        if entry is None:
            entry = _find_or_compute(job, store)[1] or store.get(keys[job.row.id])
        if entry is None:
            raise InputError(
                f"Case {job.row.id}: its features could not be read from {store.folder}; is the disk sound?"
            )
        if first is None or images is None or values is None:
            first = entry
            images = np.empty((len(jobs), *entry.image.shape), np.float32)
            values = np.empty((len(jobs), *entry.values.shape), np.float64)
        images[n], values[n] = entry.image, entry.values
        levels.append(entry.diagnostics.get("grey_levels"))
        if entry.notes:
            notes[job.row.id] = entry.notes
    assert first is not None and images is not None and values is not None  # a manifest has rows
    known = np.array(levels, np.int64) if all(level is not None for level in levels) else None
    return CohortFeatures(manifest.ids, images, values, first.feature_names, first.views, notes, computed, known)


def _explain(failed: dict[str, str], total: int) -> str:
    lines = [reason if case in reason else f"Case {case}: {reason}" for case, reason in list(failed.items())[:_SHOWN]]
    more = f"\n  … and {len(failed) - _SHOWN} more" if len(failed) > _SHOWN else ""
    shown = "\n  ".join(lines)
    return f"{len(failed)} of {total} cases cannot be used (the others are in the cache):\n  {shown}{more}"
