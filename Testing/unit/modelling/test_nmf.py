"""The factorisation against scikit-learn's coordinate descent, SciPy's NNLS and products known beforehand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import nnls

from deepradiomics.errors import InputError
from deepradiomics.modelling.components import hals
from deepradiomics.modelling.components.nmf import NMF, distance
from deepradiomics.modelling.components.nmf_init import nndsvda, singular

sklearn = pytest.importorskip("sklearn.decomposition")
pytestmark = pytest.mark.filterwarnings("ignore:Maximum number of iterations")  # scikit-learn's, with few iterations


def table(seed: int, n: int, p: int, parts: int = 6, noise: float = 0.1, dtype: type = np.float32) -> np.ndarray:
    generator = np.random.default_rng(seed)
    X = generator.gamma(0.5, size=(n, parts)) @ generator.gamma(0.5, size=(parts, p))
    X += noise * X.mean() * generator.gamma(1.0, size=(n, p))
    return ((X - X.min(axis=0)) / np.ptp(X, axis=0)).astype(dtype)


@pytest.mark.parametrize(("n", "p", "k"), [(60, 700, 12), (50, 20, 7), (40, 333, 33)])
@pytest.mark.parametrize("iterations", [20, 200])
def test_its_objective_is_that_of_scikit_learn_within_one_per_cent(n, p, k, iterations):
    X = table(n + k, n, p)
    W, H = nndsvda(X, k)
    theirs = sklearn.NMF(k, init="custom", max_iter=iterations)
    theirs.fit_transform(X, W=W, H=H)
    ours = NMF(k, max_iter=iterations, sweeps=(1, 1)).fit(X)
    assert ours.reconstruction_err_ == pytest.approx(theirs.reconstruction_err_, rel=0.002)
    assert abs(ours.n_iter_ - theirs.n_iter_) <= 2


@pytest.mark.parametrize(("n", "p", "k"), [(60, 700, 12), (50, 20, 7), (40, 333, 33)])
@pytest.mark.parametrize("iterations", [1, 10, 200])
def test_with_its_own_start_and_sweeps_it_does_no_worse_than_scikit_learn(n, p, k, iterations):
    X = table(n + k, n, p)
    ours = NMF(k, max_iter=iterations).fit(X)
    drawn = sklearn.NMF(k, init="nndsvda", max_iter=iterations, random_state=0).fit(X)
    assert ours.reconstruction_err_ <= 1.01 * drawn.reconstruction_err_


def test_from_the_same_random_start_its_steps_are_those_of_scikit_learn():
    X = table(3, 30, 90, dtype=np.float64)
    theirs = sklearn.NMF(5, init="random", max_iter=25, random_state=7, tol=0.0)
    W = theirs.fit_transform(X)
    ours = NMF(5, init="random", max_iter=25, random_state=7, tol=0.0, sweeps=(1, 1))
    np.testing.assert_allclose(ours.fit_transform(X), W, atol=1e-9)
    np.testing.assert_allclose(ours.components_, theirs.components_, atol=1e-9)
    assert ours.reconstruction_err_ == pytest.approx(theirs.reconstruction_err_, rel=1e-9)


def test_it_stops_where_scikit_learn_stops():
    X = table(4, 40, 60, dtype=np.float64)
    theirs = sklearn.NMF(4, init="random", max_iter=500, random_state=1, tol=1e-3).fit(X)
    ours = NMF(4, init="random", max_iter=500, random_state=1, tol=1e-3, sweeps=(1, 1)).fit(X)
    assert ours.converged_
    assert ours.n_iter_ == theirs.n_iter_


def test_repeated_sweeps_come_further_in_as_many_products():
    X = table(16, 60, 900)
    errors = [NMF(10, max_iter=8, sweeps=sweeps).fit(X).reconstruction_err_ for sweeps in ((1, 1), (4, 2))]
    assert errors[1] < 0.98 * errors[0]


def test_a_product_of_non_negative_parts_is_found_again():
    X = table(5, 40, 200, parts=3, noise=0.0, dtype=np.float64)
    generator = np.random.default_rng(1)
    X = generator.gamma(0.3, size=(40, 3)) @ generator.gamma(0.3, size=(3, 200))
    model = NMF(3, max_iter=3000, tol=1e-9).fit(X)
    assert model.reconstruction_err_ < 1e-3 * np.linalg.norm(X)


def test_nothing_is_ever_negative():
    model = NMF(6, max_iter=20)
    W = model.fit_transform(table(6, 30, 80))
    assert W.min() >= 0
    assert model.components_.min() >= 0


def test_transform_is_the_non_negative_least_squares_of_each_row():
    model = NMF(8, max_iter=30).fit(table(7, 50, 120))
    new = table(8, 9, 120)
    found = model.transform(new)
    for row, weights in zip(new, found, strict=True):
        expected, _ = nnls(model.components_.T.astype(np.float64), row.astype(np.float64))
        np.testing.assert_allclose(weights, expected, atol=2e-4)


def test_a_row_has_the_same_weights_alone_as_among_others():
    model = NMF(8, max_iter=30).fit(table(7, 50, 120))
    new = table(9, 40, 120)
    together = hals.weights(model.components_, new)
    alone = np.concatenate([hals.weights(model.components_, new[i : i + 1]) for i in range(40)])
    np.testing.assert_allclose(alone, together, rtol=1e-9, atol=1e-12)


def test_the_compiled_sweeps_equal_the_plain_ones_whatever_the_threads(monkeypatch):
    generator = np.random.default_rng(2)
    for dtype, tolerance in ((np.float64, 1e-12), (np.float32, 1e-4)):
        H = generator.gamma(1.0, size=(11, 333)).astype(dtype)
        W = generator.gamma(1.0, size=(11, 50)).astype(dtype)
        X = generator.gamma(1.0, size=(50, 333)).astype(dtype)
        plain, one, three = H.copy(), H.copy(), H.copy()
        violation = hals._sweep_plain(plain, W @ X, W @ W.T)
        monkeypatch.setattr(hals, "WORTH_A_THREAD", 1)
        assert hals.sweep(one, W @ X, W @ W.T, threads=1) == pytest.approx(violation, rel=1e-4)
        hals.sweep(three, W @ X, W @ W.T, threads=3)
        np.testing.assert_allclose(one, plain, atol=tolerance)
        np.testing.assert_array_equal(three, one)


def test_without_numba_the_numbers_are_the_same(monkeypatch):
    X = table(10, 30, 70, dtype=np.float64)
    compiled = NMF(4, max_iter=15).fit(X)
    monkeypatch.setattr(hals, "available", lambda: False)
    plain = NMF(4, max_iter=15).fit(X)
    np.testing.assert_allclose(plain.components_, compiled.components_, atol=1e-10)
    np.testing.assert_allclose(plain.transform(X), compiled.transform(X), atol=1e-5)


def test_torch_takes_the_same_steps():
    torch = pytest.importorskip("torch")
    from deepradiomics.modelling.components.nmf import _OnCpu, _OnDevice

    X = table(11, 30, 70, dtype=np.float64)
    W, H = nndsvda(X, 5)
    ours, torches = _OnCpu(X, W.copy(), H.copy(), 1), _OnDevice(X, W.copy(), H.copy(), "cpu")
    for _ in range(5):
        assert torches.step(2, 3) == pytest.approx(ours.step(2, 3), rel=1e-9)
    np.testing.assert_allclose(torches.factors()[1], ours.factors()[1], atol=1e-10)
    if torch.cuda.is_available():
        gpu = NMF(5, max_iter=50, device="cuda").fit(X.astype(np.float32))
        assert gpu.reconstruction_err_ == pytest.approx(
            NMF(5, max_iter=50).fit(X.astype(np.float32)).reconstruction_err_, rel=1e-3
        )


def test_the_singular_vectors_are_those_of_lapack():
    X = table(12, 25, 300, dtype=np.float64)
    for one in (X, X.T):
        U, S, V = singular(one, 6)
        u, s, v = np.linalg.svd(one, full_matrices=False)
        np.testing.assert_allclose(S, s[:6], rtol=1e-9)
        np.testing.assert_allclose(np.abs(np.sum(U * u[:, :6], axis=0)), 1.0, atol=1e-6)
        np.testing.assert_allclose(np.abs(np.sum(V * v[:6], axis=1)), 1.0, atol=1e-6)


def test_more_components_than_the_rank_leave_no_nan():
    X = np.outer(np.arange(1.0, 7.0), np.arange(1.0, 9.0))
    model = NMF(4, max_iter=50).fit(X)
    assert np.isfinite(model.components_).all()
    assert np.isfinite(model.transform(X)).all()
    assert model.reconstruction_err_ < 1e-2 * np.linalg.norm(X)


def test_the_objective_is_the_distance_to_the_product():
    X = table(13, 20, 50)
    model = NMF(4, max_iter=10)
    W = model.fit_transform(X)
    assert model.reconstruction_err_ == pytest.approx(np.linalg.norm(X - W @ model.components_), rel=1e-5)
    assert distance(X, W, model.components_) == model.reconstruction_err_


def test_it_speaks_scikit_learns_language():
    from sklearn.base import clone
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler

    X = table(14, 30, 40, dtype=np.float64)
    pipeline = make_pipeline(MinMaxScaler(), NMF(3, max_iter=20)).fit(X)
    assert pipeline.transform(X).shape == (30, 3)
    assert pipeline[-1].get_params()["n_components"] == 3
    assert pipeline[-1].inverse_transform(pipeline.transform(X)).shape == X.shape
    assert clone(pipeline[-1]).set_params(tol=0.5).tol == 0.5


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([[1.0, -0.5], [2.0, 1.0]], r"row 0, column 1 \(from 0\) is -0.5"),
        ([[1.0, np.nan], [2.0, 1.0]], "row 0, column 1 .* is nan"),
        ([1.0, 2.0], "expected a matrix"),
        (np.zeros((0, 3)), "expected a matrix"),
    ],
)
def test_what_cannot_be_factorised_is_refused_with_its_place(X, message):
    with pytest.raises(InputError, match=message):
        NMF(1).fit(np.array(X))


def test_wrong_options_are_refused():
    X = table(15, 5, 8)
    for options, message in (
        ({"n_components": 0}, "n_components ≥ 1"),
        ({"n_components": 6, "init": "nndsvda"}, "at most .* = 5"),
        ({"n_components": 2, "sweeps": (1, 0)}, "sweeps"),
        ({"n_components": 2, "init": "svd"}, "nndsvda, random or None"),
    ):
        with pytest.raises(InputError, match=message):
            NMF(**options).fit(X)
    with pytest.raises(InputError, match="call fit"):
        NMF(2).transform(X)
    with pytest.raises(InputError, match="expected 8 columns"):
        NMF(2).fit(X).transform(X[:, :5])
