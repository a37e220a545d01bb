"""An experiment's folder is read as it was written, and what is not one is refused."""

from __future__ import annotations

import json
from math import isnan
from pathlib import Path

import pytest

from deepradiomics.errors import InputError
from deepradiomics.ich.experiment.result import Experiment, read_rows
from deepradiomics.reports.ich.words import readable
from deepradiomics.stats import auc
from deepradiomics.words import is_number, listed, with_interval
from Testing.unit.reports.fake_ich import write_fake_experiment

OUTCOMES, INPUTS, KINDS = ("poor_outcome", "expansion_6ml"), ("radiomics", "radiomics+latents"), ("svm", "extra-trees")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("experiment")
    return write_fake_experiment(out, outcomes=OUTCOMES, inputs=INPUTS, classifiers=KINDS, patients=60)


def test_names_keep_the_order_of_the_experiment_and_get_titles(folder: Path) -> None:
    found = Experiment.read(folder)
    assert found.outcomes == {"poor_outcome": "Poor outcome (mRS > 3)", "expansion_6ml": "Expansion > 6 mL"}
    assert list(found.classifiers) == ["svm", "extra-trees"]
    assert found.inputs["radiomics+latents"] == "Radiomics + latents"
    assert found.chosen == ("radiomics+latents", "extra-trees")
    assert found.title("svm") == "SVM (RBF)"
    assert list(found.cohorts) == ["validation", "external"]


def test_the_auc_of_a_cell_is_that_of_its_predictions(folder: Path) -> None:
    found = Experiment.read(folder)
    predictions = found.predictions("radiomics", "svm")
    assert set(predictions) == {(outcome, cohort) for outcome in OUTCOMES for cohort in ("validation", "external")}
    for (outcome, cohort), (label, score) in predictions.items():
        cell = found.cell(outcome, "radiomics", "svm", cohort)
        assert len(label) == cell["n"]
        assert auc(label, score) == pytest.approx(cell["auc"], abs=1e-5)


def test_an_empty_number_is_nan_and_a_text_stays_one(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("outcome,fold,auc,p,training\nexpansion_6ml,1,,<0.001,40\n", encoding="utf-8")
    [row] = read_rows(path)
    assert row["fold"] == "1"
    assert row["training"] == "40"
    assert isnan(row["auc"])
    assert row["p"] == "<0.001"
    assert not is_number(row["auc"])
    assert not is_number(row["p"])
    assert not is_number(True)
    assert is_number(0.5)


def test_a_cell_that_was_not_run_has_no_scores(folder: Path) -> None:
    assert Experiment.read(folder).cell("poor_outcome", "shape", "svm", "validation") == {}


def test_another_folder_is_refused_with_what_was_expected(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"experiment\.json is missing"):
        Experiment.read(tmp_path)
    (tmp_path / "experiment.json").write_text(json.dumps({"kind": "lens"}), encoding="utf-8")
    with pytest.raises(InputError, match=r"kind 'ich-experiment'\), got 'lens'"):
        Experiment.read(tmp_path)
    (tmp_path / "experiment.json").write_text(
        (folder / "experiment.json").read_text(encoding="utf-8"), encoding="utf-8"
    )
    with pytest.raises(InputError, match=r"cells\.csv: the scores are missing.*finished cells are kept"):
        Experiment.read(tmp_path)


def test_names_of_features_become_words_and_everything_else_stays() -> None:
    assert readable("original_glcm_Contrast") == "GLCM Contrast"
    assert readable("Encoder latent component 3") == "Encoder latent component 3"
    assert readable("my_own_column") == "my_own_column"


def test_an_interval_is_shown_where_there_is_one() -> None:
    assert with_interval({"auc": 0.7125, "auc_low": 0.6, "auc_high": 0.8}) == "0.713 [0.600, 0.800]"
    assert with_interval({"auc": 0.0, "auc_low": 0.0, "auc_high": 0.0}, digits=2) == "0.00 [no interval]"
    assert with_interval({"auc": 0.7}) == "0.700"
    assert with_interval({}) == "–"
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
