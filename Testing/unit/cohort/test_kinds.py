"""All caches at once: each kind of entry goes through the one store, and is made anew once a byte was flipped."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import deepradiomics
from deepradiomics.cohort.exam_features import EXAMS
from deepradiomics.cohort.extraction import TEMPLATES
from deepradiomics.files.store import ContentStore, Kind
from deepradiomics.ich.autoencoder.crops import CROPS
from deepradiomics.ich.features.case import RADIOMICS, SUMMARIES
from deepradiomics.ich.features.latents import LATENTS
from deepradiomics.ich.features.masks import MASKS
from deepradiomics.ich.segmenter.data import HEADS
from deepradiomics.lens.encoders.encode import EMBEDDINGS
from deepradiomics.lens.encoders.stacks import STACKS
from deepradiomics.lens.estimator.null import PERMUTATIONS
from deepradiomics.lens.fit.radiomics import RADIOMICS as LENS_RADIOMICS
from deepradiomics.modelling.components.cache import COMPONENTS

KINDS = (
    COMPONENTS, CROPS, EMBEDDINGS, EXAMS, HEADS, LATENTS, LENS_RADIOMICS, MASKS, PERMUTATIONS, RADIOMICS, STACKS,
    SUMMARIES, TEMPLATES,
)  # fmt: skip


def _sources() -> dict[Path, str]:
    folder = Path(deepradiomics.__file__).parent
    return {path: path.read_text("utf-8") for path in folder.rglob("*.py")}


def test_every_kind_of_the_package_is_among_those_tested_here() -> None:
    declared = [
        name
        for text in _sources().values()
        for name in re.findall(r"^\w+ = (?:Entry)?Kind\(\s*\"([\w-]+)\"", text, re.M)
    ]
    assert sorted(declared) == sorted(kind.name for kind in KINDS)
    assert len(set(declared)) == len(declared), "two kinds would share a folder"


def test_only_the_store_makes_paths_of_keys() -> None:
    assert [path.name for path, text in _sources().items() if "[:2]" in text and "key[:2]" in text] == ["store.py"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_flipped_byte_is_noticed_and_the_entry_made_anew(kind: Kind, tmp_path: Path) -> None:
    store, key = ContentStore(tmp_path, kind), kind.key(files=["a"])
    about = dict.fromkeys(kind.about, "known")

    def write(part: Path) -> None:
        for name in kind.files:
            (part / name).write_bytes(np.arange(40, dtype=np.float32).tobytes())

    for name in ("about.json", *kind.files):
        file = store.put(key, about, write=write).folder / name
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 4
        file.write_bytes(content)
        with pytest.warns(UserWarning, match=rf"{re.escape(name)}.*It is made anew"):
            assert store.get(key) is None
    entry = store.put(key, about, write=write)
    assert store.get(key) == entry


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_raised_version_leaves_earlier_entries_aside(kind: Kind) -> None:
    assert replace(kind, version=kind.version + 1).key(files=["a"]) != kind.key(files=["a"])
