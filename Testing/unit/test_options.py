"""Options declared once: what is refused, what a file and a preset give, and the words of a command."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.options import Option, Options, check_options, command_words, declared

Colour = Literal["red", "green"]


@dataclass(frozen=True)
class Inner(Options):
    """A group."""

    steps: Annotated[int, Option("number of steps", 1, 10)] = 3
    rate: Annotated[float, Option("of learning", above=0, high=1)] = 0.5


@dataclass(frozen=True)
class Outer(Options):
    """A configuration."""

    PRESETS: ClassVar = {"paper": {}, "tiny": {"colour": "green", "inner": {"steps": 1}}}

    preset: Annotated[Literal["paper", "tiny"], Option("where it came from")] = "paper"
    colour: Annotated[Colour, Option("of the lines")] = "red"
    names: Annotated[tuple[str, ...], Option("some names", names=("a", "b", "c"))] = ()
    size: Annotated[tuple[int, int, int], Option("of the cube", 1, 64, axes="(z, y, x)", unit="voxels")] = (8, 8, 8)
    widths: Annotated[tuple[int, ...], Option("of the stages", 1, 99)] = (4, 8)
    spacing_mm: Annotated[tuple[float, float] | None, Option("of voxels", above=0, high=9, axes="(x, y)")] = None
    resamples: Annotated[int, Option("for intervals", 20, 1000, or_zero=True)] = 100
    title: Annotated[str, Option("of the figure", empty=True)] = ""
    bold: Annotated[bool, Option("whether lines are bold")] = False
    inner: Annotated[Inner, Option("a group")] = field(default_factory=Inner)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"colour": "gren"}, "colour: expected one of red, green, got 'gren'. Did you mean 'green'?"),
        ({"names": "a"}, "names: expected a list of names, got 'a'"),
        ({"names": ["a", "a"]}, "names: a name comes twice in a, a"),
        ({"names": ["d"]}, "names: expected one of a, b, c, got 'd'"),
        ({"size": [8, 8]}, "size: expected three whole numbers (z, y, x) from 1 to 64, got [8, 8]"),
        ({"size": [8, 8, 0]}, "size: expected three whole numbers (z, y, x) from 1 to 64"),
        ({"size": [8, 8, 1.5]}, "size: expected three whole numbers"),
        ({"size": "888"}, "size: expected three whole numbers"),
        ({"widths": [0]}, "widths: expected whole numbers from 1 to 99"),
        ({"spacing_mm": [0, 1]}, "spacing_mm: expected two numbers (x, y) above 0 and at most 9"),
        ({"spacing_mm": [float("nan"), 1]}, "spacing_mm: expected two numbers"),
        ({"resamples": 19}, "resamples: expected 0 or a whole number from 20 to 1000, got 19"),
        ({"title": 3}, "title: expected a name or nothing, got 3"),
        ({"bold": 1}, "bold: expected true or false, got 1"),
        ({"inner": {"steps": True}}, "inner.steps: expected a whole number from 1 to 10, got True"),
        ({"inner": {"rate": 0}}, "inner.rate: expected a number above 0 and at most 1, got 0"),
        ({"inner": {"step": 2}}, "inner: the setting 'step' is unknown. Did you mean 'steps'?"),
        ({"inner": 2}, "inner: expected an object with settings, got 2"),
        ({"colours": 2}, "configuration: the setting 'colours' is unknown. Did you mean 'colour'?"),
        ({"preset": "huge"}, "preset: expected one of paper, tiny, got 'huge'"),
    ],
)
def test_what_cannot_be_is_refused_by_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        Outer.from_dict(changes)
    assert message in str(caught.value)


def test_a_preset_says_what_differs_and_a_file_what_it_names(tmp_path: Path) -> None:
    tiny = Outer.of_preset("tiny")
    assert (tiny.preset, tiny.colour, tiny.inner) == ("tiny", "green", Inner(steps=1))
    (tmp_path / "own.json").write_text('{"preset": "tiny", "inner": {"rate": 1}}', encoding="utf-8")
    assert Outer.read(tmp_path / "own.json") == replace(tiny, inner=Inner(1, 1))
    (tmp_path / "bad.json").write_text('{"bold": "yes"}', encoding="utf-8")
    with pytest.raises(InputError, match=r"bad\.json: bold: expected true or false"):
        Outer.read(tmp_path / "bad.json")


def test_a_configuration_comes_back_from_its_file_with_tuples_for_lists(tmp_path: Path) -> None:
    config = Outer(names=("b", "a"), spacing_mm=(1, 2.5), inner=Inner(7))
    config.write(tmp_path / "c.json")
    assert Outer.read(tmp_path / "c.json") == config
    assert config.to_dict()["names"] == ["b", "a"]
    assert config.to_dict()["inner"] == {"steps": 7, "rate": 0.5}
    assert hash(config) == hash(Outer.read(tmp_path / "c.json"))


def test_zero_and_numpy_s_numbers_are_numbers() -> None:
    assert Outer(resamples=0).resamples == 0
    check_options(Inner, {"steps": np.int64(3), "rate": np.float32(0.5), "other": "left alone"})
    with pytest.raises(InputError, match=r"steps: expected a whole number"):
        check_options(Inner, {"steps": np.float64(3)})


def test_help_stands_in_the_docstring_and_in_the_declaration() -> None:
    assert "Args:" in str(Outer.__doc__)
    assert "    size: of the cube [voxels]." in str(Outer.__doc__)
    option = declared(Outer)["spacing_mm"]
    assert option.optional
    assert (option.option.help, option.default) == ("of voxels", None)


def test_a_command_s_words_leave_out_what_is_not_given() -> None:
    assert command_words(case_id="p1", flips=False, largest=True, mask=None, clinical="") == [
        "--case-id", "p1", "--largest",
    ]  # fmt: skip
    assert command_words(seed=0, tasks=("a", "b"), inputs=(), view={"t2": Path("a.nrrd"), "adc": "b"}) == [
        "--seed", "0", "--tasks", "a,b", "--view", "t2=a.nrrd", "--view", "adc=b",
    ]  # fmt: skip
