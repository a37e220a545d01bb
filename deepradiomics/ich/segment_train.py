"""Train a segmenter of haematomas; with folds, one network for each part of the cohort that it has not seen.

::

    manifest ─ heads in cubes (cached) ─ splits by patient ─ fit ─ bundle/, metrics.json (Dice of the held-out cases)
            └─ folds=K: fold-1/ … fold-K/, each with its own bundle, and manifest.csv, whose column `encoder` names for
               every patient the network that did not see him: what honest latent features need

The networks of the folds begin with the same weights (drawn from the seed, or those of ``init``) but learn apart: their
latents speak dialects of one language. METHODS says what that means for what is learned from them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepradiomics import __version__
from deepradiomics.cohort.manifest import Manifest
from deepradiomics.cohort.splits import check_patients, with_splits
from deepradiomics.cohort.splits import folds as patient_folds
from deepradiomics.cohort.synthetic import is_synthetic
from deepradiomics.errors import BundleError, InputError, ManifestError
from deepradiomics.files import content_hash, read_json, write_json, write_text
from deepradiomics.ich.fold_manifest import write_fold_manifest
from deepradiomics.ich.marks import has_seen, seen_record
from deepradiomics.ich.segment_config import SegmenterConfig
from deepradiomics.ich.segment_data import Heads, Missing, cohort_heads
from deepradiomics.progress import Progress, part
from deepradiomics.training.fit import fit_module, need_lightning
from deepradiomics.training.run_folder import RunFolder, command, now, versions
from deepradiomics.training.seeds import check_seed, seeded

if TYPE_CHECKING:
    from deepradiomics.networks.dual_unet import DualScaleUNet
    from deepradiomics.networks.segmenter import BundleSegmenter

KIND = "ich-segmenter"
_FILES = ("bundle", "metrics.json", "splits.csv", "examples.png")
_POOR_DICE = 0.5


@dataclass(frozen=True)
class TrainedSegmenter:
    """A finished training.

    Args:
        out: the run folder.
        bundles: folder of each network's bundle: one, or one a fold.
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


@dataclass(frozen=True, eq=False)
class _Plan:
    """What the networks of a run share."""

    heads: Heads
    config: SegmenterConfig
    init: BundleSegmenter | None
    seed: int
    device: str
    synthetic: bool


def train_segmenter(
    manifest: Manifest,
    config: SegmenterConfig,
    out: str | Path,
    *,
    seed: int = 0,
    folds: int | None = None,
    init: str | Path | None = None,
    missing: Missing = "refuse",
    resume: bool = True,
    device: str = "auto",
    cache: str | Path | None = None,
    progress: Progress | None = None,
) -> TrainedSegmenter:
    """Train a segmenter on the baseline CTs and masks of a cohort and score it on cases that it has not seen.

    A run that was stopped, at whatever point, goes on where it was; a finished run is returned as it is.

    Args:
        manifest: cases with the columns ``image`` and ``mask``. Without folds, given splits are kept, and patients
            without one are dealt 7:1:2 to training, validation (best epoch) and test (Dice).
        config: network, cube and training.
        out: run folder.
        seed: of splits, weights, order and augmentation.
        folds: train so many networks, each tested on the patients that it did not see; given splits are not used.
        init: bundle of a segmenter to start from, of the same architecture and recipe. Whom it has seen counts as seen.
        missing: what to do with cases that cannot be used: ``refuse`` or ``drop``.
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
    need_lightning()
    check_seed(seed)
    if folds is not None and folds < 2:
        raise InputError(f"folds: expected two at least, got {folds}.")
    out = Path(out)
    check_patients(manifest)
    start = None if init is None else _start(init, config)
    if start is not None and folds is not None:
        _require_new_patients(manifest, start)
    _dealt(manifest, folds, seed)  # what cannot be split is told before any image is read
    identity = {
        "kind": KIND, "config": config.to_dict(), "seed": seed, "folds": folds, "missing": missing,
        "init": None if start is None else start.sha256, "manifest_sha256": _cohort_hash(manifest, folds),
    }  # fmt: skip
    own = [*_FILES, "manifest.csv", "README.txt", *(f"fold-{n}" for n in range(1, (folds or 0) + 1))]
    run = RunFolder(out, identity, resume=resume, products=own)
    if run.status == "finished" and (out / "metrics.json").is_file():
        return _result(out, run)
    try:
        heads = cohort_heads(
            manifest, config.recipe, cache or out / "cache", missing=missing, progress=part(progress, 0.0, 0.1)
        )
        dealt = _dealt(_subset(manifest, heads.ids), folds, seed)
    except InputError:
        run.take_back()
        raise
    identity = {**identity, "data_sha256": heads.digest}
    run = RunFolder(out, identity, products=own)
    told = {case: list(notes) for case, notes in zip(heads.ids, heads.notes, strict=True) if notes}
    run.update(dropped=[list(pair) for pair in heads.dropped], notes=told)
    plan = _Plan(heads, config, start, seed, device, is_synthetic(manifest))
    if folds is None:
        metrics = _train(dealt[0], plan, run, part(progress, 0.1, 1.0))
    else:
        metrics = _train_folds(manifest, dealt, plan, out, identity, part(progress, 0.1, 1.0))
    run.update(status="finished", finished=now(), metrics={key: metrics[key] for key in ("mean", "sd", "cases")})
    if progress:
        progress(1.0, "trained")
    return _result(out, run)


def new_network(config: SegmenterConfig, seed: int) -> DualScaleUNet:
    """Return a network whose weights are drawn from ``seed``."""
    from deepradiomics.networks.dual_unet import DualScaleUNet

    with seeded(seed):
        return DualScaleUNet(config.widths, dual=config.scales == "dual", supervised=config.supervised)


def _train_folds(
    manifest: Manifest,
    dealt: Sequence[Manifest],
    plan: _Plan,
    out: Path,
    identity: Mapping[str, Any],
    progress: Progress,
) -> Mapping[str, Any]:
    """Train the network of each fold; pool the Dice of all cases; write who may be asked about whom."""
    found: list[Mapping[str, Any]] = []
    network_of: dict[str, str] = {}
    for number, fold in enumerate(dealt, start=1):
        share = part(progress, (number - 1) / len(dealt), number / len(dealt))
        run = RunFolder(out / f"fold-{number}", {**identity, "fold": number}, products=_FILES)
        if run.status == "finished" and (run.folder / "metrics.json").is_file():
            found.append(read_json(run.folder / "metrics.json"))
        else:
            found.append(_train(fold, plan, run, share, f"fold {number} of {len(dealt)}: "))
            run.update(status="finished", finished=now())
        network_of |= {
            patient: f"fold-{number}/bundle"
            for row, patient in zip(fold.rows, fold.groups, strict=True)
            if row.split == "test"
        }
    write_fold_manifest(manifest, out / "manifest.csv", "encoder", network_of, otherwise="fold-1/bundle")
    if plan.synthetic:
        write_text(out / "README.txt", "SYNTHETIC: networks trained on computed heads, and their manifest.\n")
    cases = [case for fold in found for case in fold["cases"]]
    metrics = {
        "kind": "ich-segmenter-metrics", "held_out": "out of fold", **_summary(cases), "cases": cases,
        "folds": [{key: fold[key] for key in ("mean", "sd", "best_epoch", "epochs", "seconds")} for fold in found],
        "synthetic": plan.synthetic, "warnings": [text for fold in found for text in fold["warnings"]],
    }  # fmt: skip
    write_json(out / "metrics.json", metrics)
    return metrics


def _train(manifest: Manifest, plan: _Plan, run: RunFolder, progress: Progress, words: str = "") -> Mapping[str, Any]:
    """Fit one network, score it on its held-out cases, write its bundle."""
    from deepradiomics.ich.segment_module import Segmentation
    from deepradiomics.ich.segment_score import score_cases
    from deepradiomics.networks.segmenter import VOLUME_OFF, BundleSegmenter

    config, training = plan.config, plan.config.training
    network = new_network(config, plan.seed) if plan.init is None else _copied(plan.init)
    split = {row.id: str(row.split) for row in manifest.rows}
    rows = [[n for n, case in enumerate(plan.heads.ids) if split[case] == name] for name in ("train", "validation")]
    module = Segmentation(network, plan.heads, (rows[0], rows[1]), training, config.recipe.spacing_mm, plan.seed)
    fitted = fit_module(
        module, run, training.fit_settings(), device=plan.device, message=_Said(words), progress=part(progress, 0, 0.9)
    )
    learned = {
        "dice": fitted.best_score, "best_epoch": fitted.best_epoch, "epochs": fitted.epochs, "seconds": fitted.seconds
    }  # fmt: skip
    name, info = run.folder.resolve().name, _info(manifest, plan, learned)
    segmenter = BundleSegmenter(network, config.recipe, name=name, info=info, device=plan.device)
    _write_splits(manifest, run.folder / "splits.csv")
    held_out = "test" if any(row.split == "test" for row in manifest.rows) else "validation"
    cases = score_cases(
        segmenter, [row for row in manifest.rows if row.split == held_out], run.folder / "examples.png",
        synthetic=plan.synthetic, progress=part(progress, 0.9, 1.0),
    )  # fmt: skip
    summary = _summary(cases)
    told = {"cases": len(cases), "dice": summary["mean"], "volume_ratio": summary["volume_ratio"]}
    BundleSegmenter(network, config.recipe, name=name, info={**info, "held_out": told}).save(run.folder / "bundle")
    warnings = []
    if abs(summary["volume_ratio"] - 1) > VOLUME_OFF:
        warnings.append(
            f"The haematomas found in the held-out cases are {summary['volume_ratio']:.0%} of the volume that was "
            "drawn: volumes by this segmenter lean the same way, which it says with every one."
        )
    if held_out == "validation":
        warnings.append("No case was held out: the Dice is that of the cases by which the best epoch was chosen.")
    if summary["mean"] < _POOR_DICE:
        warnings.append(f"The mean Dice of the held-out cases is {summary['mean']:.2f}: this segmenter is not usable.")
    metrics = {
        "kind": "ich-segmenter-metrics", "held_out": held_out, **summary, "cases": cases,
        "validation_dice": fitted.best_score, **learned, "synthetic": plan.synthetic, "warnings": warnings,
    }  # fmt: skip
    metrics.pop("dice")
    write_json(run.folder / "metrics.json", metrics)
    return metrics


def _info(manifest: Manifest, plan: _Plan, learned: Mapping[str, Any]) -> dict[str, Any]:
    """What the bundle says of its training; of cases and patients it keeps marks alone."""
    shown = {
        row.id: patient for row, patient in zip(manifest.rows, manifest.groups, strict=True) if row.split != "test"
    }
    marks = [mark for case, mark in zip(plan.heads.ids, plan.heads.marks, strict=True) if case in shown]
    seen = seen_record(marks, shown.values())
    synthetic = plan.synthetic
    if plan.init is not None:  # whom the start has seen, this network has seen
        before = plan.init.info.get("seen", {})
        seen = {key: sorted({*seen[key], *before.get(key, ())}) for key in seen}
        synthetic = synthetic or plan.init.synthetic
    return {
        "seen": seen,
        "synthetic": synthetic,
        "training": {
            "config": plan.config.to_dict(), "seed": plan.seed, "created": now(), "version": __version__,
            "software": versions(), "command": command(), "validation": dict(learned),
            "cohort": {
                "train": sum(row.split == "train" for row in manifest.rows),
                "validation": sum(row.split == "validation" for row in manifest.rows),
                "patients": len(set(shown.values())),
            },
            "init": None if plan.init is None else {"name": plan.init.name, "sha256": plan.init.sha256},
        },
    }  # fmt: skip


def _summary(cases: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    dice = np.array([case["dice"] for case in cases])
    ratio = sum(case["found_ml"] for case in cases) / sum(case["ml"] for case in cases)
    sd = float(dice.std(ddof=1)) if len(dice) > 1 else 0.0
    return {"mean": float(dice.mean()), "sd": sd, "volume_ratio": float(ratio)}


def _dealt(manifest: Manifest, folds: int | None, seed: int) -> tuple[Manifest, ...]:
    """The manifest with splits, or one a fold. Raises ManifestError where training or validation is too small."""
    bare = replace(manifest, tasks=())  # a segmenter is not stratified by outcomes
    made = (with_splits(bare, seed),) if folds is None else patient_folds(bare, folds, seed)
    for one in made:
        for split, least in (("train", 2), ("validation", 1)):
            count = sum(row.split == split for row in one.rows)
            if count < least:
                raise ManifestError(
                    f"Training a segmenter needs {least} {split} case{'s' if least > 1 else ''} at least, the splits "
                    f"of {manifest.where} give {count} of {len(manifest)} cases. Add patients or change the split."
                )
    return made


def _start(init: str | Path, config: SegmenterConfig) -> BundleSegmenter:
    from deepradiomics.networks.segmenter import load_bundle_segmenter

    start = load_bundle_segmenter(init, device="cpu")
    wanted = (config.widths, config.scales == "dual", config.supervised, config.recipe)
    got = (start.module.widths, start.module.dual, start.module.supervised, start.recipe)
    for what, one, other in zip(("widths", "dual", "supervised", "recipe"), wanted, got, strict=True):
        if one != other:
            raise BundleError(f"init {init}: its {what} is {other}, the configuration wants {one}.")
    return start


def _require_new_patients(manifest: Manifest, start: BundleSegmenter) -> None:
    """A start that has seen a patient would make every fold's network one that has seen him."""
    known = sorted({patient for patient in manifest.groups if has_seen(start.info, patient=patient)})
    if known:
        raise InputError(
            f"init {start.source}: this network has seen {len(known)} of the patients ({', '.join(known[:5])}"
            f"{', …' if len(known) > 5 else ''}); started from it, no fold would be out of sample. Leave init out, or "
            "start from a network trained elsewhere."
        )


def _copied(start: BundleSegmenter) -> DualScaleUNet:
    import copy

    return copy.deepcopy(start.module)


def _subset(manifest: Manifest, ids: Sequence[str]) -> Manifest:
    wanted = set(ids)
    return replace(manifest, rows=tuple(row for row in manifest.rows if row.id in wanted))


def _cohort_hash(manifest: Manifest, folds: int | None) -> str:
    """Hash of ids, patients and, without folds, splits; the images' hash is taken when they are read."""
    return content_hash(
        [
            [row.id, group, row.split if folds is None else None]
            for row, group in zip(manifest.rows, manifest.groups, strict=True)
        ]
    )


def _write_splits(manifest: Manifest, path: Path) -> None:
    write_text(path, "id,split\n" + "".join(f"{row.id},{row.split}\n" for row in manifest.rows))


@dataclass(frozen=True)
class _Said:
    """An epoch in words; a class, since another process must be able to receive it."""

    words: str

    def __call__(self, metrics: Mapping[str, float]) -> str:
        return f"{self.words}loss {metrics['validation_loss']:.3f}, Dice {metrics['validation_dice']:.3f}"


def _result(out: Path, run: RunFolder) -> TrainedSegmenter:
    folds = run.record["identity"].get("folds")
    bundles = [out / "bundle"] if folds is None else [out / f"fold-{n}" / "bundle" for n in range(1, folds + 1)]
    dropped = tuple((case, reason) for case, reason in run.record.get("dropped", ()))
    notes = {case: tuple(told) for case, told in run.record.get("notes", {}).items()}
    manifest = None if folds is None else out / "manifest.csv"
    return TrainedSegmenter(out, tuple(bundles), read_json(out / "metrics.json"), manifest, dropped, notes)
