"""Which cases each stage trains on, and how many it needs."""

from __future__ import annotations

from deepradiomics.cohort.manifest import Manifest
from deepradiomics.cohort.splits import require_cases, validation_splits, with_splits


def pretraining_splits(manifest: Manifest, seed: int) -> Manifest:
    """The cases that pre-training may see; see :func:`deepradiomics.cohort.splits.validation_splits`.

    Raises:
        ManifestError: splits separate a patient's scans, or training or validation would be empty.
    """
    split = validation_splits(manifest, seed)
    return require_cases(split, manifest, "Pre-training", "Add patients, or change the column split.")


def task_splits(manifest: Manifest, seed: int) -> Manifest:
    """Splits 7:1:2 by patient, stratified over the manifest's tasks; those of the manifest stay.

    Raises:
        ManifestError: splits separate a patient's scans, a class is missing from one, or one would be empty.
    """
    advice = (
        "Patients without a split are put 7:1:2 into training, validation and test. Add patients, or give splits in "
        "the column split."
    )
    return require_cases(with_splits(manifest, seed), manifest, "Fine-tuning", advice, test=1)
