"""The methods paragraph says what was done, in its order, and nothing that was not."""

from typing import Any

import pytest

from deepradiomics.radiomics import Settings
from deepradiomics.radiomics.methods_text import methods_text

VERSIONS = {"deepradiomics": "0.1.0", "engine": "1", "numpy": "2.4.6"}
UNSAID = ("resampled", "z-scored", "re-segmented", "rounded", "slices", "distances", "weights", "symmetrical", "added")


def _text(counts: list[int] | None = None, **params: Any) -> str:
    return methods_text(Settings.from_params(params), VERSIONS, counts or [107])


def test_the_default_paragraph_names_bin_width_counts_and_versions() -> None:
    text = _text()
    assert "107 radiomic features (firstorder, glcm, gldm, glrlm, glszm, ngtdm, shape) of one region were" in text
    assert "bin width of 25." in text
    assert text.endswith("Software: numpy 2.4.6.")
    assert not any(word in text for word in UNSAID)


def test_regions_are_counted() -> None:
    assert "107 radiomic features (" in _text([107, 107])
    assert "of each of 2 regions" in _text([107, 107])
    assert _text([93, 107]).startswith("Up to 107 radiomic features")
    assert _text([1]).startswith("1 radiomic feature (")
    assert "was computed" in _text([1])


def test_every_step_asked_for_is_said_in_the_order_in_which_it_was_done() -> None:
    setting = {"normalize": True, "normalizeScale": 100, "removeOutliers": 3, "resampledPixelSpacing": [1, 1, 2],
               "binCount": 32, "resegmentRange": [-3, 3], "resegmentMode": "sigma"}  # fmt: skip
    text = _text(setting=setting, imageType={"Original": {}, "Square": {}})
    steps = (
        "z-scored over the image, cut off at 3 standard deviations and multiplied by 100.",
        "resampled to 1 x 1 x 2 mm with cubic B-spline interpolation, masks with nearest-neighbour interpolation.",
        "re-segmented to grey levels from -3 to +3 standard deviations about the region's mean; "
        "shape is that of the region as drawn.",
        "Beside the original image, features were taken from its square.",
        "discretised into 32 bins",
    )
    places = [text.index(step) for step in steps]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"resegmentRange": [-1000, 400]}, "grey levels from -1000 to 400; shape is that of the region as drawn."),
        ({"resegmentRange": [10], "resegmentShape": True}, "of at least 10; shape is that of the re-segmented region."),
        ({"resegmentRange": [0.4, 1], "resegmentMode": "relative"}, "from 0.4 to 1 times the region's maximum;"),
        ({"resampledPixelSpacing": [2, 2, 0], "interpolator": "sitkLinear"}, "2 x 2 mm in x and y with linear"),
        ({"resampledPixelSpacing": [2, 2, 2], "interpolator": 1}, "2 x 2 x 2 mm with nearest-neighbour interpolation"),
        ({"force2D": True, "force2Ddimension": 1}, "within slices, without neighbours across y."),
        ({"distances": [1, 2, 4]}, "at distances of 1, 2 and 4 voxels."),
        ({"weightingNorm": "manhattan"}, "merged with weights by their manhattan length."),
        ({"weightingNorm": "no_weighting"}, "merged without weights."),
        ({"symmetricalGLCM": False}, "not made symmetrical."),
        ({"gldm_a": 2}, "levels differed by at most 2"),
        ({"voxelArrayShift": 300}, "300 was added to the grey levels."),
    ],
)
def test_a_setting_that_changes_numbers_is_said(setting: dict[str, Any], said: str) -> None:
    assert said in _text(setting=setting)


def test_what_was_set_and_did_nothing_is_not_said() -> None:
    assert "cut off" not in _text(setting={"removeOutliers": 3})  # PyRadiomics: only where it normalises
    assert "resampled" not in _text(setting={"resampledPixelSpacing": [1, 1, 1], "interpolator": None})
    shape = _text(featureClass={"shape": None}, imageType={"Original": {}, "Square": {}},
                  setting={"distances": [2], "voxelArrayShift": 5})  # fmt: skip
    assert not any(word in shape for word in (*UNSAID, "square", "discretised"))
    mean = _text(featureClass={"firstorder": ["Mean"]}, setting={"force2D": True, "gldm_a": 1})
    assert "discretised" not in mean
    assert "slices" not in mean
    assert "depend" not in mean


def test_filters_are_named_with_their_own_settings() -> None:
    types = {"Original": {}, "Wavelet": {"wavelet": "db2", "level": 2}, "LoG": {"sigma": [1.0, 3.0]}, "Square": {}}
    assert (
        "Beside the original image, features were taken from "
        "the bands of its undecimated wavelet transform (db2, 2 levels); "
        "its Laplacian of Gaussian (sigma 1, 3 mm); and its square." in _text(imageType=types)
    )
    alone = _text(imageType={"Gradient": {"gradientUseSpacing": False}})
    assert "Features were taken from its gradient magnitude (per voxel)." in alone
    patterns = _text(imageType={"LBP2D": {"lbp2DRadius": 2}, "LBP3D": {"lbp3DLevels": 3}})
    assert "by slice (radius 2, 8 samples, uniform); and its local binary patterns in 3-D (3 levels" in patterns


def test_every_image_type_has_words() -> None:
    from deepradiomics.radiomics.settings.rules import IMAGE_TYPES

    types: dict[str, dict[str, Any]] = {kind: {"binWidth": 5 + k} for k, kind in enumerate(IMAGE_TYPES)}
    text = _text(imageType=types)
    assert text.count("In the ") == len(IMAGE_TYPES)


def test_bins_of_an_image_type_are_said_beside_those_of_the_others() -> None:
    text = _text(imageType={"Original": {}, "Wavelet": {"binWidth": 5}, "LoG": {"sigma": [2], "binCount": 32},
                            "Gradient": {}})  # fmt: skip
    assert "In the original image and the gradient image: grey levels were discretised with a bin width of 25." in text
    assert "In the wavelet images: grey levels were discretised with a bin width of 5." in text
    assert "In the Laplacian-of-Gaussian images: grey levels were discretised into 32 bins" in text


def test_ibsis_steps_are_said_as_ibsi_takes_them() -> None:
    setting = {
        "standard": "ibsi", "aggregation": ["3D_averaged", "2.5D_merged"], "resampledPixelSpacing": [2, 2, 2],
        "roundIntensities": True, "resegmentRange": [-1000, 400], "removeOutliers": 3, "filterDimension": 2,
    }  # fmt: skip
    text = _text(setting=setting, imageType={"Original": {}, "LoG": {"sigma": [1.5]}, "Mean": {"meanSupport": 3}})
    for said in (
        "Image Biomarker Standardisation Initiative", "texture matrices 3D averaged, 2.5D merged",
        "masks with linear interpolation (at least half of a voxel inside)", "then rounded to whole numbers",
        "from -1000 to 400 and freed of voxels beyond 3 standard deviations of their mean; "
        "shape is that of the region as drawn",
        "its Laplacian of Gaussian (sigma 1.5 mm, kernel cut off at 4 sigma, 2-D, mirror boundary); "
        "and its mean over 3 x 3 voxels (2-D, mirror boundary) (filters: Whybra",
        "bin width of 25, from -1000 (filtered images: the region's minimum) on",
    ):  # fmt: skip
        assert said in text
    assert "PyRadiomics" not in text
    plain = _text(setting={"standard": "ibsi"})
    assert "bin width of 25, from the region's minimum on." in plain
    assert "Whybra" not in plain


def test_laws_kernels_are_said_with_rotations_and_energy() -> None:
    text = _text(imageType={"Laws": {"lawsEnergyDelta": 7, "lawsPooling": "average"}})
    assert "Laws' kernel L5E5E5 (3-D, mirror boundary, average over rotations, energy over 15 voxels)" in text
