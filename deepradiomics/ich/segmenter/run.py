"""Train a segmenter of haematomas; with folds, one network for each part of the cohort that it has not seen.

::

    manifest ─ heads in cubes (cached) ─ splits by patient ─ fit ─ bundle/, metrics.json (Dice of the held-out cases)
            └─ folds=K: fold-1/ … fold-K/, each with its own bundle, and manifest.csv, whose column `encoder` names for
               every patient a network that did not see them: what honest latent features need

The networks of the folds begin with the same weights (drawn from the seed, or those of ``init``) but learn apart: the
latents of two folds are related, not the same quantities. METHODS says what that means for models fitted to them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepradiomics.cohort.contents import manifest_hash
from deepradiomics.cohort.each_case import Missing
from deepradiomics.cohort.manifest import Manifest
from deepradiomics.cohort.seen.marks import has_seen
from deepradiomics.cohort.splits import check_patients, require_cases, subset, with_splits
from deepradiomics.cohort.splits import folds as patient_folds
from deepradiomics.cohort.synthetic import is_synthetic
from deepradiomics.errors import InputError
from deepradiomics.files.atomic import read_json, write_json
from deepradiomics.files.lock import holds_out
from deepradiomics.ich.cohort.fold_manifest import write_folds
from deepradiomics.ich.segmenter.config import SegmenterConfig
from deepradiomics.ich.segmenter.data import cohort_heads
from deepradiomics.progress import Progress, part
from deepradiomics.public import one_line
from deepradiomics.training.fit import need_lightning
from deepradiomics.training.run import TrainingRun
from deepradiomics.training.run_folder import RunKind
from deepradiomics.training.seeds import check_seed

if TYPE_CHECKING:
    from deepradiomics.ich.segmenter.fit import Plan
    from deepradiomics.networks.segmenter import BundleSegmenter

_RUN = RunKind("ich-segmenter", "the training of a haematoma segmenter")
_PRODUCTS = ("bundle", "metrics.json", "splits.csv", "examples.png")


@one_line
@dataclass(frozen=True)
class TrainedSegmenter:
    """A finished training.

    Args:
        out: the run folder.
        bundles: folder of each network's bundle: one, or one per fold.
        metrics: what stands in metrics.json.
        manifest: of a training in folds: the cohort with the column ``encoder``.
        dropped: (id, reason) of the cases that were left out.
        notes: by case, what was noted of its CT and mask.
    """

    out: Path
    bundles: tuple[Path, ...]
    metrics: Mapping[str, Any]
    manifest: Path | None
    dropped: tuple[tuple[str, str], ...]
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@one_line
@dataclass(frozen=True, eq=False)
class SegmenterRequest:
    """What a segmenter is trained on, and how.

    Args:
        manifest: cases with the columns ``image`` and ``mask``. Without folds, given splits are kept, and patients
            without one are split 7:1:2 into training, validation (best epoch) and test (Dice).
        config: network, cube and training.
        seed: of splits, weights, order and augmentation.
        folds: number of networks, each tested on the patients that it did not see; given splits are not used.
        init: bundle of a segmenter to start from, of the same architecture and recipe. Its patients count as seen.
        missing: what to do with cases that cannot be used: ``refuse`` or ``drop``.
    """

    manifest: Manifest
    config: SegmenterConfig
    seed: int = 0
    folds: int | None = None
    init: str | Path | None = None
    missing: Missing = "refuse"


@holds_out
def train_segmenter(
    request: SegmenterRequest,
    out: str | Path,
    *,
    resume: bool = True,
    device: str = "auto",
    cache: str | Path | None = None,
    progress: Progress | None = None,
) -> TrainedSegmenter:
    """Train a segmenter on the baseline CTs and masks of a cohort and score it on cases that it has not seen.

    A run that was stopped, at whatever point, resumes; a finished run is returned as it is.

    Args:
        request: what is learned from, and how.
        out: run folder.
        resume: with False an earlier run in ``out`` is removed first (prepared heads are kept).
        device: auto, cpu, cuda or mps.
        cache: folder of the prepared heads; ``out/cache`` by default.
        progress: may raise Cancelled; the run can be resumed.

    Raises:
        InputError: the folder belongs to another run, cases cannot be used, or training diverged.
        ManifestError: too few patients, or splits that separate a patient's scans.
        BundleError: ``init`` does not fit.
        MissingDependencyError: an extra is not installed.
    """
    manifest, config, seed, folds = request.manifest, request.config, request.seed, request.folds
    need_lightning()
    from deepradiomics.ich.segmenter.fit import Plan, start_from, train_network

    check_seed(seed)
    if folds is not None and folds < 2:
        raise InputError(f"folds: expected at least two, got {folds}.")
    out = Path(out)
    check_patients(manifest)
    start = None if request.init is None else start_from(request.init, config)
    if start is not None and folds is not None:
        _require_new_patients(manifest, start)
    _splits(manifest, folds, seed)  # what cannot be split is refused before any image is read
    identity = {
        "config": config.to_dict(),
        "seed": seed,
        "folds": folds,
        "missing": request.missing,
        "init": None if start is None else start.sha256,
        "manifest_sha256": manifest_hash(manifest, outcomes=False, splits=folds is None),
    }
    products = [*_PRODUCTS, "manifest.csv", "README.txt", *(_fold(n) for n in range(1, (folds or 0) + 1))]
    run = TrainingRun(out, _RUN, identity, proof=("metrics.json",), products=products, resume=resume)
    if run.is_finished:
        return _result(run)
    with run.preparing():
        heads = cohort_heads(
            manifest, config.recipe, cache or out / "cache", missing=request.missing, progress=part(progress, 0.0, 0.1)
        )
        splits = _splits(subset(manifest, heads.ids), folds, seed)
    run.begin(heads)
    plan = Plan(heads, config, start, seed, device, is_synthetic(manifest))
    if folds is None:
        metrics = train_network(splits[0], plan, run, part(progress, 0.1, 1.0))
    else:
        metrics = _train_folds(manifest, splits, plan, run, part(progress, 0.1, 1.0))
    run.finish(metrics={key: metrics[key] for key in ("mean", "sd", "cases")})
    if progress:
        progress(1.0, "trained")
    return _result(run)


def _train_folds(
    manifest: Manifest, folds: Sequence[Manifest], plan: Plan, run: TrainingRun, progress: Progress
) -> Mapping[str, Any]:
    """Train the network of each fold; pool the Dice of all cases; write which network is blind to which patient."""
    from deepradiomics.ich.segmenter.fit import summary_of, train_network

    by_fold: list[Mapping[str, Any]] = []
    for number, fold in enumerate(folds, start=1):
        share = part(progress, (number - 1) / len(folds), number / len(folds))
        subrun = run.subrun(_fold(number), _PRODUCTS, fold=number)
        if subrun.is_finished:
            by_fold.append(read_json(subrun.folder / "metrics.json"))
        else:
            by_fold.append(train_network(fold, plan, subrun, share, f"fold {number} of {len(folds)}: "))
            subrun.finish()
    write_folds(manifest, run.folder, "encoder", {_fold(n): fold for n, fold in enumerate(folds, start=1)}, "bundle")
    cases = [case for fold in by_fold for case in fold["cases"]]
    metrics = {
        "kind": "ich-segmenter-metrics",
        "held_out": "out of fold",
        **summary_of(cases),
        "cases": cases,
        "folds": [{key: fold[key] for key in ("mean", "sd", "best_epoch", "epochs", "seconds")} for fold in by_fold],
        "synthetic": plan.synthetic,
        "warnings": [text for fold in by_fold for text in fold["warnings"]],
    }
    write_json(run.folder / "metrics.json", metrics)
    return metrics


def _splits(manifest: Manifest, folds: int | None, seed: int) -> tuple[Manifest, ...]:
    """The manifest with splits, or one per fold. Raises ManifestError where training or validation is too small."""
    bare = replace(manifest, tasks=())  # a segmenter is not stratified by outcomes
    parts = (with_splits(bare, seed),) if folds is None else patient_folds(bare, folds, seed)
    advice = "Add patients or change the split."
    return tuple(require_cases(part, manifest, "Training a segmenter", advice) for part in parts)


def _fold(number: int) -> str:
    """Folder of a fold's run."""
    return f"fold-{number}"


def _require_new_patients(manifest: Manifest, start: BundleSegmenter) -> None:
    """A start that has seen a patient would make every fold's network one that has seen them."""
    known = sorted({patient for patient in manifest.groups if has_seen(start.info, patient=patient)})
    if known:
        raise InputError(
            f"init {start.source}: this network has seen {len(known)} of the patients ({', '.join(known[:5])}"
            f"{', …' if len(known) > 5 else ''}); started from it, no fold would be out of sample. Leave init out, or "
            "start from a network trained elsewhere."
        )


def _result(run: TrainingRun) -> TrainedSegmenter:
    out, folds = run.folder, run.record["identity"].get("folds")
    bundles = [out / "bundle"] if folds is None else [out / _fold(n) / "bundle" for n in range(1, folds + 1)]
    manifest = None if folds is None else out / "manifest.csv"
    return TrainedSegmenter(out, tuple(bundles), read_json(out / "metrics.json"), manifest, run.dropped, run.notes)
