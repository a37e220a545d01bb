"""Parameter files: what is read, what is refused, and what the message says."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from deepradiomics.errors import InputError
from deepradiomics.radiomics import Settings, feature_names, features_preset
from deepradiomics.radiomics.settings import PRESETS


def test_no_parameters_are_pyradiomics_defaults() -> None:
    settings = Settings.from_params()
    assert settings.bin_width == 25
    assert settings.minimum_roi_dimensions == 2
    assert len(feature_names(settings)) == 107
    assert feature_names(settings)[0] == "original_shape_Elongation"
    assert feature_names(settings)[14] == "original_firstorder_10Percentile"


@pytest.mark.parametrize(
    ("name", "count"), [("fingerprint-107", 107), ("pyradiomics-default", 107), ("paper-110", 110)]
)
def test_presets_give_as_many_features_as_they_say(name: str, count: int) -> None:
    names = feature_names(Settings.from_params(name))
    assert len(set(names)) == count


def test_the_papers_preset_adds_the_three_that_pyradiomics_gives_on_request() -> None:
    added = set(feature_names(Settings.from_params("paper-110"))) - set(feature_names(Settings.from_params()))
    assert added == {
        "original_firstorder_StandardDeviation", "original_shape_Compactness1", "original_shape_Compactness2",
    }  # fmt: skip


def test_an_unknown_preset_or_file_is_named() -> None:
    with pytest.raises(InputError, match=r"fingerprint-106.*nor a preset \(fingerprint-107"):
        Settings.from_params("fingerprint-106")
    with pytest.raises(InputError, match="choose one of"):
        features_preset("mine")


def test_settings_survive_a_round_trip_through_pyradiomics_structure_and_yaml(tmp_path: Path) -> None:
    params = {
        "setting": {"binWidth": 5.0, "distances": [1, 2], "resampledPixelSpacing": [1, 1, 0], "label": 3},
        "featureClass": {"glcm": ["Contrast", "Id"], "firstorder": None},
    }
    settings = Settings.from_params(params)
    assert Settings.from_params(settings.to_dict()) == settings
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(settings.to_dict(), sort_keys=False), encoding="utf-8")
    assert Settings.from_params(path) == settings
    assert feature_names(settings)[:3] == (
        "original_glcm_Contrast", "original_glcm_Id", "original_firstorder_10Percentile",
    )  # fmt: skip


def test_settings_of_the_original_image_type_come_on_top() -> None:
    params = {"imageType": {"Original": {"binWidth": 10}}, "setting": {"binWidth": 25}}
    assert Settings.from_params(params).bin_width == 10


def test_removed_features_are_skipped_with_a_note_that_names_their_equal() -> None:
    settings = Settings.from_params({"featureClass": {"glcm": ["Dissimilarity", "Contrast"]}})
    assert feature_names(settings) == ("original_glcm_Contrast",)
    assert settings.notes == ("glcm Dissimilarity is not computed: it equals DifferenceAverage.",)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"settings": {}}, "unknown top-level key 'settings'; did you mean setting"),
        ({"setting": {"binwidth": 5}}, "unknown setting 'binwidth'; did you mean binWidth"),
        ({"setting": {"binWidth": 0}}, "binWidth: expected a number above 0, got 0"),
        ({"setting": {"binWidth": float("nan")}}, "binWidth: expected a number above 0"),
        ({"setting": {"binCount": 2.5}}, "binCount: expected a whole number above 0"),
        ({"setting": {"normalize": 1}}, "normalize: expected true or false, got 1"),
        ({"setting": {"resampledPixelSpacing": [1, 1]}}, "resampledPixelSpacing: expected a list of 3 values"),
        ({"setting": {"resampledPixelSpacing": [1, 1, -1]}}, "of at least 0"),
        ({"setting": {"interpolator": "sitkCubic"}}, "interpolator: expected one of sitkNearestNeighbor"),
        ({"setting": {"resegmentRange": [1, 2, 3]}}, "resegmentRange: expected a list of 1 to 2 values"),
        ({"setting": {"weightingNorm": "l2"}}, "weightingNorm: expected one of euclidean"),
        ({"setting": {"minimumROIDimensions": 4}}, "and at most 3"),
        ({"setting": {"distances": []}}, "distances: expected a list"),
        ({"setting": {"force2D": True}}, "2-D mode is not in this version"),
        ({"setting": [1]}, "expected keys and values"),
        ({"voxelSetting": {"kernelRadius": 1}}, "voxel-wise maps are not in this version"),
        ({"imageType": {"Original": {}, "Wavelet": {}}}, "Wavelet: filters are not in this version"),
        ({"imageType": {"Wavlet": {}}}, "unknown image type 'Wavlet'; did you mean Wavelet"),
        ({"imageType": {"Original": {"normalize": True}}}, "put it under 'setting'"),
        ({"featureClass": {"glmc": None}}, "unknown feature class 'glmc'; did you mean gldm, glcm"),
        ({"featureClass": {"glcm": ["Contrasts"]}}, "unknown glcm feature 'Contrasts'; did you mean Contrast"),
        ({"featureClass": {"shape2D": None}}, "2-D mode is not in this version"),
        ({"featureClass": {"glcm": "Contrast"}}, "expected a list of feature names"),
        ([1, 2], "expected a YAML file, a preset or a dictionary, got list"),
    ],
)
def test_a_bad_parameter_is_refused_with_a_message_that_says_what_to_do(params: Any, message: str) -> None:
    with pytest.raises(InputError) as error:
        Settings.from_params(params)
    assert message in str(error.value)


def test_a_broken_yaml_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("setting: [", encoding="utf-8")
    with pytest.raises(InputError, match="not a readable YAML file"):
        Settings.from_params(path)


def test_force2d_switched_off_and_filter_keys_change_nothing() -> None:
    params = {"setting": {"force2D": False, "force2Ddimension": 0, "sigma": [1.0], "wavelet": "coif1"}}
    assert Settings.from_params(params) == Settings.from_params()


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_read_from_the_installed_package(name: str) -> None:
    assert features_preset(name)["setting"]["binWidth"] == 25
