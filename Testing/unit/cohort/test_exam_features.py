"""Kept examinations: they come back bit for bit, and shapes that do not fit each other are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deepradiomics.cohort.exam_features import EXAMS, ExamFeatures, exam_store
from deepradiomics.errors import InputError


def test_an_examination_comes_back_bit_for_bit(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    exam = ExamFeatures(
        rng.normal(size=(2, 4, 5, 6)).astype(np.float32),
        rng.normal(size=(8, 2, 3)),
        ("original_firstorder_Mean", "original_glcm_Contrast", "original_shape_Sphericity"),
        ("coronal", "axial"),
        ("a note with ü",),
        {"levels": [3, 4]},
    )
    store, key = exam_store(tmp_path), EXAMS.key(images="a")
    exam.keep(store, key)
    entry = store.get(key)
    assert entry is not None
    back = ExamFeatures.of_entry(entry)
    np.testing.assert_array_equal(back.values, exam.values)
    np.testing.assert_array_equal(back.image, exam.image)
    assert (back.feature_names, back.views) == (exam.feature_names, exam.views)
    assert (back.notes, dict(back.diagnostics)) == (exam.notes, {"levels": [3, 4]})


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match=r"features must be \(patches, 1, 2\)"):
        ExamFeatures(np.zeros((1, 2, 2, 2), np.float32), np.zeros((3, 2, 2)), ("a", "b"), ("v",))
    with pytest.raises(InputError, match="image must hold 1 views"):
        ExamFeatures(np.zeros((2, 2, 2, 2), np.float32), np.zeros((3, 1, 2)), ("a", "b"), ("v",))
