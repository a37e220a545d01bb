"""Who trains, who is watched, who tests: the splits of both stages, dealt by patient, and their file."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from deepradiomics.cohort.manifest import Manifest, ManifestRow
from deepradiomics.cohort.splits import with_splits
from deepradiomics.errors import InputError, ManifestError
from deepradiomics.files import atomic_file

WATCHED = 0.1  # share of the patients by whom pre-training tells its best epoch


def pretraining_splits(manifest: Manifest, seed: int) -> Manifest:
    """The cases that pre-training may see, in train and validation.

    Without a column split a tenth of the patients is watched (validation). Where the manifest gives splits they are
    kept and its test cases are left out: an encoder that has seen the test cases is not tested on new ones.

    Raises:
        ManifestError: splits separate a patient's scans, or training or validation would be empty.
    """
    if any(row.split for row in manifest.rows):
        dealt = with_splits(replace(manifest, tasks=()), seed)
        rows = [row for row in dealt.rows if row.split in ("train", "validation")]
    else:
        patients = sorted(set(manifest.groups))
        order = np.random.default_rng([seed, 1]).permutation(len(patients))
        watched = {patients[n] for n in order[: max(1, round(WATCHED * len(patients)))]}
        rows = [
            replace(row, split="validation" if patient in watched else "train")
            for row, patient in zip(manifest.rows, manifest.groups, strict=True)
        ]
    for split, least in (("train", 2), ("validation", 1)):
        count = sum(row.split == split for row in rows)
        if count < least:
            raise ManifestError(
                f"Pre-training needs {least} {split} case{'s' if least > 1 else ''} at least, {manifest.where} gives "
                f"{count} of {_cohort(manifest)}. Add patients, or change the column split."
            )
    return replace(manifest, rows=tuple(rows))


def task_splits(manifest: Manifest, seed: int) -> Manifest:
    """Splits 7:1:2 by patient, stratified over the manifest's tasks; given ones are kept.

    Raises:
        ManifestError: splits separate a patient's scans, a class is missing from one, or one would be empty.
    """
    dealt = with_splits(manifest, seed)
    for split, least in (("train", 2), ("validation", 1), ("test", 1)):
        count = sum(row.split == split for row in dealt.rows)
        if count < least:
            raise ManifestError(
                f"Fine-tuning needs {least} {split} case{'s' if least > 1 else ''} at least, the splits of "
                f"{manifest.where} give {count} of {_cohort(manifest)}; patients without a split are dealt 7:1:2 to "
                "training, validation and test. Add patients, or give splits in the column split."
            )
    return dealt


def _cohort(manifest: Manifest) -> str:
    """Its size in words."""
    cases, patients = len(manifest), len(set(manifest.groups))
    return f"{cases} case{'s' if cases > 1 else ''} of {patients} patient{'s' if patients > 1 else ''}"


def subset(manifest: Manifest, ids: Sequence[str]) -> Manifest:
    """The rows of some cases, in the manifest's order."""
    wanted = set(ids)
    return replace(manifest, rows=tuple(row for row in manifest.rows if row.id in wanted))


def rows_of(rows: Sequence[ManifestRow], split: str) -> list[int]:
    """Numbers of the rows of a split."""
    return [n for n, row in enumerate(rows) if row.split == split]


def write_splits(manifest: Manifest, path: str | Path) -> Path:
    """Write ``id,split``, a line a case."""
    path = Path(path)
    with atomic_file(path) as part, part.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(("id", "split"))
        table.writerows((row.id, row.split) for row in manifest.rows)
    return path


def read_splits(path: str | Path) -> dict[str, str]:
    """Read what :func:`write_splits` wrote: split by id.

    Raises:
        InputError: the file is missing or has other columns.
    """
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as stream:
            table = csv.DictReader(stream)
            rows = list(table)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: these splits cannot be read ({error}).") from error
    if not {"id", "split"} <= set(table.fieldnames or ()):
        raise InputError(
            f"{path}: expected the columns id and split, got {', '.join(table.fieldnames or ()) or 'none'}."
        )
    return {row["id"]: row["split"] for row in rows}
