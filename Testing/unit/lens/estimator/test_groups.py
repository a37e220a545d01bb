"""Features by group: errors, R², signed-rank tests over patients; and the shift table with its picked rows."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import wilcoxon

from deepradiomics.errors import InputError
from deepradiomics.lens.estimator.groups import (
    family_key,
    family_word,
    group_rows,
    image_key,
    image_word,
    labels_of,
    modality_rows,
    stars,
    summarise,
)
from deepradiomics.lens.estimator.lens import RadiomicLens
from deepradiomics.lens.fit.shift import picked, shift_rows, twins_of
from deepradiomics.stats import holm
from Testing.unit.lens.planted import planted

NAMES = [
    (modality, f"{image}_{family}_F{i}")
    for modality in ("t2", "adc")
    for image in ("original", "wavelet-LLH")
    for family in ("firstorder", "glcm", "ngtdm")
    for i in range(2)
]


@pytest.fixture(scope="module")
def lens():
    data = planted(n=200, K=24, after=np.r_[1.0, 1.0, 1.0, 0.1, 0.1, 0.1])
    R = data.R.copy()
    R[:, 4] = 1.0  # dropped
    options = {"hidden": 10, "epochs": 40, "learning_rate": 1e-2, "bootstraps": 20, "device": "cpu"}
    return RadiomicLens(**options).fit(data.X_pre, data.X_ft, R, feature_names=NAMES)


def test_a_group_worked_by_hand():
    pre = np.array([[1.0, 3.0, 9.0], [2.0, 4.0, 9.0], [0.0, 2.0, 9.0]])
    ft = np.array([[2.0, 4.0, 9.0], [4.0, 6.0, 9.0], [3.0, 5.0, 9.0]])
    total = np.array([2.0, 6.0, 9.0])
    row, other = summarise(pre, ft, total, {"kind": ["a", "a", "b"]})
    assert (row.group, row.n_features, row.n_patients) == ("a", 2, 3)
    assert (row.mse_pre, row.mse_ft) == (2.0, 4.0)
    # column MSE before 1 and 3 over 2 and 6, after 3 and 5
    assert (row.r2_pre, row.r2_pooled_pre) == (0.5, 0.5)
    assert (row.r2_ft, row.r2_pooled_ft) == pytest.approx(((-0.5 + 1 / 6) / 2, 0.0))
    # patient means all rise: 2 of 8 sign patterns; the other group does not differ; Holm over both
    assert (row.p, row.p_holm, other.p, other.p_holm) == (0.25, 0.5, 1.0, 1.0)


def test_the_unit_of_the_test_is_the_patient():
    generator = np.random.default_rng(0)
    pre, ft = generator.gamma(2, 1, size=(2, 30, 8))
    row = summarise(pre, ft, np.ones(8), {"all": ["All"] * 8})[0]
    assert row.p == pytest.approx(wilcoxon(pre.mean(1), ft.mean(1)).pvalue)
    patients = np.repeat(np.arange(10), 3)
    row = summarise(pre, ft, np.ones(8), {"all": ["All"] * 8}, patients)[0]
    means = [error.mean(1).reshape(10, 3).mean(1) for error in (pre, ft)]
    assert row.n_patients == 10
    assert row.p == pytest.approx(wilcoxon(*means).pvalue)


def test_more_features_of_the_same_patients_are_no_more_evidence():
    generator = np.random.default_rng(1)
    pre, ft = generator.gamma(2, 1, size=(2, 25, 4))
    few = summarise(pre, ft, np.ones(4), {"all": ["All"] * 4})[0]
    many = summarise(np.tile(pre, 50), np.tile(ft, 50), np.ones(200), {"all": ["All"] * 200})[0]
    assert many.p == pytest.approx(few.p)


def test_table_1_of_a_lens_agrees_with_its_features(lens):
    rows = {(row.kind, row.group): row for row in group_rows(lens)}
    assert [group for kind, group in rows if kind == "family"] == ["First order", "GLCM", "NGTDM"]
    assert [group for kind, group in rows if kind == "image_type"] == ["Original", "Wavelet"]
    assert [group for kind, group in rows if kind == "modality"] == ["t2", "adc"]
    glcm = np.array(["glcm" in name for _, name in NAMES]) & lens.kept_
    row = rows["family", "GLCM"]
    assert row.n_features == glcm.sum()
    assert row.mse_ft == pytest.approx(lens.mse_ft_[glcm].mean())
    assert row.r2_pre == pytest.approx(lens.r2_pre_[glcm].mean())
    assert rows["all", "All"].n_features == 23
    assert rows["all", "All"].r2_pooled_ft == pytest.approx(lens.r2_pooled_ft_)
    families = [rows["family", name] for name in ("First order", "GLCM", "NGTDM")]
    assert [row.p_holm for row in families] == pytest.approx(holm([row.p for row in families]).tolist())


def test_modalities_of_each_family_and_the_best_family_after(lens):
    rows = modality_rows(lens)
    assert len(rows) == 3 * 2 * 2
    best = {row["group"] for row in rows if row["best"]}
    after = {row.group: row.r2_ft for row in group_rows(lens) if row.kind == "family"}
    assert best == {max(after, key=after.__getitem__)}
    of = [m == "adc" and "ngtdm" in name for m, name in NAMES]
    row = next(r for r in rows if (r["group"], r["modality"], r["stage"]) == ("NGTDM", "adc", "ft"))
    assert row["r2"] == pytest.approx(lens.r2_ft_[of].mean())


def test_names_tell_family_and_image():
    assert (family_key("wavelet-LLH_glcm_Contrast"), image_key("wavelet-LLH_glcm_Contrast")) == ("glcm", "wavelet-LLH")
    assert (family_word("original_firstorder_Mean"), image_word("original_firstorder_Mean")) == (
        "First order",
        "Original",
    )
    assert image_word("log-sigma-2-0-mm-3D_glcm_Contrast") == "Log-sigma-2-0-mm-3d"
    assert (family_word("volume"), image_word("volume")) == ("Other", "Other")
    assert labels_of([("", "volume")])["modality"] == ["All"]


def test_stars_follow_the_paper():
    assert [stars(p) for p in (0.0009, 0.001, 0.009, 0.04, 0.05, 0.9)] == ["***", "**", "**", "*", "", ""]


def test_labels_of_another_length_are_refused():
    with pytest.raises(InputError, match="kind family has 1 names for 2 features"):
        summarise(np.ones((3, 2)), np.ones((3, 2)), np.ones(2), {"family": ["a"]})
    with pytest.raises(InputError, match="of one shape"):
        summarise(np.ones((3, 2)), np.ones((3, 3)), np.ones(2), {})


def test_the_shift_table_is_ordered_by_delta_and_leaves_dropped_features_out(lens):
    rows = shift_rows(lens)
    assert len(rows) == 23
    assert [row["rank"] for row in rows] == list(range(1, 24))
    deltas = [row["delta_i"] for row in rows]
    assert deltas == sorted(deltas, reverse=True)
    k = NAMES.index((rows[0]["modality"], rows[0]["feature"]))
    assert rows[0]["delta_i_low"] == lens.delta_low_[k]
    assert rows[0]["delta_i_fit_both"] == lens.variants_["fit_both"][k]
    assert rows[0]["delta_explained_low"] == lens.delta_explained_low_[k]
    by_explained = sorted(rows, key=lambda row: row["rank_explained"])
    assert [row["rank_explained"] for row in by_explained] == list(range(1, 24))
    assert [row["delta_explained"] for row in by_explained] == sorted(
        (row["delta_explained"] for row in rows), reverse=True
    )
    assert all(np.isnan(row["p_null"]) for row in rows)
    assert NAMES[4] not in {(row["modality"], row["feature"]) for row in rows}


def test_picked_rows_are_the_ends_and_the_stable_important_ones():
    values = [("a", 1, 9), ("b", 8, 8.5), ("c", 9, 9), ("d", 5, 1), ("e", 1, 1), ("f", 9, 6)]
    rows = [
        {"modality": "t2", "feature": f, "i_pre": i, "i_ft": j, "delta_i": j - i, "explained_pre": j,
         "explained_ft": i, "delta_explained": i - j}
        for f, i, j in values
    ]  # fmt: skip
    both = picked(rows, 2)
    importance, explained = (
        {name: [feature for _, feature in some[name]] for name in ("top", "bottom", "stable")}
        for some in (both, both["explained"])
    )
    # medians 6.5 before and 7.25 after: only b and c lie above both
    assert importance == {"top": ["a", "b"], "bottom": ["d", "f"], "stable": ["c", "b"]}
    assert explained == {"top": ["d", "f"], "bottom": ["a", "b"], "stable": ["c", "b"]}
    pair = {"a", "b"}  # one number on two scales
    alone = picked(rows, 2, lambda one, other: {one["feature"], other["feature"]} == pair)
    assert [feature for _, feature in alone["top"]] == ["a", "c"]
    assert [feature for _, feature in alone["explained"]["bottom"]] == ["a", "e"]


def test_twins_are_columns_that_differ_by_scale_alone():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(40, 1)) * [[1.0, -3.0, 1.0]] + [[0.0, 9.0, 0.0]]
    values[:, 2] += 0.01 * rng.normal(size=40)
    values[30:, 1] = 0  # not in training
    lens = SimpleNamespace(
        feature_names_=[("t2", "a"), ("t2", "b"), ("t2", "c")], split_=np.array(["train"] * 30 + ["test"] * 10)
    )
    twins = twins_of(lens, values)
    a, b, c = ({"modality": "t2", "feature": name} for name in "abc")
    assert twins(a, b)
    assert not twins(a, c)
