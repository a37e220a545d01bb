"""A case's region by its name: read from the column it names, drawn where none is, refused by case and column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deepradiomics.cohort import ManifestRow, has_roi, roi_mask
from deepradiomics.errors import InputError, MaskError
from deepradiomics.images import Geometry, Mask, Volume, write_mask, write_volume

GRID = Geometry((6, 5, 4), (2.0, 2.0, 3.0), (5.0, -7.0, 30.0))
IMAGE = Volume(np.zeros((30, 60, 60), np.float32), Geometry((60, 60, 30), (2.0, 2.0, 3.0)))


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


def test_a_named_region_is_all_labels_of_its_file_on_its_own_grid(row):
    mask = roi_mask(row, "gland", IMAGE)
    assert mask.geometry.is_close(GRID) and mask.labels_present() == (1,)
    assert int(mask.labels.sum()) == 2 * 3 * 3


def test_the_region_mask_is_the_column_mask(row):
    assert np.argwhere(roi_mask(row, "mask", IMAGE).labels).tolist() == [[2, 2, 3]]


def test_the_ellipsoid_lies_in_the_middle_of_the_reference_and_says_what_it_is(row):
    mask = roi_mask(row, "ellipsoid", IMAGE)
    assert mask.geometry == IMAGE.geometry and "not a reader's contour" in mask.source
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
        assert roi_mask(given, "gland", IMAGE).labels_present() == (1,)  # 20 labels and the background
        write_mask(Mask(voxels + 1, GRID), tmp_path / "image.nrrd")
    with pytest.raises(MaskError, match=r"Case c1, column mask_gland: .* different values .* grey-level image\?"):
        roi_mask(given, "gland", IMAGE)
