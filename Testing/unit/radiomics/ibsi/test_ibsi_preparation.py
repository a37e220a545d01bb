"""IBSI's image processing: the two masks, rounding, outliers, and both ways to discretise."""

from typing import Any

import numpy as np
import pytest

from deepradiomics.errors import InputError, MaskError
from deepradiomics.images import Geometry, Mask, Volume
from deepradiomics.radiomics import Settings
from deepradiomics.radiomics.ibsi.preparation import discretise, prepare


def _settings(**setting: Any) -> Settings:
    return Settings.from_params({"setting": {"standard": "ibsi", **setting}})


def _pair(values: list[float], inside: list[int] | None = None) -> tuple[Volume, Mask]:
    """One row of 2 x 2 x n voxels, equal in y and z, so that the ROI is not too flat."""
    n = len(values)
    grid = Geometry((n, 2, 2))
    voxels = np.broadcast_to(np.array(values, float), (2, 2, n))
    labels = np.broadcast_to(np.array(inside or [1] * n, np.uint8), (2, 2, n))
    return Volume(voxels, grid), Mask(labels, grid)


def test_range_re_segmentation_changes_the_intensity_mask_and_never_the_morphological_one() -> None:
    done = prepare(*_pair([-600, -500, 0, 400, 401]), _settings(resegmentRange=[-500, 400]))
    assert done.morphological.sum() == 20
    assert done.intensity.sum() == 12
    assert done.intensity[0, 0].tolist() == [False, True, True, True, False], "both ends belong to the range"


def test_outliers_are_judged_on_the_whole_roi_and_the_ranges_intersect() -> None:
    # mean 10, standard deviation 30 of ten values: 100 lies 3 sigma off, 0 lies within
    values = [0.0] * 9 + [100.0]
    done = prepare(*_pair(values), _settings(removeOutliers=2.9))
    assert done.intensity[0, 0].tolist() == [True] * 9 + [False]
    kept = prepare(*_pair(values), _settings(removeOutliers=3.1))
    assert kept.intensity.all()
    # on what the range leaves (nine values, mean 1.1, deviation 3.1) the value 10 would be an outlier, on the whole not
    both = prepare(*_pair([0.0] * 8 + [10.0, 1000.0]), _settings(removeOutliers=2.5, resegmentRange=[-500, 50]))
    assert both.intensity[0, 0].tolist() == [True] * 9 + [False]


def test_grey_values_are_rounded_after_interpolation_only_on_request() -> None:
    image, mask = _pair([0.0, 1.0, 4.0, 9.0])
    plain = prepare(image, mask, _settings(resampledPixelSpacing=[0.8, 0, 0], interpolator="sitkLinear"))
    rounded = prepare(
        image, mask, _settings(resampledPixelSpacing=[0.8, 0, 0], interpolator="sitkLinear", roundIntensities=True)
    )
    assert (plain.image.voxels != np.rint(plain.image.voxels)).any()
    assert rounded.image.voxels.tolist() == np.rint(plain.image.voxels).tolist()


def test_a_voxel_that_is_half_inside_belongs_to_the_roi() -> None:
    image, mask = _pair([0.0] * 6, [0, 0, 1, 1, 0, 0])
    # 6 voxels of 1 mm -> 12 of 0.5 mm: places -0.25, 0.25, ... ; weights of the ROI are quarters, 0.25 or 0.75
    half = prepare(image, mask, _settings(resampledPixelSpacing=[0.5, 0, 0], interpolator="sitkLinear"))
    assert half.morphological[0, 0].astype(int).tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0]
    image, mask = _pair([0.0] * 4, [0, 1, 1, 0])
    # 4 voxels of 1 mm -> 6 of 0.75 mm is rounded up from 5.33: places -0.375, 0.375, 1.125 ...
    odd = prepare(image, mask, _settings(resampledPixelSpacing=[0.75, 0, 0], interpolator="sitkLinear"))
    assert odd.image.geometry.size[0] == 6
    image, mask = _pair([0.0] * 5, [0, 1, 1, 1, 0])
    # 5 voxels of 1 mm -> 4 of 1.25 mm: places 0.125, 1.375, 2.625, 3.875, weights 0.125, 1, 1, 0.125
    few = prepare(image, mask, _settings(resampledPixelSpacing=[1.25, 0, 0], interpolator="sitkLinear"))
    assert few.morphological[0, 0].astype(int).tolist() == [0, 1, 1, 0]
    # 4 voxels of 1 mm -> 2 of 2 mm: places 0.5 and 2.5
    exact = prepare(
        *_pair([0.0] * 4, [0, 1, 1, 0]), _settings(resampledPixelSpacing=[2, 0, 0], interpolator="sitkLinear")
    )
    assert exact.morphological.all(), "weights are exactly one half on both sides"


def test_the_stages_tell_size_and_grey_values_for_ibsis_diagnostic_features() -> None:
    done = prepare(*_pair([0, 1, 2, 3], [0, 1, 1, 1]), _settings(resegmentRange=[0, 2]))
    assert done.stages["initial"]["roi_voxels"] == 12
    assert done.stages["initial"]["roi_box"] == (3, 2, 2)
    assert done.stages["resegmented"]["roi_voxels"] == 8
    assert done.stages["resegmented"]["roi_maximum"] == 2
    assert done.stages["initial"]["image_minimum"] == 0


def _levels(values: list[float], *, own_units: bool = True, **setting: Any) -> list[int]:
    array = np.array(values, float).reshape(1, 1, -1)
    found = discretise(array, np.ones(array.shape, bool), _settings(**setting), "ROI", own_units=own_units)
    return found.grey_levels[found.codes.ravel() - 1].tolist()


def test_bins_of_fixed_size_start_at_the_lower_end_of_the_range_else_at_the_minimum() -> None:
    values = [-490.0, -475.0, 0.0, 399.0, 400.0]
    assert _levels(values, binWidth=25, resegmentRange=[-500, 400]) == [1, 2, 21, 36, 37]
    assert _levels(values, binWidth=25) == [1, 1, 20, 36, 36]
    assert _levels(values, binWidth=25, resegmentRange=[-500, 400], own_units=False) == [1, 1, 20, 36, 36]


def test_a_fixed_number_of_bins_closes_the_last_one() -> None:
    assert _levels([0.0, 0.9, 1.0, 2.5, 4.0], binCount=4) == [1, 1, 2, 3, 4]
    assert _levels([5.0, 5.0], binCount=4) == [1, 1]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"force2D": True}, "force2D.*aggregations 2D"),
        ({"symmetricalGLCM": False}, "symmetricalGLCM.*symmetrical"),
        ({"weightingNorm": "euclidean"}, "weightingNorm.*aggregation"),
        ({"voxelArrayShift": 10}, "voxelArrayShift.*Energy"),
        ({"resegmentShape": True, "resegmentRange": [0, 1]}, "resegmentShape.*mask as drawn"),
        ({"resampledPixelSpacing": [1, 1]}, r"three spacings \(x, y, z\)"),
    ],
)
def test_a_setting_that_has_no_place_in_ibsi_is_refused_with_what_to_do(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        prepare(*_pair([1.0, 2.0, 3.0]), _settings(**setting))


def test_an_roi_that_interpolation_or_re_segmentation_empties_is_an_error() -> None:
    image, mask = _pair([0.0, 1.0, 2.0, 3.0, 4.0], [0, 1, 0, 0, 0])
    with pytest.raises(MaskError, match=r"no voxel of label 1 is left after interpolation.*smaller"):
        prepare(image, mask, _settings(resampledPixelSpacing=[5, 0, 0], interpolator="sitkLinear"))
    with pytest.raises(MaskError, match="resegmentRange"):
        prepare(*_pair([0.0, 1.0, 2.0]), _settings(resegmentRange=[10, 20]))


def test_too_many_levels_are_refused_with_a_bin_width_that_works() -> None:
    with pytest.raises(InputError, match=r"span 1000000000 bins.*binWidth of about 1.56e\+07"):
        _levels([0.0, 1e9], binWidth=1)
    with pytest.raises(InputError, match="3000 grey levels"):
        _levels(list(np.arange(3000.0)), binWidth=1)


def test_nan_anywhere_in_the_image_is_refused() -> None:
    with pytest.raises(InputError, match="NaN"):
        prepare(*_pair([0.0, np.nan, 2.0], [1, 0, 1]), _settings())


def test_a_flat_image_needs_an_aggregation_of_slices() -> None:
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(np.arange(12.0).reshape(3, 4))
    mask = sitk.GetImageFromArray(np.ones((3, 4), np.uint8))
    with pytest.raises(InputError, match=r"two-dimensional.*2D_averaged"):
        prepare(image, mask, _settings())
    assert prepare(image, mask, _settings(aggregation=["2D_averaged"])).intensity.shape == (1, 3, 4)
