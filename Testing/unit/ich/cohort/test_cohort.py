"""The cohort of an experiment: outcomes from numbers and labels, missing ones, cells that cannot be meant."""

from pathlib import Path

import numpy as np
import pytest

from deepradiomics.errors import ManifestError
from deepradiomics.ich.cohort.manifest import IchCohort, read_cohort
from Testing.unit.ich.ich_heads import write_rows

nan = float("nan")


def _cohort(folder: Path, *rows: dict[str, str]) -> IchCohort:
    (folder / "ct.nii.gz").touch()
    first = {"patient": "", "image": "ct.nii.gz"}
    return read_cohort(write_rows(folder / "m.csv", [{"id": f"c{i}"} | first | row for i, row in enumerate(rows)]))


def test_outcomes_follow_from_mrs_and_expansion_and_may_be_missing(tmp_path: Path) -> None:
    cohort = _cohort(
        tmp_path, {"value_mrs": "3", "value_expansion_ml": "3.0"}, {"value_mrs": "4", "value_expansion_ml": "6.5"},
        {"value_mrs": "", "value_expansion_ml": "12"}, {"value_mrs": "6", "value_expansion_ml": ""},
    )  # fmt: skip
    assert cohort.outcome_names() == tuple(cohort.outcome_names())
    assert len(cohort.outcome_names()) == 5
    np.testing.assert_array_equal(cohort.outcome("poor_outcome"), [0, 1, nan, 1])
    np.testing.assert_array_equal(cohort.outcome("expansion_3ml"), [0, 1, 1, nan])  # more than, not from
    np.testing.assert_array_equal(cohort.outcome("expansion_6ml"), [0, 1, 1, nan])
    np.testing.assert_array_equal(cohort.outcome("expansion_9ml"), [0, 0, 1, nan])


def test_expansion_is_relative_to_the_baseline_volume(tmp_path: Path) -> None:
    cohort = _cohort(tmp_path, *({"value_expansion_ml": text} for text in ("3.3", "3.4", "")))
    np.testing.assert_array_equal(cohort.outcome("expansion_33pct", [10.0, 10.0, 10.0]), [0, 1, nan])
    assert np.isnan(cohort.outcome("expansion_33pct")).all()  # without volumes it is not known


def test_a_label_stands_above_the_number(tmp_path: Path) -> None:
    cohort = _cohort(
        tmp_path, {"value_mrs": "5", "label_poor_outcome": "0"}, {"value_mrs": "5", "label_poor_outcome": ""}
    )  # fmt: skip
    np.testing.assert_array_equal(cohort.outcome("poor_outcome"), [0, 1])


def test_a_label_column_is_an_outcome_of_its_own(tmp_path: Path) -> None:
    cohort = _cohort(tmp_path, {"label_death": "1"}, {"label_death": ""})
    assert cohort.outcome_names() == ("death",)
    np.testing.assert_array_equal(cohort.outcome("death"), [1, nan])
    with pytest.raises(ManifestError, match=r"'expansion_3ml': it needs the column value_expansion_ml or label_"):
        cohort.outcome("expansion_3ml")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"sex": "male or female"}, "column sex: expected F, M or nothing"),
        ({"value_mrs": "7"}, "whole number from 0 to 6, got 7"),
        ({"label_death": "2"}, "column label_death: expected 0 or 1, got 2"),
    ],
)
def test_cells_that_cannot_be_meant_are_refused(tmp_path: Path, row: dict[str, str], message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        cohort = _cohort(tmp_path, row)
        for name in cohort.outcome_names():
            cohort.outcome(name)


def test_sex_is_read_in_words_and_networks_relative_to_the_manifest(tmp_path: Path) -> None:
    cohort = _cohort(tmp_path, {"sex": "female", "encoder": "nets/a"}, {"sex": "m", "encoder": ""})
    assert cohort.sex == ("F", "M")
    assert cohort.network("encoder", Path("else")) == (tmp_path / "nets" / "a", Path("else"))
