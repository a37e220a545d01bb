"""The store under all caches: what goes in comes out; what is damaged, half-written or of another key is made anew."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.files.store import ContentStore, Kind, StoreError

KIND = Kind("heads", version=1, about=("notes",), files=("image.npy",))
IMAGE = np.arange(60, dtype=np.float32).reshape(3, 4, 5)
KEY = KIND.key(recipe={"spacing_mm": 1.0}, files=["a"])


@pytest.fixture
def store(tmp_path: Path) -> ContentStore:
    store = ContentStore(tmp_path / "cache", KIND)
    store.put(KEY, {"notes": ["é"], "ml": 1.5}, {"image": IMAGE})
    return store


def test_an_entry_comes_back_bit_for_bit(store: ContentStore) -> None:
    entry = ContentStore(store.folder, KIND).get(KEY)
    assert entry is not None
    assert entry.about == {"notes": ["é"], "ml": 1.5}
    np.testing.assert_array_equal(entry.array("image"), IMAGE)
    assert entry.array("image").dtype == np.float32
    assert store.get(KIND.key(recipe={}, files=[])) is None  # not there: no note


def test_put_says_what_get_will_say(store: ContentStore) -> None:
    other = KIND.key(files=["b"])
    written = store.put(other, {"notes": ("a", "b"), "x": np.float64(0.1)}, {"image": IMAGE})
    assert written == store.get(other)


@pytest.mark.parametrize(
    "other",
    [
        Kind("heads", version=2).key(recipe={"spacing_mm": 1.0}, files=["a"]),
        Kind("crops", version=1).key(recipe={"spacing_mm": 1.0}, files=["a"]),
        KIND.key(recipe={"spacing_mm": 1.5}, files=["a"]),
        KIND.key(recipe={"spacing_mm": 1.0}, files=["b"]),
    ],
    ids=["version", "kind", "settings", "content"],
)
def test_version_kind_settings_and_content_decide_the_key(other: str) -> None:
    assert other != KEY
    assert KIND.key(files=["a"], recipe={"spacing_mm": 1.0}) == KEY  # in whatever order they are named


@pytest.mark.parametrize("name", ["image.npy", "about.json"])
def test_every_flipped_bit_is_noticed_and_the_entry_made_anew(store: ContentStore, name: str) -> None:
    file = store.path(KEY) / name
    sound = file.read_bytes()
    for place in range(0, len(sound), 7):
        changed = bytearray(sound)
        changed[place] ^= 1 << (place % 8)
        file.write_bytes(changed)
        with pytest.warns(UserWarning, match=rf"{name}.*It is made anew"):
            assert store.get(KEY) is None
    store.put(KEY, {"notes": []}, {"image": IMAGE})
    assert store.get(KEY) is not None


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY", b"nonsense"])
def test_a_file_cut_short_is_noticed(store: ContentStore, damage: bytes) -> None:
    (store.path(KEY) / "image.npy").write_bytes(damage)
    with pytest.warns(UserWarning, match=r"image\.npy.*checksum.*It is made anew"):
        assert store.get(KEY) is None


@pytest.mark.parametrize(("name", "says"), [("image.npy", "does not exist"), ("about.json", "does not exist")])
def test_a_missing_file_is_noticed(store: ContentStore, name: str, says: str) -> None:
    (store.path(KEY) / name).unlink()
    with pytest.warns(UserWarning, match=rf"{name}.*{says}.*It is made anew"):
        assert store.get(KEY) is None


def test_an_entry_that_was_moved_to_another_key_is_not_believed(store: ContentStore) -> None:
    other = KIND.key(files=["b"])
    store.path(other).parent.mkdir(parents=True, exist_ok=True)
    store.path(KEY).rename(store.path(other))
    with pytest.warns(UserWarning, match="belongs to another key"):
        assert store.get(other) is None


def test_an_entry_without_what_its_kind_asks_for_is_not_believed(store: ContentStore) -> None:
    for kind, missing in (
        (Kind("heads", 1, about=("mark",)), "mark"),
        (Kind("heads", 1, files=("mask.npy",)), "mask.npy"),
    ):
        with pytest.warns(UserWarning, match=rf"'{missing}' is missing"):
            assert ContentStore(store.folder, kind).get(KEY) is None


def test_a_pickled_array_is_never_loaded(store: ContentStore) -> None:
    other = KIND.key(files=["b"])
    store.put(other, {"notes": []}, write=lambda part: np.save(part / "image.npy", np.array([{}], dtype=object)))
    entry = store.get(other)
    assert entry is not None
    with pytest.raises(ValueError, match="pickle"):
        entry.array("image")


def test_a_writer_killed_in_the_middle_leaves_no_entry(tmp_path: Path) -> None:
    script = f"""
        import os, numpy as np
        from deepradiomics.files.store import ContentStore, Kind
        def write_and_die(part):
            np.save(part / "image.npy", np.zeros(3))
            os._exit(9)  # as kill -9: no clean-up runs
        ContentStore({str(tmp_path)!r}, Kind("heads", 1)).put({KEY!r}, {{"notes": []}}, write=write_and_die)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False)
    assert done.returncode == 9
    store = ContentStore(tmp_path, KIND)
    assert store.get(KEY) is None
    store.put(KEY, {"notes": []}, {"image": IMAGE})
    assert store.get(KEY) is not None
    assert [path.name for path in store.path(KEY).parent.iterdir()] == [KEY], "the half-written entry is gone"


def test_two_processes_that_write_the_same_entries_both_end_right(tmp_path: Path) -> None:
    script = f"""
        import numpy as np
        from deepradiomics.files.store import ContentStore, Kind
        kind = Kind("heads", 1, ("notes",), ("image.npy",))
        store = ContentStore({str(tmp_path)!r}, kind)
        for number in range(40):
            key = kind.key(number=number)
            entry = store.put(key, {{"notes": []}}, {{"image": np.full((20, 20), number)}})
            assert entry.array("image")[0, 0] == number
        print("done")
    """
    words = [sys.executable, "-W", "error", "-c", textwrap.dedent(script)]
    pair = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for process in pair:
        out, err = process.communicate(timeout=120)
        assert out == "done\n", err
    store = ContentStore(tmp_path, KIND)
    for number in range(40):
        entry = store.get(KIND.key(number=number))
        assert entry is not None
        assert entry.array("image").min() == entry.array("image").max() == number


def test_threads_that_write_one_entry_do_not_disturb_each_other(store: ContentStore) -> None:
    problems: list[BaseException] = []

    def write() -> None:
        try:
            for _ in range(10):
                store.put(KEY, {"notes": []}, {"image": IMAGE})
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    entry = store.get(KEY)
    assert entry is not None
    np.testing.assert_array_equal(entry.array("image"), IMAGE)


def test_a_cache_that_cannot_be_written_to_is_no_fault_of_a_case(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    store = ContentStore(tmp_path / "file" / "cache", KIND)
    with pytest.raises(StoreError, match="cannot be made"):
        store.require_writable()
    with pytest.raises(StoreError, match="could not be written"):
        store.put(KEY, {"notes": []})
    assert issubclass(StoreError, InputError)
