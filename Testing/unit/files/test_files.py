"""Outputs are whole or absent."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.files.atomic import atomic_file, atomic_folder, content_hash, read_json, write_json


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    write_json(target, {"n": np.int64(1), "x": np.array([1.5])})
    with pytest.raises(RuntimeError, match="stop"), atomic_file(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError("stop")
    assert read_json(target) == {"n": 1, "x": [1.5]}
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_a_failed_folder_leaves_the_old_folder(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with atomic_folder(target) as folder:
        (folder / "one").write_text("1")
    with pytest.raises(RuntimeError, match="stop"), atomic_folder(target) as folder:
        (folder / "two").write_text("2")
        raise RuntimeError("stop")
    assert [p.name for p in target.iterdir()] == ["one"]
    with atomic_folder(target) as folder:
        (folder / "three").write_text("3")
    assert [p.name for p in target.iterdir()] == ["three"]
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_full_disk_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no space is left on the disk"), atomic_file(tmp_path / "a.txt"):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_file_where_a_folder_should_be_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="could not be written"), atomic_file(tmp_path / "file" / "a.txt"):
        pass


def test_the_hash_sees_values_shapes_types_and_order() -> None:
    a = np.arange(6.0)
    hashes = {
        content_hash(a), content_hash(a.reshape(2, 3)), content_hash(a.astype(np.float32)), content_hash(a[::-1]),
        content_hash("a", "b"), content_hash("ab"), content_hash({"k": 1}), content_hash(b"a"),
    }  # fmt: skip
    assert len(hashes) == 8
    assert content_hash({"x": 1, "y": 2}) == content_hash({"y": 2, "x": 1})


def test_json_that_is_not_json_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(InputError, match=r"a\.json: this is not a readable JSON"):
        read_json(tmp_path / "a.json")
    with pytest.raises(InputError, match="does not exist"):
        read_json(tmp_path / "b.json")


def test_a_folder_that_another_writer_puts_in_place_at_the_last_moment_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, moved = tmp_path / "entry", os.replace
    others = iter(["first", "second"])

    def replace(source: Path, target: Path) -> None:
        name = next(others, None) if Path(target) == place else None
        if name is not None:  # between the move aside and this one
            place.mkdir()
            (place / "who.txt").write_text(name, encoding="utf-8")
        moved(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with atomic_folder(place) as part:
        (part / "who.txt").write_text("last", encoding="utf-8")
    assert (place / "who.txt").read_text(encoding="utf-8") == "last"
    assert [path.name for path in tmp_path.iterdir()] == ["entry"]
