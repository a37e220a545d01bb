"""Every feature that can be asked for has a code, a unit and, of a filtered image, its filter; no two are alike."""

import json
from importlib.resources import files

import pytest
from pydicom.sr import _concepts_dict

from deepradiomics.dicom_out.concepts import TRANSFORMATION, concept_of, filter_code
from deepradiomics.dicom_out.equipment import SCHEME
from deepradiomics.dicom_out.units import ARBITRARY, HOUNSFIELD, NONE, UPTAKE, unit_of
from deepradiomics.errors import InputError
from deepradiomics.images import Code
from deepradiomics.radiomics import Settings, feature_names
from deepradiomics.radiomics.catalogue.ibsi import AGGREGATIONS
from deepradiomics.radiomics.catalogue.ibsi import entries as ibsi_entries
from deepradiomics.radiomics.catalogue.pyradiomics import entries
from deepradiomics.radiomics.settings.settings import NUMERIC_DIAGNOSTICS

PLAIN = Settings.from_params(None)
ALL_FILTERS = {
    name: {} for name in ("Original", "Square", "SquareRoot", "Logarithm", "Exponential", "Gradient", "LBP2D", "LBP3D")
} | {"LoG": {"sigma": [1.0, 2.5]}, "Wavelet": {"level": 2}}  # fmt: skip
CATALOGUE = [f"original_{family}_{name}" for family, features in entries().items() for name in features]
DICOM_CODES = {  # pydicom 2.4 has none of IBSI's
    code: meaning for known in _concepts_dict.concepts.get("IBSI", {}).values() for code, (meaning, _) in known.items()
}


@pytest.mark.parametrize("key", [*CATALOGUE, *NUMERIC_DIAGNOSTICS])
def test_every_feature_of_the_catalogue_has_ibsis_code_or_ours(key: str) -> None:
    concept = concept_of(key, HOUNSFIELD, PLAIN)
    assert concept.code.scheme in ("IBSI", SCHEME)
    assert 0 < len(concept.code.value) <= 16  # longer ones are valid, but readers fail on them
    assert 0 < len(concept.code.meaning) <= 64
    assert concept.unit.scheme == "UCUM"
    assert concept.unit.value
    assert len(concept.unit.value) <= 16
    assert not concept.modifiers


def test_designators_and_codes_fit_dicoms_short_strings() -> None:
    assert len(SCHEME) <= 16
    assert SCHEME.startswith("99")
    assert len(TRANSFORMATION.value) <= 16


ALL_NAMES = {family: list(features) for family, features in entries().items() if family != "shape2D"}
EXTRACTIONS = {
    "filters": {"imageType": ALL_FILTERS},
    "on request": {"featureClass": ALL_NAMES},
    "plane": {"featureClass": {"shape2D": None, "firstorder": None}, "setting": {"force2D": True}},
    "ibsi": {"setting": {"standard": "ibsi", "aggregation": list(AGGREGATIONS)}},
    "ich-1688": "ich-1688",
    "paper-1693": "paper-1693",
}


@pytest.mark.parametrize("settings", [*map(Settings.from_params, EXTRACTIONS.values())], ids=EXTRACTIONS)
def test_no_two_features_of_an_extraction_are_told_alike(settings: Settings) -> None:
    names = feature_names(settings)
    told = {}
    for name in names:
        concept = concept_of(name, HOUNSFIELD, settings)
        same = (concept.code[:2], tuple((name[:2], term[:2]) for name, term in concept.modifiers))
        assert same not in told, (name, told[same])
        told[same] = name
        assert all(0 < len(term.meaning) <= 64 and len(term.value) <= 16 for _, term in concept.modifiers)
    assert len(told) == len(names) > 5


def test_filters_keep_codes_of_their_own_when_they_are_cut() -> None:
    prefixes = [f"log-sigma-{sigma}-mm-3D" for sigma in ("1-0", "2-5", "1-123456", "1-123457", "10-123456")]
    codes = [filter_code(prefix) for prefix in prefixes]
    assert codes[:2] == ["log-1-0-mm-3D", "log-2-5-mm-3D"]
    assert len(set(codes)) == len(codes)
    assert max(map(len, codes)) == 16


def test_our_own_codes_are_all_different() -> None:
    text = files("deepradiomics.dicom_out").joinpath("own_codes.json").read_text(encoding="utf-8")
    codes = [code for features in json.loads(text).values() for code in features.values()]
    assert len(set(codes)) == len(codes) >= 30


@pytest.mark.skipif(not DICOM_CODES, reason="this pydicom's dictionary lacks IBSI's codes")
def test_ibsis_codes_are_those_of_dicoms_own_dictionary_where_it_has_them() -> None:
    both = {
        entry.code: (entry.ibsi, DICOM_CODES[entry.code])
        for features in ibsi_entries().values()
        for entry in features.values()
        if entry.code in DICOM_CODES
    }
    assert len(both) > 90
    for ours, theirs in both.values():  # names differ in wording, never in what they name
        assert set(_words(ours)) & set(_words(theirs)), (ours, theirs)


def test_the_published_mapping_of_first_order_features_is_kept() -> None:
    published = {
        "Mean": "Q4LE", "Variance": "ECT3", "Skewness": "KE2A", "Median": "Y12H", "Minimum": "1GSF", "Maximum": "84IY",
        "10Percentile": "QG58", "90Percentile": "8DWT", "InterquartileRange": "SALO", "Range": "2OJQ",
        "MeanAbsoluteDeviation": "4FUA", "RobustMeanAbsoluteDeviation": "1128", "Energy": "N8CA",
        "RootMeanSquared": "5ZWQ", "Entropy": "TLU2", "Uniformity": "BJ5W",
    }  # fmt: skip
    ours = {name: concept_of(f"original_firstorder_{name}", ARBITRARY, PLAIN).code for name in published}
    assert {name: code.value for name, code in ours.items()} == published
    assert {code.scheme for code in ours.values()} == {"IBSI"}


def test_pyradiomics_kurtosis_is_not_given_ibsis_code_of_the_excess() -> None:
    assert concept_of("original_firstorder_Kurtosis", ARBITRARY, PLAIN).code.scheme == SCHEME
    assert concept_of("original_firstorder_ExcessKurtosis", ARBITRARY, PLAIN).code.value == "IPH6"


def test_grey_values_have_the_images_unit_and_texture_has_none() -> None:
    def unit(key: str, settings: Settings = PLAIN, intensity: Code = HOUNSFIELD) -> str:
        return concept_of(key, intensity, settings).unit.value

    assert unit("original_firstorder_Mean") == "[hnsf'U]"
    assert unit("original_firstorder_Variance") == unit("original_firstorder_Energy") == "[hnsf'U]2"
    assert unit("original_firstorder_TotalEnergy") == "[hnsf'U]2.mm3"
    assert unit("original_firstorder_Variance", intensity=UPTAKE) == "(g/ml{SUVbw})2"
    assert unit("original_firstorder_Entropy") == unit("original_glcm_Contrast") == "1"
    assert unit("original_shape_MeshVolume") == "mm3"
    assert unit("original_shape_SurfaceArea") == "mm2"
    assert unit("original_shape_SurfaceVolumeRatio") == "/mm"
    assert unit("original_shape_Sphericity") == "1"
    assert unit("wavelet-LLH_firstorder_Mean") == "[arb'U]"
    assert unit("original_firstorder_Mean", Settings.from_params({"setting": {"normalize": True}})) == NONE.value


def test_a_shift_of_grey_values_takes_ibsis_code_from_what_it_changes() -> None:
    shifted = Settings.from_params({"setting": {"voxelArrayShift": 300}})
    assert concept_of("original_firstorder_Energy", HOUNSFIELD, shifted).code.scheme == SCHEME
    assert concept_of("original_firstorder_RootMeanSquared", HOUNSFIELD, shifted).code.scheme == SCHEME
    assert concept_of("original_firstorder_Mean", HOUNSFIELD, shifted).code.scheme == "IBSI"


def test_a_grey_value_feature_without_a_line_in_the_table_of_units_is_an_error() -> None:
    with pytest.raises(InputError, match="no unit is known"):
        unit_of("firstorder", "Novelty", "", HOUNSFIELD)


def _words(text: str) -> list[str]:
    plain = text.lower().replace("(", " ").replace(")", " ").replace("-", " ").replace("gray", "grey")
    return [word for word in plain.split() if len(word) > 3]
