"""RadiomicLens as a whole: against an independent solution, under symmetries, and with its scikit-learn manners."""

from __future__ import annotations

import json

import numpy as np
import pytest

from deepradiomics.errors import BundleError, Cancelled, InputError
from deepradiomics.lens import RadiomicLens
from Testing.unit.lens.planted import planted

FAST = {"hidden": 12, "epochs": 30, "learning_rate": 1e-2, "bootstraps": 40, "device": "cpu"}


@pytest.fixture(scope="module")
def data():
    return planted(after=np.r_[1.0, 1.0, 1.0, 0.2, 0.2, 0.2])


@pytest.fixture(scope="module")
def lens(data):
    return RadiomicLens(**FAST, permutations=9).fit(data.X_pre, data.X_ft, data.R)


def test_importances_scores_and_predictions_equal_an_independent_solution(data, lens):
    """The shared layer taken as it is; scaling, heads, I, R² and MSE recomputed with numpy and scikit-learn."""
    linear, metrics = pytest.importorskip("sklearn.linear_model"), pytest.importorskip("sklearn.metrics")
    train, test = lens.split_ == "train", lens.split_ == "test"
    low, high = data.R[train].min(0), data.R[train].max(0)
    Y = (data.R - low) / (high - low)
    Y = (Y - Y[train].mean(0)) / Y[train].std(0)
    mean, sd = data.X_pre[train].mean(0), data.X_pre[train].std(0)
    for stage, X in (("pre", data.X_pre), ("ft", data.X_ft)):
        Z = np.maximum((X - mean) / sd @ lens.weights_.T.astype(float) + lens.bias_, 0)
        head = linear.LinearRegression().fit(Z[train], Y[train])
        by_numpy = np.linalg.lstsq(np.column_stack([np.ones(train.sum()), Z[train]]), Y[train], rcond=None)[0]
        importance = getattr(lens, f"importance_{stage}_")
        np.testing.assert_allclose(importance, np.linalg.norm(head.coef_, axis=1), rtol=0, atol=1e-8)
        np.testing.assert_allclose(importance, np.linalg.norm(by_numpy[1:], axis=0), rtol=0, atol=1e-8)
        fitted = head.predict(Z[test])
        r2 = metrics.r2_score(Y[test], fitted, multioutput="raw_values")
        np.testing.assert_allclose(getattr(lens, f"r2_{stage}_"), r2, atol=1e-8)
        np.testing.assert_allclose(getattr(lens, f"mse_{stage}_"), ((Y[test] - fitted) ** 2).mean(0), atol=1e-8)
        assert getattr(lens, f"r2_mean_{stage}_") == pytest.approx(r2.mean())
        np.testing.assert_allclose(
            lens.predict(X[test], stage), fitted * np.std((data.R[train] - low) / (high - low), axis=0) * (high - low)
            + data.R[train].mean(0), rtol=1e-8,
        )  # fmt: skip
        assert lens.score(X[test], data.R[test], stage) == pytest.approx(r2.mean())
    np.testing.assert_allclose(lens.delta_importance_, lens.importance_ft_ - lens.importance_pre_)


def test_equal_seeds_give_equal_lenses(data, lens):
    again = RadiomicLens(**FAST, permutations=9).fit(data.X_pre, data.X_ft, data.R)
    for name in ("delta_importance_", "delta_low_", "p_null_", "weights_", "permuted_", "permuted_explained_"):
        assert np.array_equal(getattr(lens, name), getattr(again, name)), name


def test_identical_encoders_have_no_shift_at_all(data):
    same = RadiomicLens(**FAST).fit(data.X_pre, data.X_pre.copy(), data.R)
    assert (same.delta_importance_ == 0).all()
    assert all((delta == 0).all() for delta in same.variants_.values())
    for name in ("low", "high", "explained", "explained_low", "explained_high"):
        assert (getattr(same, f"delta_{name}_") == 0).all(), name


def test_explained_spread_is_the_adjusted_r2_of_the_training_patients(data, lens):
    """Numpy's least squares on Z as the lens gives it; targets have SD 1."""
    train = lens.split_ == "train"
    Y = (data.R[train] - data.R[train].mean(0)) / data.R[train].std(0)
    for stage, X in (("pre", data.X_pre), ("ft", data.X_ft)):
        Z = lens.transform(X, stage)[train]
        design = np.column_stack([np.ones(len(Z)), Z])
        R2 = 1 - ((Y - design @ np.linalg.lstsq(design, Y, rcond=None)[0]) ** 2).mean(0)
        free = len(Z) - np.linalg.matrix_rank(design)
        adjusted = 1 - (1 - R2) * (len(Z) - 1) / free
        found = getattr(lens, f"explained_{stage}_")
        np.testing.assert_allclose(found, np.sqrt(np.maximum(adjusted, 0)), atol=1e-8)
    np.testing.assert_allclose(lens.delta_explained_, lens.explained_ft_ - lens.explained_pre_)
    assert (lens.delta_explained_ < 0).mean() > 0.7  # half of the attributes were weakened
    assert (lens.p_explained_ >= 0.1 - 1e-12).all()
    assert (lens.q_explained_ >= lens.p_explained_ - 1e-12).all()


def test_noise_is_explained_neither_before_nor_after_even_where_fewer_units_are_left(data):
    """After fine-tuning three directions are left of twenty: only the correction keeps ΔE of noise at 0."""
    noise = np.random.default_rng(3).normal(size=(len(data.X_pre), 600))
    collapsed = data.X_pre[:, :3] @ np.random.default_rng(4).normal(size=(3, 20))
    found = RadiomicLens(**{**FAST, "hidden": 40}, embedding_scaling="own").fit(data.X_pre, collapsed, noise)
    squares = [float((getattr(found, f"explained_{stage}_") ** 2).mean()) for stage in ("pre", "ft")]
    assert max(squares) < 0.04  # uncorrected, 40 of 139 directions explain 0.29 before
    assert abs(found.delta_explained_.mean()) < 0.1
    inside = (found.delta_explained_low_ <= 0) & (found.delta_explained_high_ >= 0)
    assert inside.mean() > 0.9


def test_embeddings_that_collapsed_make_importances_huge_and_are_told(data):
    """The case that the explained reading is for: a few directions carry all, the others next to nothing."""
    shared = data.X_ft @ np.diag(np.geomspace(1, 1e-5, 20))
    found = RadiomicLens(**FAST, embedding_scaling="none").fit(data.X_pre, shared, data.R)
    assert np.median(found.importance_ft_) > 5 * np.median(found.importance_pre_)
    assert np.abs(found.delta_explained_).max() < 1
    assert any("the spread of the embeddings" in said and "ΔE" in said for said in found.warnings_)


def test_units_of_the_radiomics_do_not_matter(data, lens):
    other = RadiomicLens(**FAST).fit(data.X_pre, data.X_ft, data.R * np.geomspace(1e-3, 1e6, 24) - 4.0)
    np.testing.assert_allclose(other.delta_importance_, lens.delta_importance_, rtol=1e-2, atol=1e-3)


def test_a_scale_of_its_own_makes_a_scaled_copy_no_shift(data):
    scaled = RadiomicLens(**FAST, embedding_scaling="own").fit(data.X_pre, 5.0 * data.X_pre, data.R)
    np.testing.assert_allclose(scaled.delta_importance_, 0.0, atol=1e-9)
    followed = RadiomicLens(**FAST).fit(data.X_pre, 5.0 * data.X_pre, data.R)
    assert (followed.delta_importance_ < 0).all()  # larger Z needs smaller weights


def test_exchanging_the_stages_turns_delta_round_when_the_layer_follows(data):
    one = RadiomicLens(**FAST, embedding_scaling="none").fit(data.X_pre, data.X_ft, data.R)
    two = RadiomicLens(**FAST, embedding_scaling="none", fit_on="ft").fit(data.X_ft, data.X_pre, data.R)
    np.testing.assert_allclose(one.delta_importance_, -two.delta_importance_, rtol=1e-9)


def test_variants_equal_lenses_fitted_that_way(data, lens):
    for on in ("ft", "both"):
        other = RadiomicLens(**FAST, fit_on=on).fit(data.X_pre, data.X_ft, data.R)
        np.testing.assert_allclose(lens.variants_[f"fit_{on}"], other.delta_importance_, rtol=1e-6)
        np.testing.assert_allclose(other.variants_[f"fit_{on}"], other.delta_importance_)


def test_the_sweep_chooses_the_pair_with_the_lowest_validation_error(data):
    swept = RadiomicLens(**FAST, sweep=True, variants=False).fit(data.X_pre, data.X_ft, data.R)
    assert len(swept.sweep_) == 24
    chosen = [row for row in swept.sweep_ if row["chosen"]]
    assert len(chosen) == 1
    assert chosen[0]["validation_loss"] == min(row["validation_loss"] for row in swept.sweep_)
    assert (swept.l1_, swept.l2_) == (chosen[0]["l1"], chosen[0]["l2"])
    plain = RadiomicLens(**FAST, l1=swept.l1_, l2=swept.l2_).fit(data.X_pre, data.X_ft, data.R)
    np.testing.assert_allclose(swept.delta_importance_, plain.delta_importance_, rtol=2e-2, atol=2e-3)


def test_modalities_in_the_second_axis_are_the_same_as_side_by_side(data, lens):
    stacked = RadiomicLens(**FAST).fit(data.X_pre, data.X_ft, data.R.reshape(-1, 3, 8))
    assert np.array_equal(stacked.delta_importance_, lens.delta_importance_)
    assert stacked.feature_names_[:9] == (*(("m0", f"feature_{i}") for i in range(8)), ("m1", "feature_0"))


def test_the_split_is_7_1_2_by_patient_and_keeps_scans_together(data):
    groups = np.repeat(np.arange(100), 2)
    found = RadiomicLens(**FAST).fit(data.X_pre, data.X_ft, data.R, groups=groups)
    parts = found.split_.reshape(100, 2)
    assert (parts[:, 0] == parts[:, 1]).all()
    assert [int((parts[:, 0] == part).sum()) for part in ("train", "validation", "test")] == [70, 10, 20]


def test_test_patients_do_not_touch_what_is_learned(data, lens):
    X, R = data.X_pre.copy(), data.R.copy()
    test = lens.split_ == "test"
    X[test], R[test] = 9.0, 1.0 + np.arange(test.sum())[:, None]
    other = RadiomicLens(**FAST).fit(X, data.X_ft, R)
    assert np.array_equal(other.delta_importance_, lens.delta_importance_)
    assert not np.array_equal(other.mse_pre_, lens.mse_pre_)


def test_dropped_columns_hold_nan_and_the_others_are_as_without_them(data, lens):
    R = np.insert(data.R, 3, 1.0, axis=1)
    R = np.insert(R, 10, data.R[:, 0], axis=1)
    R[17, 10] = np.nan
    names = [f"f{i}" for i in range(26)]
    found = RadiomicLens(**FAST).fit(data.X_pre, data.X_ft, R, feature_names=names)
    assert [name for name, _ in found.dropped_] == ["f3", "f10"]
    assert found.dropped_[1][1] == "not a finite number in 1 of 200 cases"
    for name in ("delta_importance_", "delta_low_", "r2_ft_", "mse_pre_", "importance_pre_"):
        values = getattr(found, name)
        assert np.flatnonzero(np.isnan(values)).tolist() == [3, 10], name
        np.testing.assert_array_equal(values[found.kept_], getattr(lens, name))
    assert found.squared_error_pre_.shape == (40, 26)
    assert np.isnan(found.predict(data.X_pre)[:, [3, 10]]).all()
    assert np.isfinite(found.score(data.X_pre, R))


def test_a_stored_lens_predicts_the_same_and_knows_the_same(data, lens):
    tensors, info = lens.state()
    back = RadiomicLens.from_state({k: v.copy() for k, v in tensors.items()}, json.loads(json.dumps(info)))
    for stage, X in (("pre", data.X_pre), ("ft", data.X_ft)):
        assert np.array_equal(back.predict(X, stage), lens.predict(X, stage))
    assert back.get_params() == lens.get_params()
    for name, value in vars(lens).items():
        if name.endswith("_") and isinstance(value, np.ndarray):
            assert np.array_equal(getattr(back, name), value), name
        elif name.endswith("_") and name not in ("variants_", "sweep_"):
            assert getattr(back, name) == value, name
    assert back.variants_.keys() == lens.variants_.keys()
    assert vars(back).keys() == vars(lens).keys()


def test_a_damaged_or_later_state_is_refused(lens):
    tensors, info = lens.state()
    with pytest.raises(BundleError, match="'weights_' is missing"):
        RadiomicLens.from_state({k: v for k, v in tensors.items() if k != "weights_"}, info)
    with pytest.raises(BundleError, match="format 99"):
        RadiomicLens.from_state(tensors, {**info, "lens_format": 99})


def test_scikit_learn_can_clone_it():
    base = pytest.importorskip("sklearn.base")
    original = RadiomicLens(hidden=7, fit_on="both", ridge=0.1)
    copy = base.clone(original)
    assert copy is not original
    assert copy.get_params() == original.get_params()
    assert copy.set_params(hidden=9) is copy
    assert (copy.hidden, original.hidden) == (9, 7)
    assert repr(original) == "RadiomicLens(hidden=7, fit_on='both', ridge=0.1)"


def test_progress_never_goes_back_and_may_stop_the_work(data):
    seen = []
    RadiomicLens(**FAST, permutations=5).fit(data.X_pre, data.X_ft, data.R, progress=lambda f, m: seen.append((f, m)))
    shares = [share for share, _ in seen]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)
    assert {message.split(":")[0] for _, message in seen} == {"shared layer", "bootstrap", "permutations"}

    def stop(share: float, _: str) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        RadiomicLens(**FAST).fit(data.X_pre, data.X_ft, data.R, progress=stop)


def test_noise_is_told_when_there_are_few_patients_for_the_width(data):
    found = RadiomicLens(hidden=100, epochs=30, device="cpu", bootstraps=0).fit(data.X_pre, data.X_ft, data.R)
    [said] = [said for said in found.warnings_ if "is estimation noise" in said]
    assert "Read the explained spread, ΔE, instead. There are 140 training cases for hidden=100" in said


def test_dead_units_are_told(data):
    options = {**FAST, "epochs": 1, "embedding_scaling": "none"}
    found = RadiomicLens(**options).fit(np.abs(data.X_pre) * 1e-3 - 1, data.X_ft, data.R)
    [said] = [said for said in found.warnings_ if "dead ReLU units" in said and "before" in said]
    assert 0 < int(said.split()[0]) < 12


def test_a_layer_without_any_live_unit_is_refused(data):
    with pytest.raises(InputError, match="X_pre: all 12 hidden units are dead before fine-tuning"):
        RadiomicLens(**FAST, embedding_scaling="none").fit(np.abs(data.X_pre) * 1e-3 - 50, data.X_ft, data.R)


def test_collinear_units_are_told(data):
    rng = np.random.default_rng(0)
    flat = rng.normal(size=(200, 1)) @ rng.normal(size=(1, 20)) + 1e-4 * rng.normal(size=(200, 20))
    found = RadiomicLens(**{**FAST, "bootstraps": 0}).fit(data.X_pre, flat, data.R)
    assert any("almost collinear after" in said and "ΔI cannot be read" in said for said in found.warnings_)
    assert not any("almost collinear before" in said for said in found.warnings_)


def test_columns_lost_to_a_missing_cell_are_counted(data):
    gap = data.R.copy()
    gap[4, 2] = np.nan
    found = RadiomicLens(**{**FAST, "bootstraps": 0}).fit(data.X_pre, data.X_ft, gap)
    assert any(said.startswith(f"1 of {gap.shape[1]} columns of R are left out") for said in found.warnings_)


def test_one_target_may_be_a_plain_column(data):
    one, same = (
        RadiomicLens(**{**FAST, "bootstraps": 0}).fit(data.X_pre, data.X_ft, R) for R in (data.R[:, 0], data.R[:, :1])
    )
    np.testing.assert_array_equal(one.delta_importance_, same.delta_importance_)
