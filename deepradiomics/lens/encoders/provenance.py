"""The past of a trained encoder as its bundle records it, and whether a cohort was part of it.

An encoder's ``about`` holds one record per stage (``pretraining``, ``finetuning``). The cases a stage learned from are
kept as marks, hashes of id and voxels: nobody can read names or images from them, but who has a case can tell whether
the encoder has seen it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from deepradiomics.cohort.contents import manifest_hash
from deepradiomics.cohort.manifest import Manifest
from deepradiomics.cohort.seen.marks import STAGE_MARK_LENGTH, STAGES, seen_in_stage
from deepradiomics.cohort.synthetic import is_synthetic
from deepradiomics.lens.encoders.stacks import Stacks
from deepradiomics.training.run_folder import provenance

EARLY = 0.05  # share of the epochs in which a best epoch says that training did little


def stage_record(manifest: Manifest, stacks: Stacks, settings: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """Describe a training for the bundle of its encoder; nothing in it names a case.

    Args:
        manifest: the cases of ``stacks``, in the same order, with splits.
        stacks: as prepared.
        settings: what was trained and how, JSON-able.
        seed: of splits, weights, order and augmentation.
    """
    splits = [str(row.split) for row in manifest.rows]
    return {
        **settings,
        "seed": seed,
        **provenance(),
        "synthetic": is_synthetic(manifest),
        **({"reading": choices} if (choices := manifest.reading.to_dict()) else {}),
        "cohort": {
            "cases": len(stacks),
            "patients": len(set(manifest.groups)),
            "splits": dict(sorted(Counter(splits).items())),
            "dropped": len(stacks.dropped),
            "manifest_sha256": manifest_hash(manifest),
        },
        "marks": {
            split: sorted(
                mark[:STAGE_MARK_LENGTH]
                for marks, where in zip(stacks.marks, splits, strict=True)
                if where == split
                for mark in marks
            )
            for split in ("train", "validation")
        },
    }


def seen_cases(about: Mapping[str, Any], stacks: Stacks) -> dict[str, tuple[str, ...]]:
    """Which cases an encoder has learned from: by stage the ids of those among ``stacks`` that it has seen.

    A case counts as seen where any of its modalities was part of the stage's training or validation.
    """
    marks = dict(zip(stacks.ids, stacks.marks, strict=True))
    by_stage = {stage: seen_in_stage(about.get(stage, {}), marks) for stage in STAGES}
    return {stage: cases for stage, cases in by_stage.items() if cases}


def early_best(best_epoch: int, epochs: int) -> str | None:
    """Say that the weights kept are hardly those of a training: they are from its first 5 % (at least one epoch).

    Args:
        best_epoch: 1-based epoch of the best validation score; 1 means that it never improved.
        epochs: epochs that were run.

    Returns:
        the beginning of a sentence; None where the best epoch came later, or there was only one.
    """
    if epochs < 2 or best_epoch > max(1.0, EARLY * epochs):
        return None
    never = ", after which the validation score never improved" if best_epoch == 1 else ""
    return f"the encoder kept is that of epoch {best_epoch} of {epochs}{never}:"
