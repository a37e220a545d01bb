"""Who trains an autoencoder, who is watched, and who is kept out: dealt by patient, labels play no part."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from deepradiomics.cohort.manifest import Manifest
from deepradiomics.cohort.splits import folds as deal_folds
from deepradiomics.cohort.splits import with_splits
from deepradiomics.errors import ManifestError

WATCHED = 0.1  # share of the patients by whom training is watched


def watched_splits(manifest: Manifest, seed: int) -> Manifest:
    """Every case in train or validation; where the manifest gives splits they are kept and test cases are left out.

    Raises:
        ManifestError: splits separate a patient's scans, or training or validation would be too small.
    """
    manifest = replace(manifest, tasks=())
    if any(row.split for row in manifest.rows):
        rows = [row for row in with_splits(manifest, seed).rows if row.split in ("train", "validation")]
    else:
        patients = sorted(set(manifest.groups))
        order = np.random.default_rng([seed, 1]).permutation(len(patients))
        watched = {patients[n] for n in order[: max(1, round(WATCHED * len(patients)))]}
        rows = [
            replace(row, split="validation" if patient in watched else "train")
            for row, patient in zip(manifest.rows, manifest.groups, strict=True)
        ]
    return _large_enough(replace(manifest, rows=tuple(rows)), manifest)


def out_of_fold_splits(manifest: Manifest, folds: int, seed: int) -> tuple[Manifest, ...]:
    """``folds`` manifests; every patient is in the test split of exactly one. Given splits are not used.

    Raises:
        InputError: fewer than two folds, or more than patients.
        ManifestError: training or validation of a fold would be too small.
    """
    bare = replace(manifest, tasks=(), rows=tuple(replace(row, split=None, labels={}) for row in manifest.rows))
    return tuple(_large_enough(fold, manifest) for fold in deal_folds(bare, folds, seed, validation=WATCHED))


def _large_enough(dealt: Manifest, given: Manifest) -> Manifest:
    for split, least in (("train", 2), ("validation", 1)):
        count = sum(row.split == split for row in dealt.rows)
        if count < least:
            raise ManifestError(
                f"An autoencoder needs {least} {split} case{'s' if least > 1 else ''} at least, {given.where} gives "
                f"{count} of {len(given)}. Add patients, take fewer folds, or change the column split."
            )
    return dealt
