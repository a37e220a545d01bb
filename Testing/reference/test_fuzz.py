"""Random inputs give PyRadiomics' numbers, and what sorts the differences can tell a true one from an excused one."""

import os
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from Testing.reference import fuzz
from Testing.reference.excuses import edge_voxels, excuses
from Testing.reference.fuzz_inputs import IMAGE_KINDS, MASK_KINDS, fuzz_case
from Testing.reference.parity import oracle
from Testing.reference.parity.compare import Comparison, compare, sorted_out
from Testing.reference.rows import append_row

pytestmark = pytest.mark.skipif(not oracle.is_live(), reason="PyRadiomics is not installed here")
GLCM = {"featureClass": {"glcm": None, "firstorder": None}}


@pytest.mark.parametrize("seed", range(5000, 5030))
def test_a_random_input_equals_pyradiomics(seed: int) -> None:
    case = fuzz_case(seed, filters=oracle.has_lbp())
    found = compare(case.image, case.mask, case.params)
    assert found.failed == ""
    assert found.mismatches == {}


@pytest.mark.slow
def test_hundreds_of_random_inputs_equal_pyradiomics() -> None:
    for seed in range(6000, 6000 + int(os.environ.get("DEEPRADIOMICS_FUZZ", "300"))):
        case = fuzz_case(seed, filters=oracle.has_lbp())
        found = compare(case.image, case.mask, case.params)
        assert found.passed, (seed, found)


def test_the_seeds_reach_every_kind_of_image_and_mask() -> None:
    cases = [fuzz_case(seed) for seed in range(150)]
    assert {case.image_kind for case in cases} == set(IMAGE_KINDS)
    assert {case.mask_kind for case in cases} == set(MASK_KINDS)
    assert {name for case in cases for name in case.params["imageType"]} >= {"Wavelet", "LoG", "LBP2D", "Gradient"}
    again = fuzz_case(7)
    assert np.array_equal(sitk.GetArrayFromImage(again.image), sitk.GetArrayFromImage(cases[7].image))
    assert again.params == cases[7].params


def test_a_wrong_number_a_missing_key_and_a_wrong_order_are_told() -> None:
    image, mask = pair(np.linspace(1.0, 88.0, 64).reshape(4, 4, 4))
    theirs = oracle.live_values(image, mask, GLCM)
    assert sorted_out(image, mask, GLCM, theirs, theirs).passed
    wrong = {**theirs, "original_glcm_Contrast": theirs["original_glcm_Contrast"] * (1 + 2e-6)}
    assert list(sorted_out(image, mask, GLCM, wrong, theirs).mismatches) == ["original_glcm_Contrast"]
    fewer = {key: value for key, value in theirs.items() if key != "original_glcm_Id"}
    assert "original_glcm_Id" in sorted_out(image, mask, GLCM, fewer, theirs).failed
    assert "order" in sorted_out(image, mask, GLCM, dict(reversed(theirs.items())), theirs).failed
    undefined = {**theirs, "original_glcm_Contrast": float("nan")}
    assert not sorted_out(image, mask, GLCM, undefined, theirs).passed


def test_a_difference_is_excused_where_an_ulp_carries_a_voxel_over_an_edge() -> None:
    voxels = np.linspace(1.0, 88.0, 64).reshape(4, 4, 4)
    keys = ["original_glcm_Contrast", "original_firstorder_Entropy"]
    voxels[1, 2, 3] = 50.0
    found = excuses(*pair(voxels), GLCM, keys)
    assert set(found) == set(keys)
    assert found[keys[0]].voxels == 1
    voxels[1, 2, 3] = 50.1
    assert excuses(*pair(voxels), GLCM, keys) == {}  # no voxel near an edge


def test_a_voxel_at_an_edge_excuses_only_what_its_nudge_changes() -> None:
    voxels = np.linspace(1.0, 88.0, 64).reshape(4, 4, 4)
    voxels[1, 2, 3] = 50.0
    assert excuses(*pair(voxels), GLCM, ["original_firstorder_Mean"]) == {}
    assert excuses(*pair(voxels.astype(np.int32)), GLCM, ["original_glcm_Contrast"]) == {}  # integers have no ulp


def test_edges_are_found_within_a_billionth_of_a_bin() -> None:
    values = np.array([1.0, 24.9, 25.0, 25 + 20e-9, 25 + 60e-9, 50 - 20e-9, 70.0])
    assert edge_voxels(values, {"binWidth": 25}).tolist() == [2, 3, 5]


def test_a_deviation_of_equal_values_is_zero_but_for_rounding() -> None:
    name = "original_firstorder_RobustMeanAbsoluteDeviation"
    assert oracle.relative_difference(name, 4.4e-11, 1.5e-11, scale=65535.0) == 0
    assert oracle.relative_difference(name, 4.4e-9, 1.5e-9, scale=65535.0) > 1
    assert oracle.relative_difference(name, 4.4e-11, 1.5e-11) > 1


def test_the_table_of_random_inputs_resumes_and_sums_up(tmp_path: Path) -> None:
    path = tmp_path / "fuzz.csv"
    for seed in (0, 1):
        case = fuzz_case(seed, filters=False)
        append_row(path, fuzz.row_of(case, compare(case.image, case.mask, case.params)), fuzz.COLUMNS)
    append_row(
        path, fuzz.row_of(fuzz_case(2), Comparison(1, {"glcm": 0.5}, {"original_glcm_Id": (1.0, 2.0)})), fuzz.COLUMNS
    )
    rows = fuzz.read(path)
    assert sorted(rows) == [0, 1, 2]
    total = fuzz.summary(list(rows.values()))
    assert total["worst_by_class"]["glcm"] == {
        "worst": 0.5,
        "seed": 2,
        "inputs": total["worst_by_class"]["glcm"]["inputs"],
    }
    assert total["outcomes"]["mismatch"] == 1
    assert "original_glcm_Id" in total["mismatches"]["2"]


def pair(voxels: np.ndarray) -> tuple[sitk.Image, sitk.Image]:
    inside = np.ones(voxels.shape, np.uint8)
    inside[0, 0, 0] = 0
    return sitk.GetImageFromArray(voxels), sitk.GetImageFromArray(inside)
