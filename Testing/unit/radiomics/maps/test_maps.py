"""Feature maps state truths that need no other software: a window that is the region, symmetry, order, refusals."""

from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from deepradiomics.errors import Cancelled, InputError, MaskError
from deepradiomics.radiomics import extract
from deepradiomics.radiomics.maps import feature_maps
from deepradiomics.radiomics.maps.request import MAP_FAMILIES

FAMILIES = {"featureClass": {family: [] for family in MAP_FAMILIES}}


def _pair(
    voxels: np.ndarray, labels: np.ndarray, spacing: tuple[float, ...] = (0.8, 1.1, 2.0)
) -> tuple[sitk.Image, sitk.Image]:
    image, mask = sitk.GetImageFromArray(voxels), sitk.GetImageFromArray(labels.astype(np.uint8))
    for one in (image, mask):
        one.SetSpacing(spacing)
        one.SetOrigin((3.0, -7.0, 11.0))
        one.SetDirection((0.0, 1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 1.0))
    return image, mask


def _noise(shape: tuple[int, int, int] = (6, 7, 8), seed: int = 0, share: float = 0.7) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.random(shape) < share
    labels[0, 0, 0] = labels[-1, -1, -1] = True
    return rng.normal(100, 60, shape), labels


def _arrays(maps: dict[str, sitk.Image]) -> dict[str, np.ndarray]:
    return {key: sitk.GetArrayFromImage(one) for key, one in maps.items()}


@pytest.mark.parametrize(
    "setting",
    [
        {},
        {"distances": [1, 2], "gldm_a": 1},
        {"weightingNorm": "manhattan", "symmetricalGLCM": False},
        {"force2D": True, "force2Ddimension": 1, "binCount": 5},
    ],
)
def test_where_the_window_holds_the_whole_region_the_map_is_the_regions_feature(setting: dict[str, Any]) -> None:
    voxels, labels = _noise((4, 3, 5) if "force2D" not in setting else (4, 1, 5))
    params = FAMILIES | {"setting": setting}
    maps = _arrays(feature_maps(*_pair(voxels, labels), params=params, kernel_radius=4))
    expected = extract(*_pair(voxels, labels), params)
    assert list(maps) == list(expected), "the keys of an extraction, in its order"
    for key, values in maps.items():
        np.testing.assert_allclose(values[labels], expected[key], rtol=1e-9, atol=1e-9, err_msg=key)


def test_two_voxels_by_hand() -> None:
    voxels, labels = np.zeros((1, 1, 4)), np.zeros((1, 1, 4), bool)
    voxels[..., 1], voxels[..., 2] = 10.0, 40.0  # grey levels 1 and 2
    labels[..., 1:3] = True
    params = FAMILIES | {"setting": {"minimumROIDimensions": 1}}
    maps = {k: v[labels] for k, v in _arrays(feature_maps(*_pair(voxels, labels), params=params)).items()}
    for key, value in {
        "original_glcm_Contrast": 1, "original_glcm_JointEnergy": 0.5, "original_glcm_JointEntropy": 1,
        "original_glcm_Autocorrelation": 2, "original_glcm_Correlation": -1, "original_glcm_MCC": 1,
        "original_glcm_Idmn": 1 / (1 + 1 / 4), "original_firstorder_Mean": 25, "original_firstorder_Entropy": 1,
        "original_firstorder_Energy": 1700, "original_firstorder_Kurtosis": 1, "original_glrlm_RunPercentage": 1,
        "original_glszm_ZoneEntropy": 1, "original_gldm_DependenceVariance": 0, "original_ngtdm_Coarseness": 1,
        "original_ngtdm_Contrast": 0.25, "original_ngtdm_Busyness": 1, "original_ngtdm_Strength": 1,
    }.items():  # fmt: skip
        np.testing.assert_allclose(maps[key], value, rtol=1e-12, atol=1e-12, err_msg=key)
    # between 13 and 37, the 10th and 90th percentile, lies no voxel
    assert np.isnan(maps["original_firstorder_RobustMeanAbsoluteDeviation"]).all()


def test_a_lonely_voxel_has_no_pair_and_no_run_but_a_zone() -> None:
    voxels, labels = _noise((1, 5, 9))
    labels[:] = False
    labels[0, 0, 0] = labels[0, 2:4, 5:8] = True
    maps = _arrays(feature_maps(*_pair(voxels, labels), params=FAMILIES))
    for key, values in maps.items():
        undefined = key.split("_")[1] in ("glcm", "glrlm")
        assert np.isnan(values[0, 0, 0]) == undefined, key
    assert maps["original_glszm_ZonePercentage"][0, 0, 0] == 1
    assert maps["original_ngtdm_Coarseness"][0, 0, 0] == 1e6


@pytest.mark.parametrize("radius", [1, 2])
def test_a_map_covers_the_regions_box_and_the_radius_and_lies_where_the_image_lies(radius: int) -> None:
    voxels, labels = _noise((9, 10, 11))
    labels[:3] = labels[:, :, 8:] = False  # the box touches the image's border on some sides
    image, mask = _pair(voxels, labels)
    one = feature_maps(
        image, mask, "firstorder_Maximum", kernel_radius=radius, params={"voxelSetting": {"initValue": -5}}
    )
    found = one["original_firstorder_Maximum"]
    assert found.GetPixelID() == sitk.sitkFloat64
    assert found.GetSize() == (min(11, 8 + radius), 10, min(9, 6 + radius))
    assert (found.GetSpacing(), found.GetDirection()) == (image.GetSpacing(), image.GetDirection())
    assert found.GetOrigin() == image.TransformIndexToPhysicalPoint((0, 0, 3 - radius))
    where = labels[3 - radius :, :, : 8 + radius]
    values = sitk.GetArrayFromImage(found)
    assert (values[~where] == -5).all()
    z, y, x = np.argwhere(labels)[20]
    window = tuple(slice(max(0, c - radius), c + radius + 1) for c in (z, y, x))
    assert values[z - 3 + radius, y, x] == voxels[window][labels[window]].max()


def test_the_radius_given_wins_over_the_parameters() -> None:
    pair, params = _pair(*_noise()), {"voxelSetting": {"kernelRadius": 2}}
    two, one = (feature_maps(*pair, "glcm_Idm", params=params, kernel_radius=r) for r in (None, 1))
    assert (
        _arrays(two)["original_glcm_Idm"].sum()
        == _arrays(feature_maps(*pair, "glcm_Idm", kernel_radius=2))["original_glcm_Idm"].sum()
    )
    assert (_arrays(one)["original_glcm_Idm"] != _arrays(two)["original_glcm_Idm"]).any()


def test_an_unmasked_window_sees_the_image_as_if_all_of_it_were_region() -> None:
    voxels, labels = _noise((8, 9, 10))
    labels[0], labels[-1], labels[:, 0], labels[:, -1], labels[:, :, 0], labels[:, :, -1] = (False,) * 6
    params = FAMILIES | {"voxelSetting": {"maskedKernel": False}}
    seen = _arrays(feature_maps(*_pair(voxels, labels), params=params))
    whole = _arrays(feature_maps(*_pair(voxels, np.ones_like(labels)), params=FAMILIES))
    for key in seen:
        np.testing.assert_array_equal(seen[key][labels], whole[key][labels], err_msg=key)
        assert (seen[key][~labels] == 0).all()


@pytest.mark.parametrize("turn", ["flip", "rotate"])
def test_turning_the_image_turns_the_map(turn: str) -> None:
    def turned(array: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(array[:, ::-1] if turn == "flip" else np.rot90(array, axes=(1, 2)))

    voxels, labels = _noise()
    cube = (1.0, 1.0, 1.0)
    straight = _arrays(feature_maps(*_pair(voxels, labels, cube), params=FAMILIES))
    other = _arrays(feature_maps(*_pair(turned(voxels), turned(labels), cube), params=FAMILIES))
    for key in straight:
        np.testing.assert_allclose(other[key], turned(straight[key]), rtol=1e-9, atol=1e-9, err_msg=key)


def test_neither_threads_nor_the_memory_budget_change_a_number() -> None:
    pair = _pair(*_noise((10, 9, 8)))
    alone = _arrays(feature_maps(*pair, params=FAMILIES, threads=1))
    for more in ({"threads": 3}, {"max_memory_gb": 0.01}):
        for key, values in _arrays(feature_maps(*pair, params=FAMILIES, **more)).items():
            np.testing.assert_array_equal(values, alone[key], err_msg=key)


def test_joint_average_is_undefined_where_a_direction_is_missing_unless_the_batch_misses_it_too() -> None:
    voxels, labels = _noise(share=0.3)
    batch = _arrays(feature_maps(*_pair(voxels, labels), ["glcm_JointAverage", "glcm_SumAverage"]))
    single = _arrays(
        feature_maps(
            *_pair(voxels, labels), ["glcm_JointAverage", "glcm_SumAverage"], params={"voxelSetting": {"voxelBatch": 1}}
        )
    )
    average, doubled = single["original_glcm_JointAverage"][labels], single["original_glcm_SumAverage"][labels]
    np.testing.assert_allclose(2 * average, doubled, rtol=1e-12)
    undefined = np.isnan(batch["original_glcm_JointAverage"][labels])
    assert undefined.any()
    assert not np.isnan(average).all()
    np.testing.assert_array_equal(batch["original_glcm_JointAverage"][labels][~undefined], average[~undefined])


def test_one_grey_level_in_the_whole_region_has_mcc_one() -> None:
    voxels, labels = _noise()
    maps = _arrays(feature_maps(*_pair(np.full_like(voxels, 5.5), labels), ["glcm_MCC", "firstorder_Skewness"]))
    found = maps["original_glcm_MCC"][labels]
    assert ((found == 1) | np.isnan(found)).all()
    assert (found == 1).any()
    assert (maps["original_firstorder_Skewness"] == 0).all()


def test_maps_of_filtered_images_are_named_and_added_when_asked_for() -> None:
    pair = _pair(*_noise((8, 9, 10)))
    maps = feature_maps(*pair, ["wavelet-LLH_firstorder_Mean", "glcm_Idm", "gradient_glcm_Idm"])
    assert list(maps) == ["original_glcm_Idm", "wavelet-LLH_firstorder_Mean", "gradient_glcm_Idm"]
    params = {"imageType": {"LoG": {"sigma": [2.0], "binWidth": 5}}, "featureClass": {"ngtdm": ["Contrast"]}}
    assert list(feature_maps(*pair, params=params)) == ["log-sigma-2-0-mm-3D_ngtdm_Contrast"]


def test_a_name_without_an_image_means_that_of_every_image_type() -> None:
    pair, params = _pair(*_noise((8, 9, 10))), {"imageType": {"Gradient": {}, "Square": {}}}
    assert list(feature_maps(*pair, "glcm_Idm", params=params)) == ["gradient_glcm_Idm", "square_glcm_Idm"]
    both = feature_maps(*pair, {"glcm": ["Idm"], "firstorder": ["Mean"]}, params=params)
    assert list(both)[:2] == ["gradient_glcm_Idm", "gradient_firstorder_Mean"]
    assert len(both) == 4
    with pytest.raises(InputError, match="LoG gives no image"):
        feature_maps(*pair, "glcm_Idm", params={"imageType": {"LoG": {}}})


def test_a_flat_image_gives_flat_maps() -> None:
    voxels, labels = _noise((1, 9, 10))
    image, mask = (one[:, :, 0] for one in _pair(voxels, labels, (1.0, 1.0, 1.0)))
    flat = sitk.Image(10, 9, sitk.sitkFloat64)
    image.CopyInformation(flat), mask.CopyInformation(flat)
    found = feature_maps(image, mask, ["glcm_Contrast"])["original_glcm_Contrast"]
    assert found.GetDimension() == 2
    assert found.GetSize() == (10, 9)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (["glcm_Contrst"], "Did you mean glcm_Contrast"),
        (["contrast"], "glcm_Contrast"),
        (["shape"], "no map"),
        (["original_shape_Sphericity"], "no map"),
        (["glcm_Homogeneity1"], "equals Id"),
        (["log-sigma-1-0-mm-3D_glcm_Idm"], "imageType"),
        (["wavelett-LLH_glcm_Idm"], "imageType"),
        ([], "at least one"),
        (["glcn"], "glcm"),
    ],
)
def test_a_feature_that_has_no_map_is_refused_with_help(features: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        feature_maps("absent.nii.gz", "absent.nii.gz", features)


@pytest.mark.parametrize("radius", [0, -1, 1.5, True, 11])
def test_a_radius_that_makes_no_window_is_refused(radius: Any) -> None:
    with pytest.raises(InputError, match="kernel_radius"):
        feature_maps(*_pair(*_noise()), kernel_radius=radius)


def test_bad_input_is_told_in_clear_words() -> None:
    voxels, labels = _noise()
    with pytest.raises(MaskError, match="label 7"):
        feature_maps(*_pair(voxels, labels), "glcm", label=7)
    with pytest.raises(InputError, match="maps alone take"):
        feature_maps(*_pair(voxels, labels), "glcm", max_memory_gb=1e-6)
    with pytest.raises(InputError, match="shape alone"):
        feature_maps(*_pair(voxels, labels), params={"featureClass": {"shape": []}})
    with pytest.raises(InputError, match="standard ibsi"):
        feature_maps(*_pair(voxels, labels), "glcm", params={"setting": {"standard": "ibsi"}})
    with pytest.raises(InputError, match="smaller kernel_radius"):
        feature_maps(
            *_pair(voxels, labels),
            "glcm_Idm",
            kernel_radius=10,
            max_memory_gb=0.01,
            params={"setting": {"binWidth": 0.01}},
        )
    with pytest.raises(InputError, match="bins of width"):
        feature_maps(*_pair(voxels, labels), "glcm", params={"setting": {"binWidth": 1e-6}})
    voxels[np.argwhere(~labels)[0][0], :, :][~labels[np.argwhere(~labels)[0][0]]] = np.nan
    assert feature_maps(*_pair(voxels, labels), "glcm_Idm"), "NaN outside the region is not seen by masked windows"
    with pytest.raises(InputError, match="maskedKernel"):
        feature_maps(*_pair(voxels, labels), "glcm_Idm", params={"voxelSetting": {"maskedKernel": False}})


def test_progress_rises_to_one_and_may_cancel() -> None:
    told: list[float] = []
    feature_maps(*_pair(*_noise()), params=FAMILIES, progress=lambda fraction, message: told.append(fraction))
    assert told == sorted(told)
    assert told[0] == 0
    assert told[-1] == 1
    assert len(told) >= 8

    def cancel(fraction: float, message: str) -> None:
        if "glrlm" in message:
            raise Cancelled("stop")

    with pytest.raises(Cancelled):
        feature_maps(*_pair(*_noise()), params=FAMILIES, progress=cancel)


def test_filtered_images_of_a_flat_image_are_asked_for_by_their_own_names() -> None:
    rng = np.random.default_rng(4)
    image = sitk.GetImageFromArray(rng.normal(0, 100, (12, 14)))
    mask = sitk.GetImageFromArray(np.pad(np.ones((8, 8), np.uint8), ((2, 2), (3, 3))))
    params = {"imageType": {"Wavelet": {}}}
    [(key, found)] = feature_maps(image, mask, ["wavelet-LH_firstorder_Energy"], params=params).items()
    assert key == "wavelet-LH_firstorder_Energy"
    assert found.GetDimension() == 2
    with pytest.raises(InputError, match="wavelet-LH"):
        feature_maps(image, mask, ["wavelet-LLH_firstorder_Energy"], params=params)
