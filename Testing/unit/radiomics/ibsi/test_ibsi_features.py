"""ibsi_features as a whole: keys, selection, statistics and morphology by hand, what is undefined, and invariances."""

import json
from typing import Any

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.images import Geometry, Mask, Volume
from deepradiomics.radiomics import Settings, extract, extract_labels, extract_patches
from deepradiomics.radiomics import feature_names as ordered_names
from deepradiomics.radiomics.catalogue.ibsi import entries
from deepradiomics.radiomics.ibsi import AGGREGATIONS, feature_names, ibsi_features
from deepradiomics.radiomics.ibsi.morphology import convex_hull, morphology
from deepradiomics.radiomics.ibsi.statistics import statistics
from deepradiomics.radiomics.maps import feature_maps
from deepradiomics.radiomics.methods_text import methods_text

EVERYTHING: dict[str, Any] = dict.fromkeys(("firstorder", "shape", "glcm", "glrlm", "glszm", "gldm", "ngtdm"))


def _settings(features: dict[str, Any] | None = None, **setting: Any) -> Settings:
    return Settings.from_params({"featureClass": features or EVERYTHING, "setting": {"standard": "ibsi", **setting}})


def _pair(seed: int = 0, shape: tuple[int, int, int] = (6, 9, 8)) -> tuple[Volume, Mask]:
    rng = np.random.default_rng(seed)
    grid = Geometry(shape[::-1], (1.0, 1.0, 2.0))
    labels = np.zeros(shape, np.uint8)
    labels[1:-1, 1:-1, 1:-1] = rng.random([n - 2 for n in shape]) < 0.8
    return Volume(rng.normal(50, 20, shape), grid), Mask(labels, grid)


def test_statistics_by_hand() -> None:
    found = statistics(np.array([1.0, 2.0, 3.0, 4.0, 10.0]), None)
    assert found["Mean"] == 4
    assert found["Variance"] == pytest.approx(10)
    assert found["Median"] == 3
    assert found["MedianAbsoluteDeviation"] == pytest.approx((2 + 1 + 0 + 1 + 7) / 5)
    assert found["CoefficientOfVariation"] == pytest.approx(np.sqrt(10) / 4)
    assert found["QuartileCoefficientOfDispersion"] == pytest.approx((4 - 2) / (4 + 2))
    assert found["ExcessKurtosis"] == pytest.approx((81 + 16 + 1 + 0 + 1296) / 5 / 100 - 3)
    assert "Entropy" not in found


def test_a_constant_roi_has_no_spread_and_by_ibsi_neither_skewness_nor_kurtosis() -> None:
    found = statistics(np.full(8, 5.0), None)
    assert found["Skewness"] == 0
    assert found["ExcessKurtosis"] == 0
    assert found["CoefficientOfVariation"] == 0


def test_the_hull_of_a_block_is_the_block_without_the_corners_that_the_mesh_cuts_off() -> None:
    block = np.ones((3, 4, 5), bool)
    volume, area = convex_hull(block, (2.0, 1.0, 1.0))
    found = morphology(np.ones(block.shape), block, block, (2.0, 1.0, 1.0))
    assert found["MeshVolume"] == pytest.approx(volume)
    assert found["SurfaceArea"] == pytest.approx(area)
    assert found["VolumeDensityConvexHull"] == pytest.approx(1)
    assert found["AreaDensityConvexHull"] == pytest.approx(1)
    assert found["IntegratedIntensity"] == pytest.approx(found["MeshVolume"])
    assert found["CentreOfMassShift"] == pytest.approx(0, abs=1e-12)
    assert found["Asphericity"] == pytest.approx(found["SphericalDisproportion"] - 1)


def test_the_centre_of_mass_moves_by_millimetres_towards_the_bright_side() -> None:
    values = np.array([[[1.0, 1.0, 2.0]]]).repeat(2, axis=1)
    inside = np.ones(values.shape, bool)
    # weighted centre (0 + 1 + 4) / 4 = 1.25 voxels along x, centre 1: 0.25 voxels of 3 mm
    assert morphology(values, inside, inside, (1.0, 1.0, 3.0))["CentreOfMassShift"] == pytest.approx(0.75)


def test_axis_lengths_divide_by_the_number_of_voxels_less_one() -> None:
    row = np.ones((1, 1, 3), bool)  # variance of -1, 0, 1 is 2 / 2
    assert morphology(np.ones(row.shape), row, row, (1.0, 1.0, 1.0))["MajorAxisLength"] == pytest.approx(4.0)


def test_keys_are_those_foretold_in_their_order_and_all_are_finite_numbers() -> None:
    settings = _settings(binWidth=10, aggregation=list(AGGREGATIONS))
    found = ibsi_features(*_pair(), settings)
    assert tuple(found) == feature_names(settings)
    assert len(found) == 19 + 20 + 25 * 6 + 16 * 6 + (16 + 17 + 5) * 3
    assert all(type(value) is float and np.isfinite(value) for value in found.values())
    assert found.diagnostics["undefined"] == {}
    assert found.diagnostics["standard"] == "ibsi"
    json.dumps(found.diagnostics)


def test_a_features_asked_for_by_pyradiomics_name_gives_ibsis() -> None:
    found = ibsi_features(*_pair(), _settings({"firstorder": ["Kurtosis", "Mean"], "glcm": ["JointEnergy"]}))
    assert list(found) == [
        "original_firstorder_ExcessKurtosis", "original_firstorder_Mean", "original_glcm_JointEnergy_3D_averaged",
    ]  # fmt: skip


def test_every_name_of_a_family_is_given_when_its_default_features_are_enabled() -> None:
    found = ibsi_features(*_pair(), _settings({"gldm": None, "firstorder": None}))
    names = {key.split("_")[2] for key in found}
    assert names == set(entries()["gldm"]) | set(entries()["firstorder"])


def test_turning_the_slices_by_90_degrees_changes_no_merged_feature() -> None:
    image, _ = _pair(3, (5, 8, 8))
    z, y, x = np.ogrid[:5, :8, :8]  # a smooth region: the mesh of a ragged one depends on how it lies
    ellipsoid = ((z - 2) / 2.2) ** 2 + ((y - 3.3) / 3.1) ** 2 + ((x - 4) / 3.6) ** 2 <= 1
    mask = Mask(ellipsoid.astype(np.uint8), image.geometry)
    turned = (
        Volume(np.rot90(image.voxels, axes=(1, 2)), image.geometry),
        Mask(np.rot90(mask.labels, axes=(1, 2)), mask.geometry),
    )
    settings = _settings(binCount=8, aggregation=list(AGGREGATIONS))
    first, second = ibsi_features(image, mask, settings), ibsi_features(*turned, settings)
    for key, value in first.items():
        assert second[key] == pytest.approx(value, rel=1e-9, abs=1e-12), key


def test_a_shift_of_all_grey_values_changes_no_texture_when_bins_are_counted() -> None:
    image, mask = _pair(4)
    shifted = Volume(image.voxels + 1024, image.geometry)
    features = {family: None for family in EVERYTHING if family not in ("firstorder", "shape")}
    settings = _settings(features, binCount=16)
    assert ibsi_features(shifted, mask, settings) == pytest.approx(ibsi_features(image, mask, settings))


def test_what_is_undefined_is_nan_with_its_reason() -> None:
    grid = Geometry((5, 1, 1))
    image, mask = Volume(np.array([[[-1.0, 9.0, 0.0, 9.0, 1.0]]]), grid), Mask(np.array([[[1, 0, 1, 0, 1]]]), grid)
    found = ibsi_features(
        image, mask, _settings(EVERYTHING | {"shape": ["MeshVolume"]}, binWidth=1, minimumROIDimensions=1)
    )
    reasons = found.diagnostics["undefined"]
    assert np.isnan(found["original_glcm_Contrast_3D_averaged"])
    assert "no two voxels" in reasons["original_glcm_Contrast_3D_averaged"]
    assert "no voxel of the region has a neighbour" in reasons["original_ngtdm_Busyness_3D"]
    assert "mean grey value is zero" in reasons["original_firstorder_CoefficientOfVariation"]
    assert "percentile" in reasons["original_firstorder_QuartileCoefficientOfDispersion"]
    assert set(reasons) == {key for key, value in found.items() if np.isnan(value)}
    assert any("not defined" in sentence for sentence in found.diagnostics["warnings"])


def test_an_unknown_aggregation_is_refused_with_the_six_that_exist() -> None:
    with pytest.raises(InputError, match=r"aggregation.*2\.5D_direction_merged"):
        _settings(aggregation=["3D_average"])


@pytest.mark.parametrize("setting", [{"wavelet": "haar"}])
def test_filtered_images_have_keys_of_their_own_and_share_one_shape(setting: dict[str, Any]) -> None:
    params = {
        "imageType": {"Original": {}, "Wavelet": {}, "Mean": {"meanSupport": 3}},
        "featureClass": {"shape": None, "firstorder": ["Mean"]},
        "setting": {"standard": "ibsi", **setting},
    }
    found = ibsi_features(*_pair(5, (8, 12, 12)), Settings.from_params(params))
    assert sum("shape" in key for key in found) == 19
    assert next(key for key in found if key.endswith("firstorder_Mean")) == "original_firstorder_Mean"
    assert sum(key.startswith("wavelet-") for key in found) == 8
    assert "mean-3_firstorder_Mean" in found


def test_extract_and_extract_labels_follow_the_standard_and_labels_share_what_was_interpolated() -> None:
    image, mask = _pair(6)
    labels = mask.labels.copy()
    labels[:, :, 4:] *= 7
    both = Mask(labels, mask.geometry)
    params = {
        "imageType": {"Original": {}, "LoG": {"sigma": [1.0]}},
        "featureClass": {"firstorder": None, "glszm": None},
        "setting": {"standard": "ibsi", "resampledPixelSpacing": [1.5, 1.5, 1.5], "removeOutliers": 2.5,
                    "normalize": True, "binWidth": 0.5},
    }  # fmt: skip
    together = extract_labels(image, both, params)
    assert list(together) == [1, 7]
    for label, found in together.items():
        alone = extract(image, both, params, label=label)
        assert alone == found
        assert tuple(found) == ordered_names(Settings.from_params(params))
        assert found.diagnostics["roi"]["label"] == label
        assert found.diagnostics["standard"] == "ibsi"
    assert together[1] != together[7]


def test_threads_change_nothing() -> None:
    params = {"imageType": {"Original": {}, "Wavelet": {}}, "setting": {"standard": "ibsi"}}
    pair = _pair(7, (8, 12, 12))
    assert extract(*pair, params, threads=1) == extract(*pair, params, threads=3)


def test_patches_and_maps_do_not_pretend_to_follow_ibsi() -> None:
    image, mask = _pair()
    params = {"setting": {"standard": "ibsi"}}
    with pytest.raises(InputError, match="patches have PyRadiomics' definitions"):
        extract_patches([image], np.asarray(mask.labels), params)
    with pytest.raises(InputError, match="maps have PyRadiomics' definitions"):
        feature_maps(image, mask, ["firstorder_Mean"], params=params)


def test_the_methods_paragraph_names_ibsi_and_the_aggregations() -> None:
    text = methods_text(_settings(aggregation=["2.5D_merged", "3D_averaged"]), {"engine": "2"}, [399])
    assert "Image Biomarker Standardisation Initiative (Zwanenburg" in text
    assert "2.5D merged, 3D averaged" in text
    assert "PyRadiomics" not in text


def test_ibsis_own_names_may_be_asked_for_beside_pyradiomics() -> None:
    chosen = {
        "glcm": ["Dissimilarity", "Contrast"], "firstorder": ["ExcessKurtosis"], "shape": ["Asphericity"],
        "gldm": ["GrayLevelNonUniformityNormalized"],
    }  # fmt: skip
    found = ibsi_features(*_pair(), _settings(chosen))
    assert list(found) == [
        "original_shape_Asphericity", "original_firstorder_ExcessKurtosis", "original_glcm_Contrast_3D_averaged",
        "original_glcm_Dissimilarity_3D_averaged", "original_gldm_GrayLevelNonUniformityNormalized_3D",
    ]  # fmt: skip
    assert found.diagnostics["warnings"] == _only_levels(found)
    assert np.isfinite(list(found.values())).all()
    everything = ibsi_features(*_pair(), _settings())
    assert all(everything[key] == value for key, value in found.items())


def _only_levels(found: Any) -> list[str]:
    return [text for text in found.diagnostics["warnings"] if "grey level" in text]


def test_a_wrong_name_is_told_with_near_matches_of_both() -> None:
    with pytest.raises(InputError, match=r"unknown glcm feature 'Dissimilarty'; did you mean Dissimilarity"):
        _settings({"glcm": ["Dissimilarty"]})
    with pytest.raises(InputError, match=r"unknown firstorder feature 'Excesskurtosis'; did you mean ExcessKurtosis"):
        _settings({"firstorder": ["Excesskurtosis"]})
    with pytest.raises(InputError, match="unknown firstorder feature 'ExcessKurtosis'"):
        Settings.from_params({"featureClass": {"firstorder": ["ExcessKurtosis"]}})  # PyRadiomics has none


def test_the_standard_of_a_call_decides_which_names_there_are() -> None:
    params = {"featureClass": {"firstorder": ["ExcessKurtosis"]}}
    assert list(extract(*_pair(), params, standard="ibsi")) == ["original_firstorder_ExcessKurtosis"]
    settings = _settings({"firstorder": ["ExcessKurtosis"]})
    with pytest.raises(InputError, match="unknown firstorder feature 'ExcessKurtosis'"):
        extract(*_pair(), settings, standard="pyradiomics")
    plain = Settings.from_params({"featureClass": {"firstorder": ["Mean"]}, "setting": {"binWidth": 3}})
    found = extract(*_pair(), plain, standard="ibsi")
    assert found.diagnostics["standard"] == "ibsi"
    assert found.diagnostics["settings"]["binWidth"] == 3


def test_what_has_no_place_in_ibsi_is_told_when_it_is_asked_for() -> None:
    found = ibsi_features(*_pair(), _settings({"firstorder": ["Mean", "TotalEnergy"], "glcm": ["MCC", "Id"]}))
    assert len(found) == 2
    said = " ".join(found.diagnostics["warnings"])
    assert "firstorder TotalEnergy is not computed: it has no place in IBSI's standard" in said
    assert "glcm MCC" in said
    assert not any("no place" in text for text in ibsi_features(*_pair(), _settings()).diagnostics["warnings"])


def test_compiled_formulas_give_the_numbers_of_their_definitions(monkeypatch: pytest.MonkeyPatch) -> None:
    from deepradiomics import kernels as compiled

    if not compiled.available():
        pytest.skip("numba is not installed")
    settings = _settings(binWidth=10, aggregation=list(AGGREGATIONS))
    fast = ibsi_features(*_pair(8), settings)
    monkeypatch.setattr(compiled, "available", lambda: False)
    plain = ibsi_features(*_pair(8), settings)
    assert fast.diagnostics["backend"] == "numba"
    assert plain.diagnostics["backend"] == "numpy"
    for key, value in plain.items():
        assert fast[key] == pytest.approx(value, rel=1e-10, abs=1e-12), key


def _labels() -> tuple[Volume, Mask]:
    """Three overlapping rows of blocks, of 18 x 12 x 12 voxels in all; label 9 is a single voxel."""
    image, _ = _pair(9, (18, 12, 12))
    labels = np.zeros((18, 12, 12), np.uint8)
    for label, start in ((2, 1), (4, 6), (7, 11)):
        labels[start : start + 5, 2:10, start - 1 : start + 6] = label
    labels[0, 0, 0] = 9
    return image, Mask(labels, image.geometry)


FILTERED = {
    "imageType": {"Original": {}, "Mean": {"meanSupport": 3}, "LoG": {"sigma": [1.5]}, "Wavelet": {"wavelet": "haar"}},
    "featureClass": {"shape": ["MeshVolume"], "firstorder": None, "glcm": ["Contrast"], "glszm": ["ZoneEntropy"]},
    "setting": {
        "standard": "ibsi", "binWidth": 8, "resampledPixelSpacing": [0.8, 0.9, 1.5], "interpolator": "sitkLinear",
        "aggregation": ["3D_averaged", "2.5D_merged"],
    },
}  # fmt: skip


def test_labels_share_interpolation_and_filters_and_have_the_numbers_of_each_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from deepradiomics.radiomics import image_types
    from deepradiomics.radiomics.ibsi import preparation

    image, mask = _labels()
    alone = {label: extract(image, mask, FILTERED, label=label) for label in (2, 4, 7)}
    calls: list[str] = []
    filtered, interpolated = image_types.filtered, preparation.interpolated
    monkeypatch.setattr(image_types, "filtered", lambda kind, *a, **k: (calls.append(kind), filtered(kind, *a, **k))[1])
    monkeypatch.setattr(preparation, "interpolated", lambda *a: (calls.append("grid"), interpolated(*a))[1])
    told: list[float] = []
    found = extract_labels(image, mask, FILTERED, progress=lambda fraction, message: told.append(fraction))
    assert calls == ["grid", "Mean", "LoG", "Wavelet"]
    assert list(found) == [2, 4, 7]
    assert list(found.skipped) == [9]
    assert "single voxel" in found.skipped[9]
    for label, features in alone.items():
        assert dict(found[label]) == dict(features)
        assert found[label].diagnostics == features.diagnostics
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_under_a_small_budget_slices_are_counted_one_by_one_with_the_same_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from deepradiomics.radiomics.ibsi import texture

    image, mask = _labels()
    ways = [way for way in AGGREGATIONS if not way.startswith("3D")]
    params = {"setting": {"standard": "ibsi", "binCount": 32, "aggregation": ways}}
    counted: list[int] = []
    count = texture.matrices
    monkeypatch.setattr(texture, "matrices", lambda some, *a: (counted.append(len(some)), count(some, *a))[1])
    whole = extract(image, mask, params, label=4)
    assert counted == [5]
    small = extract(image, mask, params, label=4, max_memory_gb=1.5 * 24 * 4 * 32**2 / 1e9)  # more than one, not two
    assert counted[1:] == [1] * 5
    assert dict(small) == pytest.approx(dict(whole), rel=1e-12)


def test_matrices_beyond_the_memory_are_refused_and_stop_no_other_label() -> None:
    image, mask = _labels()
    params = {"featureClass": {"glcm": None}, "setting": {"standard": "ibsi", "binWidth": 0.001}}
    with pytest.raises(InputError, match=r"label 4: the texture matrices of its \d+ grey levels .*max_memory_gb"):
        extract(image, mask, params, label=4, max_memory_gb=0.001)
    bright = Volume(np.where(mask.labels == 2, np.round(image.voxels / 40) * 40, image.voxels), image.geometry)
    found = extract_labels(bright, mask, params, labels=[2, 4], max_memory_gb=0.001)
    assert list(found) == [2]
    assert "max_memory_gb" in found.skipped[4]
