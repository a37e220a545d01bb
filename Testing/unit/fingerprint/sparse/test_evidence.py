"""Evidence of patches: sparsemax by its definition, contributions that add up, planted sites that are found."""

import numpy as np
import pytest
from scipy.optimize import minimize

from deepradiomics.errors import InputError
from deepradiomics.fingerprint.sparse.evidence import Evidence, sparsemax
from deepradiomics.stats import auc

CASES, PATCHES, COLUMNS = 160, 6, 10


def focal(seed: int, cases: int = CASES) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns, labels and the lesions' patches: with a lesion, two columns of one of four patches are raised."""
    rng = np.random.default_rng([seed, 14])
    z = rng.standard_normal((cases, PATCHES, COLUMNS))
    y = (np.arange(cases) % 2).astype(float)
    site = rng.integers(0, 4, cases)
    for case in np.flatnonzero(y):
        z[case, site[case], :2] += 2.2
    return z, y, site


def diffuse(seed: int, cases: int = CASES) -> tuple[np.ndarray, np.ndarray]:
    """Where there is disease, two columns of every patch are raised a little."""
    rng = np.random.default_rng([seed, 15])
    z = rng.standard_normal((cases, PATCHES, COLUMNS))
    y = (np.arange(cases) % 2).astype(float)
    z[y == 1, :, :2] += 0.35
    return z, y


def test_sparsemax_is_the_nearest_point_of_the_simplex() -> None:
    rng = np.random.default_rng(0)
    for scores in rng.normal(0, 1.5, (10, 4)):
        nearest = minimize(
            lambda p, scores=scores: ((p - scores) ** 2).sum(),
            np.full(4, 0.25),
            bounds=[(0, 1)] * 4,
            constraints={"type": "eq", "fun": lambda p: p.sum() - 1},
            method="SLSQP",
            options={"ftol": 1e-14},
        )
        np.testing.assert_allclose(sparsemax(scores), nearest.x, atol=1e-6)
    assert sparsemax([5.0, 1.0]).tolist() == [1.0, 0.0]
    np.testing.assert_allclose(sparsemax([[3.0, 3.0, 0.0]] * 2), [[0.5, 0.5, 0.0]] * 2)


def test_bias_and_contributions_are_the_logit_and_attention_is_one() -> None:
    rng = np.random.default_rng(1)
    task = Evidence(rng.normal(size=(3, 4)), rng.normal(size=3), -0.4)
    z = rng.normal(size=(5, 3, 4))
    reading = task.read(z)
    np.testing.assert_allclose(reading.attention.sum(axis=1), 1.0)
    np.testing.assert_allclose(task.bias + reading.contributions.sum(axis=(1, 2)), reading.logit)
    by_hand = sparsemax(2 * ((task.weights * z[0]).sum(axis=1) + task.offsets))
    np.testing.assert_allclose(reading.attention[0], by_hand)
    ungated = Evidence(task.weights, task.offsets, -0.4, "none").read(z)
    np.testing.assert_allclose(ungated.logit, -0.4 + (z * task.weights).sum(axis=(1, 2)))


def test_what_does_not_fit_is_refused() -> None:
    task = Evidence(np.ones((3, 4)), np.zeros(3), 0.0)
    with pytest.raises(InputError, match=r"expected shape \(n, 3, 4\), got \(5, 4, 3\)"):
        task.read(np.ones((5, 4, 3)))
    with pytest.raises(InputError, match="expected finite numbers"):
        task.read(np.full((1, 3, 4), np.nan))
    with pytest.raises(InputError, match="weights and offsets"):
        Evidence(np.ones((3, 4)), np.zeros(4), 0.0)
    with pytest.raises(InputError, match="finite"):
        Evidence(np.full((3, 4), np.inf), np.zeros(3), 0.0)


class TestFit:
    """The fit needs PyTorch."""

    @pytest.fixture(autouse=True)
    def _torch(self) -> None:
        pytest.importorskip("torch")

    def test_the_planted_patch_is_found_and_the_gate_helps(self) -> None:
        from deepradiomics.fingerprint.sparse.fit import fit_evidence

        (z, y, _), (new, truth, site) = focal(0), focal(1)
        gated, plain = (fit_evidence(z, y, gate=gate) for gate in ("patches", "none"))
        reading = gated.read(new)
        assert auc(truth, reading.logit) > auc(truth, plain.read(new).logit) + 0.03
        ill = truth == 1
        assert np.mean(reading.attention[ill].argmax(axis=1) == site[ill]) > 0.7

    def test_without_a_gate_diffuse_disease_is_read_better(self) -> None:
        from deepradiomics.fingerprint.sparse.fit import fit_evidence

        (z, y), (new, truth) = diffuse(0), diffuse(1)
        gated, plain = (auc(truth, fit_evidence(z, y, gate=g).read(new).logit) for g in ("patches", "none"))
        assert plain > gated

    def test_each_patch_keeps_its_largest_weights(self) -> None:
        from deepradiomics.fingerprint.sparse.fit import SparseFit, fit_evidence

        z, y, _ = focal(2)
        task = fit_evidence(z, y, options=SparseFit(per_patch=3))
        assert task.is_read.sum(axis=1).max() == 3
        assert task.is_read[:4, :2].mean() > 0.7

    def test_permuted_labels_give_chance(self) -> None:
        from deepradiomics.fingerprint.sparse.fit import fit_evidence

        areas = []
        for seed in range(4):
            (z, y, _), (new, truth, _) = focal(seed), focal(seed + 50)
            y = np.random.default_rng(seed).permutation(y)
            areas.append(auc(truth, fit_evidence(z, y).read(new).logit))
        assert 0.4 < np.mean(areas) < 0.6

    def test_the_same_cases_give_the_same_weights(self) -> None:
        from deepradiomics.fingerprint.sparse.fit import fit_evidence

        z, y, _ = focal(3)
        first, second = fit_evidence(z, y), fit_evidence(z, y)
        assert np.array_equal(first.weights, second.weights)
        assert np.array_equal(first.offsets, second.offsets)
        assert first.bias == second.bias

    def test_all_patches_empty_but_one_are_fitted(self) -> None:
        from deepradiomics.fingerprint.sparse.fit import fit_evidence

        z, y, _ = focal(4)
        z[:, 1:] = 0.0
        reading = fit_evidence(z, y).read(z)
        assert (reading.contributions[:, 1:] == 0).all()
        assert auc(y, reading.logit) > 0.6

    @pytest.mark.parametrize(
        ("columns", "labels", "message"),
        [
            (np.ones((4, 2)), np.ones(4), r"expected shapes \(n, patches, columns\)"),
            (np.ones((4, 2, 3)), np.array([0, 1, 0]), r"expected shapes"),
            (np.full((4, 2, 3), np.nan), np.array([0, 1, 0, 1]), "finite"),
            (np.ones((4, 2, 3)), np.ones(4), "expected 0 and 1, both of them"),
            (np.ones((4, 2, 3)), np.array([0, 1, 2, 1]), "expected 0 and 1"),
        ],
    )
    def test_cases_that_cannot_be_fitted_are_refused(self, columns, labels, message) -> None:
        from deepradiomics.fingerprint.sparse.fit import fit_evidence

        with pytest.raises(InputError, match=message):
            fit_evidence(columns, labels)
