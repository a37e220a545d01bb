"""The share of far features counts what is defined; the measured limit parts held-out from foreign cases."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.stats.outside import FAR_SD, OUTSIDE_LIMIT, beyond_share, outside_fields, outside_sentence

RESULTS = Path(__file__).resolve().parents[3] / "docs" / "results"


def test_the_share_is_of_the_features_that_are_defined_and_vary() -> None:
    mean, sd = np.array([10.0, 0.0, 5.0, 1.0, 1.0]), np.array([2.0, 1.0, 1.0, 0.0, 1.0])
    case = np.array([16.1, 2.9, np.nan, 99.0, -3.0])  # z: 3.05, 2.9, undefined, constant in training, -4
    assert beyond_share(case, mean, sd) == pytest.approx(2 / 3)
    assert beyond_share(np.array([16.0]), mean[:1], sd[:1]) == 0.0  # 3 SD itself is not beyond


def test_without_any_feature_to_tell_by_the_case_is_not_called_outside() -> None:
    share = beyond_share(np.array([np.nan, 1.0]), np.zeros(2), np.array([1.0, 0.0]))
    assert share is None
    assert outside_fields(share) == {
        "outside_training_cohort": False, "outside_share": None, "outside_limit": OUTSIDE_LIMIT,
    }  # fmt: skip


def test_independent_normal_features_lie_beyond_3_sd_as_often_as_the_normal_distribution_says() -> None:
    draws = np.random.default_rng(0).normal(size=200_000)
    assert beyond_share(draws, np.zeros(draws.size), np.ones(draws.size)) == pytest.approx(0.0027, abs=0.0005)


def test_only_a_share_above_the_limit_is_outside() -> None:
    at, above = (outside_fields(share)["outside_training_cohort"] for share in (OUTSIDE_LIMIT, OUTSIDE_LIMIT + 1e-6))
    assert not at
    assert above
    assert outside_sentence(0.49).startswith("49% of the features lie more than 3 standard deviations")


def test_the_limit_is_the_one_that_was_measured_and_parts_held_out_from_foreign_cases() -> None:
    measured = json.loads((RESULTS / "outside_cohort.json").read_text(encoding="utf-8"))
    assert measured["limit"] == OUTSIDE_LIMIT
    assert FAR_SD == 3.0
    with open(RESULTS / "outside_cohort.csv", encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["method"] for row in rows} == {"fingerprint", "ich"}
    for row in rows:
        above, cases = int(row["above_limit"]), int(row["cases"])
        if row["group"] == "held out":
            assert above <= 0.05 * cases, row  # at most one in twenty of the cohort's own kind
            assert row["method"] == "ich" or above == 0, row
        if row["group"] == "foreign":
            assert above > 0.5 * cases, row
            assert row["method"] == "ich" or above == cases, row
    assert {row["group"] for row in rows} >= {"held out", "foreign"}
