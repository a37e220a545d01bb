"""What the report says of an experiment is what its tables hold, and no more."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import wilcoxon

from deepradiomics.ich.experiment.result import Experiment
from deepradiomics.ich.experiment.tables import COLUMNS
from deepradiomics.reports.ich import findings
from Testing.unit.reports.fake_ich import write_fake_experiment


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    folder = tmp_path_factory.mktemp("experiment")
    inputs = ("radiomics", "shape", "radiomics+latents")
    return Experiment.read(write_fake_experiment(folder, outcomes=("poor_outcome", "expansion_3ml"), inputs=inputs))


def _changed(experiment: Experiment, table: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Experiment:
    rows = [{**row, **change(dict(row))} for row in experiment.tables[table]]
    return dataclasses.replace(experiment, tables={**experiment.tables, table: rows})


@pytest.mark.parametrize("blocks", [2, 5, 6, 10])
def test_the_smallest_p_is_that_of_differences_of_one_sign(blocks: int) -> None:
    assert findings.smallest_p(blocks) == pytest.approx(wilcoxon(range(1, blocks + 1), method="exact").pvalue)


def test_with_six_classifiers_no_pair_can_pass_bonferroni_and_the_report_says_so(experiment: Experiment) -> None:
    said = findings.wilcoxon(experiment)
    assert "6 blocks" in said
    assert "smallest possible p is 0.031" in said
    assert "3 pairs of inputs" in said
    assert "0.094: no pair can pass it" in said
    more = dataclasses.replace(
        experiment, about={**experiment.about, "classifiers": [{"name": f"k{i}"} for i in range(9)]}
    )
    assert "pairs can pass it" in findings.wilcoxon(more)  # 2/2**15 · 3
    assert "no pair" not in findings.wilcoxon(more)


def test_counts_of_small_p_are_those_of_the_table(experiment: Experiment) -> None:
    rows = experiment.tables["wilcoxon"]
    plain, bh = (sum(row[name] < 0.05 for row in rows) for name in ("p", "p_bh"))
    assert f"Of {len(rows)} tests over all outcomes and cohorts {plain} have p < 0.05" in findings.wilcoxon(experiment)
    assert f"{bh} (Benjamini–Hochberg)." in findings.wilcoxon(experiment)


def test_the_highest_cell_leads_and_the_model_named_beforehand_stands_beside_it(experiment: Experiment) -> None:
    planted = ("expansion_3ml", "shape", "svm")

    def plant(row: dict[str, Any]) -> dict[str, Any]:
        here = (row["outcome"], row["input"], row["classifier"]) == planted
        return {"auc": 0.987} if here and row["fold"] == "mean" else {}

    poor, expansion = findings.leading(_changed(experiment, "cells", plant))
    assert expansion.startswith(
        "Expansion > 3 mL: the highest of 18 in validation is Shape with SVM (RBF), mean AUC 0.987"
    )
    chosen = experiment.cell("expansion_3ml", "radiomics+latents", "extra-trees", "validation")
    assert f"beforehand (Radiomics + latents with Extra Trees): all folds together {chosen['auc']:.3f}" in expansion
    assert "0.987" not in poor


def test_nothing_is_beyond_noise_when_no_corrected_p_is_small(experiment: Experiment) -> None:
    none = _changed(experiment, "differences", lambda row: {"p_holm": 0.4, "p_delong": 0.01})
    assert "no difference is beyond noise" in findings.verdict(none)
    assert all("None is beyond noise after Holm's correction; 12 would" in line for line in findings.differences(none))


def test_a_planted_difference_is_told_with_its_direction(experiment: Experiment) -> None:
    def plant(row: dict[str, Any]) -> dict[str, Any]:
        here = (row["outcome"], row["cohort"], row["classifier"], row["input"], row["reference"]) == (
            "poor_outcome", "external", "xgboost", "radiomics+latents", "radiomics",
        )  # fmt: skip
        return {"p_holm": 0.01, "difference": -0.2, "low": -0.3, "high": -0.1} if here else {"p_holm": 1.0}

    planted = _changed(experiment, "differences", plant)
    assert "some differences are beyond noise" in findings.verdict(planted)
    assert "0 higher and 1 lower of 12 in external" in findings.verdict(planted)
    told = [line for line in findings.differences(planted) if "Beyond noise" in line]
    assert len(told) == 1
    assert "1 lower (Poor outcome (mRS > 3), XGBoost: −0.20 [−0.30, −0.10])" in told[0]


def test_differences_on_a_handful_of_patients_are_not_called_beyond_noise(experiment: Experiment) -> None:
    clear = _changed(experiment, "differences", lambda row: {"p_holm": 0.001, "p_delong": 0.0001, "difference": 0.3})
    assert "24 higher" not in findings.verdict(clear)
    assert "12 higher and 0 lower of 12 in external" in findings.verdict(clear)
    scarce = _changed(
        clear,
        "cells",
        lambda row: {"positives": 9.0} if (row["fold"], row["outcome"]) == ("external", "poor_outcome") else {},
    )
    assert "12 higher and 0 lower of 12 in validation and 6 higher and 0 lower of 12 in external" in findings.verdict(
        scarce
    )
    told = [line for line in findings.differences(scarce) if "rest on fewer than 10 patients" in line]
    assert told
    assert all("; 6 of them rest" in line and "external" in line for line in told)
    enough = _changed(clear, "cells", lambda row: {"positives": 10.0} if row["fold"] == "external" else {})
    assert not any("fewer than 10" in line for line in findings.differences(enough))


def test_a_run_of_one_input_says_that_nothing_was_compared(tmp_path: Path) -> None:
    folder = write_fake_experiment(tmp_path, outcomes=("poor_outcome",), inputs=("shape",), classifiers=("svm",))
    for table in ("differences", "wilcoxon"):
        (folder / "tables" / f"{table}.csv").write_text(",".join(COLUMNS[table]) + "\n", encoding="utf-8")
    alone = Experiment.read(folder)
    assert "No inputs were compared" in findings.verdict(alone)
    assert findings.differences(alone) == []
    assert "at least two classifiers are needed" in findings.wilcoxon(alone)
    assert "the only one in validation is Shape with SVM (RBF)" in findings.leading(alone)[0]


def test_friedman_says_whether_inputs_differ(experiment: Experiment) -> None:
    said = findings.friedman(experiment)
    assert len(said) == len(list(product(experiment.outcomes, experiment.cohorts)))
    assert "p = 0.002: inputs differ." in said[0]
    assert "p = 0.657: inputs do not differ beyond noise." in said[-1]


def test_differences_between_the_sexes_are_set_against_chance(experiment: Experiment) -> None:
    count = len(experiment.tables["sex"])
    assert f"Of {count} comparisons" in findings.sexes(experiment)
    assert f"0 have p < 0.05; by chance alone about {0.05 * count:.0f} would" in findings.sexes(experiment)
    unknown = dataclasses.replace(experiment, tables={**experiment.tables, "sex": ()})
    assert "were not compared" in findings.sexes(unknown)
