"""Choices of an experiment, the paragraph that tells them, and how tables are written."""

from dataclasses import replace
from pathlib import Path

import pytest

from deepradiomics.errors import InputError
from deepradiomics.files.atomic import write_json
from deepradiomics.files.tables import read_csv, write_table
from deepradiomics.ich.experiment.config import INPUTS, ExperimentConfig
from deepradiomics.ich.experiment.text import experiment_methods, titled
from deepradiomics.modelling.classifier_names import CLASSIFIERS


def test_the_paper_preset_is_the_paper() -> None:
    config = ExperimentConfig.of_preset("paper")
    assert (len(INPUTS), len(CLASSIFIERS)) == (7, 6)
    assert (config.components, config.trees, config.folds, config.search) == (128, 1000, 5, "fixed")
    assert config.bundle_input(tuple(INPUTS)) == "radiomics+latents"
    assert config.bundle_classifier() == "extra-trees"


def test_a_configuration_survives_its_file_and_may_name_little(tmp_path: Path) -> None:
    config = replace(ExperimentConfig.of_preset("tiny"), inputs=("shape",), covariates=("age", "sex"), bin_width_hu=5.0)
    write_json(tmp_path / "c.json", config.to_dict())
    assert ExperimentConfig.read(tmp_path / "c.json") == config
    write_json(tmp_path / "little.json", {"preset": "tiny", "folds": 4})
    assert ExperimentConfig.read(tmp_path / "little.json") == replace(ExperimentConfig.of_preset("tiny"), folds=4)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"componets": 3}, "'componets' is unknown. Did you mean 'components'"),
        ({"inputs": "shape"}, "inputs: expected a list of names"),
        ({"inputs": ["shape", "shape"]}, "a name comes twice"),
        ({"classifiers": []}, "expected at least one of random-forest"),
        ({"folds": 1}, "folds: expected a whole number from 2"),
        ({"bin_width_hu": 0}, "bin_width_hu: expected a number from 0.01"),
    ],
)
def test_what_cannot_be_is_refused_by_name(tmp_path: Path, given: dict[str, object], message: str) -> None:
    write_json(tmp_path / "c.json", given)
    with pytest.raises(InputError, match=message):
        ExperimentConfig.read(tmp_path / "c.json")


def test_the_bundle_s_model_is_the_largest_of_what_there_is() -> None:
    config = ExperimentConfig.of_preset("tiny")
    assert config.bundle_input(("shape", "radiomics", "autoencoder")) == "radiomics"
    assert replace(config, classifiers=("svm", "xgboost")).bundle_classifier() == "svm"


def test_the_methods_paragraph_says_synthetic_leaking_and_the_numbers() -> None:
    config = replace(ExperimentConfig.of_preset("paper"), covariates=("age",))
    about = {
        "config": config.to_dict(), "synthetic": True, "leaking": True, "seed": 3, "folds": 5,
        "cohorts": {"training": {"n": 200}, "external": {"n": 100}},
        "networks": {"encoder": [{"name": "unet", "sha256": "ab" * 32}], "autoencoder": []},
        "inputs": titled(("radiomics", "encoder"), inputs=True),
        "classifiers": titled(("extra-trees",), inputs=False),
        "bundle": {"input": "radiomics", "classifier": "extra-trees"},
    }  # fmt: skip
    text = experiment_methods(about)
    for part in (
        "SYNTHETIC cohort of 200", "external cohort of 100", "THE RUN LEAKS", "unet (abababababab)", "128 components",
        "clinical covariates age", "1000 trees", "Seed 3", "external patients",
    ):  # fmt: skip
        assert part in text, part
    shape = about | {"leaking": False, "inputs": titled(("shape",), inputs=True)}
    assert "LEAKS" not in experiment_methods(shape)
    assert "factorisation of the" not in experiment_methods(shape)


def test_a_table_keeps_numbers_to_the_last_bit_and_undefined_ones_empty(tmp_path: Path) -> None:
    rows = [{"a": 0.1 + 0.2, "b": float("nan"), "c": "x, y"}, {"a": 3, "c": None}]
    path = write_table(tmp_path / "t.csv", ("a", "b", "c"), rows)
    first, second = read_csv(path).rows
    assert float(first["a"]) == 0.1 + 0.2
    assert first["b"] == ""
    assert first["c"] == "x, y"
    assert second == {"a": "3", "b": "", "c": ""}
    with pytest.raises(InputError, match="has no column 'd'"):
        write_table(path, ("a",), [{"d": 1}])
