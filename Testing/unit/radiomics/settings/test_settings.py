"""Parameter files: what is read, what is refused, and what the message says."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from deepradiomics.errors import InputError
from deepradiomics.radiomics import Settings, feature_names, features_preset
from deepradiomics.radiomics.settings.feature_names import texture_names
from deepradiomics.radiomics.settings.parameters import PRESETS


def test_no_parameters_are_pyradiomics_defaults() -> None:
    settings = Settings.from_params()
    assert settings.bin_width == 25
    assert settings.minimum_roi_dimensions == 2
    assert len(feature_names(settings)) == 107
    assert feature_names(settings)[0] == "original_shape_Elongation"
    assert feature_names(settings)[14] == "original_firstorder_10Percentile"


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("fingerprint-107", 107), ("pyradiomics-default", 107), ("paper-110", 110), ("lens", 93 * 9),
        ("ich-1688", 14 + 93 * 18), ("paper-1693", 1693),
    ],
)  # fmt: skip
def test_presets_give_as_many_features_as_they_say(name: str, count: int) -> None:
    names = feature_names(Settings.from_params(name))
    assert len(set(names)) == count


def test_the_papers_preset_adds_the_three_that_pyradiomics_gives_on_request() -> None:
    added = set(feature_names(Settings.from_params("paper-110"))) - set(feature_names(Settings.from_params()))
    assert added == {
        "original_firstorder_StandardDeviation", "original_shape_Compactness1", "original_shape_Compactness2",
    }  # fmt: skip


def test_the_presets_of_the_haemorrhage_paper_differ_in_five_numbers() -> None:
    small, large = (feature_names(Settings.from_params(name)) for name in ("ich-1688", "paper-1693"))
    assert large[5:] == small
    assert all(name.startswith("diagnostics_") for name in large[:5])
    prefixes = {name.split("_")[0] for name in small}
    assert prefixes == {
        "original", "log-sigma-1-0-mm-3D", "log-sigma-3-0-mm-3D", "log-sigma-5-0-mm-3D", "square", "squareroot",
        "logarithm", "exponential", "gradient", "lbp-2D",
        *(f"wavelet-{a}{b}{c}" for a in "LH" for b in "LH" for c in "LH"),
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
        "imageType": {"Original": {}, "LoG": {"sigma": [1.0, 2]}},
        "voxelSetting": {"kernelRadius": 2},
    }
    settings = Settings.from_params(params)
    assert Settings.from_params(settings.to_dict()) == settings
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(settings.to_dict(), sort_keys=False), encoding="utf-8")
    assert Settings.from_params(path) == settings
    assert texture_names(settings)[:3] == (
        "original_glcm_Contrast", "original_glcm_Id", "original_firstorder_10Percentile",
    )  # fmt: skip


def test_settings_of_the_original_image_type_come_on_top() -> None:
    params = {"imageType": {"Original": {"binWidth": 10}}, "setting": {"binWidth": 25}}
    settings = Settings.from_params(params)
    assert settings.bin_width == 25
    assert [(name, own.bin_width) for name, own in settings.per_image_type()] == [("Original", 10)]


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
        ({"setting": {"resampledPixelSpacing": [1]}}, "resampledPixelSpacing: expected a list of 2 to 3 values"),
        ({"setting": {"resampledPixelSpacing": [1, 1, -1]}}, "of at least 0"),
        ({"setting": {"interpolator": "sitkCubic"}}, "interpolator: expected one of sitkNearestNeighbor"),
        ({"setting": {"resegmentRange": [1, 2, 3]}}, "resegmentRange: expected a list of 1 to 2 values"),
        ({"setting": {"weightingNorm": "l2"}}, "weightingNorm: expected one of euclidean"),
        ({"setting": {"minimumROIDimensions": 4}}, "and at most 3"),
        ({"setting": {"distances": []}}, "distances: expected a list"),
        ({"setting": {"kernelRadius": 2}}, "setting kernelRadius: this key belongs under voxelSetting"),
        ({"setting": {"wavelet": "coif99"}}, "Did you mean coif9"),
        ({"setting": {"wavelet": "mexh"}}, "wavelet: expected one of PyWavelets' discrete wavelets"),
        ({"setting": {"sigma": 2.0}}, "sigma: expected a list"),
        ({"setting": {"force2Ddimension": 3}}, "at most 2"),
        ({"setting": {"lawsKernel": "L5E5Q5"}}, "a text like L5E5E5"),
        (
            {"setting": {"aggregation": ["4D"]}},
            "aggregation: expected a list of 1 to 6 values, each one of 2D_averaged",
        ),
        ({"setting": {"standard": "IBIS"}}, "Did you mean ibsi"),
        ({"voxelSetting": {"kernelradius": 1}}, "unknown voxelSetting 'kernelradius'; did you mean kernelRadius"),
        ({"voxelSetting": {"kernelRadius": 0}}, "kernelRadius: expected a whole number above 0"),
        ({"imageType": {"Wavelet": {"levels": 2}}}, "unknown setting 'levels'; did you mean level"),
        ({"imageType": {"Wavelet": {"label": 2}}}, "label cannot be set for one image type"),
        ({"setting": [1]}, "expected keys and values"),
        ({"imageType": {"Wavlet": {}}}, "unknown image type 'Wavlet'; did you mean Wavelet"),
        ({"featureClass": {"glmc": None}}, "unknown feature class 'glmc'; did you mean gldm, glcm"),
        ({"featureClass": {"glcm": ["Contrasts"]}}, "unknown glcm feature 'Contrasts'; did you mean Contrast"),
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


def test_each_image_type_has_its_own_settings_on_top_of_the_common_ones() -> None:
    params = {
        "imageType": {"Original": {}, "LoG": {"sigma": [1, 2.5], "binWidth": 5}, "Wavelet": {"wavelet": "db2"}},
        "setting": {"wavelet": "haar", "force2D": False},
    }
    chosen = dict(Settings.from_params(params).per_image_type())
    assert list(chosen) == ["Original", "LoG", "Wavelet"]
    assert (chosen["LoG"].sigma_mm, chosen["LoG"].bin_width, chosen["LoG"].wavelet) == ((1, 2.5), 5, "haar")
    assert (chosen["Wavelet"].sigma_mm, chosen["Wavelet"].bin_width, chosen["Wavelet"].wavelet) == ((), 25, "db2")


def test_a_key_that_does_nothing_for_one_image_type_is_kept_out_with_a_note() -> None:
    settings = Settings.from_params({"imageType": {"Wavelet": {"normalize": True, "binWidth": 3}}})
    assert "Wavelet: normalize has no effect on one image type" in settings.notes[0]
    assert settings.image_types[0].own == (("binWidth", 3),)


def test_voxel_settings_are_read_and_written() -> None:
    params = {"voxelSetting": {"kernelRadius": 2, "maskedKernel": False, "initValue": -1, "voxelBatch": 100}}
    settings = Settings.from_params(params)
    assert settings.to_dict()["voxelSetting"] == params["voxelSetting"]
    assert "voxelBatch" not in Settings.from_params().to_dict()["voxelSetting"]


def test_shape_in_the_plane_is_there_when_the_computation_is_two_dimensional() -> None:
    flat = feature_names(Settings.from_params({"setting": {"force2D": True}}))
    assert len(flat) == 107 + 9
    assert "original_shape2D_Perimeter" in flat
    params = {"featureClass": {"shape2D": ["Perimeter"], "shape": ["Flatness"]}, "setting": {"force2D": True}}
    assert feature_names(Settings.from_params(params)) == ("original_shape_Flatness", "original_shape2D_Perimeter")
    only = Settings.from_params({"featureClass": {"shape2D": ["Perimeter"], "shape": None}})
    assert len(feature_names(only)) == 14
    assert feature_names(only, dimensions=2) == ("original_shape2D_Perimeter",)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_read_from_the_installed_package(name: str) -> None:
    assert features_preset(name)["setting"]["binWidth"] == 25
