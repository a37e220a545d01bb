"""Both thresholds are those of the best Youden index on validation, checked against brute force."""

import numpy as np
import pytest
import torch

from deepradiomics.fingerprint.model.config import ModelConfig
from deepradiomics.fingerprint.model.network import FingerprintModel
from deepradiomics.fingerprint.model.predict import logits_of
from deepradiomics.fingerprint.model.tasks import Task, probabilities
from deepradiomics.fingerprint.model.thresholds import Thresholds, choose_thresholds, decide


def model_with(weights: list[float], task: Task) -> FingerprintModel:
    model = FingerprintModel(1, len(weights), (task,), ModelConfig(network="tiny", pairwise="none"))
    with torch.no_grad():
        model.classifier.linear.copy_(torch.tensor([weights]))
    return model


def test_the_relevance_threshold_leaves_out_what_confuses() -> None:
    # Twenty features carry the label with q = 0.9; twenty carry louder noise with q = 0.2. Without them all cases are
    # right.
    rng = np.random.default_rng(0)
    labels = np.arange(30)[:, None] % 2
    z = np.concatenate([np.repeat(2.0 * labels - 1, 20, axis=1), 5 * rng.normal(size=(30, 20))], axis=1)
    relevance = np.concatenate([np.full((30, 1, 20), 0.9), np.full((30, 1, 20), 0.2)], axis=2).astype(np.float32)
    model = model_with([1.0] * 40, Task("acl", (0, 1)))
    found = choose_thresholds(model, z.astype(np.float32), relevance, labels)
    assert 0.2 < found.relevance["acl"] <= np.float32(0.9)
    limit = found.vector(model.tasks)
    (chance,) = probabilities(logits_of(model, z, relevance, "paper", limit), model.tasks)
    threshold = found.decision["paper"]["acl"]
    assert (decide(model.tasks[0], chance, threshold) == labels[:, 0]).all()


def test_the_decision_threshold_belongs_to_its_inference_mode() -> None:
    labels = np.array([[0], [0], [1], [1]])
    z = np.array([[-2.0], [-1.0], [1.0], [2.0]], np.float32)
    relevance = np.full((4, 1, 1), 0.25, np.float32)
    model = model_with([1.0], Task("acl", (0, 1)))
    with torch.no_grad():
        model.classifier.intercept.fill_(3.0)
    found = choose_thresholds(model, z, relevance, labels)
    for inference, weight in (("paper", 1.0), ("masked", 0.25), ("soft", 0.25)):
        low, high = 1 / (1 + np.exp(-(3 - weight))), 1 / (1 + np.exp(-(3 + weight)))
        assert low < found.decision[inference]["acl"] <= high


def test_no_validation_case_is_left_with_an_empty_fingerprint() -> None:
    rng = np.random.default_rng(1)
    # The first case's relevance is lower everywhere: a quantile of the cohort would leave it nothing.
    relevance = rng.uniform(0.6, 0.9, (12, 1, 50)).astype(np.float32)
    relevance[0] -= 0.5
    labels = np.arange(12)[:, None] % 2
    found = choose_thresholds(
        model_with([0.1] * 50, Task("acl", (0, 1))), rng.normal(size=(12, 50)).astype(np.float32), relevance, labels
    )
    assert ((relevance >= found.relevance["acl"]).sum(axis=2) >= 10).all()


def test_several_classes_have_no_decision_threshold() -> None:
    rng = np.random.default_rng(2)
    task = Task("grade", (0, 1, 2))
    model = FingerprintModel(1, 15, (task,), ModelConfig(network="tiny"))
    found = choose_thresholds(
        model, rng.normal(size=(9, 15)).astype(np.float32), rng.uniform(size=(9, 1, 15)).astype(np.float32),
        np.arange(9)[:, None] % 3,
    )  # fmt: skip
    assert found.decision["paper"] == {"grade": None}
    assert decide(task, np.array([[0.2, 0.5, 0.3]]), None).tolist() == [1]
    assert Thresholds.from_dict(found.to_dict()) == found


def test_a_threshold_outside_zero_to_one_is_refused() -> None:
    with pytest.raises(ValueError, match="relevance_threshold of 'acl'"):
        Thresholds({"acl": 1.5}, {})
