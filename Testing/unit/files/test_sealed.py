"""Kept results that were changed, by a hand or by a disk, are not believed."""

import json
from pathlib import Path

import pytest

from deepradiomics.files.sealed import collected_notes, read_sealed, write_sealed

CONTENT = {"values": [1.0, 0.60, None], "notes": ["é"], "levels": {"original": 32}}


def test_what_was_kept_comes_back(tmp_path: Path) -> None:
    write_sealed(tmp_path / "a.json", CONTENT)
    assert read_sealed(tmp_path / "a.json", ("values", "notes")) == CONTENT
    assert read_sealed(tmp_path / "b.json") is None  # not there: no warning


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: text.replace("0.6", "0.9"), "does not fit its checksum"),
        (lambda text: text.replace("original", "0riginal"), "does not fit its checksum"),
        (lambda text: text[:40], "damaged|readable"),
        (lambda text: "[" * 100_000, "nested too deeply"),
        (lambda text: "[]", "no JSON object"),
        (lambda text: json.dumps(CONTENT), "'sha256' is missing"),
        (lambda text: text.replace('"values"', '"valuez"'), "'values' is missing"),
    ],
)
def test_a_kept_result_that_was_changed_is_made_anew_with_a_word(change: object, says: str, tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    write_sealed(file, CONTENT)
    file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")  # type: ignore[operator]
    with pytest.warns(UserWarning, match=rf"a\.json: .*({says}).* It is made anew"):
        assert read_sealed(file, ("values",)) is None


def test_within_collected_notes_nothing_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[]", encoding="utf-8")
    with collected_notes() as notes:
        assert read_sealed(tmp_path / "a.json") is None
    assert len(notes) == 1
    assert "no JSON object" in notes[0]


def test_a_sealed_file_is_json_with_its_checksum_last(tmp_path: Path) -> None:
    write_sealed(tmp_path / "a.json", CONTENT)
    content = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert list(content) == [*CONTENT, "sha256"]
    assert {name: content[name] for name in CONTENT} == CONTENT
