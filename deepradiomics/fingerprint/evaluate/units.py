"""Repetitions of an evaluation: which splits, which seed, the data of each, and the record of how it was made.

``folds = 0``: the splits are those of the manifest (or one stratified draw for cases without), the seed changes
weights, case order and augmentation. ``folds = k``: every case is a test case once a seed.
"""

from __future__ import annotations

import os
import platform
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepradiomics.cohort.contents import manifest_hash
from deepradiomics.cohort.extraction import extract_cohort
from deepradiomics.cohort.splits import folds as cross_validation
from deepradiomics.cohort.splits import with_splits
from deepradiomics.cohort.synthetic import is_synthetic
from deepradiomics.devices import resolve_device
from deepradiomics.errors import InputError
from deepradiomics.fingerprint.model.config import FingerprintConfig
from deepradiomics.fingerprint.model.tasks import tasks_of
from deepradiomics.fingerprint.train.data import TrainingData, training_data
from deepradiomics.progress import Progress, silent
from deepradiomics.training.run_folder import command, now, versions
from deepradiomics.words import count

if TYPE_CHECKING:
    from deepradiomics.cohort import Manifest
    from deepradiomics.cohort.extraction import CohortFeatures


_NUMBER = re.compile(r"\d+(\.\d+)?")


@dataclass(frozen=True)
class Repeat:
    """One repetition: a seed, a fold (0 where splits are fixed) and the manifest with its splits."""

    seed: int
    fold: int
    manifest: Manifest

    @property
    def name(self) -> str:
        """Folder name."""
        return f"seed{self.seed}" + (f"-fold{self.fold}" if self.fold else "")


def repeats(manifest: Manifest, seeds: Sequence[int], folds: int = 0, split_seed: int = 0) -> tuple[Repeat, ...]:
    """Repetitions in order: seed by seed, fold by fold (folds count from 1).

    Raises:
        InputError: no seed, a seed twice, or one fold.
        ManifestError: a split lacks a class.
    """
    if not seeds or len(set(seeds)) != len(seeds) or min(seeds) < 0:
        raise InputError(f"seeds: expected distinct whole numbers of at least 0, at least one, got {list(seeds)}.")
    if folds:
        parts = cross_validation(manifest, folds, split_seed)
        return tuple(Repeat(seed, k, part) for seed in seeds for k, part in enumerate(parts, start=1))
    split = with_splits(manifest, split_seed)
    return tuple(Repeat(seed, 0, split) for seed in seeds)


class Extractor:
    """Training data of each repetition; the cohort is extracted once, or once a split where templates depend on it."""

    def __init__(self, cache: Path, workers: int, cluster: str | None) -> None:
        self._cache, self._workers, self._cluster = cache, workers, cluster
        self._known: dict[str, CohortFeatures] = {}
        self._notes: dict[str, dict[str, None]] = {}  # case → notes on it

    def data(self, repeat: Repeat, config: FingerprintConfig, progress: Progress = silent) -> TrainingData:
        """Features, images and labels of a repetition, standardised with its training split."""
        manifest, recipe = repeat.manifest, config.recipe
        key = f"{recipe.to_dict()}" + (manifest_hash(manifest) if recipe.registration == "template" else "")
        if key not in self._known:
            self._known = {
                key: extract_cohort(
                    manifest, recipe, self._cache, workers=self._workers, cluster=self._cluster, progress=progress
                )
            }
            for case, notes in self._known[key].notes.items():
                self._notes.setdefault(case, {}).update(dict.fromkeys(notes))
        return training_data(self._known[key], manifest, tasks_of(manifest), config)

    def remarks(self) -> tuple[str, ...]:
        """What was assumed on reading and preparing the cases, one sentence for all that differ in numbers only."""
        cases: dict[str, tuple[str, set[str]]] = {}
        for case, notes in self._notes.items():
            for text in notes:
                cases.setdefault(_NUMBER.sub("#", text), (text, set()))[1].add(case)
        return tuple(f"{text.rstrip('.')} (noted for {count(len(own), 'case')})." for text, own in cases.values())


def labelled(progress: Progress, label: str) -> Progress:
    """The same progress with a label before each message."""
    return lambda fraction, message: progress(fraction, f"{label}: {message}")


def provenance(
    manifest: Manifest,
    config: FingerprintConfig,
    repetitions: Sequence[Repeat],
    *,
    folds: int,
    split_seed: int,
    device: str,
) -> dict[str, Any]:
    """Command, seeds, machine, date, versions, cohort and configuration; nothing in it names a case or a computer."""
    first = repetitions[0].manifest
    return {
        "command": command(),
        "seeds": sorted({repeat.seed for repeat in repetitions}),
        "folds": folds,
        "split_seed": split_seed,
        "machine": machine(device),
        "date": now(),
        "versions": versions(("numpy", "scipy", "SimpleITK", "torch", "monai", "lightning", "scikit-learn")),
        "cases": len(manifest.rows),
        "splits": dict(Counter(str(row.split) for row in first.rows)),
        "manifest_sha256": manifest_hash(first),
        "synthetic": is_synthetic(manifest),
        "config": config.to_dict(),
    }


def machine(device: str = "auto") -> str:
    """Processor, cores and the device used, in a few words."""
    text = f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPU cores"
    used = resolve_device(device)
    if used.startswith("cuda"):
        import torch

        return f"{text}, {torch.cuda.get_device_name(used)}"
    return text if used == "cpu" else f"{text}, {used}"
