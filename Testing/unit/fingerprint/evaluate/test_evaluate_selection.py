"""What was selected: sizes, overlaps and first features worked by hand on two patients and four columns."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.fingerprint.evaluate.localise import TRUTH_GRID, rank_record, read_truth
from deepradiomics.fingerprint.evaluate.selection import SelectionRecord, first_features, summarise_selection
from deepradiomics.fingerprint.model.pool import PoolLayout

FEATURES = ("original_firstorder_Mean", "original_glcm_Contrast")
LAYOUT = PoolLayout((2, 1, 1), ("sagittal",), FEATURES)  # patch 1: columns 0 1, patch 2: columns 2 3


def _record(relevance: list[list[float]], seed: int = 0, cases: tuple[str, ...] = ("a", "b")) -> SelectionRecord:
    q = np.array(relevance, np.float32)[:, None, :]  # (2, 1, 3)
    return SelectionRecord(
        cases, ("acl",), seed, 0, LAYOUT, np.array([0, 1, 3]), q, np.array([[[1, -2, 0.5]]] * 2, np.float32),
        np.array([0.5]),
    )  # fmt: skip


def test_size_variance_and_overlap_between_patients() -> None:
    (found,) = summarise_selection([_record([[0.9, 0.6, 0.1], [0.7, 0.2, 0.1]])])
    assert (found.pool, found.size_mean) == (4, 1.5)  # {0, 1} and {0}
    assert found.jaccard_between_patients == 0.5
    assert found.relevance_variance_between == pytest.approx((0.01 + 0.04 + 0) / 3, rel=1e-5)
    assert math.isnan(found.jaccard_between_seeds)


def test_overlap_between_seeds_compares_a_patient_with_themselves() -> None:
    first = _record([[0.9, 0.6, 0.1], [0.7, 0.2, 0.1]])  # a: {0, 1}, b: {0}
    second = _record([[0.9, 0.1, 0.6], [0.7, 0.2, 0.1]], seed=1)  # a: {0, 3}, b: {0}
    (found,) = summarise_selection([first, second])
    assert found.jaccard_between_seeds == pytest.approx((1 / 3 + 1) / 2)


def test_patch_scores_are_mean_relevance_and_summed_absolute_contribution() -> None:
    record = _record([[0.9, 0.6, 0.1], [0.7, 0.2, 0.1]])
    assert record.by_patch("relevance")[0, 0] == pytest.approx([0.75, 0.1])
    assert record.by_patch("contribution")[0, 0] == pytest.approx([3.0, 0.5])


def test_first_features_are_named_by_patch_view_and_family() -> None:
    found = first_features([_record([[0.9, 0.6, 0.1], [0.7, 0.2, 0.1]])], count=2)
    by_relevance = [row for row in found if row.by == "relevance"]
    by_contribution = [row for row in found if row.by == "contribution"]
    assert [(r.rank, r.patch, r.family) for r in by_relevance] == [(1, 1, "firstorder"), (2, 1, "glcm")]
    assert [(r.rank, r.patch, r.family, r.contribution) for r in by_contribution] == [
        (1, 1, "glcm", 2.0), (2, 1, "firstorder", 1.0),
    ]  # fmt: skip
    assert by_relevance[0].selected == 1.0
    assert by_relevance[1].selected == 0.5


def test_a_record_comes_back_from_its_folder(tmp_path: Path) -> None:
    record = _record([[0.9, 0.6, 0.1], [0.7, 0.2, 0.1]])
    record.save(tmp_path)
    again = SelectionRecord.load(tmp_path)
    assert (again.cases, again.tasks, again.layout) == (record.cases, record.tasks, record.layout)
    assert np.array_equal(again.relevance, record.relevance)
    assert np.array_equal(again.selected, record.selected)


def test_arrays_of_another_shape_are_refused() -> None:
    with pytest.raises(InputError, match=r"relevance: expected \(cases, tasks, columns\) = \(2, 1, 3\)"):
        _record([[0.9, 0.6], [0.7, 0.2]])


def _eight_patches() -> SelectionRecord:
    layout = PoolLayout(TRUTH_GRID, ("sagittal",), FEATURES[:1])
    q = np.linspace(0.1, 0.8, 8, dtype=np.float32)[None, None, :].repeat(2, axis=1)  # patch 8 has the highest relevance
    return SelectionRecord(("a",), ("acl", "abnormality"), 0, 0, layout, np.arange(8), q, -q, np.array([0.5, 0.5]))


def test_lesions_are_ranked_for_their_own_task_and_any_lesion_makes_a_knee_abnormal() -> None:
    rows = rank_record(
        "f", _eight_patches(), {"a": [("acl", 8), ("meniscus", 6)]}, {("acl", "a"), ("abnormality", "a")}
    )
    found = [(row.task, row.planted, row.rank) for row in rows if row.score == "relevance"]
    assert found == [("acl", 8, 1.0), ("abnormality", 8, 1.0), ("abnormality", 6, 3.0)]


def test_cases_without_the_label_are_not_ranked() -> None:
    assert rank_record("f", _eight_patches(), {"a": [("acl", 8)]}, set()) == []


def test_a_truth_over_another_grid_is_refused() -> None:
    with pytest.raises(InputError, match=r"grid \(2, 2, 2\), the model uses \(2, 1, 1\)"):
        rank_record("f", _record([[0.9, 0.6, 0.1], [0.7, 0.2, 0.1]]), {}, set())


def test_the_truth_table_is_read_by_case(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    path.write_text("id,task,group,patch\nk0,acl,A,2\nk0,meniscus,B,5\n", encoding="utf-8")
    assert read_truth(path) == {"k0": [("acl", 2), ("meniscus", 5)]}
    path.write_text("id,task\nk0,acl\n", encoding="utf-8")
    with pytest.raises(InputError, match="patch missing"):
        read_truth(path)
