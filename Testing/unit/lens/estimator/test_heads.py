"""Closed-form heads against numpy's lstsq and scikit-learn; dead and dependent units."""

from __future__ import annotations

import numpy as np
import pytest

from deepradiomics.lens.estimator.heads import explained_variance, fit_head, least_active, standardised_importance


def cohort(n: int = 120, h: int = 17, K: int = 9, seed: int = 0):
    generator = np.random.default_rng(seed)
    Z = np.maximum(generator.normal(size=(n, h)) @ generator.normal(size=(h, h)) + 0.5, 0.0)
    return Z, Z @ generator.normal(size=(h, K)) + generator.normal(size=(n, K)) + 3.0


def test_the_head_is_numpys_least_squares_with_a_column_of_ones():
    Z, Y = cohort()
    head = fit_head(Z, Y)
    expected = np.linalg.lstsq(np.column_stack([np.ones(len(Z)), Z]), Y, rcond=None)[0]
    np.testing.assert_allclose(head.intercept, expected[0], rtol=0, atol=1e-8)
    np.testing.assert_allclose(head.coef, expected[1:].T, rtol=0, atol=1e-8)
    assert not head.singular


def test_the_head_is_scikit_learns_linear_regression():
    linear = pytest.importorskip("sklearn.linear_model")
    Z, Y = cohort(n=700, h=128, K=40)
    head, expected = fit_head(Z, Y), linear.LinearRegression().fit(Z, Y)
    np.testing.assert_allclose(head.coef, expected.coef_, rtol=0, atol=1e-8)
    np.testing.assert_allclose(head.predict(Z), expected.predict(Z), rtol=0, atol=1e-8)
    np.testing.assert_allclose(head.importance, np.sqrt((expected.coef_**2).sum(1)), rtol=0, atol=1e-8)


@pytest.mark.parametrize(("n", "h"), [(120, 17), (20, 40)])
def test_a_real_ridge_is_scikit_learns_ridge_also_with_more_units_than_patients(n: int, h: int):
    linear = pytest.importorskip("sklearn.linear_model")
    Z, Y = cohort(n=n, h=h)
    s = np.linalg.svd(Z - Z.mean(0), compute_uv=False)
    head = fit_head(Z, Y, ridge=0.05)
    expected = linear.Ridge(alpha=0.05 * np.mean(s**2), solver="svd").fit(Z, Y)
    np.testing.assert_allclose(head.coef, expected.coef_, rtol=0, atol=1e-8)
    np.testing.assert_allclose(head.intercept, expected.intercept_, rtol=0, atol=1e-8)


def test_a_dead_unit_gets_no_weight_and_changes_nothing():
    Z, Y = cohort()
    with_dead = np.insert(np.insert(Z, 4, 0.0, axis=1), 9, 0.1, axis=1)
    head, plain = fit_head(with_dead, Y), fit_head(Z, Y)
    assert np.flatnonzero(head.dead).tolist() == [4, 9]
    assert (head.coef[:, head.dead] == 0).all()
    np.testing.assert_allclose(head.importance, plain.importance, rtol=1e-12)
    np.testing.assert_allclose(head.predict(with_dead), plain.predict(Z), rtol=1e-10)


def test_a_unit_that_only_few_patients_activate_counts_as_dead():
    Z, Y = cohort(n=120)
    rare = np.zeros((120, 2))
    rare[:9, 0], rare[:10, 1] = 1e-6 * np.arange(1, 10), 1.0 + np.arange(10)
    head = fit_head(np.column_stack([Z, rare]), Y)
    assert np.flatnonzero(head.dead).tolist() == [17]
    assert [least_active(n) for n in (5, 40, 100, 5000)] == [1, 4, 10, 10]


def test_all_units_dead_predicts_the_mean():
    head = fit_head(np.zeros((5, 3)), np.arange(10.0).reshape(5, 2))
    assert head.coef.tolist() == [[0.0] * 3] * 2
    assert head.intercept.tolist() == [4.0, 5.0]


def test_dependent_units_share_their_weight_as_in_the_shortest_solution():
    Z, Y = cohort()
    twice = np.column_stack([Z, Z[:, 0]])
    head = fit_head(twice, Y)
    assert head.singular
    expected = np.linalg.pinv(twice - twice.mean(0)) @ (Y - Y.mean(0))
    np.testing.assert_allclose(head.coef, expected.T, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(head.predict(twice), fit_head(Z, Y).predict(Z), atol=1e-6)


def test_leverage_is_the_diagonal_of_the_hat_matrix():
    Z, Y = cohort()
    design = np.column_stack([np.ones(len(Z)), Z])
    hat = design @ np.linalg.pinv(design)
    np.testing.assert_allclose(fit_head(Z, Y).leverage, np.diag(hat), atol=1e-10)


def test_the_scale_of_z_leaves_predictions_and_standardised_importance_alone():
    Z, Y = cohort()
    small, large = fit_head(Z, Y), fit_head(1000.0 * Z, Y)
    np.testing.assert_allclose(small.predict(Z), large.predict(1000.0 * Z), rtol=1e-9)
    np.testing.assert_allclose(small.importance, 1000.0 * large.importance, rtol=1e-9)
    np.testing.assert_allclose(standardised_importance(small, Z), standardised_importance(large, 1000.0 * Z), rtol=1e-9)


def test_standardised_importance_is_that_of_a_head_on_standardised_units():
    Z, Y = cohort()
    again = fit_head((Z - Z.mean(0)) / Z.std(0), Y)
    np.testing.assert_allclose(standardised_importance(fit_head(Z, Y), Z), again.importance, rtol=1e-9)


def test_explained_spread_is_the_adjusted_r2_of_numpys_least_squares():
    Z, Y = cohort()
    n, p = Z.shape
    design = np.column_stack([np.ones(n), Z])
    rest = Y - design @ np.linalg.lstsq(design, Y, rcond=None)[0]
    adjusted = 1 - (rest**2).sum(0) / ((Y - Y.mean(0)) ** 2).sum(0) * (n - 1) / (n - 1 - p)
    head = fit_head(Z, Y)
    assert head.free == pytest.approx(n - 1 - p)
    np.testing.assert_allclose(head.explained, np.sqrt(adjusted) * Y.std(0), rtol=1e-8)


def test_explained_spread_follows_no_linear_change_of_z_and_the_length_of_the_weights_does():
    Z, Y = cohort()
    generator = np.random.default_rng(5)
    skewed = generator.normal(size=(17, 17)) * np.geomspace(1e-3, 1e3, 17)
    head = fit_head(Z, Y)
    for mixed in (Z @ skewed + 2.0, 1e-4 * Z, np.column_stack([Z, Z[:, 0] - Z[:, 1]])):
        other = fit_head(mixed, Y)
        assert np.abs(head.importance / other.importance - 1).max() > 0.05
        np.testing.assert_allclose(head.explained, other.explained, rtol=1e-6)


@pytest.mark.parametrize("rank", [2, 20, 80])
def test_a_target_of_pure_noise_is_explained_by_nothing_whatever_the_rank(rank: int):
    """E² is 0 on average before it is cut at 0; without the correction it would be rank / 139 of the variance."""
    generator = np.random.default_rng(rank)
    Z = generator.normal(size=(140, rank)) @ generator.normal(size=(rank, 90))  # 90 units, few directions
    Y = generator.normal(size=(140, 4000))
    head = fit_head(Z, Y)
    assert head.free == pytest.approx(139 - rank, abs=1e-6)
    uncorrected = head.predict(Z).var(0).mean()
    assert uncorrected == pytest.approx(rank / 140, rel=0.05)
    assert (head.explained == 0).mean() > 0.45
    spread = np.sqrt(2 * rank / (139 - rank) / 139)  # SD of the adjusted R² of noise
    assert (head.explained**2).mean() == pytest.approx(0.4 * spread, rel=0.15)  # mean of a normal's positive half
    fitted = head.kept @ head.scores**2
    whole = explained_variance(fitted, head.squares - fitted, head)
    assert whole.mean() == pytest.approx(0.0, abs=4 * spread / np.sqrt(4000))


def test_explained_spread_grows_with_the_signal_where_the_length_of_the_weights_turns_over():
    generator = np.random.default_rng(0)
    r, noise = generator.normal(size=(2, 20_000))
    heads = [fit_head((a * r + noise)[:, None], r[:, None]) for a in (0.5, 1.0, 2.0, 4.0)]
    weights, explained = ([float(getattr(head, name)[0]) for head in heads] for name in ("importance", "explained"))
    assert weights[0] < weights[1] > weights[2] > weights[3]
    np.testing.assert_allclose(explained, [a / np.sqrt(a**2 + 1) for a in (0.5, 1.0, 2.0, 4.0)], rtol=0.02)


def test_noise_is_explained_by_nothing_under_a_real_ridge_as_well():
    generator = np.random.default_rng(1)
    Z, Y = generator.normal(size=(60, 90)), generator.normal(size=(60, 3000))
    head = fit_head(Z, Y, ridge=0.5)
    fitted = head.predict(Z).var(0).mean()
    assert fitted > 0.2  # uncorrected
    assert (head.explained**2).mean() < 0.3 * fitted
    assert (head.explained == 0).mean() > 0.4


def test_a_fit_without_residuals_explains_nothing_that_could_be_told_from_noise():
    generator = np.random.default_rng(2)
    head = fit_head(generator.normal(size=(20, 30)), generator.normal(size=(20, 5)))
    assert head.singular
    assert (head.explained == 0).all()
