"""What a lens must say of itself."""

from deepradiomics.lens.config import LensConfig
from deepradiomics.lens.fit.remarks import case_remarks, cohort_remarks, level_remarks, null_remarks


def test_grey_levels_are_summed_up_for_each_modality() -> None:
    [said] = level_remarks({"t2": {"original": [12, 15, 16, 128]}, "adc": {"original": [16, 40, 128]}})
    assert said.startswith("Grey levels of t2: 12 to 128 in the 4 regions; 2 fewer than 16.")
    [said] = level_remarks({"adc": {"original": [5, 129, 300]}})
    assert "1 fewer than 16 and 2 more than 128" in said


def test_features_that_need_no_grey_levels_say_nothing_of_them() -> None:
    assert level_remarks({"t2": {"original": [0, 0]}, "adc": {}}) == []


def test_filtered_images_of_few_levels_are_named_with_their_median() -> None:
    [said] = level_remarks({"t2": {"original": [20, 30], "wavelet-HHH": [2, 4, 9], "wavelet-LLL": [15, 16, 90]}})
    assert "of t2 " in said
    assert "wavelet-HHH (4). Their" in said
    assert "LLL" not in said


def test_remarks_of_many_cases_that_differ_in_numbers_are_told_once() -> None:
    notes = {"a": ("12 % of the ROI lie outside modality t2",), "b": ("3 % of the ROI lie outside modality t2", "flat")}
    assert case_remarks(notes) == [
        "a: 12 % of the ROI lie outside modality t2 (2 cases have such a remark).",
        "b: flat.",
    ]


def test_a_small_cohort_is_told() -> None:
    told = cohort_remarks({"train": 30, "test": 5}, LensConfig(hidden=32), dimension=16)
    assert len(told) == 3
    assert "30 training cases for 32 hidden units" in told[0]
    assert "cannot become significant below 6" in told[1]
    assert "embeddings of 16 numbers" in told[2]
    assert cohort_remarks({"train": 300, "test": 50}, LensConfig(hidden=32), dimension=64) == []


def test_without_permutations_it_is_said_that_noise_is_not_known() -> None:
    assert "not known" in null_remarks(LensConfig())[0]
    assert null_remarks(LensConfig(permutations=10)) == []
