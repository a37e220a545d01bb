"""A resumed extraction: what is kept is used while files, settings and content are the same; the table is the same."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.cohort.manifest import Manifest
from deepradiomics.cohort.regions import cases as region_cases
from deepradiomics.cohort.regions.cases import CaseOutcome, extract_regions
from deepradiomics.cohort.regions.features import Extraction
from deepradiomics.cohort.regions.manifest import read_region_manifest
from deepradiomics.images import read_volume, write_volume
from deepradiomics.radiomics import Settings
from Testing.cli.radiomics.extract_cohort import run_manifest, write_cohort

ASKED = Extraction(Settings.from_params({"featureClass": {"firstorder": ["Mean", "Energy"]}}))


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    manifest = read_region_manifest(write_cohort(tmp_path))
    assert {outcome.status for outcome in _extracted(manifest, tmp_path)} == {"done"}
    return manifest


def _extracted(manifest: Manifest, folder: Path, asked: Extraction = ASKED) -> tuple[CaseOutcome, ...]:
    return extract_regions(manifest, asked, folder / "cases")


def _statuses(manifest: Manifest, folder: Path, asked: Extraction = ASKED) -> list[str]:
    return [outcome.status for outcome in _extracted(manifest, folder, asked)]


def test_a_case_whose_files_are_the_same_is_not_decoded(
    manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(region_cases, "_read", lambda job: pytest.fail("an image was decoded"))
    assert _statuses(manifest, tmp_path) == ["kept"] * 3


def test_the_resumed_table_is_the_computed_one_to_the_byte(tmp_path: Path) -> None:
    manifest = write_cohort(tmp_path)
    assert run_manifest(manifest, tmp_path / "f.csv").result["computed"] == 3
    table = (tmp_path / "f.csv").read_bytes()
    again = run_manifest(manifest, tmp_path / "f.csv")
    assert again.result["computed"] == 0
    assert (tmp_path / "f.csv").read_bytes() == table


def test_a_voxel_that_changed_is_noticed_though_size_and_time_stamps_are_the_same(
    manifest: Manifest, tmp_path: Path
) -> None:
    image = tmp_path / "k1.nrrd"
    before = image.stat()
    volume = read_volume(image)
    voxels = np.array(volume.voxels)
    voxels[tuple(size // 2 for size in voxels.shape)] += 1
    write_volume(replace(volume, voxels=voxels), image)
    os.utime(image, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert _statuses(manifest, tmp_path) == ["kept", "done", "kept"]


def test_other_settings_compute_anew(manifest: Manifest, tmp_path: Path) -> None:
    other = replace(ASKED, settings=Settings.from_params({"featureClass": {"firstorder": ["Mean"]}}))
    assert _statuses(manifest, tmp_path, other) == ["done"] * 3


def test_a_kept_case_of_another_id_is_not_taken(manifest: Manifest, tmp_path: Path) -> None:
    shutil.copyfile(tmp_path / "k0.nrrd", tmp_path / "k1.nrrd")
    shutil.copyfile(tmp_path / "k0_mask.nrrd", tmp_path / "k1_mask.nrrd")
    shutil.copyfile(tmp_path / "cases" / "k0.json", tmp_path / "cases" / "k1.json")
    outcomes = _extracted(manifest, tmp_path)
    assert [outcome.status for outcome in outcomes] == ["kept", "done", "kept"]
    assert outcomes[0].key == outcomes[1].key, "the same image twice"


def test_files_in_another_place_are_compared_by_their_voxels_once(
    manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in tmp_path.glob("k?*.nrrd"):
        (tmp_path / "moved").mkdir(exist_ok=True)
        shutil.move(file, tmp_path / "moved" / file.name)
    shutil.copyfile(tmp_path / "manifest.csv", tmp_path / "moved" / "manifest.csv")
    moved = read_region_manifest(tmp_path / "moved" / "manifest.csv")
    assert _statuses(moved, tmp_path) == ["kept"] * 3
    monkeypatch.setattr(region_cases, "_read", lambda job: pytest.fail("an image was decoded again"))
    assert _statuses(moved, tmp_path) == ["kept"] * 3


def test_a_later_version_of_the_software_reads_the_images_again(
    manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, decoded = region_cases._read, []
    monkeypatch.setattr(region_cases, "__version__", "999")
    monkeypatch.setattr(region_cases, "_read", lambda job: decoded.append(job.row.id) or read(job))
    assert _statuses(manifest, tmp_path) == ["kept"] * 3
    assert decoded == ["k0", "k1", "k2"]


def test_what_does_not_fit_into_memory_is_read_again_for_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = write_cohort(tmp_path)
    assert run_manifest(manifest, tmp_path / "f.csv").code == 0
    table = (tmp_path / "f.csv").read_bytes()
    size = (tmp_path / "f-cases" / "k0.json").stat().st_size
    monkeypatch.setattr(region_cases, "_MOST_BYTES", size + 1)
    outcomes = extract_regions(read_region_manifest(manifest), ASKED, tmp_path / "small")
    outcomes = extract_regions(read_region_manifest(manifest), ASKED, tmp_path / "small")
    assert [outcome.status for outcome in outcomes] == ["kept"] * 3
    assert run_manifest(manifest, tmp_path / "f.csv").result["computed"] == 0
    assert (tmp_path / "f.csv").read_bytes() == table
