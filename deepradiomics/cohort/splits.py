"""Who trains, who chooses thresholds, who tests: random splits and folds by a seed, and their file.

    with_splits            train, validation and test, stratified over all tasks
    folds                  each patient tested once
    validation_splits      train and validation alone, for networks that need no test
    group_splits           as numbers of patients, for whoever has no manifest

Patients are split, not cases: the scans of one patient stay together, for a network that has seen one knows the others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from deepradiomics.cohort.manifest import SPLITS, Manifest, ManifestRow, Split
from deepradiomics.errors import InputError, ManifestError
from deepradiomics.files.names import distinct_parts
from deepradiomics.files.tables import read_csv, write_csv
from deepradiomics.words import count

Patient = tuple[int, ...]  # positions of one patient's rows
SHARES = (0.7, 0.1, 0.2)  # of the patients, in train, validation and test
VALIDATION = 0.1  # share of the patients by whom a training without a test split tells its best epoch

_ATTEMPTS = 600  # other orders tried until each class is in each split
_STRATIFIED = 100  # of these, the first; the others are free shuffles, which also scatter a class of three or four


def with_splits(manifest: Manifest, seed: int, fractions: tuple[float, float, float] = SHARES) -> Manifest:
    """Give each case without a split one of train, validation and test; shares count patients.

    Splits that the manifest gives stay, and a split it gives is complete: it gets no further patients (so MRNet's test
    cases stay the only ones, and its other cases are divided between training and validation as 0.7 : 0.1). A scan
    without a split whose patient has one follows its patient.

    Raises:
        ManifestError: the manifest's splits separate a patient's scans, a class of a task is missing from a split, or
            all three splits are given but not to all cases.
        InputError: the fractions are not positive or do not add to 1.
    """
    if len(fractions) != 3 or min(fractions) <= 0 or abs(sum(fractions) - 1) > 1e-6:
        raise InputError(f"fractions of train, validation and test must be positive and add to 1, got {fractions}.")
    manifest = _with_patients_splits(manifest)
    present = {row.split for row in manifest.rows}
    open_splits = [split for split in SPLITS if split not in present]
    free = _patients(manifest, [i for i, row in enumerate(manifest.rows) if row.split is None])
    if free and not open_splits:
        raise ManifestError(f"Column split: case {manifest.rows[free[0][0]].id} has none, though all three are given.")
    sizes = _sizes([fractions[SPLITS.index(split)] for split in open_splits], len(free), _most_classes(manifest))
    for attempt in range(_ATTEMPTS if free else 1):
        chosen = _deal(manifest, free, sizes, [seed, attempt], attempt < _STRATIFIED)
        rows = list(manifest.rows)
        for patient, part in zip(free, chosen, strict=True):
            for i in patient:
                rows[i] = replace(rows[i], split=open_splits[part])
        gap = _missing_class(manifest.tasks, rows)
        if gap is None:
            return replace(manifest, rows=tuple(rows))
    raise ManifestError(gap or "")


def folds(manifest: Manifest, k: int, seed: int, validation: float = 0.125) -> tuple[Manifest, ...]:
    """k manifests; each case is a test case in exactly one, and a share `validation` of the others chooses thresholds.

    Splits given in the manifest are not used. Sizes count patients.

    Raises:
        InputError: fewer than two folds or more folds than patients.
        ManifestError: a class is missing from a split of some fold.
    """
    everyone = _patients(manifest, range(len(manifest)))
    if not 2 <= k <= len(everyone):
        what = "cases" if len(everyone) == len(manifest) else "patients"
        raise InputError(f"k-fold cross-validation needs 2 to {len(everyone)} folds for these {what}, got {k}.")
    sizes = _sizes([1.0] * k, len(everyone), 1)
    gap: str | None = None
    for attempt in range(_ATTEMPTS):
        part = _deal(manifest, everyone, sizes, [seed, k, attempt], attempt < _STRATIFIED)
        manifests = []
        for fold in range(k):
            splits: dict[int, Split] = {}
            rest = [patient for patient, p in zip(everyone, part, strict=True) if p != fold]
            held_sizes = _sizes([1 - validation, validation], len(rest), _most_classes(manifest))
            held = _deal(manifest, rest, held_sizes, [seed, k, attempt, fold], attempt < _STRATIFIED)
            for patient, is_validation in zip(rest, held, strict=True):
                splits |= dict.fromkeys(patient, "validation" if is_validation else "train")
            rows = tuple(replace(row, split=splits.get(i, "test")) for i, row in enumerate(manifest.rows))
            gap = _missing_class(manifest.tasks, rows)
            if gap is not None:
                break
            manifests.append(replace(manifest, rows=rows))
        if len(manifests) == k:
            return tuple(manifests)
    raise ManifestError(gap or "")


def validation_splits(manifest: Manifest, seed: int) -> Manifest:
    """The cases that a training without a test may see, in train and validation; labels play no part.

    Without a column split a tenth of the patients is in validation. Where the manifest gives splits they stay, and its
    test cases are left out: a network that has seen the test cases is not tested on new ones.

    Raises:
        ManifestError: splits separate a patient's scans.
    """
    if any(row.split for row in manifest.rows):
        rows = [row for row in with_splits(replace(manifest, tasks=()), seed).rows if row.split != "test"]
    else:
        patients = sorted(set(manifest.groups))
        order = np.random.default_rng([seed, 1]).permutation(len(patients))
        validation = {patients[n] for n in order[: max(1, round(VALIDATION * len(patients)))]}
        rows = [
            replace(row, split="validation" if patient in validation else "train")
            for row, patient in zip(manifest.rows, manifest.groups, strict=True)
        ]
    return replace(manifest, rows=tuple(rows))


def group_splits(groups: NDArray[np.intp], seed: int) -> NDArray[np.str_]:
    """Split of each row, (n,), 7:1:2 by patient at random; ``groups`` (n,) numbers the patients from 0 on."""
    patients = int(groups.max()) + 1
    order = np.random.default_rng([seed, 0]).permutation(patients)
    test = max(1, round(SHARES[2] * patients))
    validation = max(1, round(SHARES[1] * patients))
    parts = np.full(patients, "train", dtype="<U10")
    parts[order[:test]] = "test"
    parts[order[test : test + validation]] = "validation"
    return parts[groups]


def require_cases(split: Manifest, cohort: Manifest, what: str, advice: str, *, test: int = 0) -> Manifest:
    """Return the manifest with splits unless one of them has too few cases: two to train, one to validate.

    Args:
        split: the cases with their splits.
        cohort: the cases that there are, for the message.
        what: is trained, as the sentence begins: ``Pre-training``.
        advice: ends it.
        test: number of test cases needed.

    Raises:
        ManifestError: naming the split.
    """
    for name, least in (("train", 2), ("validation", 1), ("test", test)):
        there = len(rows_of(split.rows, name))
        if there < least:
            cases, patients = count(len(cohort), "case"), count(len(set(cohort.groups)), "patient")
            raise ManifestError(
                f"{what} needs at least {count(least, f'{name} case')}, the splits of {cohort.where} give {there} of "
                f"{cases} of {patients}. {advice}"
            )
    return split


def check_patients(manifest: Manifest) -> None:
    """Raise ManifestError where given splits separate the scans of one patient, naming patient, cases and splits."""
    splits_of: dict[str, dict[str, Split]] = defaultdict(dict)
    for row, patient in zip(manifest.rows, manifest.groups, strict=True):
        if row.split:
            splits_of[patient][row.id] = row.split
    apart = {patient: splits for patient, splits in splits_of.items() if len(set(splits.values())) > 1}
    if apart:
        patient, splits = next(iter(apart.items()))
        scans = ", ".join(f"{case} in {split}" for case, split in splits.items())
        more = len(apart) - 1
        others = f" (and {more} more patient{'s' if more > 1 else ''})" if more else ""
        raise ManifestError(
            f"Column split separates the scans of patient {patient}: {scans}{others}. What is learned from one of a "
            "patient's scans is known of the others: put all of them into one split, or leave the column empty."
        )


def _with_patients_splits(manifest: Manifest) -> Manifest:
    """Scans without a split whose patient has one get that."""
    check_patients(manifest)
    known = {patient: row.split for row, patient in zip(manifest.rows, manifest.groups, strict=True) if row.split}
    rows = tuple(
        row if row.split else replace(row, split=known.get(patient))
        for row, patient in zip(manifest.rows, manifest.groups, strict=True)
    )
    return replace(manifest, rows=rows)


def _patients(manifest: Manifest, rows: Sequence[int]) -> list[Patient]:
    """The given rows by patient, in the order in which patients appear."""
    groups, rows_of_patient = manifest.groups, defaultdict(list)
    for i in rows:
        rows_of_patient[groups[i]].append(i)
    return [tuple(scans) for scans in rows_of_patient.values()]


def _sizes(fractions: Sequence[float], count: int, least: int) -> list[int]:
    """Patients of each part: shares of the count by largest remainder, no fewer than `least` where there are enough.

    A tenth of a small cohort may be a single patient, who cannot show two classes.
    """
    if not fractions:
        return []
    exact = np.array(fractions) / sum(fractions) * count
    sizes = np.floor(exact).astype(int)
    for part in np.argsort(sizes - exact, kind="stable")[: count - sizes.sum()]:
        sizes[part] += 1
    if count >= least * len(sizes):
        while sizes.min() < least:
            sizes[np.argmax(sizes)] -= 1
            sizes[np.argmin(sizes)] += 1
    return [int(size) for size in sizes]


def _most_classes(manifest: Manifest) -> int:
    """Number of classes of the task that has most, counting the labels that are there."""
    labels = [{row.labels[task] for row in manifest.rows if task in row.labels} for task in manifest.tasks]
    return max((len(classes) for classes in labels), default=1)


def _deal(
    manifest: Manifest, patients: Sequence[Patient], sizes: Sequence[int], seed: Sequence[int], stratified: bool
) -> list[int]:
    """Part (0 … len(sizes) - 1) of each patient; each part gets exactly its size.

    Patients are ordered by their combination of labels, shuffled inside it, and assigned one by one to the part that
    lags most behind its share: each part then has its share of each combination, within one or two.
    """
    generator = np.random.default_rng(seed)
    combinations = sorted({_combination(manifest, patient) for patient in patients})
    rank = dict(zip(combinations, generator.permutation(len(combinations)).tolist(), strict=True))
    order = generator.permutation(len(patients)).tolist()
    if stratified:
        order.sort(key=lambda i: rank[_combination(manifest, patients[i])])
    full = np.array(sizes, dtype=float)
    share = full / max(len(patients), 1)
    head_start = generator.uniform(-0.3, 0.3, len(sizes))  # so that no part always gets a combination's odd case
    assigned = np.zeros(len(sizes))
    parts = [0] * len(patients)
    for position, i in enumerate(order, start=1):
        lag = np.where(assigned < full, share * position - assigned + head_start, -np.inf)
        part = int(np.argmax(lag))
        assigned[part] += 1
        parts[i] = part
    return parts


def _combination(manifest: Manifest, patient: Patient) -> tuple[int, ...]:
    """The classes by which a patient is assigned: of several scans, the highest of each task; -1 without a label."""
    labels = [manifest.rows[i].labels for i in patient]
    return tuple(max(scan.get(task, -1) for scan in labels) for task in manifest.tasks)


def _missing_class(tasks: Sequence[str], rows: Sequence[ManifestRow]) -> str | None:
    """The first class that a split lacks, as a sentence; None when all are there."""
    for task in tasks:
        classes = sorted({row.labels[task] for row in rows if task in row.labels})
        for split in SPLITS:
            there = {row.labels[task] for row in rows if row.split == split and task in row.labels}
            for number in classes:
                if number not in there:
                    count = sum(row.labels.get(task) == number for row in rows)
                    return (
                        f"Column label_{task}: the {split} split has no case of class {number} "
                        f"({count} case{'s' if count > 1 else ''} in all). "
                        "Add cases of this class, give the splits yourself in the column split, or leave the task out."
                    )
    return None


def subset(manifest: Manifest, ids: Sequence[str]) -> Manifest:
    """The rows of some cases, in the manifest's order."""
    wanted = set(ids)
    return replace(manifest, rows=tuple(row for row in manifest.rows if row.id in wanted))


def rows_of(rows: Sequence[ManifestRow], split: str) -> list[int]:
    """Numbers of the rows of a split."""
    return [n for n, row in enumerate(rows) if row.split == split]


def write_splits(manifest: Manifest, path: str | Path) -> Path:
    """Write ``id,split``, one line per case."""
    return write_csv(path, ("id", "split"), ((row.id, row.split) for row in manifest.rows))


def read_splits(path: str | Path) -> dict[str, str]:
    """Read what :func:`write_splits` wrote: split by id.

    Raises:
        InputError: the file is missing, has other columns, or names a case twice.
    """
    table = read_csv(path, needed=("id", "split"), strip=True, what="table of splits")
    distinct_parts(table.column("id"), f"{path}, column id")
    return dict(zip(table.column("id"), table.column("split"), strict=True))
