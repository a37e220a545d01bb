"""Training learns what was planted, and a run that was killed ends exactly as one that was not."""

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from deepradiomics.errors import Cancelled, InputError
from deepradiomics.files.atomic import read_json
from deepradiomics.fingerprint.model.config import ModelConfig, TrainingConfig
from deepradiomics.fingerprint.model.network import Output
from deepradiomics.fingerprint.model.predict import logits_of, relevance_of
from deepradiomics.fingerprint.train.fit import FitRequest, fit
from deepradiomics.training.run_folder import RunFolder
from Testing.unit.fingerprint import synthetic_data as support

TRAINING: TrainingConfig = support.TRAINING


def run(folder: Path, config: TrainingConfig = TRAINING, **options: Any) -> tuple[Any, Any]:
    data = support.planted()
    model = support.untrained(data)
    return model, fit(FitRequest(model, data, config, seed=3), folder, device="cpu", **options)


def losses(folder: Path) -> list[dict[str, str]]:
    return [{k: v for k, v in row.items() if k != "seconds"} for row in RunFolder(folder, {}).rows()]


def same_weights(one: nn.Module, other: nn.Module) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


def test_a_run_killed_twice_ends_like_an_uninterrupted_one(tmp_path: Path) -> None:
    model, fitted = run(tmp_path / "whole")
    assert fitted.epochs == 5
    assert fitted.best_epoch > 1
    for fraction in ("0.3", "0.7"):  # in the middle of the second and of the fourth epoch
        child = [sys.executable, str(Path(__file__).with_name("killed_run.py")), str(tmp_path / "killed"), fraction]
        assert subprocess.run(child, capture_output=True, timeout=120).returncode != 0
    assert 1 < len(losses(tmp_path / "killed")) < 5
    assert not list((tmp_path / "killed").rglob("*.part*"))
    resumed, refitted = run(tmp_path / "killed")
    assert losses(tmp_path / "killed") == losses(tmp_path / "whole")
    assert same_weights(model, resumed)
    assert (refitted.best_epoch, refitted.best_score) == (fitted.best_epoch, fitted.best_score)


def test_a_cancelled_run_goes_on_where_it_was(tmp_path: Path) -> None:
    def stop(fraction: float, message: str) -> None:
        if fraction > 0.5:
            raise Cancelled("stopped by the user")

    with pytest.raises(Cancelled):
        run(tmp_path / "a", progress=stop)
    assert read_json(tmp_path / "a" / "run.json")["status"] == "running"
    threads = torch.get_num_threads()
    torch.set_num_threads(1 if threads > 1 else 2)  # the run remembers how many threads it began with
    try:
        one, _ = run(tmp_path / "a")
    finally:
        torch.set_num_threads(threads)
    other, _ = run(tmp_path / "b")
    assert same_weights(one, other)


def test_a_finished_run_is_loaded_and_not_trained_again(tmp_path: Path) -> None:
    first, fitted = run(tmp_path)
    steps: list[float] = []
    second, again = run(tmp_path, progress=lambda fraction, _: steps.append(fraction))
    assert steps == []
    assert again == fitted
    assert same_weights(first, second)


def test_another_configuration_in_the_same_folder_is_refused_with_the_difference(tmp_path: Path) -> None:
    run(tmp_path)
    changed = dataclasses.replace(TRAINING, epochs=6)
    with pytest.raises(InputError, match=r"training\.epochs differs \(there 5, now 6\).*--no-resume"):
        run(tmp_path, changed)
    assert run(tmp_path, changed, resume=False)[1].epochs == 6


def test_other_data_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    run(tmp_path)
    data = support.planted(seed=1)
    with pytest.raises(InputError, match="images or masks have changed"):
        fit(FitRequest(support.untrained(data), data, TRAINING, seed=3), tmp_path, device="cpu")


def test_training_stops_early_and_a_resumed_run_does_not_train_further(tmp_path: Path) -> None:
    impatient = dataclasses.replace(TRAINING, epochs=40, patience=2, linear_step=20.0)
    model, fitted = run(tmp_path, impatient)
    assert fitted.epochs == fitted.best_epoch + 2 < 40
    RunFolder(tmp_path, {}).update(status="running")  # as if killed between the last epoch and the record of the end
    again, refitted = run(tmp_path, impatient)
    assert refitted.epochs == fitted.epochs
    assert same_weights(model, again)


def test_the_planted_features_are_learned(tmp_path: Path) -> None:
    data = support.planted(cases=90)
    model = support.untrained(data)
    longer = dataclasses.replace(TRAINING, epochs=20, patience=20, linear_step=0.6)
    fit(FitRequest(model, data, longer, seed=0), tmp_path, device="cpu")
    row = RunFolder(tmp_path, {}).rows()[-1]
    assert float(row["validation_auc_tear"]) > 0.8
    assert float(row["validation_auc_grade"]) > 0.75
    weights = model.classifier.linear.detach().abs()
    assert int(weights[0].argmax()) == 0
    assert int(weights[1].argmax()) == 1


def test_without_selection_every_relevance_is_one(tmp_path: Path) -> None:
    data = support.planted()
    model = support.untrained(data, ModelConfig(network="tiny", selection="none", pairwise="exact"))
    fit(FitRequest(model, data, TRAINING), tmp_path, device="cpu")
    q = relevance_of(model, data.images[:3])
    assert q.shape == (3, 2, 12)
    assert (q == 1).all()
    modes = [logits_of(model, data.z[:3], q, mode, np.array([0.5, 0.5])) for mode in ("paper", "masked", "soft")]
    np.testing.assert_array_equal(modes[0], modes[1])
    np.testing.assert_array_equal(modes[0], modes[2])


class SumOfImage(nn.Module):
    """A network that reads images alone."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(2, 1)

    def forward(self, image: Tensor, z: Tensor) -> Output:
        return Output(self.head(image.mean(dim=(2, 3, 4))))

    def parameter_groups(self, training: TrainingConfig) -> list[dict[str, Any]]:
        return [{"params": list(self.parameters()), "lr": 0.05, "weight_decay": 0.0}]


def test_networks_that_read_images_alone_are_trained_by_the_same_loop(tmp_path: Path) -> None:
    data = support.planted(tasks=support.TASKS[:1])
    images = data.images + data.labels[:, :1, None, None, None].astype(np.float32)
    model = SumOfImage()
    fit(FitRequest(model, data.with_images(images), dataclasses.replace(TRAINING, epochs=12)), tmp_path, device="cpu")
    assert float(RunFolder(tmp_path, {}).rows()[-1]["validation_auc"]) > 0.95


def test_training_leaves_the_random_numbers_of_others_alone(tmp_path: Path) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    run(tmp_path)
    assert torch.equal(torch.rand(3), expected)
    assert not torch.are_deterministic_algorithms_enabled()


def test_a_run_that_diverges_says_so(tmp_path: Path) -> None:
    data = support.planted()
    spoiled = dataclasses.replace(data, z=np.full_like(data.z, np.nan))
    with pytest.raises(InputError, match="diverged in epoch 1"):
        fit(FitRequest(support.untrained(spoiled), spoiled, TRAINING), tmp_path, device="cpu")
