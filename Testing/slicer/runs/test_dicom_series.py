"""Batches over series of the DICOM database: a stand-in for the database over real files, the real child process."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.uid import generate_uid

from deepradiomics.errors import InputError
from Testing.slicer.runs.dicom_database import FakeDatabase, write_ct, write_rtstruct

MODULE = Path(__file__).resolve().parents[3] / "RadiomicFeatures"
CORE, RIM = (slice(2, 5), slice(4, 10), slice(4, 12)), (slice(5, 7), slice(12, 18), slice(12, 18))


@pytest.fixture
def lib(headless: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module's library, imported as Slicer imports it."""
    monkeypatch.syspath_prepend(str(MODULE))
    from RadiomicFeaturesLib import logic
    from RadiomicFeaturesLib.batch import dicom_series

    yield dicom_series, logic
    for name in [name for name in sys.modules if name.startswith("RadiomicFeaturesLib")]:
        del sys.modules[name]


@pytest.fixture
def database(tmp_path: Path) -> tuple[FakeDatabase, dict[str, np.ndarray]]:
    """Two patients: one CT with an RTSTRUCT each, a CT that nobody has drawn on; the pairs' voxels."""
    folder, voxels = tmp_path / "database", {}
    for number, patient in enumerate(("Ada", "Ben")):
        array, source = write_ct(folder, patient, generate_uid(), 2 + number)
        write_rtstruct(folder, source, {"core": CORE, "rim": RIM})
        voxels[f"Nobody {patient}"] = array
    write_ct(folder, "Ben", generate_uid(), 7)
    return FakeDatabase(folder), voxels


def _patient(pair: Any) -> str:
    """The patient's name in the panel's list."""
    return str(pair.title.split(": ", 1)[1].split(",")[0])


def test_each_structure_set_is_paired_with_the_series_it_refers_to(lib: Any, database: Any) -> None:
    pairs = lib[0].series_pairs(database[0])
    assert len(pairs) == 2
    assert all(len(pair.image) == 8 and len(pair.mask) == 1 for pair in pairs)
    assert {_patient(pair) for pair in pairs} == {"Nobody Ada", "Nobody Ben"}
    assert all(pair.code.startswith("CT ") and "Ada" not in pair.code and "Ben" not in pair.code for pair in pairs)
    again = lib[0].series_pairs(database[0])
    assert [pair.code for pair in again] == [pair.code for pair in pairs]


def test_a_series_in_several_folders_is_refused_with_what_to_do(lib: Any, database: Any) -> None:
    pair = lib[0].series_pairs(database[0])[0]
    scattered = lib[0].SeriesPair(pair.code, pair.title, pair.key, (*pair.image, "elsewhere/1.dcm"), pair.mask)
    with pytest.raises(InputError, match=r"CT .*lie in 2 folders. Import it"):
        lib[0].pair_row(scattered)


def test_a_batch_of_series_measures_what_was_drawn_and_tells_nobody_who_it_is(
    lib: Any, scene: Any, database: Any, tmp_path: Path
) -> None:
    pairs = lib[0].series_pairs(database[0])
    params = {"featureClass": {"firstorder": ["Mean"], "shape": ["VoxelVolume"]}}
    output = tmp_path / "out"
    logic = lib[1].RadiomicFeaturesLogic()
    logic.batch(pairs, output, params=params, scanner=True)
    with open(output / "features.csv", encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["id"], row["name"]) for row in rows] == [
        (pair.code, name) for pair in pairs for name in ("core", "rim")
    ]
    drawn = [
        database[1][_patient(pair)] for pair in pairs for _ in range(2)
    ]  # the database's order is that of the UIDs
    for row, region, voxels in zip(rows, (CORE, RIM) * 2, drawn, strict=True):
        assert float(row["original_firstorder_Mean"]) == pytest.approx(voxels[region].mean(), abs=1e-9)
        assert float(row["original_shape_VoxelVolume"]) == pytest.approx(voxels[region].size * 0.8 * 0.8 * 2.5)
        assert row["manufacturer"] == "Nobody's scanners"
        assert float(row["kvp_kv"]) == 120
    written = b"".join(file.read_bytes() for file in output.rglob("*") if file.is_file())
    assert b"Ada" not in written
    assert b"ID-" not in written
    assert str(pairs[0].key).split()[0].encode() not in written
