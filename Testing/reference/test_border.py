"""Broken inputs are refused in words, read right or noted; never an exception of a library, a crash or a hang."""

import os
from pathlib import Path

import numpy as np
import pytest

from Testing.reference.border import images
from Testing.reference.border.__main__ import judged
from Testing.reference.border.mutant import judge
from Testing.reference.border.run import KINDS, kind_of, verdict_of

pytest.importorskip("highdicom")
pytest.importorskip("nibabel")
pytest.importorskip("safetensors")
GOOD = ("refused", "intact", "right", "noted")
EACH = 40


@pytest.mark.parametrize("kind", KINDS)
def test_mutants_are_refused_read_right_or_noted(kind: str) -> None:
    seeds = [seed for seed in range(50_000, 51_000) if kind_of(seed) == kind][:EACH]
    verdicts = [verdict_of(seed) for seed in seeds]
    assert [verdict for verdict in verdicts if verdict["outcome"] not in GOOD] == []
    assert any(verdict["outcome"] == "refused" for verdict in verdicts)


@pytest.mark.slow
def test_thousands_of_mutants_in_child_processes() -> None:
    rows = judged(list(range(int(os.environ.get("DEEPRADIOMICS_FUZZ", "3000")))))
    assert [row for row in rows if row["outcome"] not in GOOD] == []


def test_the_judge_can_tell_a_wrong_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that gives other voxels without a word is found out."""
    honest = images.product
    seed = next(seed for seed in range(400) if verdict_of(seed)["outcome"] == "intact" and kind_of(seed) == "image")
    mutant = images.mutant(np.random.default_rng([seed, 2]), tmp_path)
    monkeypatch.setattr(images, "product", lambda path: ((honest(path)[0][0] + 1, honest(path)[0][1]), ()))
    assert judge(mutant).outcome == "wrong"
    monkeypatch.setattr(images, "product", lambda path: 1 / 0)
    assert judge(mutant).outcome == "raw"
