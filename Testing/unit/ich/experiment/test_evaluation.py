"""The experiment on feature tables: what is planted is found, what is not is not, and nobody is tested by himself."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.ich.experiment.config import INPUTS, Design
from deepradiomics.ich.experiment.evaluation import Evaluation, evaluated
from deepradiomics.ich.experiment.tables import COLUMNS
from deepradiomics.ich.features.run import CohortFeatures, Machines
from deepradiomics.modelling.classifier_names import CLASSIFIERS
from Testing.unit.ich.feature_arrays import feature_arrays, quick_config

pytest.importorskip("sklearn")

TWO = ("poor_outcome", "expansion_3ml")
FEW = ("naive-bayes", "extra-trees", "xgboost")


def _run(folder: Path, training: CohortFeatures, external: CohortFeatures | None = None, **changes: Any) -> Evaluation:
    seed = changes.pop("seed", 0)
    outcomes = changes.pop("outcomes", ("expansion_3ml",))
    inputs = changes.pop("inputs", ("radiomics", "shape", "shape+latents"))
    workers = {name: changes.pop(name) for name in ("workers", "cluster") if name in changes}
    config = quick_config(**changes)
    design = Design(config, tuple(inputs), tuple(outcomes), seed)
    return evaluated(training, external, design, folder, Machines(device="cpu", **workers))


def _row(rows: Any, **where: str) -> Mapping[str, Any]:
    [found] = [row for row in rows if all(row[name] == value for name, value in where.items())]
    return found


def test_what_is_planted_in_heterogeneity_is_found_beyond_shape(tmp_path: Path) -> None:
    found = _run(tmp_path, feature_arrays(150), feature_arrays(90, seed=1, prefix="x"), classifiers=["elastic-net"])
    for cohort in ("validation", "external"):
        row = _row(found.tables["differences"], cohort=cohort, input="shape+latents", reference="shape")
        assert row["low"] > 0
        assert row["p_holm"] < 0.01
        assert row["p_bootstrap"] < 0.02
        assert row["auc"] > 0.8 > row["auc_reference"]


def test_without_a_signal_the_mean_auc_is_one_half(tmp_path: Path) -> None:
    """Over inputs and classifiers; anything fitted outside its fold would lift it."""
    areas = []
    for seed in range(4):
        shuffled = feature_arrays(200, seed=10 + seed, planted=False)
        found = _run(tmp_path / str(seed), shuffled, classifiers=["naive-bayes"], folds=2, seed=seed)
        areas += [row["auc"] for row in found.tables["cells"] if row["fold"] == "pooled"]
    assert np.mean(areas) == pytest.approx(0.5, abs=0.05)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    """All inputs, two outcomes, three classifiers, small, with an external cohort and explanations."""
    return _run(
        tmp_path_factory.mktemp("whole"), feature_arrays(90), feature_arrays(50, seed=1, prefix="x"),
        classifiers=list(FEW), outcomes=TWO, inputs=tuple(INPUTS), shap_cases=2, components=4, trees=4,
        folds=2, covariates=["age", "sex"],
    )  # fmt: skip


def test_every_table_has_its_columns_and_no_others(whole: Evaluation) -> None:
    assert set(whole.tables) == set(COLUMNS)
    for name, rows in whole.tables.items():
        assert rows, name
        assert set().union(*rows) == set(COLUMNS[name]), name


def test_every_cell_is_there_once(whole: Evaluation) -> None:
    rows = [tuple(row[name] for name in COLUMNS["cells"][:5]) for row in whole.tables["cells"]]
    assert len(set(rows)) == len(rows) == 2 * 7 * 3 * (2 + 3 + 1)
    assert len(whole.tables["summary"]) == 2 * 7 * 3
    assert len(whole.tables["wilcoxon"]) == 2 * 2 * 21
    assert len(whole.tables["friedman"]) == 4
    assert {row["blocks"] for row in whole.tables["friedman"]} == {3}
    # radiomics against six inputs, shape against six, in two cohorts
    assert len(whole.tables["differences"]) == 2 * 2 * 3 * 12


def test_one_factorisation_serves_all_outcomes(whole: Evaluation) -> None:
    rows = whole.tables["nmf"]
    assert {(row["family"], row["split"]) for row in rows} == {
        (family, split) for family in ("radiomics", "encoder", "autoencoder") for split in ("1", "2", "all")
    }
    assert len(rows) == 9
    assert all(0 < row["relative_error"] < 1 for row in rows)


def test_shares_of_the_groups_add_to_one_and_clinical_columns_are_among_them(whole: Evaluation) -> None:
    for outcome in TWO:
        for classifier in FEW:
            own = [
                row
                for row in whole.tables["shap_groups"]
                if (row["outcome"], row["classifier"]) == (outcome, classifier)
            ]
            assert [row["group"] for row in own] == ["radiomics", "encoder", "autoencoder", "clinical"]
            assert sum(row["share"] for row in own) == pytest.approx(1)
    components = [row for row in whole.tables["shap_components"] if row["outcome"] == "expansion_3ml"]
    assert len(components) == 3 * (3 * 4 + 2)


def test_each_patient_is_tested_once_by_models_of_a_fold_that_he_is_not_in(whole: Evaluation) -> None:
    for one in whole.predictions:
        assert len(set(one.ids)) == len(one.ids)
        if one.cohort == "validation":
            assert len(one.ids) == 90
            assert set(one.fold) == {"1", "2"}
            for fold in set(one.fold):
                assert len(set(one.threshold[one.part(fold)])) == 1
        else:
            assert len(one.ids) == 50
            assert len(set(one.threshold)) == 1


def test_other_test_patients_change_nothing_that_was_learned(tmp_path: Path) -> None:
    """If anything of the fit saw the external cohort, its features would move the out-of-fold predictions."""
    training = feature_arrays(80)
    one = _run(tmp_path / "1", training, feature_arrays(30, seed=1, prefix="x"))
    two = _run(tmp_path / "2", training, feature_arrays(30, seed=2, prefix="y"))
    for first, second in zip(one.predictions, two.predictions, strict=True):
        if first.cohort == "validation":
            np.testing.assert_array_equal(first.probability, second.probability)


def test_a_fold_learns_nothing_from_its_own_test_patients(tmp_path: Path) -> None:
    """Wild features of one patient move nobody of his own fold, for that fold's model never saw them."""
    training = feature_arrays(80)
    before = _run(tmp_path / "1", training, inputs=("radiomics",))
    radiomics = training.radiomics.copy()
    radiomics[7] = 1000.0
    after = _run(tmp_path / "2", replace(training, radiomics=radiomics), inputs=("radiomics",))
    one, two = before.predictions[0], after.predictions[0]
    own = one.part(one.fold[7])
    own[7] = False
    np.testing.assert_array_equal(one.probability[own], two.probability[own])
    assert not np.array_equal(one.probability, two.probability)


def test_a_seed_gives_the_same_numbers_again_and_another_seed_others(tmp_path: Path) -> None:
    training = feature_arrays(60)
    first, again, other = (
        _run(tmp_path / str(i), training, classifiers=["extra-trees"], trees=5, folds=2, seed=seed)
        for i, seed in enumerate((3, 3, 4))
    )
    for name in COLUMNS:
        if name != "nmf":  # its column seconds is a time
            assert first.tables[name] == again.tables[name] or repr(first.tables[name]) == repr(again.tables[name])
    assert repr(first.tables["cells"]) != repr(other.tables["cells"])


@pytest.mark.parametrize("processes", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_workers_of_a_cluster_give_the_same_numbers(tmp_path: Path, processes: bool) -> None:
    """Threads of this process in the default run; processes of their own, and as the option workers, in the slow."""
    distributed = pytest.importorskip("distributed")
    training = feature_arrays(50)
    options = {"classifiers": CLASSIFIERS, "shap_cases": 2, "trees": 4, "folds": 2, "inputs": ("shape+latents",)}
    here = _run(tmp_path / "here", training, **options)
    found = []
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=processes, dashboard_address="127.0.0.1:0"
    ) as cluster:
        found.append(_run(tmp_path / "there", training, cluster=cluster.scheduler_address, **options))
    if processes:
        found.append(_run(tmp_path / "two", training, workers=2, **options))
    for there in found:
        for name in ("cells", "differences", "shap_groups", "shap_components", "calibration"):
            assert repr(here.tables[name]) == repr(there.tables[name]), name


def test_patients_without_an_outcome_are_left_out_of_its_cells_alone(tmp_path: Path) -> None:
    training = feature_arrays(80)
    rows = list(training.cohort.manifest.rows)
    for i in range(0, 80, 4):
        rows[i] = replace(rows[i], values={name: v for name, v in rows[i].values.items() if name != "mrs"})
    cohort = replace(training.cohort, manifest=replace(training.cohort.manifest, rows=tuple(rows)))
    found = _run(tmp_path, replace(training, cohort=cohort), outcomes=("poor_outcome", "expansion_3ml"))
    sizes = {(one.outcome, len(one.ids)) for one in found.predictions}
    assert sizes == {("poor_outcome", 60), ("expansion_3ml", 80)}
    assert any("not known of 20 of 80 training patients" in text for text in found.remarks)
    assert {row["rows"] for row in found.tables["nmf"] if row["split"] == "all"} == {80}


def test_an_outcome_that_the_external_cohort_lacks_is_validated_out_of_fold_only(tmp_path: Path) -> None:
    external = feature_arrays(40, seed=1, prefix="x")
    rows = tuple(
        replace(row, values={"expansion_ml": row.values["expansion_ml"]}) for row in external.cohort.manifest.rows
    )
    manifest = replace(external.cohort.manifest, rows=rows, value_names=("expansion_ml",))
    lacking = replace(external, cohort=replace(external.cohort, manifest=manifest))
    found = _run(tmp_path, feature_arrays(60), lacking, outcomes=("poor_outcome", "expansion_3ml"))
    assert {(one.outcome, one.cohort) for one in found.predictions} == {
        ("poor_outcome", "validation"), ("expansion_3ml", "validation"), ("expansion_3ml", "external")
    }  # fmt: skip


def test_one_class_in_a_fold_is_told_with_the_way_out(tmp_path: Path) -> None:
    training = feature_arrays(40)
    rows = [replace(row, labels={"rare": int(i < 2)}) for i, row in enumerate(training.cohort.manifest.rows)]
    manifest = replace(training.cohort.manifest, rows=tuple(rows), tasks=("rare",))
    rare = replace(training, cohort=replace(training.cohort, manifest=manifest))
    with pytest.raises(InputError, match="Outcome rare: 2 patients with it are too few for 3 folds"):
        _run(tmp_path, rare, outcomes=("rare",))


def test_nested_search_keeps_what_it_chose(tmp_path: Path) -> None:
    found = _run(
        tmp_path, feature_arrays(60), classifiers=["naive-bayes"], search="nested", inputs=("shape",)
    )  # fmt: skip
    chosen = {key.split: dict(one.parameters) for key, one in found.cells.items()}
    assert set(chosen) == {"1", "2", "3"}
    assert all("var_smoothing" in one for one in chosen.values())
