"""Titles and numbers of things read as sentences."""

from __future__ import annotations

import pytest

from deepradiomics.words import count, made_up_sentence, short_repr, title_of, without_folders


@pytest.mark.parametrize(
    ("name", "title", "shown"),
    [
        ("acl", "", "Acl"),
        ("early_MRI_change", "", "Early MRI change"),
        ("acl", " Tear of the ACL ", "Tear of the ACL"),
        ("_late__stroke_", "", "Late stroke"),
        ("", "", ""),
    ],
)
def test_a_title_is_the_one_given_else_the_name_as_words(name: str, title: str, shown: str) -> None:
    assert title_of(name, title) == shown


def test_one_thing_is_singular() -> None:
    assert [count(n, "case") for n in (0, 1, 2)] == ["0 cases", "1 case", "2 cases"]
    assert count(2, "patch", "patches") == "2 patches"


def test_of_a_real_head_it_is_not_said_that_it_shows_nobody() -> None:
    assert "nobody" in made_up_sentence(False)
    assert "nobody" not in made_up_sentence(True)
    assert "The head is a real one" in made_up_sentence(True)


def test_a_value_in_a_message_is_short_whatever_it_is() -> None:
    bomb: list[object] = [1]
    for _ in range(60):
        bomb = [bomb] * 9
    itself: list[object] = []
    itself.append(itself)
    assert short_repr(bomb).startswith("[[[[…], […]")
    assert len(short_repr(bomb)) == 80
    assert short_repr(itself) == "[[[[…]]]]"
    assert short_repr(1 << 20_000) == "a whole number of 20001 bits"
    assert short_repr("x" * 10**6) == "'" + "x" * 78 + "…"


def test_a_short_value_is_written_as_python_writes_it() -> None:
    for value in (None, True, 1, 2.5, "a'b", b"x", [], {}, (1,), (1, "a"), {"a": [1, 2]}, set()):
        assert short_repr(value) == repr(value)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("/home/anna/study 3/ct.nrrd: no mask", "ct.nrrd: no mask"),
        ("Case a: '/data/x/y.nii.gz' is missing", "Case a: 'y.nii.gz' is missing"),
        ("C:\\Users\\anna\\ct.nrrd (2 mm)", "ct.nrrd (2 mm)"),
        ("in ~/study/a.csv", "in a.csv"),
        ("/tmp", "tmp"),
        ("3 mm/s, 1/2, and/or, https://a.org/b/c, a / b, key: value", None),
        ("original_glcm_Contrast", None),
    ],
)
def test_a_text_loses_the_folders_of_its_paths(text: str, kept: str | None) -> None:
    assert without_folders({"a": [text, 1]}) == {"a": [text if kept is None else kept, 1]}
