"""Marks: the same scan and the same patient are told again, and nothing else is."""

import dataclasses

import numpy as np
import pytest

from deepradiomics.cohort.seen.marks import has_seen, image_mark, patient_mark, seen_record
from deepradiomics.images import Geometry, Volume

GRID = Geometry((4, 3, 2), (0.5, 0.5, 5.0), (1.0, 2.0, 3.0))


@pytest.fixture
def scan() -> Volume:
    return Volume(np.arange(24, dtype=np.int16).reshape(2, 3, 4) - 12, GRID, "scan", "scan.nii.gz")


def test_a_scan_is_told_again_under_another_name_and_number_type(scan: Volume) -> None:
    copied = Volume(scan.voxels.astype(np.float32), GRID, "another", "another.nrrd", ("a note",))
    assert image_mark(copied) == image_mark(scan)
    assert len(image_mark(scan)) == 32


def test_rounding_of_the_geometry_in_a_header_does_not_matter(scan: Volume) -> None:
    header = dataclasses.replace(GRID, origin_mm=(1.0, 2.00001, 3.0))
    assert image_mark(Volume(scan.voxels, header)) == image_mark(scan)


def test_another_grey_level_or_place_is_another_scan(scan: Volume) -> None:
    changed = scan.voxels.copy()
    changed[0, 0, 0] += 1
    moved = dataclasses.replace(GRID, origin_mm=(1.0, 2.0, 4.0))
    thicker = dataclasses.replace(GRID, spacing_mm=(0.5, 0.5, 4.0))
    turned = dataclasses.replace(GRID, direction=(-1, 0, 0, 0, -1, 0, 0, 0, 1))
    others = [Volume(changed, GRID), *(Volume(scan.voxels, grid) for grid in (moved, thicker, turned))]
    assert len({image_mark(scan), *(image_mark(other) for other in others)}) == 5


def test_a_patient_is_told_again_whatever_the_capitals_and_no_name_can_be_read() -> None:
    assert patient_mark("Study-07 ") == patient_mark("study-07") != patient_mark("study-08")
    assert "study" not in patient_mark("study-07")


def test_a_bundle_says_whom_it_has_seen(scan: Volume) -> None:
    info = {"seen": seen_record([image_mark(scan)] * 2, ["b", "a"])}
    assert len(info["seen"]["images"]) == 1
    assert len(info["seen"]["patients"]) == 2
    assert has_seen(info, image=image_mark(scan)) is True
    assert has_seen(info, patient="A") is True
    assert has_seen(info, image="0" * 32, patient="c") is False
    assert has_seen({}, patient="a") is None
