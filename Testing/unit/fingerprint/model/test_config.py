"""Configurations survive files, and mistakes in them are explained."""

import dataclasses
import json
from pathlib import Path

import pytest

from deepradiomics.errors import InputError
from deepradiomics.fingerprint.model.config import FingerprintConfig, ModelConfig, TrainingConfig, config


@pytest.mark.parametrize("preset", ["paper", "tiny"])
def test_a_preset_survives_a_file(preset: str, tmp_path: Path) -> None:
    original = config(preset)  # type: ignore[arg-type]
    original.write(tmp_path / "config.json")
    assert FingerprintConfig.read(tmp_path / "config.json") == original


def test_the_paper_preset_has_the_sizes_of_the_paper() -> None:
    paper = config("paper")
    assert paper.recipe.resized_shape == (32, 128, 128)
    assert paper.recipe.roi_shape == (16, 38, 64)
    assert paper.recipe.patch_grid == (2, 2, 2)
    assert paper.recipe.registration == "template"
    assert paper.model.pairwise_for(8 * 3 * 107) == "exact"
    assert paper.model.pairwise_for(27 * 3 * 107) == "factorised"
    assert paper.model.rank == 16


def test_settings_left_out_come_from_the_preset() -> None:
    changed = FingerprintConfig.from_dict(
        {"preset": "tiny", "training": {"epochs": 3}, "recipe": {"patch_grid": [1, 1, 1]}}
    )
    tiny = config("tiny")
    assert changed.training == dataclasses.replace(tiny.training, epochs=3)
    assert changed.recipe == dataclasses.replace(tiny.recipe, patch_grid=(1, 1, 1))
    assert changed.model == tiny.model


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        ({"training": {"epoch": 3}}, "training: the setting 'epoch' is unknown. Did you mean 'epochs'?"),
        ({"modle": {}}, "Did you mean 'model'?"),
        ({"preset": "big"}, "preset: expected one of paper, tiny, got 'big'"),
        ({"training": {"epochs": "many"}}, "training.epochs: expected a whole number from 1 to 100000"),
        ({"training": 3}, "training: expected an object"),
        ({"recipe": {"grid": 2}}, "recipe: the setting 'grid' is unknown"),
    ],
)
def test_mistakes_are_explained_with_the_file(stored: dict, message: str, tmp_path: Path) -> None:
    file = tmp_path / "c.json"
    file.write_text(json.dumps(stored), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        FingerprintConfig.read(file)
    assert message in str(caught.value)
    assert "c.json" in str(caught.value)


def test_values_out_of_range_are_refused() -> None:
    with pytest.raises(InputError, match="initial_relevance"):
        ModelConfig(initial_relevance=1.0)
    with pytest.raises(InputError, match="batch_size"):
        TrainingConfig(batch_size=1)
    with pytest.raises(InputError, match="shift_voxels"):
        TrainingConfig(shift_voxels=(1, 2))  # type: ignore[arg-type]
