"""One network of a segmenter's training: fit it, score it on its held-out cases, write its bundle."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepradiomics.cohort.manifest import Manifest
from deepradiomics.cohort.seen.marks import seen_record
from deepradiomics.cohort.splits import write_splits
from deepradiomics.cohort.synthetic import heads_title
from deepradiomics.errors import BundleError
from deepradiomics.files.atomic import write_json
from deepradiomics.ich.segmenter.config import SegmenterConfig
from deepradiomics.ich.segmenter.data import Heads
from deepradiomics.ich.segmenter.module import Segmentation
from deepradiomics.ich.segmenter.score import score_cases
from deepradiomics.networks.dual_unet import DualScaleUNet
from deepradiomics.networks.segmented import VOLUME_OFF
from deepradiomics.networks.segmenter import BundleSegmenter, load_bundle_segmenter
from deepradiomics.progress import Progress, part
from deepradiomics.training.run import TrainingRun
from deepradiomics.training.run_folder import provenance
from deepradiomics.training.seeds import seeded

_POOR_DICE = 0.5


@dataclass(frozen=True, eq=False)
class Plan:
    """What the networks of a run share.

    Args:
        heads: all cases.
        config: network, cube and training.
        init: where they start; None draws the weights from the seed.
        seed: of weights, order and augmentation.
        device: as in :mod:`deepradiomics.devices`.
        synthetic: whether the heads are.
    """

    heads: Heads
    config: SegmenterConfig
    init: BundleSegmenter | None
    seed: int
    device: str
    synthetic: bool


def start_from(init: str | Path, config: SegmenterConfig) -> BundleSegmenter:
    """Load the network that a training starts from.

    Raises:
        BundleError: its architecture or recipe is not that of the configuration.
    """
    start = load_bundle_segmenter(init, device="cpu")
    wanted = (config.widths, config.scales == "dual", config.supervised, config.recipe)
    got = (start.module.widths, start.module.dual, start.module.supervised, start.recipe)
    for name, expected, actual in zip(("widths", "dual", "supervised", "recipe"), wanted, got, strict=True):
        if expected != actual:
            raise BundleError(f"init {init}: its {name} is {actual}, the configuration wants {expected}.")
    return start


def new_network(config: SegmenterConfig, seed: int) -> DualScaleUNet:
    """Return a network whose weights are drawn from ``seed``."""
    with seeded(seed):
        return DualScaleUNet(config.widths, dual=config.scales == "dual", supervised=config.supervised)


def train_network(
    manifest: Manifest, plan: Plan, run: TrainingRun, progress: Progress, label: str = ""
) -> Mapping[str, Any]:
    """Fit one network, score it on its held-out cases, write its bundle."""
    config, training = plan.config, plan.config.training
    network = new_network(config, plan.seed) if plan.init is None else copy.deepcopy(plan.init.module)
    split = {row.id: str(row.split) for row in manifest.rows}
    rows = [[n for n, case in enumerate(plan.heads.ids) if split[case] == name] for name in ("train", "validation")]
    module = Segmentation(network, plan.heads, (rows[0], rows[1]), training, config.recipe.spacing_mm, plan.seed)
    fitted = run.fit(
        module,
        training.fit_settings(),
        device=plan.device,
        progress=part(progress, 0, 0.9),
        message=label + "loss {validation_loss:.3f}, Dice {validation_dice:.3f}",
    )
    name, info = run.folder.resolve().name, _info(manifest, plan, {"dice": fitted.best_score, **fitted.summary()})
    segmenter = BundleSegmenter(network, config.recipe, name=name, info=info, device=plan.device)
    write_splits(manifest, run.folder / "splits.csv")
    held_out = "test" if any(row.split == "test" for row in manifest.rows) else "validation"
    cases = score_cases(
        segmenter,
        [row for row in manifest.rows if row.split == held_out],
        run.folder / "examples.png",
        synthetic=heads_title(manifest),
        progress=part(progress, 0.9, 1.0),
    )
    summary = summary_of(cases)
    info["held_out"] = {"cases": len(cases), "dice": summary["mean"], "volume_ratio": summary["volume_ratio"]}
    BundleSegmenter(network, config.recipe, name=name, info=info).save(run.folder / "bundle")
    metrics = {
        "kind": "ich-segmenter-metrics",
        "held_out": held_out,
        **summary,
        "cases": cases,
        "validation_dice": fitted.best_score,
        **fitted.summary(),
        "synthetic": plan.synthetic,
        "warnings": _warnings(summary, held_out),
    }
    write_json(run.folder / "metrics.json", metrics)
    return metrics


def _warnings(summary: Mapping[str, float], held_out: str) -> list[str]:
    """What a user of the network should know, one sentence each."""
    warnings = []
    if abs(summary["volume_ratio"] - 1) > VOLUME_OFF:
        warnings.append(
            f"The haematomas found in the held-out cases are {summary['volume_ratio']:.0%} of the volume that was "
            "drawn: volumes by this segmenter lean the same way, and each carries a note on it."
        )
    if held_out == "validation":
        warnings.append("No case was held out: the Dice is that of the cases by which the best epoch was chosen.")
    if summary["mean"] < _POOR_DICE:
        warnings.append(f"The mean Dice of the held-out cases is {summary['mean']:.2f}: this segmenter is not usable.")
    return warnings


def _info(manifest: Manifest, plan: Plan, learned: Mapping[str, Any]) -> dict[str, Any]:
    """The bundle's description of its training; of cases and patients it keeps marks alone."""
    patients = {
        row.id: patient for row, patient in zip(manifest.rows, manifest.groups, strict=True) if row.split != "test"
    }
    marks = [mark for case, mark in zip(plan.heads.ids, plan.heads.marks, strict=True) if case in patients]
    record = seen_record(marks, patients.values())
    synthetic = plan.synthetic
    if plan.init is not None:  # what the start has seen, this network has seen
        before = plan.init.info.get("seen", {})
        record = {key: sorted({*record[key], *before.get(key, ())}) for key in record}
        synthetic = synthetic or plan.init.synthetic
    return {
        "seen": record,
        "synthetic": synthetic,
        "training": {
            "config": plan.config.to_dict(),
            "seed": plan.seed,
            **provenance(),
            "validation": dict(learned),
            "cohort": {
                "train": sum(row.split == "train" for row in manifest.rows),
                "validation": sum(row.split == "validation" for row in manifest.rows),
                "patients": len(set(patients.values())),
            },
            "init": None if plan.init is None else {"name": plan.init.name, "sha256": plan.init.sha256},
        },
    }


def summary_of(cases: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Mean and SD of the Dice of some cases, and the volume found in all as a share of the volume drawn."""
    dice = np.array([case["dice"] for case in cases])
    ratio = sum(case["found_ml"] for case in cases) / sum(case["ml"] for case in cases)
    sd = float(dice.std(ddof=1)) if len(dice) > 1 else 0.0
    return {"mean": float(dice.mean()), "sd": sd, "volume_ratio": float(ratio)}
