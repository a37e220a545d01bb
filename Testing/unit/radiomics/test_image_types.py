"""Filtered images in an extraction: their keys, their own settings, and what happens when one fails."""

import numpy as np
import pytest
import SimpleITK as sitk

from deepradiomics.errors import GeometryError, InputError
from deepradiomics.images import Geometry, Mask, Volume
from deepradiomics.radiomics import Settings, extract, extract_patches, feature_names
from deepradiomics.radiomics.region.region import usable_edges

GRID = Geometry((18, 16, 14), (1.0, 1.0, 2.0))
ALL = {
    "Original": {}, "Wavelet": {}, "LoG": {"sigma": [1.0, 2.0]}, "Square": {}, "SquareRoot": {}, "Logarithm": {},
    "Exponential": {}, "Gradient": {}, "LBP2D": {"binWidth": 1}, "Mean": {}, "Laws": {"lawsKernel": "L3E3S3"},
}  # fmt: skip


def _volume(seed: int = 0) -> Volume:
    return Volume(np.random.default_rng(seed).normal(200, 120, GRID.shape).astype(np.float32), GRID, "image")


def _mask() -> Mask:
    labels = np.zeros(GRID.shape, np.uint8)
    labels[4:9, 5:11, 6:13] = 1
    return Mask(labels, GRID, "lesion")


def test_keys_are_those_announced_and_shape_comes_once_and_first() -> None:
    features = extract(_volume(), _mask(), {"imageType": ALL})
    assert tuple(features) == feature_names(Settings.from_params({"imageType": ALL}))
    assert len(features) == 14 + 93 * (1 + 8 + 2 + 4 + 1 + 1 + 1 + 1)
    assert [name for name in features if "_shape_" in name] == list(features)[:14]
    assert set(features.diagnostics["grey_levels_by_image"]) == {name.split("_")[0] for name in features}


def test_shape_is_there_without_the_original_image() -> None:
    names = list(extract(_volume(), _mask(), {"imageType": {"Square": {}}}))
    assert names[0] == "original_shape_Elongation"
    assert {name.split("_")[0] for name in names[14:]} == {"square"}


def test_one_filter_gives_the_same_alone_and_among_others() -> None:
    together = extract(_volume(), _mask(), {"imageType": ALL})
    alone = extract(_volume(), _mask(), {"imageType": {"Wavelet": {}}, "featureClass": {"glcm": None}})
    assert alone == {name: together[name] for name in alone}


def test_an_image_types_own_settings_hold_for_it_alone() -> None:
    common = extract(_volume(), _mask(), {"imageType": {"Original": {}, "Square": {}}})
    own = extract(_volume(), _mask(), {"imageType": {"Original": {}, "Square": {"binWidth": 5}}})
    changed = {name for name in common if common[name] != own[name]}
    assert {name.split("_")[0] for name in changed} == {"square"}
    assert "square_glcm_Contrast" in changed


def test_neither_threads_nor_memory_change_a_number() -> None:
    params = {"imageType": ALL}
    expected = extract(_volume(), _mask(), params, threads=1)
    assert extract(_volume(), _mask(), params, threads=4) == expected
    assert extract(_volume(), _mask(), params, threads=4, max_memory_gb=0.002) == expected


def test_matrices_over_the_budget_are_refused_with_what_to_do() -> None:
    with pytest.raises(InputError, match=r"label 1: the texture matrices of its \d+ grey levels need .*raise max_mem"):
        extract(_volume(), _mask(), {"setting": {"binWidth": 1}}, max_memory_gb=1e-3)
    with pytest.raises(InputError, match="max_memory_gb: expected a positive number of gigabytes, got -1"):
        extract(_volume(), _mask(), max_memory_gb=-1)


def test_too_many_grey_levels_of_a_filtered_image_name_the_image() -> None:
    with pytest.raises(InputError, match=r"label 1, square: its grey values span .* bins of width 1e-06"):
        extract(_volume(), _mask(), {"imageType": {"Original": {}, "Square": {"binWidth": 1e-6}}})


def test_a_filter_that_fails_gives_nan_with_its_reason_and_stops_no_other() -> None:
    thin = Geometry((18, 16, 3), (1.0, 1.0, 2.0))
    image = Volume(_volume().voxels[:3], thin)
    mask = Mask(_mask().labels[4:7], thin)
    features = extract(image, mask, {"imageType": {"Original": {}, "LoG": {"sigma": [1.0]}}})
    failed = [name for name in features if name.startswith("log-sigma")]
    assert len(failed) == 93
    assert all(np.isnan(features[name]) for name in failed)
    assert set(features.diagnostics["undefined"]) == set(failed)
    assert any(text.startswith("log-sigma-1-0-mm-3D: ") for text in features.diagnostics["warnings"])
    assert not np.isnan(features["original_glcm_Contrast"])


def test_few_grey_levels_in_filtered_images_are_told_in_one_sentence() -> None:
    features = extract(_volume(), _mask(), {"imageType": {"Original": {}, "LBP2D": {}, "Wavelet": {}}})
    [few] = [text for text in features.diagnostics["warnings"] if "fewer than 16" in text]
    assert "lbp-2D 1" in few


def test_patches_of_filtered_views_equal_single_extractions() -> None:
    params = {"imageType": {"Wavelet": {"wavelet": "haar"}, "LoG": {"sigma": [1.0]}}}
    patches = np.zeros(GRID.shape, np.uint8)
    patches[2:7, 2:9, 3:10] = 1
    patches[7:12, 5:14, 8:16] = 2
    views = [_volume(0), _volume(1)]
    batch = extract_patches(views, patches, params)
    assert batch.feature_names == feature_names(Settings.from_params(params))
    for j in (1, 2):
        for v, view in enumerate(views):
            single = extract(view, Mask(patches, GRID), params, label=j)
            np.testing.assert_allclose(batch.values[j - 1, v], list(single.values()), rtol=1e-10)


def test_the_five_numbers_of_paper_1693_come_before_the_features() -> None:
    params = {"featureClass": {"firstorder": ["Mean"]}, "setting": {"numericDiagnostics": True, "normalize": True}}
    labels = _mask().labels.copy()
    labels[0, 0, 0] = 1
    features = extract(_volume(), Mask(labels, GRID), params)
    assert list(features)[:5] == [
        "diagnostics_Image-original_Mean", "diagnostics_Image-original_Minimum", "diagnostics_Image-original_Maximum",
        "diagnostics_Mask-original_VoxelNum", "diagnostics_Mask-original_VolumeNum",
    ]  # fmt: skip
    assert features["diagnostics_Image-original_Mean"] == pytest.approx(_volume().voxels.astype(float).mean())
    assert features["diagnostics_Mask-original_VoxelNum"] == 5 * 6 * 7 + 1
    assert features["diagnostics_Mask-original_VolumeNum"] == 2


def test_what_was_done_to_the_mask_is_told_under_pyradiomics_names() -> None:
    setting = {"resampledPixelSpacing": [2, 2, 2], "resegmentRange": [100.0]}
    told = extract(_volume(), _mask(), {"setting": setting}).diagnostics["pyradiomics"]
    assert told["diagnostics_Mask-original_BoundingBox"] == (6, 5, 4, 7, 6, 5)
    assert told["diagnostics_Mask-original_CenterOfMassIndex"] == (9.0, 7.5, 6.0)
    assert told["diagnostics_Mask-original_CenterOfMass"] == (9.0, 7.5, 12.0)
    assert told["diagnostics_Image-interpolated_Spacing"] == (2.0, 2.0, 2.0)
    assert told["diagnostics_Mask-resegmented_Minimum"] >= 100
    assert told["diagnostics_Mask-original_Hash"] == sitk.Hash(
        sitk.Cast(sitk.GetImageFromArray(_mask().labels), sitk.sitkUInt32)
    )
    silent = extract(_volume(), _mask(), {"setting": {"additionalInfo": False}})
    assert silent.diagnostics["pyradiomics"] == {}


def test_cropping_first_changes_what_filters_see_at_the_regions_edge_only() -> None:
    params = {"imageType": {"Original": {}, "Gradient": {}}, "setting": {"preCrop": True, "padDistance": 0}}
    cropped = extract(_volume(), _mask(), params)
    whole = extract(_volume(), _mask(), {"imageType": params["imageType"]})
    assert cropped["original_glcm_Contrast"] == whole["original_glcm_Contrast"]
    assert cropped["gradient_firstorder_Mean"] != whole["gradient_firstorder_Mean"]
    padded = extract(_volume(), _mask(), params | {"setting": {"preCrop": True, "padDistance": 1}})
    assert padded["gradient_firstorder_Mean"] == pytest.approx(whole["gradient_firstorder_Mean"], rel=1e-12)


def _flat() -> tuple[sitk.Image, sitk.Image]:
    image = sitk.GetImageFromArray(_volume().voxels[6])
    mask = sitk.GetImageFromArray(_mask().labels[6])
    for one in (image, mask):
        one.SetSpacing((0.5, 0.8))
    return image, mask


def test_a_flat_image_has_shape_in_the_plane_and_four_directions() -> None:
    flat = extract(*_flat())
    assert len(flat) == 9 + 93
    assert flat["original_shape2D_PixelSurface"] == pytest.approx(6 * 7 * 0.5 * 0.8)
    slab = [sitk.JoinSeries([one]) for one in _flat()]
    forced = extract(*slab, {"setting": {"force2D": True}})
    assert flat == {name: forced[name] for name in flat}


def test_flat_images_are_read_from_files_and_resampled_in_the_plane(tmp_path: pytest.TempPathFactory) -> None:
    image, mask = _flat()
    sitk.WriteImage(image, f"{tmp_path}/image.mha")
    sitk.WriteImage(mask, f"{tmp_path}/mask.mha")
    assert extract(f"{tmp_path}/image.mha", f"{tmp_path}/mask.mha") == extract(image, mask)
    resampled = extract(image, mask, {"setting": {"resampledPixelSpacing": [1, 1]}})
    assert resampled.diagnostics["image"]["spacing_mm"][:2] == (1.0, 1.0)
    with pytest.raises(InputError, match="resampledPixelSpacing: expected 2 values for this 2-dimensional image"):
        extract(image, mask, {"setting": {"resampledPixelSpacing": [1, 1, 1]}})
    with pytest.raises(InputError, match="expected 3 values for this 3-dimensional image"):
        extract(_volume(), _mask(), {"setting": {"resampledPixelSpacing": [1, 1]}})


def test_a_flat_image_needs_a_flat_mask() -> None:
    image, mask = _flat()
    with pytest.raises(GeometryError, match="the image is two-dimensional, so the mask must be too"):
        extract(image, _mask())
    with pytest.raises(GeometryError, match="it is two-dimensional, the image is not"):
        extract(_volume(), mask)


def test_shape_in_the_plane_of_a_region_that_is_not_flat_is_nan_with_its_reason() -> None:
    params = {"setting": {"force2D": True}, "featureClass": {"shape2D": ["Perimeter"], "firstorder": ["Mean"]}}
    features = extract(_volume(), _mask(), params)
    assert np.isnan(features["original_shape2D_Perimeter"])
    assert "not flat" in features.diagnostics["undefined"]["original_shape2D_Perimeter"]


def test_the_channel_of_a_mask_of_many_is_chosen_also_from_a_file(tmp_path: pytest.TempPathFactory) -> None:
    first, second = np.zeros(GRID.shape, np.uint8), _mask().labels
    first[1:4, 1:4, 1:4] = 1
    both = sitk.Compose([sitk.GetImageFromArray(first), sitk.GetImageFromArray(second)])
    both.SetSpacing(GRID.spacing_mm)
    sitk.WriteImage(both, f"{tmp_path}/mask.nrrd")
    params = {"setting": {"label_channel": 1}}
    assert extract(_volume(), f"{tmp_path}/mask.nrrd", params) == extract(_volume(), _mask())
    with pytest.raises(InputError, match="label_channel 2: the mask has 2 channels, 0 to 1"):
        extract(_volume(), both, {"setting": {"label_channel": 2}})


def test_a_colour_image_is_refused() -> None:
    colour = sitk.Compose([sitk.GetImageFromArray(_volume().voxels)] * 3)
    with pytest.raises(InputError, match="expected one grey value per voxel, got 3 components"):
        extract(colour, _mask())


def test_more_bins_than_can_be_held_are_refused_before_they_are_made() -> None:
    values = np.array([0.0, 1.0])
    with pytest.raises(InputError, match="binCount is 1000000000, at most 1000000 bins"):
        usable_edges("label 1", values, Settings.from_params({"setting": {"binCount": 1_000_000_000}}))
    assert len(usable_edges("label 1", values, Settings.from_params({"setting": {"binCount": 64}}))) == 65
