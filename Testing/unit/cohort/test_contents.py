"""Hashes of a case's files: names do not matter, and every byte that a reader would take does."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from deepradiomics.cohort.contents import image_hash
from deepradiomics.images import Geometry, Volume, write_volume
from Testing.unit.dicom_out.series import write_series

VOXELS = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)


def test_a_file_by_another_name_has_the_same_hash(tmp_path: Path) -> None:
    write_volume(Volume(VOXELS, Geometry((6, 5, 4))), tmp_path / "a.nrrd")
    before = image_hash(tmp_path / "a.nrrd")
    assert image_hash(shutil.copy(tmp_path / "a.nrrd", tmp_path / "b.nrrd")) == before
    content = bytearray((tmp_path / "b.nrrd").read_bytes())
    content[-1] ^= 1
    (tmp_path / "b.nrrd").write_bytes(content)
    assert image_hash(tmp_path / "b.nrrd") != before


def test_one_slice_names_its_whole_series(tmp_path: Path) -> None:
    files = write_series(tmp_path / "series", VOXELS)
    before = image_hash(files[0])
    assert image_hash(files[2]) == before
    last = bytearray(files[-1].read_bytes())
    last[-1] ^= 1
    files[-1].write_bytes(last)
    assert image_hash(files[0]) != before, "another slice than the one that is named was changed"
