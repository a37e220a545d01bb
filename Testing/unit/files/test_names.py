"""A name from outside becomes part of a path only where every system takes it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepradiomics.errors import InputError, ManifestError
from deepradiomics.files.names import LONGEST_BYTES, distinct_parts, file_stem, file_stems, path_part, same_file_key

SAFE = (
    "a",
    "knee 7",
    "a.b",
    "Müller",
    "患者1",
    "-rf",
    ".a",
    "CONsole",
    "nullify.txt",
    "COM10",
    "x" * LONGEST_BYTES,
    "{a}",
)
UNSAFE = {
    "": "empty", ".": "a folder", "..": "a folder", "../x": "'/'", "a/b": "'/'", "a\\b": r"'\\\\'", "C:x": "':'",
    "a\0b": r"'\\x00'", "a\nb": r"'\\n'", "a\x7f": r"'\\x7f'", "a\u202eb": r"'\\u202e'", "a\x85": r"'\\x85'",
    "CON": "device", "con": "device", "nul.txt": "device", "NUL .tar.gz": "device", "COM1": "device",
    "lpt9.x": "device", "COM²": "device", "conin$": "device", "trail.": "dot", "trail ": "blank", " lead": "blank",
    "a*": r"'\*'",
    "a?": r"'\?'", 'a"': "quotation mark", "a<": "'<'", "a>": "'>'", "a|b": r"'\|'", "x" * 251: "251 bytes",
    "ü" * 101: "202 bytes", "M\udcfcller": r"'\\udcfc'", "\u00a0x": r"'\\xa0'",
}  # fmt: skip


@pytest.mark.parametrize("name", SAFE)
def test_a_name_that_every_system_takes_is_returned_as_it_is(name: str) -> None:
    assert path_part(name, "Case id") is name
    assert file_stem(name) == name or len(name) > 120


@pytest.mark.parametrize(("name", "why"), UNSAFE.items())
def test_a_name_that_some_system_does_not_take_is_refused_with_the_reason(name: str, why: str) -> None:
    with pytest.raises(InputError, match=f"(?s)^Case id .* cannot be a file name: .*{why}.*; "):
        path_part(name, "Case id")


def test_the_message_of_a_long_name_is_short_and_its_kind_is_the_callers() -> None:
    with pytest.raises(ManifestError) as caught:
        path_part("x" * 3000, "Case id", error=ManifestError)
    assert len(str(caught.value)) < 200
    with pytest.raises(InputError, match=r"got 7 \(int\)"):
        path_part(7, "Case id")  # type: ignore[arg-type]


@pytest.mark.parametrize("names", [("a", "a"), ("T2", "t2"), ("é", "e\u0301"), ("É", "e\u0301"), ("x", "y", "X")])
def test_names_that_would_share_a_file_somewhere_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match=r"^Column id: .*give each a name of its own"):
        distinct_parts(names, "Column id")
    distinct_parts(("a", "b", "a.b"), "Column id")


def test_a_free_text_becomes_a_readable_safe_name() -> None:
    assert file_stem("original_glcm_Contrast") == "original_glcm_Contrast"
    assert file_stem("../../x").startswith("_.._x-")
    assert file_stem("NUL").startswith("_NUL-")
    assert file_stem("").startswith("unnamed-")
    assert file_stem("a-0123456789") != "a-0123456789"  # it looks like a marked one, so it is marked itself


@given(st.lists(st.text(st.characters(exclude_categories=[]), max_size=300), unique=True, max_size=6))
def test_any_texts_become_distinct_safe_names(texts: list[str]) -> None:
    stems = file_stems(texts)
    assert len({same_file_key(stem) for stem in stems.values()}) == len(texts)
    for stem in stems.values():
        assert path_part(stem, "stem") == unicodedata.normalize("NFC", stem)
        assert file_stem(stem)


def test_stems_that_differ_by_capitals_only_are_told_apart() -> None:
    stems = file_stems(["Liver", "liver", "LIVER"])
    assert stems["Liver"] == "Liver"
    assert len({stem.casefold() for stem in stems.values()}) == 3
