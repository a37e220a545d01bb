"""A key is explained in full: image, feature, unit, code; what is unknown is answered with what is near."""

import re

import pytest

from deepradiomics.errors import InputError
from deepradiomics.radiomics import Settings, feature_names
from deepradiomics.radiomics.catalogue.explain import explain

ALL_IMAGES = {
    "imageType": {
        "Original": {}, "Wavelet": {"level": 2}, "LoG": {"sigma": [2, 3.5]}, "Square": {}, "SquareRoot": {},
        "Logarithm": {}, "Exponential": {}, "Gradient": {}, "LBP2D": {}, "LBP3D": {}, "Mean": {}, "Laws": {},
    },
    "featureClass": {"firstorder": ["Mean"]},
}  # fmt: skip


def test_every_image_type_has_its_own_sentence_and_title() -> None:
    found = [explain(key) for key in feature_names(Settings.from_params(ALL_IMAGES))]
    assert len({about.image_sentence for about in found}) > 20
    assert len({about.label for about in found}) == len(found)  # no two columns of a table have one title
    assert all("{" not in about.text for about in found)


def test_a_short_name_means_the_original_image() -> None:
    assert explain("glcm_Contrast") == explain("original_glcm_Contrast")


def test_the_text_holds_all_that_is_known() -> None:
    about = explain("wavelet-HLL_firstorder_Variance")
    assert (about.image, about.family, about.name) == ("wavelet-HLL", "firstorder", "Variance")
    for words in ("IBSI ECT3.", "HLL"):
        assert words in about.text
    assert "Image:" not in explain("original_glcm_Contrast").text


@pytest.mark.parametrize("aggregation", ["2D_averaged", "2.5D_merged", "3D_merged"])
def test_keys_of_the_ibsi_standard_tell_how_matrices_are_put_together(aggregation: str) -> None:
    settings = {"setting": {"standard": "ibsi", "aggregation": [aggregation]}}
    for key in feature_names(Settings.from_params(settings)):
        about = explain(key)
        assert re.fullmatch(r"[0-9A-Z]{4}", about.ibsi), key
        assert bool(about.aggregation) == (about.family not in ("shape", "firstorder"))


def test_a_quantity_that_ibsi_defines_otherwise_has_no_code() -> None:
    assert explain("firstorder_Kurtosis").ibsi == ""  # IBSI's is the excess, three less
    assert explain("firstorder_Skewness").ibsi == "KE2A"


@pytest.mark.parametrize("key", ["", "_", "original", "a_b_c", "wavelet-LLH_glcm_", "diagnostics_Nothing_Here"])
def test_what_is_no_feature_is_refused(key: str) -> None:
    with pytest.raises(InputError, match="is not in the catalogue"):
        explain(key)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("glcm", "is a family, not one feature. Name one, such as glcm_"),
        ("GLCM_CONTRAST", "Did you mean glcm_Contrast"),
        ("wavelet-LLH_glcm_contrast", "Did you mean wavelet-LLH_glcm_Contrast"),
        ("gradient_shape_Sphericity", "It is original_shape_Sphericity"),
    ],
)
def test_a_slip_is_answered_with_what_was_meant(key: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        explain(key)
