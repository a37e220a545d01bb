"""Who trains, who chooses thresholds, who tests: random splits and folds, stratified over all tasks, by a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from deepradiomics.cohort.manifest import SPLITS, Manifest, ManifestRow, Split
from deepradiomics.errors import InputError, ManifestError

_ATTEMPTS = 600  # other orders tried until each class is in each split
_STRATIFIED = 100  # of these, the first; the others are free shuffles, which also scatter a class of three or four


def with_splits(manifest: Manifest, seed: int, fractions: tuple[float, float, float] = (0.7, 0.1, 0.2)) -> Manifest:
    """Give each case without a split one of train, validation and test.

    Splits that the manifest gives stay, and a split it gives is complete: it gets no further cases (so MRNet's test
    cases stay the only ones, and its other cases are divided between training and validation as 0.7 : 0.1).

    Raises:
        ManifestError: a class of a task is missing from a split, or all three splits are given but not to all cases.
        InputError: the fractions are not positive or do not add to 1.
    """
    if len(fractions) != 3 or min(fractions) <= 0 or abs(sum(fractions) - 1) > 1e-6:
        raise InputError(f"fractions of train, validation and test must be positive and add to 1, got {fractions}.")
    given = {row.split for row in manifest.rows}
    open_splits = [split for split in SPLITS if split not in given]
    free = [i for i, row in enumerate(manifest.rows) if row.split is None]
    if free and not open_splits:
        raise ManifestError(f"Column split: case {manifest.rows[free[0]].id} has none, though all three are given.")
    sizes = _sizes([fractions[SPLITS.index(split)] for split in open_splits], len(free), _most_classes(manifest))
    for attempt in range(_ATTEMPTS if free else 1):
        chosen = _deal(manifest, free, sizes, [seed, attempt], attempt < _STRATIFIED)
        rows = list(manifest.rows)
        for i, part in zip(free, chosen, strict=True):
            rows[i] = replace(rows[i], split=open_splits[part])
        gap = _missing_class(manifest.tasks, rows)
        if gap is None:
            return replace(manifest, rows=tuple(rows))
    raise ManifestError(gap or "")


def folds(manifest: Manifest, k: int, seed: int, validation: float = 0.125) -> tuple[Manifest, ...]:
    """k manifests; each case is a test case in exactly one, and a share `validation` of the others chooses thresholds.

    Splits given in the manifest are not used.

    Raises:
        InputError: fewer than two folds or more folds than cases.
        ManifestError: a class is missing from a split of some fold.
    """
    if not 2 <= k <= len(manifest):
        raise InputError(f"k-fold cross-validation needs 2 to {len(manifest)} folds for these cases, got {k}.")
    everyone = list(range(len(manifest)))
    sizes = _sizes([1.0] * k, len(everyone), 1)
    gap: str | None = None
    for attempt in range(_ATTEMPTS):
        part = _deal(manifest, everyone, sizes, [seed, k, attempt], attempt < _STRATIFIED)
        made = []
        for fold in range(k):
            splits: list[Split] = ["test" if p == fold else "train" for p in part]
            rest = [i for i in everyone if part[i] != fold]
            held_sizes = _sizes([1 - validation, validation], len(rest), _most_classes(manifest))
            held = _deal(manifest, rest, held_sizes, [seed, k, attempt, fold], attempt < _STRATIFIED)
            for i, is_validation in zip(rest, held, strict=True):
                splits[i] = "validation" if is_validation else "train"
            rows = tuple(replace(row, split=s) for row, s in zip(manifest.rows, splits, strict=True))
            gap = _missing_class(manifest.tasks, rows)
            if gap is not None:
                break
            made.append(replace(manifest, rows=rows))
        if len(made) == k:
            return tuple(made)
    raise ManifestError(gap or "")


def _sizes(fractions: Sequence[float], count: int, least: int) -> list[int]:
    """Cases of each part: shares of the count by largest remainder, but no fewer than `least` where there are enough.

    A tenth of a small cohort may be a single case, which cannot show two classes.
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
    found = [{row.labels[task] for row in manifest.rows if task in row.labels} for task in manifest.tasks]
    return max((len(classes) for classes in found), default=1)


def _deal(
    manifest: Manifest, cases: Sequence[int], sizes: Sequence[int], seed: Sequence[int], stratified: bool
) -> list[int]:
    """Part (0 … len(sizes) - 1) of each case; each part gets exactly its size.

    Cases are ordered by their combination of labels, shuffled inside it, and dealt one after the other to the part
    that lags most behind its share: each part then has its share of each combination, within one or two.
    """
    generator = np.random.default_rng(seed)
    found = sorted({_combination(manifest, case) for case in cases})
    rank = dict(zip(found, generator.permutation(len(found)).tolist(), strict=True))
    order = generator.permutation(len(cases)).tolist()
    if stratified:
        order.sort(key=lambda i: rank[_combination(manifest, cases[i])])
    full = np.array(sizes, dtype=float)
    share = full / max(len(cases), 1)
    head_start = generator.uniform(-0.3, 0.3, len(sizes))  # so that no part always gets a combination's odd case
    dealt = np.zeros(len(sizes))
    parts = [0] * len(cases)
    for position, i in enumerate(order, start=1):
        lag = np.where(dealt < full, share * position - dealt + head_start, -np.inf)
        part = int(np.argmax(lag))
        dealt[part] += 1
        parts[i] = part
    return parts


def _combination(manifest: Manifest, index: int) -> tuple[int, ...]:
    labels = manifest.rows[index].labels
    return tuple(labels.get(task, -1) for task in manifest.tasks)


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
                        f"Column label_{task}: the {split} split has no case of class {number} ({count} cases in all). "
                        "Add cases of this class, give the splits yourself in the column split, or leave the task out."
                    )
    return None
