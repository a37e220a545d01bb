"""Ridge probes against scikit-learn and the formula written out; folds by patient; change, interval and test."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from deepradiomics.errors import InputError
from deepradiomics.modelling.probes import PENALTIES, compare_embeddings, patient_folds, probe_r2, ridge_predictions


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
    error, distance = np.zeros(3), np.zeros(3)
    for part in range(5):
        test = parts[1] == part
        error += ((ridge_predictions(X[~test], Y[~test], X[test]) - Y[test]) ** 2).sum(axis=0)
        distance += ((Y[~test].mean(axis=0) - Y[test]) ** 2).sum(axis=0)
    result = probe_r2(X, Y, patients=names, folds=5, repeats=3, seed=2)
    np.testing.assert_allclose(result[1], 1 - error / distance)


def test_r2_is_one_where_the_target_is_in_the_embedding_and_not_above_zero_where_it_is_not() -> None:
    rng = np.random.default_rng(3)
    X = rng.standard_normal((200, 10))
    Y = np.column_stack([X @ rng.standard_normal(10), rng.standard_normal(200), np.full(200, 7.0)])
    r2 = probe_r2(X, Y).mean(axis=0)
    assert r2[0] > 0.999
    assert r2[1] < 0.08
    assert np.isnan(r2[2])


def test_units_and_scales_change_nothing() -> None:
    X, Y = data()
    plain = probe_r2(X, Y)
    np.testing.assert_allclose(probe_r2(X * 1e4 + 3, Y), plain, rtol=1e-6)
    np.testing.assert_allclose(probe_r2(X, Y * 1e-6 - 2), plain, rtol=1e-6)


def test_a_column_that_never_varies_is_left_out() -> None:
    X, Y = data()
    np.testing.assert_allclose(probe_r2(np.column_stack([X, np.full(60, 0.1)]), Y), probe_r2(X, Y), rtol=1e-9)
    assert (probe_r2(np.ones((60, 2)), Y) == 0).all()


def test_a_planted_change_is_found_and_an_equal_embedding_has_none() -> None:
    rng = np.random.default_rng(4)
    hidden = rng.standard_normal((150, 3))
    before = np.column_stack([hidden[:, :1], rng.standard_normal((150, 9))])
    after = np.column_stack([hidden[:, :2], rng.standard_normal((150, 8))])
    change = compare_embeddings(before, after, hidden)
    assert change.delta[1] > 0.9
    assert change.low[1] > 0.8
    assert change.p[1] < 0.001
    assert change.p[2] > 0.05
    np.testing.assert_allclose(change.r2_after, probe_r2(after, hidden).mean(axis=0))
    np.testing.assert_allclose(change.delta, change.r2_after - change.r2_before)
    none = compare_embeddings(before, before, hidden)
    assert (none.delta == 0).all()
    assert (none.low == 0).all()
    assert (none.p == 1).all()


def test_scans_of_a_patient_are_left_out_together() -> None:
    """Twice the same scans under the same names are no more patients: the interval does not shrink."""
    X, Y = data(50, 6)
    names = [f"p{i}" for i in range(50)]
    once = compare_embeddings(X[:, :3], X, Y, patients=names)
    twice = compare_embeddings(np.tile(X[:, :3], (2, 1)), np.tile(X, (2, 1)), np.tile(Y, (2, 1)), patients=names * 2)
    assert (twice.standard_error > 0.8 * once.standard_error).all()


def test_the_same_seed_gives_the_same_numbers() -> None:
    X, Y = data()
    first, second = (compare_embeddings(X, X[:, :6], Y, seed=6) for _ in range(2))
    for name in ("delta", "low", "high", "p"):
        assert np.array_equal(getattr(first, name), getattr(second, name))


def exchangeable(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two noisy views of the same signal, and the signal."""
    rng = np.random.default_rng([seed, 9])
    hidden = rng.standard_normal((60, 15))
    first, second = (hidden + rng.standard_normal(hidden.shape) for _ in range(2))
    return first, second, hidden


def test_equal_embeddings_with_noise_of_their_own_are_not_called_different_too_often() -> None:
    p = np.concatenate([compare_embeddings(*exchangeable(seed), repeats=2, jackknifes=20).p for seed in range(20)])
    assert p.shape == (300,)
    assert np.mean(p < 0.05) < 0.06


def test_the_interval_covers_the_mean_change_of_other_cohorts() -> None:
    """One target is read better after, one worse, one as well: 95 % intervals of 60 cohorts hold the mean of all."""
    deltas, low, high = [], [], []
    for seed in range(60):
        rng = np.random.default_rng([seed, 11])
        hidden = rng.standard_normal((60, 3))
        before = hidden * [0.5, 1.5, 1.0] + rng.standard_normal((60, 3))
        after = hidden * [1.5, 0.5, 1.0] + rng.standard_normal((60, 3))
        change = compare_embeddings(before, after, hidden, repeats=2, jackknifes=20)
        deltas.append(change.delta)
        low.append(change.low)
        high.append(change.high)
    mean = np.mean(deltas, axis=0)
    assert mean[0] > 0.3
    assert mean[1] < -0.3
    covered = (np.array(low) <= mean) & (mean <= np.array(high))
    assert (covered.mean(axis=0) >= 0.9).all()


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
        probe_r2(embedding, targets, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"jackknifes": 1}, "jackknifes: expected at least 2"), ({"level": 1.0}, "level")],
)
def test_a_comparison_that_cannot_be_made_is_refused(options, message) -> None:
    X, Y = data()
    with pytest.raises(InputError, match=message):
        compare_embeddings(X, X, Y, **options)
    with pytest.raises(InputError, match="after has 59 rows and targets 60"):
        compare_embeddings(X, X[1:], Y)
    with pytest.raises(InputError, match="need at least 10 patients to be compared, got 9"):
        compare_embeddings(X[:9], X[:9], Y[:9])


def test_the_jackknife_is_scaled_by_the_share_that_was_left_out() -> None:
    """Of 11 patients two are left out, which is no fifth."""
    X, Y = data(11, 3)
    change = compare_embeddings(X[:, :1], X, Y, folds=2, repeats=1, jackknifes=30, seed=3)
    part = patient_folds(11, None, 2, 1, 3)[0]
    generator = np.random.default_rng([3, 2971])
    deltas = []
    for _ in range(30):
        rows = np.sort(generator.permutation(11)[:9])
        sums = np.zeros((2, 2, 3))
        for fold in (0, 1):
            test, train = rows[part[rows] == fold], rows[part[rows] != fold]
            for view, columns in enumerate((X[:, :1], X)):
                guess = ridge_predictions(columns[train], Y[train], columns[test])
                sums[view] += [((guess - Y[test]) ** 2).sum(0), ((Y[train].mean(0) - Y[test]) ** 2).sum(0)]
        deltas.append((1 - sums[1, 0] / sums[1, 1]) - (1 - sums[0, 0] / sums[0, 1]))
    np.testing.assert_allclose(change.standard_error, np.std(deltas, axis=0, ddof=1) * np.sqrt(9 / 2))
