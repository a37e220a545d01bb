"""The numbers of the tables against independent computations: scikit-learn, SciPy, statsmodels, and by hand."""

from itertools import combinations

import numpy as np
import pytest

from deepradiomics.ich.cohort.table import Described, cohort_rows
from deepradiomics.ich.experiment import comparisons
from deepradiomics.ich.experiment.scores import Predicted, cell_rows, summary_rows
from deepradiomics.stats import bootstrap_auc_difference, bootstrap_aucs, bootstrap_p
from Testing.unit.ich.feature_arrays import feature_arrays

INPUTS = ("radiomics", "shape", "encoder", "autoencoder")
CLASSIFIERS = ("random-forest", "xgboost", "naive-bayes", "extra-trees", "elastic-net", "svm")
N = 90
rng = np.random.default_rng(7)
Y = (rng.random(N) < 0.4).astype(np.int64)
FOLD = tuple("123"[i % 3] for i in range(N))
SEX = tuple("FM"[i // 2 % 2] for i in range(N))


def _predicted(input_name: str, classifier: str, strength: float, cohort: str = "validation") -> Predicted:
    score = 1 / (1 + np.exp(-(strength * (Y - 0.5) + rng.normal(size=N))))
    return Predicted(
        "expansion_3ml", input_name, classifier, cohort, tuple(f"c{i}" for i in range(N)),  # type: ignore[arg-type]
        FOLD if cohort == "validation" else ("external",) * N, Y, np.round(score, 2), np.full(N, 0.5), np.arange(N),
    )  # fmt: skip


PREDICTIONS = [_predicted(name, one, 0.4 + 0.3 * k) for k, name in enumerate(INPUTS) for one in CLASSIFIERS]


def test_scores_of_a_fold_are_those_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    one = PREDICTIONS[0]
    for row in cell_rows(one):
        if row["fold"] in ("mean", "sd"):
            continue
        here = np.ones(N, bool) if row["fold"] == "pooled" else np.array(FOLD) == row["fold"]
        y, p = Y[here], one.probability[here]
        decided = p >= 0.5
        assert (row["n"], row["positives"]) == (here.sum(), y.sum())
        expected = {
            "auc": metrics.roc_auc_score(y, p), "f1": metrics.f1_score(y, decided),
            "sensitivity": metrics.recall_score(y, decided),
            "specificity": metrics.recall_score(y, decided, pos_label=0),
            "ppv": metrics.precision_score(y, decided), "npv": metrics.precision_score(y, decided, pos_label=0),
            "brier": metrics.brier_score_loss(y, p),
        }  # fmt: skip
        for name, value in expected.items():
            assert row[name] == pytest.approx(value, abs=1e-12), name


def test_mean_and_sd_are_over_the_folds_and_the_summary_repeats_them() -> None:
    rows = {row["fold"]: row for row in cell_rows(PREDICTIONS[3])}
    areas = [rows[fold]["auc"] for fold in "123"]
    assert rows["mean"]["auc"] == pytest.approx(np.mean(areas))
    assert rows["mean"]["n"] == N
    assert rows["sd"]["auc"] == pytest.approx(np.std(areas, ddof=1))
    outside = _predicted(PREDICTIONS[3].input, PREDICTIONS[3].classifier, 1.0, "external")
    [line] = summary_rows([PREDICTIONS[3], outside])
    [external] = cell_rows(outside)
    assert line["auc_mean"] == rows["mean"]["auc"]
    assert line["auc_pooled"] == rows["pooled"]["auc"]
    assert (line["external_auc"], line["external_low"]) == (external["auc"], external["auc_low"])


def test_friedman_is_that_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    [row] = comparisons.friedman_rows(PREDICTIONS)
    _, _, table = comparisons.auc_table(PREDICTIONS)
    expected = stats.friedmanchisquare(*table.T)
    assert (row["statistic"], row["p"]) == pytest.approx((expected.statistic, expected.pvalue))
    assert (row["df"], row["blocks"], row["pipelines"]) == (3, 6, 4)


def test_wilcoxon_and_its_corrections_are_those_of_scipy_and_statsmodels() -> None:
    stats, multiple = pytest.importorskip("scipy.stats"), pytest.importorskip("statsmodels.stats.multitest")
    rows = list(comparisons.wilcoxon_rows(PREDICTIONS))
    _, _, table = comparisons.auc_table(PREDICTIONS)
    pairs = list(combinations(range(4), 2))
    assert [(row["input_a"], row["input_b"]) for row in rows] == [(INPUTS[a], INPUTS[b]) for a, b in pairs]
    p = [stats.wilcoxon(table[:, a], table[:, b], method="exact").pvalue for a, b in pairs]
    np.testing.assert_allclose([row["p"] for row in rows], p)
    for column, method in (("p_bonferroni", "bonferroni"), ("p_holm", "holm"), ("p_bh", "fdr_bh")):
        np.testing.assert_allclose([row[column] for row in rows], multiple.multipletests(p, method=method)[1])


def test_with_six_classifiers_no_pair_can_pass_bonferroni() -> None:
    """METHODS: the smallest p of six pairs is 0.03125."""
    assert min(row["p"] for row in comparisons.wilcoxon_rows(PREDICTIONS)) >= 0.03125
    assert min(row["p_bonferroni"] for row in comparisons.wilcoxon_rows(PREDICTIONS)) > 0.05


def test_differences_are_paired_adjusted_within_a_reference_and_bootstrapped_together() -> None:
    multiple = pytest.importorskip("statsmodels.stats.multitest")
    rows = list(comparisons.difference_rows(PREDICTIONS, 400, seed=3))
    assert len(rows) == 2 * 3 * 6  # two references, three other inputs, six classifiers
    by = {(one.input, one.classifier): one for one in PREDICTIONS}
    for reference in ("radiomics", "shape"):
        own = [row for row in rows if row["reference"] == reference]
        np.testing.assert_allclose(
            [row["p_holm"] for row in own], multiple.multipletests([row["p_delong"] for row in own], method="holm")[1]
        )
    for row in rows[::7]:
        mine, other = by[row["input"], row["classifier"]], by[row["reference"], row["classifier"]]
        alone = bootstrap_auc_difference(Y, mine.probability, other.probability, n=400, seed=3)
        assert (row["difference"], row["p_bootstrap"]) == pytest.approx((alone.difference, alone.p))
        assert row["low"] < row["difference"] < row["high"]


def test_bootstrap_aucs_are_those_of_copied_patients() -> None:
    """The weights of a resample, against scikit-learn's AUC of the patients repeated as often."""
    metrics = pytest.importorskip("sklearn.metrics")
    score = PREDICTIONS[0].probability
    found = bootstrap_aucs(Y, [score], n=5, seed=1)[:, 0]
    generator = np.random.default_rng(1)
    drawn = [generator.multinomial(k, np.full(k, 1 / k), size=5) for k in (int(Y.sum()), int(N - Y.sum()))]
    for b in range(5):
        rows = np.r_[np.repeat(np.flatnonzero(Y == 1), drawn[0][b]), np.repeat(np.flatnonzero(Y == 0), drawn[1][b])]
        assert found[b] == pytest.approx(metrics.roc_auc_score(Y[rows], score[rows]))


def test_bootstrap_p_counts_the_smaller_tail_twice() -> None:
    assert bootstrap_p([1.0] * 95 + [-1.0] * 5) == pytest.approx(2 * 6 / 101)
    assert bootstrap_p([1.0] * 99) == pytest.approx(2 / 100)
    assert bootstrap_p([0.0] * 10) == 1.0


def test_women_and_men_are_two_groups_of_different_patients() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    [row] = comparisons.sex_rows(PREDICTIONS[:1], {"validation": SEX})
    women = np.array(SEX) == "F"
    p = PREDICTIONS[0].probability
    assert row["auc_female"] == pytest.approx(metrics.roc_auc_score(Y[women], p[women]))
    assert row["auc_male"] == pytest.approx(metrics.roc_auc_score(Y[~women], p[~women]))
    assert row["difference"] == pytest.approx(row["auc_female"] - row["auc_male"])
    assert 0 < row["p"] <= 1
    assert row["n_female"] + row["n_male"] == N


def test_a_sex_with_one_class_has_no_auc_and_no_test() -> None:
    sex = tuple("F" if y else "M" for y in Y)
    [row] = comparisons.sex_rows(PREDICTIONS[:1], {"validation": sex})
    assert np.isnan([row["auc_female"], row["auc_male"], row["difference"], row["p"]]).all()
    assert not list(comparisons.sex_rows(PREDICTIONS[:1], {"validation": ("",) * N}))


def test_calibration_bins_hold_everybody_once() -> None:
    rows = list(comparisons.calibration_rows(PREDICTIONS[:1], 5))
    assert sum(row["n"] for row in rows) == N
    assert [row["bin"] for row in rows] == [1, 2, 3, 4, 5]
    assert sum(row["n"] * row["observed"] for row in rows) == pytest.approx(Y.sum())
    mean = sum(row["n"] * row["mean_predicted"] for row in rows) / N
    assert mean == pytest.approx(PREDICTIONS[0].probability.mean())


def test_the_cohort_table_compares_with_the_tests_it_names() -> None:
    stats = pytest.importorskip("scipy.stats")
    both = []
    for seed, prefix in ((0, "p"), (1, "x")):
        features = feature_arrays(40, seed, prefix=prefix)
        grown = features.cohort.outcome("expansion_3ml")
        both.append(Described(features.cohort, features.volume_ml, {"expansion_3ml": grown}))
    rows = {(row["variable"], row["level"]): row for row in cohort_rows(*both)}
    ages = [one.cohort.numbers("age") for one in both]
    row = rows["Age (years)", "mean ± SD"]
    assert row["training"] == f"{ages[0].mean():.1f} ± {ages[0].std(ddof=1):.1f}"
    assert row["p"] == pytest.approx(stats.mannwhitneyu(*ages).pvalue)
    assert row["test"] == "Mann-Whitney"
    row = rows["Expansion > 3 mL", "yes"]
    counts = [[int(y.sum()), int((1 - y).sum())] for y in (one.outcomes["expansion_3ml"] for one in both)]
    assert row["p"] == pytest.approx(stats.fisher_exact(counts).pvalue)
    assert row["test"] == "Fisher"
    assert row["training"].startswith(f"{counts[0][0]} (")
    assert rows["Patients", "n"]["training"] == "40"
    assert rows["Sex", "F"]["test"] == "Fisher"
    alone = list(cohort_rows(both[0], None))
    assert all(row["external"] == "" and row["p"] is None for row in alone)
