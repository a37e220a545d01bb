"""Volumes, masks and cases refuse to be invalid."""

import numpy as np
import pytest

from deepradiomics.errors import GeometryError, InputError, MaskError
from deepradiomics.images import Case, Geometry, Mask, Volume, as_mask, as_volume, to_sitk

GRID = Geometry((4, 3, 2), (1.0, 2.0, 3.0))


def test_voxels_are_read_only_and_the_caller_s_array_is_left_alone() -> None:
    array = np.zeros(GRID.shape)
    volume = Volume(array, GRID)
    with pytest.raises(ValueError, match="read-only"):
        volume.voxels[0, 0, 0] = 1
    array[0, 0, 0] = 1  # still the caller's own


def test_an_array_of_another_shape_is_refused_with_both_shapes() -> None:
    with pytest.raises(GeometryError, match=r"\(2, 3, 4\).*\(4, 3, 2\)"):
        Volume(np.zeros((4, 3, 2)), GRID)


def test_nan_is_named_with_its_count() -> None:
    array = np.zeros(GRID.shape)
    array[0, 0, :2] = np.nan
    with pytest.raises(InputError, match="knee: 2 of 24 voxels are NaN"):
        Volume(array, GRID, name="knee").require_finite()


def test_a_mask_of_fractions_is_refused() -> None:
    with pytest.raises(MaskError, match="whole numbers"):
        Mask(np.full(GRID.shape, 0.5), GRID)


def test_a_missing_label_names_those_present() -> None:
    labels = np.zeros(GRID.shape, int)
    labels[0, 0, 0], labels[1, 1, 1] = 3, 7
    with pytest.raises(MaskError, match="no voxel has label 1; labels present: 3, 7"):
        Mask(labels, GRID).region(1)
    with pytest.raises(MaskError, match="the mask is empty"):
        Mask(np.zeros(GRID.shape, int), GRID).region(1)


def test_a_case_needs_a_view() -> None:
    with pytest.raises(InputError, match="at least one view"):
        Case("a", {})


def test_simpleitk_images_round_trip() -> None:
    volume = Volume(np.arange(24.0).reshape(GRID.shape), GRID)
    again = as_volume(to_sitk(volume))
    assert np.array_equal(again.voxels, volume.voxels)
    assert again.geometry == GRID
    mask = Mask(np.ones(GRID.shape, bool), GRID)
    assert as_mask(to_sitk(mask)).region(1).all()


def test_other_kinds_of_input_are_refused_by_type() -> None:
    with pytest.raises(InputError, match="got list"):
        as_volume([1, 2])


@pytest.mark.parametrize(("dtype", "label"), [(np.float64, 2.0**40), (np.float32, 2.0**24), (np.float64, 7.0)])
def test_a_label_stored_as_a_float_is_that_number(dtype: type, label: float) -> None:
    assert Mask(np.full((1, 1, 2), label, dtype), Geometry((2, 1, 1))).labels_present() == (int(label),)


@pytest.mark.parametrize(("dtype", "label"), [(np.float32, 2.0**25), (np.float32, 1e30), (np.float64, -(2.0**60))])
def test_a_label_too_large_for_its_float_is_refused_for_neighbours_merge_there(dtype: type, label: float) -> None:
    with pytest.raises(MaskError, match="too large to be exact in float"):
        Mask(np.full((1, 1, 2), label, dtype), Geometry((2, 1, 1)))
