"""The choices of a segmenter: presets, files, and what is refused."""

import dataclasses
from pathlib import Path

import pytest

from deepradiomics.errors import InputError
from deepradiomics.files.atomic import write_json
from deepradiomics.ich.segmenter.config import SegmenterConfig, SegmenterTraining
from deepradiomics.networks.dual_unet import PAPER_WIDTHS
from deepradiomics.prepare.head.head import HeadRecipe


def test_the_paper_preset_has_the_papers_sizes() -> None:
    found = SegmenterConfig.of_preset()
    assert found.widths == PAPER_WIDTHS == (32, 64, 128, 256, 512)
    assert found.scales == "dual"
    assert found.recipe.size_zyx == (128, 128, 128)


@pytest.mark.parametrize("preset", ["paper", "tiny"])
def test_a_configuration_survives_its_file(preset: str, tmp_path: Path) -> None:
    config = dataclasses.replace(SegmenterConfig.of_preset(preset), scales="single")
    config.write(tmp_path / "c.json")
    assert SegmenterConfig.read(tmp_path / "c.json") == config


def test_what_a_file_leaves_out_comes_from_its_preset(tmp_path: Path) -> None:
    write_json(tmp_path / "c.json", {"preset": "tiny", "training": {"epochs": 2}, "recipe": {"spacing_mm": 5}})
    found, tiny = SegmenterConfig.read(tmp_path / "c.json"), SegmenterConfig.of_preset("tiny")
    assert found == dataclasses.replace(
        tiny, training=dataclasses.replace(tiny.training, epochs=2),
        recipe=dataclasses.replace(tiny.recipe, spacing_mm=5.0),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        ({"preset": "huge"}, "preset: expected one of paper, tiny"),
        ({"scale": "dual"}, "Did you mean 'scales'"),
        ({"training": {"epoch": 3}}, "Did you mean 'epochs'"),
        ({"training": {"batch_size": 0}}, "batch_size: expected a whole number from 1"),
        ({"training": {"zoom": 2}}, "zoom: expected a number from 0 to 0.9"),
        ({"training": {"flip": 1}}, "flip: expected true or false"),
        ({"recipe": {"size_zyx": [128, 128, 100]}}, "needs multiples of 32, at least 64"),
        ({"scales": "single", "recipe": {"size_zyx": [16, 16, 16]}}, "needs multiples of 16, at least 32"),
        ({"widths": [8, 16]}, "of 3 to 7 stages"),
        ({"supervised": 5}, "supervised: expected a whole number from 1 to 4"),
        ([], "expected a JSON object"),
    ],
)
def test_mistakes_name_file_and_setting(stored: object, message: str, tmp_path: Path) -> None:
    write_json(tmp_path / "c.json", stored)
    with pytest.raises(InputError, match=r"c\.json") as caught:
        SegmenterConfig.read(tmp_path / "c.json")
    assert message in str(caught.value)


def test_the_best_epoch_is_that_of_the_highest_dice_and_precision_is_passed_on() -> None:
    settings = SegmenterTraining(precision="bf16-mixed", patience=7).fit_settings()
    assert (settings.monitor, settings.mode, settings.precision, settings.patience) == (
        "validation_dice", "max", "bf16-mixed", 7,
    )  # fmt: skip
    assert HeadRecipe().window_hu == (-20.0, 120.0)
