"""Words of the commands that the bad inputs of the haemorrhage module run, made in the folder of each case."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from Testing.cli.ich import ich_material as material

Command = Callable[[Path, Path], Sequence[object]]
Given = Callable[[Path], object]  # a word of the command that is made in the case's folder
QUICK = ("--device", "cpu")


def spelt(folder: Path, words: Sequence[object]) -> list[object]:
    """Words as they are; those that are made in the folder; FOLDER and SHARED for the two folders."""
    made = [word(folder) if callable(word) else word for word in words]
    names = {"FOLDER": folder, "SHARED": material.place()}
    for name, path in names.items():
        made = [word.replace(name, str(path)) if isinstance(word, str) else word for word in made]
    return made


def run(*words: object) -> Command:
    """A command whose words may be made in the case's folder."""
    return lambda folder, _: spelt(folder, words)


def a_ct(kind: str) -> Given:
    return lambda folder: material.ct(folder, kind)


def a_mask(kind: str) -> Given:
    return lambda folder: material.mask(folder, kind)


def a_manifest(change: Callable[[material.Rows], None] | None = None, **more: Any) -> Given:
    return lambda folder: material.manifest(folder, change, **more)


def a_file(name: str, text: str) -> Given:
    def write(folder: Path) -> Path:
        (folder / name).write_text(text, encoding="utf-8")
        return folder / name

    return write


def one_image(kind: str, number: int = 2, column: str = "image", count: int | None = None) -> Given:
    """A manifest one of whose rows names a wrong CT or mask."""

    def make(folder: Path) -> Path:
        wrong = material.ct(folder, kind) if column == "image" else material.mask(folder, kind)
        return material.manifest(folder, material.one(number, **{column: str(wrong)}), count=count)

    return make


def damaged(kind: str) -> Given:
    """A copy of a network whose weights have one other byte."""

    def make(folder: Path) -> Path:
        copy = Path(shutil.copytree(material.network(kind), folder / "damaged"))
        data = bytearray((copy / "model.safetensors").read_bytes())
        data[-20] ^= 0xFF
        (copy / "model.safetensors").write_bytes(bytes(data))
        return copy

    return make


def nnunet(folder: Path) -> Path:
    return material.nnunet(folder / "nnunet")


def a_config(kind: str, **changes: Any) -> Given:
    """A configuration file of the tiny preset with changes."""

    def make(folder: Path) -> Path:
        from deepradiomics.ich.autoencoder.config import AutoencoderConfig
        from deepradiomics.ich.experiment.config import ExperimentConfig
        from deepradiomics.ich.segmenter.config import SegmenterConfig

        kinds = {"segmenter": SegmenterConfig, "autoencoder": AutoencoderConfig}
        config = kinds.get(kind, ExperimentConfig).of_preset("tiny")
        (folder / "config.json").write_text(json.dumps({**config.to_dict(), **changes}), encoding="utf-8")
        return folder / "config.json"

    return make


def blind(folder: Path) -> Path:
    """A segmenter that finds nothing."""
    from Testing.unit.ich.tiny_predictor import tiny_segmenter

    return tiny_segmenter(folder / "blind", bias=-20.0)


def bundle_of(kind: str) -> Given:
    """The bundle of an untrained network."""
    return lambda _: material.network(kind)


def bundle_knowing(kind: str) -> Given:
    """The bundle of a network that has seen cohort ``a``."""
    return lambda _: material.knowing(kind)
