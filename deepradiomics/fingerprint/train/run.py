"""Train a fingerprint model from a manifest: extract, fit, choose thresholds, score, and write the bundle.

manifest ─ splits ─ extract (cached) ─ standardise ─ fit G and R jointly ─ thresholds on validation ─ bundle
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepradiomics.cohort.contents import manifest_hash
from deepradiomics.cohort.extraction import cohort_templates, extract_cohort
from deepradiomics.cohort.splits import with_splits
from deepradiomics.cohort.synthetic import is_synthetic
from deepradiomics.files.lock import holds_out
from deepradiomics.fingerprint.model.config import FingerprintConfig
from deepradiomics.fingerprint.model.tasks import Task, tasks_of
from deepradiomics.fingerprint.train.data import training_data
from deepradiomics.fingerprint.train.fit import PRODUCTS, fit_in, identity_of
from deepradiomics.progress import Progress, part
from deepradiomics.public import one_line
from deepradiomics.training.fit import need_lightning
from deepradiomics.training.run import TrainingRun
from deepradiomics.training.run_folder import RunKind, provenance

if TYPE_CHECKING:
    from deepradiomics.cohort import Manifest


_RUN = RunKind("fingerprint", "the training of a fingerprint")


@one_line
@dataclass(frozen=True)
class TrainedRun:
    """A finished run.

    Args:
        bundle: folder of the model.
        metrics: split → inference mode → task → scores; also ``best_epoch``, ``epochs`` and ``seconds``.
        history: path of history.csv.
        out: the run folder.
        notes: by case, what was assumed on reading and preparing it.
    """

    bundle: Path
    metrics: dict[str, Any]
    history: Path
    out: Path
    notes: Mapping[str, Sequence[str]] = field(default_factory=dict)


@one_line
@dataclass(frozen=True, eq=False)
class TrainRequest:
    """What a fingerprint is trained on, and how.

    Args:
        manifest: cases with labels. Cases without a split get one, stratified, from ``seed``.
        config: preparation, model and training.
        seed: of splits, weights, case order and augmentation.
        workers: processes of the extraction.
        cluster: address of a Dask scheduler for the extraction.
        name: of the bundle; the run folder's name by default.
        synthetic: whether the cohort is synthetic; found out from the cohort's README.txt by default.
    """

    manifest: Manifest
    config: FingerprintConfig
    seed: int = 0
    workers: int = 1
    cluster: str | None = None
    name: str | None = None
    synthetic: bool | None = None


@holds_out
def train_fingerprint(
    request: TrainRequest,
    out: str | Path,
    *,
    resume: bool = True,
    device: str = "auto",
    cache: str | Path | None = None,
    progress: Progress | None = None,
) -> TrainedRun:
    """Train a fingerprint model and write its bundle.

    A run that was stopped, at whatever point, resumes; a finished run is returned as it is.

    Args:
        request: what is learned from, and how.
        out: run folder; see :mod:`deepradiomics.training.run_folder`.
        resume: with False an earlier run in ``out`` is removed first (extracted features are kept).
        device: auto, cpu, cuda or mps.
        cache: folder of kept features; ``out/cache`` by default.
        progress: may raise Cancelled; the run can be resumed.

    Raises:
        ManifestError: tasks, classes or splits are unusable.
        InputError: the folder belongs to another run, or a case cannot be used.
        MissingDependencyError: an extra is not installed.
    """
    manifest, config, seed = request.manifest, request.config, request.seed
    need_lightning()
    from deepradiomics.fingerprint.train.model import evaluate_fit, new_model, write_bundle

    out = Path(out)
    manifest = with_splits(manifest, seed)
    tasks = tasks_of(manifest)
    identity = {
        "config": config.to_dict(),
        "seed": seed,
        "manifest_sha256": manifest_hash(manifest),
        "tasks": [task.to_dict() for task in tasks],
    }
    run = TrainingRun(out, _RUN, identity, proof=("bundle/bundle.json",), products=PRODUCTS, resume=resume)
    if run.is_finished:
        return _result(run)

    store = Path(cache) if cache is not None else out / "cache"
    with run.preparing():
        templates = cohort_templates(manifest, config.recipe, store, progress=part(progress, 0.0, 0.2))
        cohort = extract_cohort(
            manifest,
            config.recipe,
            store,
            templates=templates,
            workers=request.workers,
            cluster=request.cluster,
            progress=part(progress, 0.2 if templates else 0.0, 0.5),
        )
        data = training_data(cohort, manifest, tasks, config)
    run.identify(**identity_of(data, config.training))
    run.update(notes={case: list(notes) for case, notes in cohort.notes.items()})

    model = new_model(config, data, seed)
    fitted = fit_in(run, model, data, config.training, seed=seed, device=device, progress=part(progress, 0.5, 0.97))
    thresholds, metrics = evaluate_fit(model, data, fitted, device=device)
    about = {
        "name": request.name or out.resolve().name,
        **provenance(),
        "seed": seed,
        "synthetic": is_synthetic(manifest) if request.synthetic is None else request.synthetic,
        "cohort": cohort_summary(manifest, tasks),
        "metrics": metrics,
    }
    write_bundle(out / "bundle", model, config, data, thresholds, templates, about)
    run.finish(metrics=metrics, thresholds=thresholds.to_dict(), bundle="bundle")
    if progress:
        progress(1.0, "trained")
    return _result(run)


def _result(run: TrainingRun) -> TrainedRun:
    return TrainedRun(run.folder / "bundle", run.record["metrics"], run.history, run.folder, run.notes)


def cohort_summary(manifest: Manifest, tasks: Sequence[Task]) -> dict[str, Any]:
    """Count cases per split and labels per split and task; nothing in it names a case."""
    splits = Counter(str(row.split) for row in manifest.rows)
    labels = {
        task.name: {
            split: {
                str(c): sum(r.labels[task.name] == c for r in manifest.rows if r.split == split) for c in task.classes
            }
            for split in splits
        }
        for task in tasks
    }
    return {
        "cases": len(manifest.rows),
        "splits": dict(splits),
        "labels": labels,
        "manifest_sha256": manifest_hash(manifest),
    }
