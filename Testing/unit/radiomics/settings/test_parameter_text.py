"""The text of a parameter file: what would hang, overflow or mislead is refused at once, by the file's name."""

import time
from pathlib import Path

import pytest

from deepradiomics.errors import InputError
from deepradiomics.radiomics import Settings
from deepradiomics.radiomics.settings.parameter_text import read_text

BOMB = "a: &a0 [1]\n" + "".join(f"b{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))


def refused(text: str, folder: Path, name: str = "mine.yaml") -> str:
    """The message for a file, within a second."""
    (folder / name).write_text(text, encoding="utf-8")
    begun = time.perf_counter()
    with pytest.raises(InputError) as raised:
        Settings.from_params(folder / name)
    message = str(raised.value)
    assert time.perf_counter() - begun < 5.0
    assert len(message) < 1500
    return message


@pytest.mark.parametrize(
    "text",
    [
        f"{BOMB}setting:\n  binWidth: *a11\n",
        f"{BOMB}setting:\n  resampledPixelSpacing: *a9\n",
        f"{BOMB}setting:\n  interpolator: *a8\n",
        f"{BOMB}? *a7\n: 1\n",
    ],
)
def test_aliases_that_unfold_without_end_are_refused(text: str, tmp_path: Path) -> None:
    assert "mine.yaml: its aliases" in refused(text, tmp_path)


@pytest.mark.parametrize("text", ["setting: &s\n  binWidth: *s\n", "&a [*a]\n", "a: &a\n  b:\n    c: [1, *a]\n"])
def test_an_alias_of_what_it_stands_in_is_refused(text: str, tmp_path: Path) -> None:
    assert "stands for a value that holds the alias itself" in refused(text, tmp_path)


def test_a_few_aliases_and_merges_are_unfolded() -> None:
    text = "a: &a {binWidth: 5}\nsetting:\n  <<: *a\n  label: 2\nwidths: &w [1, 2]\nagain: *w\n"
    assert read_text(text, "x")["setting"] == {"binWidth": 5, "label": 2}
    assert read_text(text, "x")["again"] == [1, 2]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("setting:\n  binWidth: " + "[" * 40 + "1" + "]" * 40, "nested more than 30 levels"),
        ("setting:\n  binWidth: " + "[" * 5000 + "1" + "]" * 5000, "nested too deeply"),
        ('{"setting": {"binWidth": ' + "[" * 5000 + "1" + "]" * 5000 + "}}", "nested too deeply"),
        ("setting:\n  binWidth: 0x" + "F" * 20_000, "a whole number of 80000 bits"),
        ("setting:\n  binCount: " + "9" * 1000, "expected a whole number"),
        ("setting:\n  binWidth: " + "9" * 1000, "expected a number"),
        ('{"setting": {"binWidth": ' + "9" * 5000 + "}}", "mine.yaml"),
        ("setting: !!int ''", "mine.yaml: this YAML file is damaged"),
        ("setting: !!timestamp x", "mine.yaml: this YAML file is damaged"),
        ("setting: !!python/object/apply:os.system [id]", "could not determine a constructor"),
        ("x" * 2_000_001, "no parameter file is as long"),
        ("setting:\n  ? [1, 2]\n  : 3\n", "mine.yaml"),
        ("setting:\n  binWidth: " + repr(list(range(5000))), "…"),
        ("setting:\n  '" + "k" * 900 + "': 1", "…"),
    ],
)
def test_a_hostile_text_is_refused_in_words(text: str, says: str, tmp_path: Path) -> None:
    assert says in refused(text, tmp_path)


def test_a_key_given_twice_is_told_with_its_line(tmp_path: Path) -> None:
    assert "'binWidth' stands here a second time" in refused("setting:\n  binWidth: 5\n  binWidth: 6\n", tmp_path)
    assert "'binWidth' stands a second time" in refused('{"setting": {"binWidth": 5, "binWidth": 6}}', tmp_path)
