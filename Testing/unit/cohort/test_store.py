"""The feature store: what goes in comes out, and what is damaged or half-written is not believed."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

from deepradiomics.cohort.store import ExamFeatures, FeatureStore
from deepradiomics.errors import InputError

pytest.importorskip("pyarrow")
KEY = "ab" + "0" * 62


def entry(seed: int = 0) -> ExamFeatures:
    rng = np.random.default_rng(seed)
    return ExamFeatures(
        rng.normal(size=(2, 4, 5, 6)).astype(np.float32),
        rng.normal(size=(8, 2, 3)),
        ("original_firstorder_Mean", "original_glcm_Contrast", "original_shape_Sphericity"),
        ("coronal", "axial"),
        ("a note with ü",),
        {"levels": [3, 4]},
    )


def test_an_entry_comes_back_bit_for_bit(tmp_path):
    store = FeatureStore(tmp_path / "new" / "cache")
    assert store.get(KEY) is None and not store.has(KEY)
    stored = entry()
    store.put(KEY, stored)
    back = FeatureStore(tmp_path / "new" / "cache").get(KEY)
    assert back is not None
    np.testing.assert_array_equal(back.values, stored.values)
    np.testing.assert_array_equal(back.image, stored.image)
    assert (back.feature_names, back.views) == (stored.feature_names, stored.views)
    assert (back.notes, dict(back.diagnostics)) == (stored.notes, {"levels": [3, 4]})


def test_the_parquet_file_is_a_plain_table_of_patches_and_views(tmp_path):
    import pyarrow.parquet as pq

    store = FeatureStore(tmp_path)
    store.put(KEY, entry())
    table = pq.read_table(store.path(KEY))
    assert table.column_names[:3] == ["patch", "view", "original_firstorder_Mean"]
    assert table["patch"].to_pylist()[:4] == [1, 1, 2, 2]
    assert table["view"].to_pylist()[:4] == ["coronal", "axial", "coronal", "axial"]
    assert table["original_glcm_Contrast"][3].as_py() == entry().values[1, 1, 1]


@pytest.mark.parametrize("suffix", [".parquet", ".npy"])
@pytest.mark.parametrize("damage", ["cut", "flip", "empty"])
def test_a_damaged_file_gives_a_warning_and_nothing_else(tmp_path, suffix, damage):
    store = FeatureStore(tmp_path)
    store.put(KEY, entry())
    path = store.path(KEY).with_suffix(suffix)
    content = bytearray(path.read_bytes())
    if damage == "flip":
        content[200] ^= 0xFF
    path.write_bytes(bytes(content[: {"cut": len(content) // 2, "flip": len(content), "empty": 0}[damage]]))
    with pytest.warns(UserWarning, match="is damaged and will be computed again"):
        assert store.get(KEY) is None
    store.put(KEY, entry())
    assert store.get(KEY) is not None


def test_features_without_their_image_are_damaged(tmp_path):
    store = FeatureStore(tmp_path)
    store.put(KEY, entry())
    store.path(KEY).with_suffix(".npy").unlink()
    with pytest.warns(UserWarning, match="damaged"):
        assert store.get(KEY) is None


def test_a_pickled_array_in_place_of_the_image_is_not_loaded(tmp_path):
    store = FeatureStore(tmp_path)
    store.put(KEY, entry())
    np.save(store.path(KEY).with_suffix(".npy"), np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.warns(UserWarning, match="damaged"):
        assert store.get(KEY) is None


def test_a_writer_killed_in_the_middle_leaves_no_entry(tmp_path):
    script = f"""
        import os, signal
        import numpy as np
        from deepradiomics.cohort import store as module
        from deepradiomics.cohort.store import ExamFeatures, FeatureStore
        write = module._write
        def write_and_die(entry, path):
            write(entry, path)
            os._exit(9)  # as kill -9: no clean-up runs
        module._write = write_and_die
        exam = ExamFeatures(np.zeros((1, 2, 2, 2), np.float32), np.zeros((1, 1, 1)), ("f",), ("v",))
        FeatureStore({str(tmp_path)!r}).put({KEY!r}, exam)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False)
    assert done.returncode == 9
    store = FeatureStore(tmp_path)
    assert store.get(KEY) is None
    assert store.clean() == 1 and store.clean() == 0
    store.put(KEY, entry())
    assert store.get(KEY) is not None


def test_several_writers_of_one_entry_do_not_disturb_each_other(tmp_path):
    store, stored = FeatureStore(tmp_path), entry()
    threads = [threading.Thread(target=lambda: [store.put(KEY, stored) for _ in range(5)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    back = store.get(KEY)
    assert back is not None and np.array_equal(back.values, stored.values)
    assert store.clean() == 0


def test_an_unusable_folder_is_refused_before_any_work(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be made"):
        FeatureStore(tmp_path / "file" / "cache")


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match=r"features must be \(patches, 1, 2\)"):
        ExamFeatures(np.zeros((1, 2, 2, 2), np.float32), np.zeros((3, 2, 2)), ("a", "b"), ("v",))
    with pytest.raises(InputError, match="image must hold 1 views"):
        ExamFeatures(np.zeros((2, 2, 2, 2), np.float32), np.zeros((3, 1, 2)), ("a", "b"), ("v",))
