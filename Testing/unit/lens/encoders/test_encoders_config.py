"""The configuration of encoders: presets, a round trip through JSON, and errors that name what is wrong."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from deepradiomics.errors import InputError
from deepradiomics.lens.encoders.config import EncoderConfig, StageTraining


@pytest.mark.parametrize("preset", ["paper", "tiny"])
def test_a_preset_survives_its_file(preset: str, tmp_path: Path) -> None:
    config = EncoderConfig.of_preset(preset)
    config.write(tmp_path / "c.json")
    assert EncoderConfig.read(tmp_path / "c.json") == config
    assert config.preset == preset


def test_the_paper_preset_has_the_papers_numbers() -> None:
    config = EncoderConfig.of_preset("paper")
    assert config.recipe.spacing_mm == (0.5, 0.5, 1.0)
    assert config.recipe.modalities == ("t2", "highb", "adc")
    assert (config.finetuning.epochs, config.finetuning.learning_rate) == (100, 1e-3)
    assert (config.patch, config.mask_ratio) == (16, 0.6)


def test_what_a_file_leaves_out_comes_from_its_preset() -> None:
    config = EncoderConfig.from_dict({"preset": "tiny", "finetuning": {"epochs": 7}})
    tiny = EncoderConfig.of_preset("tiny")
    assert config.finetuning.epochs == 7
    assert config.pretraining == tiny.pretraining
    assert config.size == "mini"


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        ({"siz": "atto"}, r"'siz' is unknown. Did you mean 'size'"),
        ({"finetuning": {"epoch": 3}}, r"finetuning: the setting 'epoch' is unknown. Did you mean 'epochs'"),
        ({"recipe": {"spacing": [1, 1, 1]}}, r"recipe: the setting 'spacing' is unknown. Did you mean 'spacing_mm'"),
        ({"pretraining": {"learning_rate": "fast"}}, r"pretraining.learning_rate: expected a number from 0 to 1"),
        ({"pretraining": {"batch_size": 1}}, r"pretraining.batch_size: expected a whole number from 2"),
        ({"pretraining": {"shift_voxels": [1, 2]}}, r"shift_voxels: expected three whole numbers"),
        ({"preset": "huge"}, r"preset: expected one of paper, tiny, got 'huge'"),
        ({"size": "gigantic"}, r"size: expected one of micro, mini, atto"),
        ({"recipe": {"size_zyx": [16, 60, 64]}}, r"recipe.size_zyx: expected multiples of the patch of 16"),
        ({"patch": 24}, r"patch: expected a multiple of 16"),
        ({"pretraining": 5}, r"pretraining: expected an object"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(stored: dict[str, object], message: str, tmp_path: Path) -> None:
    file = tmp_path / "c.json"
    file.write_text(json.dumps(stored), encoding="utf-8")
    with pytest.raises(InputError, match=message) as found:
        EncoderConfig.read(file)
    assert str(file) in str(found.value)


def test_a_file_that_is_no_object_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text("[1]", encoding="utf-8")
    with pytest.raises(InputError, match="expected a JSON object"):
        EncoderConfig.read(tmp_path / "c.json")


def test_no_patience_means_all_epochs() -> None:
    assert StageTraining(patience=0).fit_settings("validation_loss", "min").patience is None
    assert StageTraining(patience=4).fit_settings("validation_loss", "min").patience == 4


def test_what_the_command_line_and_the_panel_import_is_light() -> None:
    heavy = ("torch", "monai", "lightning", "sklearn", "matplotlib", "pyarrow", "safetensors", "numba")
    names = ("config", "stacks", "splits", "provenance", "pretrain.run", "finetune.run", "finetune.tasks")
    imports = "; ".join(f"import deepradiomics.lens.encoders.{name}" for name in names)
    code = f"import sys; {imports}; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "[]"
