"""From a seed to a mutant to a verdict."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from Testing.reference.border import bundles, dicom, images, masks, texts
from Testing.reference.border.mutant import Maker, judge

KINDS: dict[str, tuple[float, Maker]] = {
    "image": (1.0, images.mutant),
    "dicom": (0.6, dicom.mutant),
    "mask": (1.0, masks.mutant),
    "text": (0.8, texts.mutant),
    "bundle": (0.6, bundles.mutant),
}
"""Share of the mutants, and what makes one."""


def kind_of(seed: int) -> str:
    """Which kind a seed makes."""
    shares = np.array([share for share, _ in KINDS.values()])
    return list(KINDS)[int(np.random.default_rng([seed, 1]).choice(len(KINDS), p=shares / shares.sum()))]


def verdict_of(seed: int) -> dict[str, Any]:
    """Make the seed's mutant in a folder of its own and judge it."""
    kind = kind_of(seed)
    make: Callable[..., Any] = KINDS[kind][1]
    folder = Path(tempfile.mkdtemp(prefix="border-"))
    begun = time.perf_counter()
    try:
        mutant = make(np.random.default_rng([seed, 2]), folder)
        verdict = judge(mutant)
        return {
            "seed": seed,
            "kind": mutant.kind,
            "field": _printable(mutant.field),
            "outcome": verdict.outcome,
            "message": _printable(verdict.message.replace(str(folder), "…")),
            "seconds": round(time.perf_counter() - begun, 3),
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
