"""The catalogue lists every feature once, with family and sentence."""

import pytest

from deepradiomics.errors import InputError
from deepradiomics.radiomics import Settings, describe, family_of, feature_names, label_of
from deepradiomics.radiomics.catalogue.pyradiomics import FAMILIES, FAMILY_TITLES, default_names, entries


def test_the_families_hold_107_default_features_and_nine_of_the_plane() -> None:
    counts = {family: len(default_names(family)) for family in FAMILIES}
    three_d = {"firstorder": 18, "glcm": 24, "gldm": 14, "glrlm": 16, "glszm": 16, "ngtdm": 5, "shape": 14}
    assert counts == three_d | {"shape2D": 9}
    assert set(FAMILY_TITLES) == set(FAMILIES) == set(entries())


def test_every_feature_has_one_plain_sentence() -> None:
    for features in entries().values():
        for entry in features.values():
            assert entry.sentence.endswith(".")
            assert entry.sentence[0].isupper() or entry.sentence[0].isdigit()
            assert 20 < len(entry.sentence) < 130


def test_names_are_found_with_and_without_their_image_type() -> None:
    assert family_of("original_glcm_Contrast") == family_of("glcm_Contrast") == "glcm"
    assert family_of("original_firstorder_10Percentile") == "firstorder"
    assert label_of("original_glcm_Contrast") == "GLCM Contrast"
    assert label_of("original_firstorder_Mean") == "First order Mean"
    assert describe("original_shape_MeshVolume").endswith("(mm³)")


@pytest.mark.parametrize("preset", ["paper-110", "paper-1693"])
def test_every_name_of_a_preset_is_described(preset: str) -> None:
    assert all(describe(name) for name in feature_names(Settings.from_params(preset)))


def test_a_filtered_image_is_said_in_words() -> None:
    assert label_of("wavelet-LLH_glcm_Contrast") == "GLCM Contrast, wavelet LLH"
    assert "Image: Wavelet band LLH" in describe("wavelet-LLH_glcm_Contrast")
    assert "sigma 3.0 mm" in describe("log-sigma-3-0-mm-3D_firstorder_Mean")
    assert family_of("lbp-3D-m1_gldm_DependenceEntropy") == "gldm"
    assert family_of("diagnostics_Mask-original_VoxelNum") == "diagnostics"


def test_ibsi_codes_are_those_of_the_same_quantity_and_occur_once() -> None:
    from deepradiomics.radiomics.catalogue.ibsi import entries as ibsi_entries

    codes = {(f, n): entry.ibsi for f, features in entries().items() for n, entry in features.items() if entry.ibsi}
    assert len(codes) == len(set(codes.values())) == 104
    assert codes["glcm", "Contrast"] == "ACUI"
    assert codes["shape", "MeshVolume"] == "RNU0"
    assert ("firstorder", "Kurtosis") not in codes  # IBSI's is the excess
    for (family, name), code in codes.items():
        assert ibsi_entries()[family][name].code == code


def test_an_unknown_name_brings_near_matches() -> None:
    with pytest.raises(InputError, match="Did you mean glcm_Contrast"):
        describe("original_glcm_Kontrast")
