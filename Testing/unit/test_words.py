"""Titles and numbers of things read as sentences."""

from __future__ import annotations

import pytest

from deepradiomics.words import count, made_up_sentence, title_of


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
    assert "nobody" not in made_up_sentence(True) and "The head is a real one" in made_up_sentence(True)
