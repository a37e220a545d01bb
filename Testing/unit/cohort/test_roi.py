"""A case's region by its name: read from the column it names, drawn where none is, refused by case and column."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.cohort import ManifestRow, has_roi, roi_mask
from deepradiomics.errors import InputError, MaskError
from deepradiomics.images import Geometry, Mask, Volume, write_mask, write_volume
from deepradiomics.images.reading import Reading

GRID = Geometry((6, 5, 4), (2.0, 2.0, 3.0), (5.0, -7.0, 30.0))
IMAGE = Volume(np.zeros((30, 60, 60), np.float32), Geometry((60, 60, 30), (2.0, 2.0, 3.0), (0.0, -20.0, 0.0)))


@pytest.fixture
def row(tmp_path: Path) -> ManifestRow:
    labels = np.zeros(GRID.shape, np.uint8)
    labels[1:3, 1:4, 2:5] = 1
    labels[2, 2, 3] = 2  # a zone of its own
    write_mask(Mask(labels, GRID), tmp_path / "gland.nii.gz")
    write_mask(Mask((labels == 2).astype(np.uint8), GRID), tmp_path / "plain.nii.gz")
    write_mask(Mask(np.zeros(GRID.shape, np.uint8), GRID), tmp_path / "empty.nii.gz")
    write_volume(Volume(np.full(GRID.shape, 0.5, np.float32), GRID), tmp_path / "grey.nii.gz")
    masks = {name: tmp_path / f"{name}.nii.gz" for name in ("gland", "empty", "grey")}
    (tmp_path / "broken.nii.gz").write_bytes(b"no image")
    return ManifestRow(
        "c1", {"t2": Path("t.nii")}, tmp_path / "plain.nii.gz", masks=masks | {"broken": tmp_path / "broken.nii.gz"}
    )


def test_a_region_of_several_labels_is_those_that_are_named_on_its_own_grid(row):
    with pytest.raises(MaskError, match=r"Case c1, column mask_gland: it has 2 labels: 1, 2\. Say which is meant"):
        roi_mask(row, "gland", IMAGE)
    whole = roi_mask(row, "gland", IMAGE, Reading(all_labels=True))
    assert whole.geometry.is_close(GRID)
    assert whole.labels_present() == (1,)
    assert int(whole.labels.sum()) == 2 * 3 * 3
    assert "column mask_gland: its 2 labels were taken together, 1, 2." in whole.notes
    zone = roi_mask(replace(row, reading=Reading(label=2)), "gland", IMAGE)
    assert np.argwhere(zone.labels).tolist() == [[2, 2, 3]]
    assert int(roi_mask(replace(row, region=1), "gland", IMAGE).labels.sum()) == 2 * 3 * 3 - 1


def test_the_only_label_needs_no_name_and_a_note_tells_it(row):
    assert "column mask: its only label was taken, 1." in roi_mask(row, "mask", IMAGE).notes
    with pytest.raises(MaskError, match="Case c1, column mask: no voxel has label 2; labels present: 1"):
        roi_mask(row, "mask", IMAGE, Reading(label=2))
    beside = roi_mask(row, "mask", IMAGE, Reading(label=2, only_label=True))
    assert np.argwhere(beside.labels).tolist() == [[2, 2, 3]]


def test_a_segment_that_another_covers_in_part_is_whole(row, tmp_path):
    alpha, beta = np.zeros(GRID.shape, bool), np.zeros(GRID.shape, bool)
    alpha[1:3, 1:4, 1:4], beta[2:4, 2:5, 2:5] = True, True
    labels = np.where(beta, 2, alpha).astype(np.uint8)
    mask = Mask(labels, GRID, segments={1: "Alpha", 2: "Beta"}, covered={1: alpha})
    region = Reading(segment="Alpha").region(mask)
    assert int(region.union().sum()) == alpha.sum()
    assert region.segment_names == {1: "Alpha"}
    assert int(Reading(all_labels=True).region(mask).union().sum()) == (alpha | beta).sum()


def test_the_region_mask_is_the_column_mask(row):
    assert np.argwhere(roi_mask(row, "mask", IMAGE).labels).tolist() == [[2, 2, 3]]


def test_the_ellipsoid_lies_in_the_middle_of_the_reference_and_says_what_it_is(row):
    mask = roi_mask(row, "ellipsoid", IMAGE)
    assert mask.geometry == IMAGE.geometry
    assert "not a reader's contour" in mask.source
    centre = mask.geometry.index_to_physical(np.argwhere(mask.labels)[:, ::-1]).mean(axis=0)
    np.testing.assert_allclose(centre, IMAGE.geometry.centre_mm, atol=1e-6)


def test_has_roi_tells_what_a_case_has(row):
    assert [has_roi(row, roi) for roi in ("gland", "mask", "ellipsoid", "lesion")] == [True, True, True, False]
    assert not has_roi(ManifestRow("b", {}), "mask")


@pytest.mark.parametrize(
    ("roi", "kind", "message"),
    [
        (
            "lesion",
            InputError,
            r"Case c1, column mask_lesion: .* no region 'lesion'; it has mask, gland, .*'ellipsoid'",
        ),
        ("empty", MaskError, r"Case c1, column mask_empty: the mask empty.nii.gz is empty"),
        ("grey", MaskError, r"Case c1, column mask_grey: .*whole numbers"),
        ("broken", InputError, r"Case c1, column mask_broken: .*broken.nii.gz"),
    ],
)
def test_what_cannot_be_a_region_is_refused_naming_case_and_column(row, roi, kind, message):
    with pytest.raises(kind, match=message):
        roi_mask(row, roi, IMAGE)


def test_a_case_without_any_region_says_so():
    with pytest.raises(InputError, match=r"Case b, column mask: this case has no region 'mask'; it has none\."):
        roi_mask(ManifestRow("b", {}), "mask", IMAGE)


@pytest.mark.parametrize("values", [np.arange(21), np.array([0, -3, 1])])
def test_grey_levels_are_no_region(row, tmp_path, values):
    voxels = np.resize(values, GRID.shape).astype(np.int16)
    write_mask(Mask(voxels, GRID), tmp_path / "image.nrrd")
    given = ManifestRow("c1", row.views, masks={"gland": tmp_path / "image.nrrd"})
    if len(values) == 21:
        together = Reading(all_labels=True)
        assert roi_mask(given, "gland", IMAGE, together).labels_present() == (1,)  # 20 labels and the background
        write_mask(Mask(voxels + 1, GRID), tmp_path / "image.nrrd")
    with pytest.raises(MaskError, match=r"Case c1, column mask_gland: .* different values .* grey-level image\?"):
        roi_mask(given, "gland", IMAGE)
