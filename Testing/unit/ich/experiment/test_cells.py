"""Cells: fitted once, kept, found again; what a threshold is chosen on."""

import json
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.ich.experiment.cells import CellKey, SplitBlocks, run_cells
from deepradiomics.ich.experiment.config import Design
from deepradiomics.modelling.folds import Fold
from deepradiomics.stats import youden
from Testing.unit.ich.feature_arrays import quick_config

pytest.importorskip("sklearn")

rng = np.random.default_rng(2)
X = rng.normal(size=(60, 5))
Y = (X[:, 0] + rng.normal(size=60) > 0).astype(float)
FOLD = Fold("1", np.arange(40), np.arange(0, 40, 4), np.arange(40, 60))
CONFIG = quick_config()
KEY = CellKey("1", "grown", "shape", "naive-bayes")


def _split(y: np.ndarray = Y, x: np.ndarray = X) -> SplitBlocks:
    return SplitBlocks(
        FOLD, {"shape": x[FOLD.train]}, {"shape": x[FOLD.test]}, {"grown": y[FOLD.train]}, {"grown": y[FOLD.test]}
    )  # fmt: skip


def test_the_test_patients_are_judged_by_a_model_of_the_whole_training_part(tmp_path: Path) -> None:
    naive_bayes = pytest.importorskip("sklearn.naive_bayes").GaussianNB()
    found = run_cells([_split()], tmp_path, Design(CONFIG, ("shape",)))[KEY]
    expected = naive_bayes.fit(X[:40], Y[:40]).predict_proba(X[40:])[:, 1]
    np.testing.assert_array_equal(found.probability, expected)


def test_the_threshold_comes_from_patients_that_its_model_was_not_fitted_on(tmp_path: Path) -> None:
    naive_bayes = pytest.importorskip("sklearn.naive_bayes").GaussianNB()
    found = run_cells([_split()], tmp_path, Design(CONFIG, ("shape",)))[KEY]
    fits = np.setdiff1d(FOLD.train, FOLD.held_out)
    held = naive_bayes.fit(X[fits], Y[fits]).predict_proba(X[FOLD.held_out])[:, 1]
    assert found.threshold == youden(Y[FOLD.held_out], held)


def test_a_finished_cell_is_read_and_one_of_other_data_or_damaged_is_fitted_again(tmp_path: Path) -> None:
    first = run_cells([_split()], tmp_path, Design(CONFIG, ("shape",)))[KEY]
    file = tmp_path / "cells" / "1" / "grown" / "shape.naive-bayes.json"
    stamp = file.stat().st_mtime_ns
    again = run_cells([_split()], tmp_path, Design(CONFIG, ("shape",)))[KEY]
    assert file.stat().st_mtime_ns == stamp
    np.testing.assert_array_equal(again.probability, first.probability)
    changed = run_cells([_split(x=X + np.eye(1, 5) * Y[:, None])], tmp_path, Design(CONFIG, ("shape",)))[KEY]
    assert not np.array_equal(changed.probability, first.probability)
    file.write_text(json.dumps({"hash": "cut"})[:9], encoding="utf-8")
    with pytest.warns(UserWarning, match=r"shape\.naive-bayes\.json.*It is made anew"):
        mended = run_cells([_split()], tmp_path, Design(CONFIG, ("shape",)))[KEY]
    np.testing.assert_array_equal(mended.probability, first.probability)


def test_missing_outcomes_are_left_out_of_fit_threshold_and_test(tmp_path: Path) -> None:
    y = Y.copy()
    y[[1, 8, 45]] = np.nan
    found = run_cells([_split(y)], tmp_path, Design(CONFIG, ("shape",)))[KEY]
    assert len(found.probability) == 19
    assert 5 not in found.rows


@pytest.mark.parametrize(
    ("rows", "what"), [(FOLD.train, "training part"), (FOLD.held_out, "held-out part")]
)  # fmt: skip
def test_one_class_in_a_part_is_told(tmp_path: Path, rows: np.ndarray, what: str) -> None:
    y = Y.copy()
    y[rows] = 0
    with pytest.raises(InputError, match=rf"Outcome grown: the {what} of split 1 has one class only"):
        run_cells([_split(y)], tmp_path, Design(CONFIG, ("shape",)))


def test_shares_add_up_to_the_distance_from_the_background(tmp_path: Path) -> None:
    """One column, one group: |SHAP| of the group is that of the column, and explains the whole probability."""
    config = quick_config(shap_cases=30, background=40)
    split = SplitBlocks(
        FOLD, {"shape": X[:40, :1]}, {"shape": X[40:, :1]}, {"grown": Y[:40]}, {"grown": Y[40:]}
    )  # fmt: skip
    found = run_cells([split], tmp_path, Design(config, ("shape",)), explained_input="shape")[KEY]
    model = pytest.importorskip("sklearn.naive_bayes").GaussianNB().fit(X[:40, :1], Y[:40])
    base = model.predict_proba(X[:40, :1])[:, 1].mean()
    assert found.explained == 10  # of thirty, a third in each of three folds
    from deepradiomics.ich.experiment.cell_fit import drawn

    cases = drawn(np.c_[found.probability], 10, 0)
    assert found.groups["shape"] == pytest.approx(np.abs(cases - base).sum(), abs=1e-6)
    assert found.components.tolist() == pytest.approx([found.groups["shape"]])
