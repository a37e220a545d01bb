"""The IBSI catalogue: names, codes, tags and keys belong together, and every one has a sentence."""

import pytest

from deepradiomics.errors import InputError
from deepradiomics.radiomics.catalogue import pyradiomics
from deepradiomics.radiomics.catalogue.ibsi import FAMILIES, aggregations_of, entries, key_of, parts_of, tag_of
from deepradiomics.radiomics.ibsi import AGGREGATIONS, describe, entry_of, is_ibsi_key


def test_each_family_has_as_many_features_as_the_manual_that_are_computed_here() -> None:
    sizes = {family: len(names) for family, names in entries().items()}
    assert sizes == {"shape": 19, "firstorder": 20, "glcm": 25, "glrlm": 16, "glszm": 16, "gldm": 17, "ngtdm": 5}


def test_every_entry_has_a_code_of_four_a_tag_and_a_sentence_and_no_two_share_them() -> None:
    every = [entry for names in entries().values() for entry in names.values()]
    assert all(len(entry.code) == 4 and entry.code == entry.code.upper() for entry in every)
    assert len({entry.code for entry in every}) == len({entry.tag for entry in every}) == len(every)
    assert all(entry.sentence.endswith(".") and entry.ibsi for entry in every)


def test_a_name_that_pyradiomics_has_means_the_same_quantity_and_asks_for_it() -> None:
    for family, names in entries().items():
        theirs = pyradiomics.entries()[family]
        for name, entry in names.items():
            assert not entry.pyradiomics or entry.pyradiomics in theirs, (family, name)
            if name in theirs and theirs[name].state != "removed":
                assert entry.pyradiomics == name, (family, name)
    assert entries()["firstorder"]["ExcessKurtosis"].pyradiomics == "Kurtosis", "not the same number: another name"


def test_every_feature_that_pyradiomics_gives_by_default_is_here_or_has_no_place_in_ibsi() -> None:
    absent = {
        f"{family}_{name}"
        for family in entries()
        for name in pyradiomics.default_names(family)
        if name not in {entry.pyradiomics for entry in entries()[family].values()}
    }
    assert absent == {
        "firstorder_TotalEnergy", "glcm_MCC", "shape_Maximum2DDiameterColumn", "shape_Maximum2DDiameterRow",
        "shape_Maximum2DDiameterSlice",
    }  # fmt: skip


def test_a_key_leads_to_its_entry_its_aggregation_and_ibsis_tag() -> None:
    for family in FAMILIES:
        for way in aggregations_of(family, tuple(AGGREGATIONS)):
            for name, entry in entries()[family].items():
                key = key_of("log-sigma-1-5-mm-3D", family, name, way)
                assert parts_of(key) == (entry, way)
                assert is_ibsi_key(key)
    assert tag_of("original_glcm_JointEnergy_2.5D_merged") == "cm_energy_2_5D_comb"
    assert tag_of("original_ngtdm_Contrast_2D") == "ngt_contrast_2D"
    assert tag_of("original_shape_MeshVolume") == "morph_volume"


def test_a_description_names_code_unit_and_aggregation() -> None:
    assert "IBSI RNU0." in describe("original_shape_MeshVolume")
    assert "mm³" in describe("original_shape_MeshVolume")
    assert describe("original_glcm_JointEnergy_3D_averaged").endswith("IBSI 8ZQL, 3D averaged ITBB.")


@pytest.mark.parametrize(
    "key", ["original_glcm_JointEnergy", "original_glcm_JointEnergy_3D", "original_firstorder_Kurtosis", "glcm", ""]
)
def test_a_key_that_ibsi_does_not_have_is_refused(key: str) -> None:
    assert not is_ibsi_key(key)
    with pytest.raises(InputError, match="not in the IBSI catalogue"):
        entry_of(key)


def test_near_matches_are_named() -> None:
    with pytest.raises(InputError, match="Did you mean original_glcm_JointEnergy_3D_averaged"):
        entry_of("original_glcm_JointEnergi_3D_averaged")
