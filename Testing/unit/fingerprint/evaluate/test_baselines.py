"""Baselines: the signature finds what was planted, mean-q is the mean, shuffled-q is never one's own."""

from __future__ import annotations

import numpy as np
import pytest

from deepradiomics.errors import InputError
from deepradiomics.fingerprint.evaluate.baselines import fit_signature, mean_relevance, shuffled_relevance, strangers

pytest.importorskip("sklearn")


def _planted(n: int = 80, columns: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, columns))
    return z, (z[:, 3] - z[:, 7] + 0.3 * rng.standard_normal(n) > 0).astype(int)


def test_the_signature_holds_the_two_planted_features_with_their_signs() -> None:
    z, label = _planted()
    found = fit_signature(z, label)
    assert {3, 7} <= set(found.selected.tolist())
    assert found.weight[0, 3] > 0 > found.weight[0, 7]
    assert len(found.selected) < 100


def test_the_signature_generalises_to_cases_it_has_not_seen() -> None:
    from deepradiomics.stats import auc

    found = fit_signature(*_planted())
    z, label = _planted(seed=1)
    assert auc(label, found.probabilities(z)[:, 0]) > 0.9


def test_the_same_seed_gives_the_same_signature() -> None:
    z, label = _planted()
    assert np.array_equal(fit_signature(z, label, seed=3).weight, fit_signature(z, label, seed=3).weight)


def test_probabilities_of_several_classes_sum_to_one() -> None:
    z, _ = _planted()
    label = z[:, :3].argmax(axis=1)
    chance = fit_signature(z, label, classes=3).probabilities(z)
    assert chance.shape == (80, 3)
    assert chance.sum(axis=1) == pytest.approx(np.ones(80))
    assert (chance.argmax(axis=1) == label).mean() > 0.6


def test_a_class_with_one_training_case_is_refused() -> None:
    with pytest.raises(InputError, match="a class has 1 training cases"):
        fit_signature(np.zeros((5, 2)), np.array([0, 0, 0, 0, 1]))


def test_mean_q_is_the_mean_of_the_training_patients_for_everybody() -> None:
    training = np.array([[[0.2, 0.8]], [[0.4, 0.0]]])  # (2 patients, 1 task, 2 features)
    given = mean_relevance(training, 3)
    assert given.shape == (3, 1, 2)
    assert given == pytest.approx(np.broadcast_to([[0.3, 0.4]], (3, 1, 2)))


@pytest.mark.parametrize("count", [2, 3, 10, 101])
def test_shuffled_q_never_gives_a_patient_their_own(count: int) -> None:
    for seed in range(20):
        order = strangers(count, seed)
        assert sorted(order.tolist()) == list(range(count))
        assert not np.any(order == np.arange(count))


def test_shuffled_q_moves_whole_patients() -> None:
    relevance = np.arange(24.0).reshape(4, 2, 3)
    moved = shuffled_relevance(relevance, seed=0)
    assert {row.tobytes() for row in moved} == {row.tobytes() for row in relevance}
    assert not any(np.array_equal(a, b) for a, b in zip(moved, relevance, strict=True))


def test_a_lonely_patient_cannot_be_shuffled() -> None:
    with pytest.raises(InputError, match="at least two patients"):
        strangers(1, 0)
