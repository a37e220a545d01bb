"""Choices of a lens: presets, files, and mistakes told."""

import dataclasses
from pathlib import Path

import pytest

from deepradiomics.errors import InputError
from deepradiomics.lens.config import LensConfig


def test_the_paper_preset_has_the_papers_numbers() -> None:
    paper = LensConfig.of_preset("paper")
    assert (paper.l1, paper.l2, paper.epochs, paper.learning_rate) == (1e-6, 1e-5, 200, 1e-3)
    assert paper.spacing_mm == (0.5, 0.5, 1.0)
    assert paper.params == "lens"
    assert paper.hidden == 256


def test_the_tiny_preset_keeps_the_images_own_spacing() -> None:
    assert LensConfig.of_preset("tiny").spacing_mm is None
    assert LensConfig.of_preset("tiny").hidden == 32


def test_a_configuration_comes_back_from_its_file(tmp_path: Path) -> None:
    given = LensConfig.from_dict({"preset": "tiny", "modalities": ["t2", "adc"], "roi": "lesion", "sweep": True})
    given.write(tmp_path / "lens.json")
    assert LensConfig.read(tmp_path / "lens.json") == given


def test_what_is_left_out_comes_from_the_preset_named() -> None:
    tiny = LensConfig.of_preset("tiny")
    assert LensConfig.from_dict({"preset": "tiny", "hidden": 7}) == dataclasses.replace(tiny, hidden=7)


def test_an_unknown_setting_is_told_with_the_nearest_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'permutation' is unknown\. Did you mean 'permutations'"):
        LensConfig.from_dict({"permutation": 100})
    (tmp_path / "own.json").write_text('{"hiden": 5}', encoding="utf-8")
    with pytest.raises(InputError, match=r"own\.json: .*'hiden' is unknown. Did you mean 'hidden'"):
        LensConfig.read(tmp_path / "own.json")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("hidden", 0, "hidden: expected a whole number from 1"),
        ("hidden", 2.5, "hidden: expected a whole number"),
        ("permutations", True, "permutations: expected a whole number"),
        ("l1", -1.0, "l1: expected a number from 0"),
        ("missing", "skip", "missing: expected one of refuse, drop"),
        ("fit_on", "after", "fit_on: expected one of pre, ft, both"),
        ("spacing_mm", [1, 1], "spacing_mm: expected three numbers"),
        ("spacing_mm", [1, 0, 1], r"spacing_mm: expected three numbers \(x, y, z\) above 0"),
        ("modalities", "t2", "modalities: expected a list of names"),
        ("modalities", ["t2", "t2"], "modalities: a name comes twice"),
        ("sweep", 1, "sweep: expected true or false"),
        ("preset", "huge", "preset: expected one of paper, tiny"),
        ("roi", "", "roi: expected a name"),
        ("learning_rate", 0, "learning_rate: expected a number above 0"),
        ("bootstraps", 19, "bootstraps: expected 0 or a whole number from 20"),
    ],
)
def test_a_value_out_of_range_is_told(name: str, value: object, says: str) -> None:
    with pytest.raises(InputError, match=says):
        LensConfig.from_dict({name: value})


@pytest.mark.parametrize(("name", "value"), [("learning_rate", 0.0), ("bootstraps", 3), ("fit_on", "after")])
def test_configuration_and_estimator_refuse_by_the_same_rules(name: str, value: object) -> None:
    pytest.importorskip("torch")
    from deepradiomics.lens.estimator.fitting import checked_options
    from deepradiomics.lens.estimator.lens import RadiomicLens

    messages = []
    for refused in (
        lambda: LensConfig(**{name: value}),
        lambda: checked_options(RadiomicLens(**{name: value}).get_params()),
    ):
        with pytest.raises(InputError) as caught:
            refused()
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


def test_the_estimator_takes_what_the_configuration_gives() -> None:
    pytest.importorskip("torch")
    from deepradiomics.lens.estimator.lens import RadiomicLens

    lens = RadiomicLens(**LensConfig.of_preset().estimator(), seed=0, device="cpu")
    defaults = RadiomicLens()
    for name in LensConfig.of_preset().estimator():
        assert getattr(lens, name) == getattr(defaults, name), name
