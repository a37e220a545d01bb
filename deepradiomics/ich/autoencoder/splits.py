"""Which cases an autoencoder trains on: split by patient, labels play no part."""

from __future__ import annotations

from dataclasses import replace

from deepradiomics.cohort.manifest import Manifest
from deepradiomics.cohort.splits import VALIDATION, require_cases, validation_splits
from deepradiomics.cohort.splits import folds as patient_folds

_NEEDS = ("An autoencoder", "Add patients, take fewer folds, or change the column split.")


def autoencoder_splits(manifest: Manifest, seed: int) -> Manifest:
    """Every case in train or validation; see :func:`deepradiomics.cohort.splits.validation_splits`.

    Raises:
        ManifestError: splits separate a patient's scans, or training or validation would be too small.
    """
    return require_cases(validation_splits(replace(manifest, tasks=()), seed), manifest, *_NEEDS)


def out_of_fold_splits(manifest: Manifest, folds: int, seed: int) -> tuple[Manifest, ...]:
    """``folds`` manifests; every patient is in the test split of exactly one. Given splits are not used.

    Raises:
        InputError: fewer than two folds, or more than patients.
        ManifestError: training or validation of a fold would be too small.
    """
    bare = replace(manifest, tasks=(), rows=tuple(replace(row, split=None, labels={}) for row in manifest.rows))
    return tuple(
        require_cases(fold, manifest, *_NEEDS) for fold in patient_folds(bare, folds, seed, validation=VALIDATION)
    )
