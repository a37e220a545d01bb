"""The three tasks' losses and scores by hand, the frozen encoder, and a batch-norm that never meets a single case."""

import numpy as np
import pytest
import torch

from deepradiomics.lens.encoders.finetune.score import intervals
from deepradiomics.lens.encoders.finetune.tasks import (
    ClassTask,
    RegressTask,
    SegmentTask,
    Task,
    soft_dice,
    task_from_dict,
    unit_of,
)
from deepradiomics.lens.encoders.provenance import early_best
from deepradiomics.networks.convnextv2 import ConvNeXtV2
from deepradiomics.training.batches import SeededBatches

TASKS = (ClassTask("grade", (0, 2, 3)), SegmentTask("lesion"), RegressTask("volume_ml", 20.0, 60.0))


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.kind)
def test_a_task_survives_its_record(task: Task) -> None:
    assert task_from_dict(task.to_dict()) == task


def test_the_loss_over_all_cases_follows_from_the_records() -> None:
    task = TASKS[0]
    logits, labels = torch.randn(7, 3, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 2, 0, 1, 2, 2])
    found = task.scores(task.record(logits, labels).numpy())
    assert found["loss"] == pytest.approx(float(task.loss(logits, labels)), rel=1e-6)
    volumes, truth = torch.rand(5), torch.rand(5)
    assert TASKS[2].scores(TASKS[2].record(volumes, truth).numpy())["loss"] == pytest.approx(
        float(TASKS[2].loss(volumes, truth)), rel=1e-6
    )


def test_kappa_weighs_label_numbers_not_their_places() -> None:
    task = ClassTask("grade", (0, 1, 5))  # from 1 to 5 is further than from 0 to 1
    logits = torch.eye(3)[[0, 1, 1, 2]] * 9  # the third case, a 5, is taken for a 1
    records = task.record(logits, torch.tensor([0, 1, 2, 2])).numpy()
    truth, predicted = np.array([0, 1, 5, 5]), np.array([0, 1, 1, 5])
    by_hand = 1 - 16 / ((np.subtract.outer(truth, predicted) ** 2).sum() / 4)
    assert task.scores(records)["qwk"] == pytest.approx(by_hand)


def test_soft_dice_by_hand() -> None:
    truth = torch.zeros(2, 1, 2, 2, 2)
    truth[0, 0, 0] = 1.0  # four voxels; the second case has none
    chances = torch.full((2, 1, 2, 2, 2), 0.5)
    found = soft_dice(chances, truth, smooth=1.0)
    assert found.tolist() == pytest.approx([(2 * 2 + 1) / (4 + 4 + 1), 1 / (4 + 1)])
    assert soft_dice(truth[:1], truth[:1]).item() == 1.0


def test_segmentation_scores_each_case_and_then_averages() -> None:
    task = TASKS[1]
    truth = torch.zeros(2, 1, 1, 2, 2)
    truth[0, 0, 0, 0] = 1.0
    truth[1, 0, 0, 0, 0] = 1.0
    logits = torch.full_like(truth, -9.0)
    logits[:, 0, 0, 0] = 9.0  # the first is found exactly, the second twice too large
    assert task.scores(task.record(logits, truth).numpy())["dice"] == pytest.approx((1 + 2 / 3) / 2)


def test_a_volumes_error_is_told_in_millilitres() -> None:
    records = np.array([[0.5, 0.25], [0.0, 0.1]])
    found = TASKS[2].scores(records)
    assert found["mae"] == pytest.approx(40 * (0.25 + 0.1) / 2)
    assert found["mse"] == pytest.approx((0.25**2 + 0.1**2) / 2)
    assert unit_of("volume_ml") == "mL"
    assert unit_of("score") == ""


def test_a_model_that_answers_one_class_has_an_interval_of_accuracy_and_none_of_kappa() -> None:
    task = TASKS[0]
    records = task.record(torch.eye(3)[[1] * 9] * 9, torch.tensor([0, 0, 1, 1, 1, 1, 1, 2, 2])).numpy()
    found = intervals(task, records)
    assert found["accuracy"]["value"] == pytest.approx(5 / 9)
    low, high = found["accuracy"]["low"], found["accuracy"]["high"]
    # of nine draws with a chance of 5/9, 2 to 8 are right in 95 % of the resamples
    assert (low, high) == (pytest.approx(2 / 9), pytest.approx(8 / 9))
    assert found["qwk"] == {"value": 0.0, "low": None, "high": None}


def test_a_best_epoch_is_early_in_the_first_twentieth_or_where_nothing_improved() -> None:
    assert early_best(1, 1) is None
    assert early_best(3, 40) is None
    assert early_best(2, 3) is None
    assert "epoch 2 of 40:" in str(early_best(2, 40))
    assert "never improved" in str(early_best(1, 40))
    assert "never improved" in str(early_best(1, 2))


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.kind)
def test_a_frozen_encoder_stays_in_eval_mode_and_gets_no_gradient(task: Task) -> None:
    pytest.importorskip("lightning")
    from deepradiomics.lens.encoders.config import StageTraining
    from deepradiomics.lens.encoders.finetune.module import Finetuning, new_network

    network = new_network(ConvNeXtV2(2, "mini"), task, 16, 0)
    # Batch statistics would change in training mode, even without gradients.
    network.encoder.stages[0].append(torch.nn.BatchNorm3d(16))
    before = {name: value.clone() for name, value in network.encoder.state_dict().items()}
    module = Finetuning(network, "frozen", None, ([], []), None, StageTraining(), 0)  # type: ignore[arg-type]
    module.train()
    assert network.head.training
    assert not network.encoder.training
    optimizer = module.configure_optimizers()
    targets = {"class": torch.tensor([0, 2, 1]), "regress": torch.rand(3), "segment": torch.ones(3, 1, 16, 32, 32)}
    images = torch.randn(3, 2, 16, 32, 32)
    task.loss(network(images), targets[task.kind]).backward()
    optimizer.step()
    assert all(torch.equal(before[name], value) for name, value in network.encoder.state_dict().items())
    assert all(p.grad is None for p in network.encoder.parameters())
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in network.head.parameters())


@pytest.mark.parametrize("count", [9, 13, 17])
def test_a_case_left_over_does_not_reach_batch_norm_alone(count: int) -> None:
    head = TASKS[0].head(ConvNeXtV2(2, "mini"), 8).train()
    for batch in SeededBatches(count, 4, seed=0):
        assert head(torch.randn(len(batch), 128)).isfinite().all()
    with pytest.raises(ValueError, match="batch of one"):
        head(torch.randn(1, 128))
