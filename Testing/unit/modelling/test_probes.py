"""Ridge probes against scikit-learn and the formula written out; folds by patient; change, interval and test."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from deepradiomics.errors import InputError
from deepradiomics.modelling.probes import PENALTIES, compare_probes, patient_folds, probe, ridge_predictions


def data(n: int = 60, d: int = 12, seed: int = 0, noise: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)) * rng.uniform(0.1, 50, d) + rng.uniform(-5, 5, d)
    weights = rng.standard_normal((d, 3)) / X.std(axis=0)[:, None]
    Y = X @ weights + noise * np.array([0.1, 1.0, 10.0]) * rng.standard_normal((n, 3))
    return X, Y


@pytest.mark.parametrize(("n", "d"), [(60, 12), (20, 40)])
def test_predictions_are_scikit_learns_ridge_at_the_penalty_of_least_gcv(n: int, d: int) -> None:
    X, Y = data(n, d)
    new = data(n, d, seed=1)[0]
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    centred = Y - Y.mean(axis=0)
    scale = (np.linalg.svd(Z, compute_uv=False) ** 2).mean()
    for target in range(3):
        scores = []
        for penalty in PENALTIES:
            hat = Z @ np.linalg.solve(Z.T @ Z + penalty * scale * np.eye(d), Z.T)
            residual = centred[:, target] - hat @ centred[:, target]
            scores.append((residual @ residual) / (n - 1 - np.trace(hat)) ** 2)
        best = PENALTIES[int(np.argmin(scores))]
        model = Ridge(alpha=best * scale).fit(Z, Y[:, target])
        expected = model.predict((new - X.mean(axis=0)) / X.std(axis=0))
        np.testing.assert_allclose(ridge_predictions(X, Y, new)[:, target], expected, rtol=1e-6, atol=1e-8)


def test_each_row_is_predicted_by_a_probe_that_has_not_seen_its_patient() -> None:
    names = [f"p{i // 2}" for i in range(40)]
    parts = patient_folds(40, names, folds=5, repeats=3, seed=2)
    assert parts.shape == (3, 40)
    for repeat in parts:
        assert (repeat[::2] == repeat[1::2]).all()  # both scans of a patient
        assert np.bincount(repeat[::2]).tolist() == [4] * 5
    assert not (parts[0] == parts[1]).all()
    X, Y = data(40)
    result = probe(X, Y, patients=names, folds=5, repeats=3, seed=2)
    test = parts[1] == 3
    np.testing.assert_allclose(result.predictions[1, test], ridge_predictions(X[~test], Y[~test], X[test]))
    np.testing.assert_allclose(result.baseline[1, test], np.tile(Y[~test].mean(axis=0), (test.sum(), 1)))


def test_r2_is_one_where_the_target_is_in_the_embedding_and_not_above_zero_where_it_is_not() -> None:
    rng = np.random.default_rng(3)
    X = rng.standard_normal((200, 10))
    Y = np.column_stack([X @ rng.standard_normal(10), rng.standard_normal(200), np.full(200, 7.0)])
    r2 = probe(X, Y).r2
    assert r2[0] > 0.999
    assert r2[1] < 0.03
    assert np.isnan(r2[2])


def test_units_and_scales_change_nothing() -> None:
    X, Y = data()
    plain = probe(X, Y).r2
    np.testing.assert_allclose(probe(X * 1e4 + 3, Y).r2, plain, rtol=1e-6)
    np.testing.assert_allclose(probe(X, Y * 1e-6 - 2).r2, plain, rtol=1e-6)


def test_a_column_that_never_varies_is_left_out() -> None:
    X, Y = data()
    np.testing.assert_allclose(probe(np.column_stack([X, np.full(len(X), 0.1)]), Y).r2, probe(X, Y).r2, rtol=1e-9)
    assert (probe(np.ones((60, 2)), Y).r2 <= 0).all()


def test_the_change_is_found_and_an_equal_embedding_has_none() -> None:
    rng = np.random.default_rng(4)
    hidden = rng.standard_normal((150, 3))
    before = np.column_stack([hidden[:, :1], rng.standard_normal((150, 9))])
    after = np.column_stack([hidden[:, :2], rng.standard_normal((150, 8))])
    pre, ft = probe(before, hidden), probe(after, hidden)
    change = compare_probes(pre, ft)
    assert change.delta[1] > 0.9
    assert change.low[1] > 0.8
    assert change.p[1] < 0.001
    assert change.p[2] > 0.05
    np.testing.assert_allclose(change.delta, ft.r2 - pre.r2)
    none = compare_probes(pre, pre)
    assert (none.delta == 0).all()
    assert (none.low == 0).all()
    assert (none.p == 1).all()


def test_the_same_seed_gives_the_same_numbers() -> None:
    X, Y = data()
    first, second = (compare_probes(probe(X, Y, seed=5), probe(X[:, :6], Y, seed=5), seed=6) for _ in range(2))
    for name in ("delta", "low", "high", "p"):
        assert np.array_equal(getattr(first, name), getattr(second, name))


def test_exchangeable_embeddings_are_called_different_at_the_nominal_rate() -> None:
    """Two noisy views of the same signal, 300 targets in 20 cohorts: 5 % of p below 0.05, give or take."""
    called = []
    for seed in range(20):
        rng = np.random.default_rng([seed, 9])
        hidden = rng.standard_normal((60, 15))
        views = [hidden + rng.standard_normal(hidden.shape) for _ in range(2)]
        change = compare_probes(*(probe(view, hidden, repeats=2) for view in views), permutations=400, bootstraps=10)
        called += (change.p < 0.05).tolist()
    assert 0.01 < np.mean(called) < 0.09


@pytest.mark.parametrize(
    ("embedding", "targets", "options", "message"),
    [
        (np.ones((5, 2)), np.ones((4, 1)), {}, "embedding has 5 rows and targets 4"),
        (np.full((5, 2), np.nan), np.ones((5, 1)), {}, "embedding: row 0, column 0 is not a finite number"),
        (np.ones((5, 2)), np.ones((5, 1, 1)), {}, "targets: expected numbers of shape"),
        (np.ones((3, 2)), np.ones(3), {}, r"folds: expected 2 to 3 \(the number of patients\), got 5"),
        (np.ones((6, 2)), np.ones(6), {"patients": ["a"] * 6}, "folds: expected 2 to 1"),
        (np.ones((6, 2)), np.ones(6), {"patients": ["a"]}, "patients: expected 6 names"),
        (np.ones((6, 2)), np.ones(6), {"repeats": 0}, "repeats: expected at least 1"),
    ],
)
def test_what_cannot_be_probed_is_refused(embedding, targets, options, message) -> None:
    with pytest.raises(InputError, match=message):
        probe(embedding, targets, **options)


def test_probes_of_other_targets_are_not_compared() -> None:
    X, Y = data()
    with pytest.raises(InputError, match="same targets of the same scans"):
        compare_probes(probe(X, Y), probe(X, Y + 1))
