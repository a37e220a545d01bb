"""Train a fingerprint model from a manifest: extract, fit, choose thresholds, score, and write the bundle.

manifest ─ splits ─ extract (cached) ─ standardise ─ fit G and R jointly ─ thresholds on validation ─ bundle
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepradiomics import __version__
from deepradiomics.files import content_hash
from deepradiomics.fingerprint.config import FingerprintConfig
from deepradiomics.fingerprint.data import TrainingData, training_data
from deepradiomics.fingerprint.fit import PRODUCTS, fit
from deepradiomics.fingerprint.tasks import Task, probabilities, tasks_of
from deepradiomics.progress import Progress, part
from deepradiomics.training.fit import Fitted
from deepradiomics.training.run_folder import RunFolder, command, now, versions
from deepradiomics.training.seeds import seeded

if TYPE_CHECKING:
    from deepradiomics.cohort import Manifest
    from deepradiomics.fingerprint.model import FingerprintModel
    from deepradiomics.fingerprint.thresholds import Thresholds
    from deepradiomics.prepare import Templates


@dataclass(frozen=True)
class TrainedRun:
    """A finished run.

    Args:
        bundle: folder of the model.
        metrics: split → inference mode → task → scores; also ``best_epoch``, ``epochs`` and ``seconds``.
        history: path of history.csv.
        out: the run folder.
    """

    bundle: Path
    metrics: dict[str, Any]
    history: Path
    out: Path


def train(
    manifest: Manifest,
    config: FingerprintConfig,
    out: str | Path,
    *,
    seed: int = 0,
    resume: bool = True,
    workers: int = 1,
    cluster: str | None = None,
    device: str = "auto",
    cache: str | Path | None = None,
    name: str | None = None,
    synthetic: bool | None = None,
    progress: Progress | None = None,
) -> TrainedRun:
    """Train a fingerprint model and write its bundle.

    A run that was stopped, at whatever point, goes on where it was; a finished run is returned as it is.

    Args:
        manifest: cases with labels. Cases without a split get one, stratified, from ``seed``.
        config: preparation, model and training.
        out: run folder; see :mod:`deepradiomics.training.run_folder`.
        seed: of splits, weights, case order and augmentation.
        resume: with False an earlier run in ``out`` is removed first (extracted features are kept).
        workers: processes of the extraction.
        cluster: address of a Dask scheduler for the extraction.
        device: auto, cpu, cuda or mps.
        cache: folder of the feature store; ``out/cache`` by default.
        name: of the bundle; the run folder's name by default.
        synthetic: whether the cohort is synthetic; found out from the cohort's README.txt by default.
        progress: may raise Cancelled; the run can be resumed.

    Raises:
        ManifestError: tasks, classes or splits are unusable.
        InputError: the folder belongs to another run, or a case cannot be used.
        MissingDependencyError: an extra is not installed.
    """
    from deepradiomics.cohort import with_splits
    from deepradiomics.cohort.extraction import cohort_templates, extract_cohort
    from deepradiomics.cohort.synthetic import is_synthetic

    out = Path(out)
    manifest = with_splits(manifest, seed)
    tasks = tasks_of(manifest)
    identity = {
        "kind": "fingerprint", "config": config.to_dict(), "seed": seed, "manifest_sha256": manifest_hash(manifest),
        "tasks": [task.to_dict() for task in tasks],
    }  # fmt: skip
    run = RunFolder(out, identity, resume=resume, products=PRODUCTS)
    if run.status == "finished" and (out / "bundle" / "bundle.json").is_file():
        return TrainedRun(out / "bundle", run.record["metrics"], run.history, out)

    store = Path(cache) if cache is not None else out / "cache"
    templates = cohort_templates(manifest, config.recipe, store, progress=part(progress, 0.0, 0.2))
    cohort = extract_cohort(
        manifest, config.recipe, store, templates=templates, workers=workers, cluster=cluster,
        progress=part(progress, 0.2 if templates else 0.0, 0.5),
    )  # fmt: skip
    data = training_data(cohort, manifest, tasks, config)
    model = new_model(config, data, seed)
    fitted = fit(
        model, data, config.training, out, seed=seed, identity=identity, device=device,
        progress=part(progress, 0.5, 0.97),
    )  # fmt: skip
    thresholds, metrics = evaluate_fit(model, data, fitted, device=device)
    about = {
        "name": name or out.resolve().name,
        "version": __version__,
        "created": now(),
        "synthetic": is_synthetic(manifest) if synthetic is None else synthetic,
        "cohort": cohort_summary(manifest, tasks),
        "metrics": metrics,
        "software": versions(),
        "command": command(),
        "seed": seed,
    }
    bundle = write_bundle(out / "bundle", model, config, data, thresholds, templates, about)
    run = RunFolder(out, identity)
    run.update(status="finished", finished=now(), metrics=metrics, thresholds=thresholds.to_dict(), bundle="bundle")
    if progress:
        progress(1.0, "trained")
    return TrainedRun(bundle, metrics, run.history, out)


def new_model(config: FingerprintConfig, data: TrainingData, seed: int) -> FingerprintModel:
    """Return an untrained model for the data, its weights drawn from ``seed``."""
    from deepradiomics.fingerprint.model import FingerprintModel

    with seeded(seed):
        return FingerprintModel(data.images.shape[1], data.z.shape[1], data.tasks, config.model)


def evaluate_fit(
    model: FingerprintModel, data: TrainingData, fitted: Fitted, *, device: str = "auto"
) -> tuple[Thresholds, dict[str, Any]]:
    """Choose the thresholds on validation and score validation and test cases in every inference mode."""
    from deepradiomics.fingerprint.model import INFERENCES
    from deepradiomics.fingerprint.predict import logits_of, relevance_of
    from deepradiomics.fingerprint.scores import task_scores
    from deepradiomics.fingerprint.thresholds import choose_thresholds

    rows = data.part("validation")
    relevance = relevance_of(model, data.images[rows], device=device)
    thresholds = choose_thresholds(model, data.z[rows], relevance, data.labels[rows])
    limits = thresholds.vector(data.tasks)
    metrics: dict[str, Any] = {
        "best_epoch": fitted.best_epoch, "epochs": fitted.epochs, "best_score": fitted.best_score,
    }  # fmt: skip
    for split in ("validation", "test"):
        rows = data.part(split)
        if rows.size == 0:
            continue
        relevance = relevance_of(model, data.images[rows], device=device)
        metrics[split] = {}
        for inference in INFERENCES:
            chances = probabilities(logits_of(model, data.z[rows], relevance, inference, limits), data.tasks)
            metrics[split][inference] = task_scores(
                data.tasks, chances, data.labels[rows], thresholds.decision[inference]
            )
        metrics[split]["fingerprint_size"] = {
            task.name: float(np.mean((relevance[:, t] >= limits[t]).sum(axis=-1))) for t, task in enumerate(data.tasks)
        }
    return thresholds, metrics


def write_bundle(
    folder: Path,
    model: FingerprintModel,
    config: FingerprintConfig,
    data: TrainingData,
    thresholds: Thresholds,
    templates: Templates | None,
    about: dict[str, Any],
) -> Path:
    """Write the bundle of a trained model."""
    from deepradiomics.fingerprint.stored import FingerprintBundle

    if data.layout is None or data.scaling is None:
        raise ValueError("a fingerprint bundle needs data with features")
    return FingerprintBundle(model, config, data.layout, data.scaling, thresholds, templates, about).save(folder)


def manifest_hash(manifest: Manifest) -> str:
    """Hash of ids, labels, splits and views; where the files lie does not matter."""
    rows = [[row.id, sorted(row.views), dict(sorted(row.labels.items())), row.split] for row in manifest.rows]
    return content_hash(rows, list(manifest.tasks))


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
        "cases": len(manifest.rows), "splits": dict(splits), "labels": labels,
        "manifest_sha256": manifest_hash(manifest),
    }  # fmt: skip
