"""One scan under two ids: refused between splits, told within one."""

from dataclasses import replace
from pathlib import Path

import pytest

from deepradiomics.cohort import Manifest, ManifestRow
from deepradiomics.errors import InputError
from deepradiomics.lens.fit.same_scans import check_files, check_marks


def cohort(folder: Path, splits: str, contents: str) -> Manifest:
    """A case a letter of ``splits`` (t, e); equal letters of ``contents`` are equal files."""
    rows = []
    for n, (split, content) in enumerate(zip(splits, contents, strict=True)):
        file = folder / f"{n}.nrrd"
        file.write_bytes(content.encode() * 40)
        rows.append(ManifestRow(f"c{n}", {"t2": file}, split="train" if split == "t" else "test"))
    return Manifest(tuple(rows), ("t2",), ())


def test_a_scan_in_two_splits_is_refused_with_both_names(tmp_path):
    with pytest.raises(
        InputError, match=r"Cases c1 \(train\) and c3 \(test\) have the same image of t2.*column patient"
    ):
        check_files(cohort(tmp_path, "ttte", "abcb"), ("t2",))


def test_a_scan_twice_in_one_split_is_told(tmp_path):
    [said] = check_files(cohort(tmp_path, "ttte", "aabc"), ("t2",))
    assert "c0 and c1 (t2)" in said


def test_files_of_one_size_but_other_content_are_no_copies(tmp_path):
    assert check_files(cohort(tmp_path, "ttte", "abcd"), ("t2",)) == []


def test_files_of_other_sizes_are_not_read(tmp_path, monkeypatch):
    manifest = cohort(tmp_path, "te", "ab")
    (tmp_path / "1.nrrd").write_bytes(b"longer" * 90)
    monkeypatch.setattr("deepradiomics.lens.fit.same_scans.sha256_image", lambda path: pytest.fail(f"{path} was read"))
    assert check_files(manifest, ("t2",)) == []


def test_images_stored_differently_are_found_by_their_marks(tmp_path):
    manifest = cohort(tmp_path, "te", "ab")
    with pytest.raises(InputError, match="Cases c0"):
        check_marks(manifest, {"c0": {"t2": "x"}, "c1": {"t2": "x"}})
    one = replace(manifest, rows=tuple(replace(row, split="train") for row in manifest.rows))
    assert len(check_marks(one, {"c0": {"t2": "x"}, "c1": {"t2": "x"}})) == 1
    assert check_marks(manifest, {"c0": {"t2": "x"}, "c1": {"adc": "x"}}) == []
