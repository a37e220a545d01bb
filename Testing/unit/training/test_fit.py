"""The training loop with a network of one line: what it promises to any module."""

import errno
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from deepradiomics.errors import Cancelled, InputError
from deepradiomics.training.fit import FitSettings, _precision, fit_module
from deepradiomics.training.optimise import adamw
from deepradiomics.training.run_folder import RunFolder
from deepradiomics.training.schedule import set_rates
from deepradiomics.training.seeds import seeded

pl = pytest.importorskip("lightning.pytorch")


class Line(pl.LightningModule):
    """y = 2 x, learned by steps on one batch; validation may follow a script instead."""

    def __init__(self, scripted: tuple[float, ...] = ()) -> None:
        super().__init__()
        self.line, self.scripted = nn.Linear(1, 1, bias=False), scripted
        nn.init.zeros_(self.line.weight)
        x = torch.linspace(-1, 1, 8)[:, None]
        self._data = DataLoader(TensorDataset(x, 2 * x), batch_size=8)

    def train_dataloader(self) -> Any:
        return self._data

    def val_dataloader(self) -> Any:
        return self._data

    def training_step(self, batch: Any, step: int) -> torch.Tensor:
        return nn.functional.mse_loss(self.line(batch[0]), batch[1])

    def validation_step(self, batch: Any, step: int) -> None:
        loss = nn.functional.mse_loss(self.line(batch[0]), batch[1])
        self.log("validation_loss", self.scripted[self.current_epoch] if self.scripted else loss)

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=0.5)


def fit(module: Any, folder: Path, settings: FitSettings, **options: Any) -> Any:
    return fit_module(module, RunFolder(folder, {"s": str(settings)}), settings, device="cpu", **options)


def by_hand(epochs: int) -> list[float]:
    """Weights after each epoch of gradient descent on mean (w x - 2 x)²."""
    square, weights = float((torch.linspace(-1, 1, 8) ** 2).mean()), [0.0]
    for _ in range(epochs):
        weights.append(weights[-1] - 0.5 * 2 * square * (weights[-1] - 2))
    return weights


def test_each_epoch_is_a_step_of_gradient_descent(tmp_path: Path) -> None:
    module = Line()
    fitted = fit(module, tmp_path, FitSettings(5))
    weight = by_hand(5)[-1]
    assert module.line.weight.item() == pytest.approx(weight, rel=1e-5)
    assert not module.training
    assert (fitted.best_epoch, fitted.epochs) == (5, 5)
    square = float((torch.linspace(-1, 1, 8) ** 2).mean())
    assert fitted.best_score == pytest.approx(square * (weight - 2) ** 2, rel=1e-4)


@pytest.mark.parametrize(("mode", "best"), [("min", 2), ("max", 3)])
def test_the_weights_are_those_of_the_best_epoch(mode: Any, best: int, tmp_path: Path) -> None:
    module = Line((0.5, 0.2, 0.9, 0.4))
    assert fit(module, tmp_path, FitSettings(4, mode=mode)).best_epoch == best
    assert module.line.weight.item() == pytest.approx(by_hand(4)[best], rel=1e-5)


def test_patience_ends_a_run_and_without_it_all_epochs_are_run(tmp_path: Path) -> None:
    script = (0.5, 0.2, 0.9, 0.4, 0.3, 0.6, 0.1)
    assert fit(Line(script), tmp_path / "a", FitSettings(7, patience=3)).epochs == 5
    patient = fit(Line(script), tmp_path / "b", FitSettings(7))
    assert patient.epochs == 7
    assert patient.best_epoch == 7


def test_progress_tells_the_epoch_and_may_cancel_and_the_run_goes_on(tmp_path: Path) -> None:
    said: list[str] = []

    def tell(fraction: float, message: str) -> None:
        said.append(f"{fraction:.2f} {message}")
        if fraction > 0.6:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        fit(Line(), tmp_path, FitSettings(4), progress=tell, message="loss {validation_loss:.2f}")
    assert said[0] == "0.25 epoch 1 of 4: first epoch"
    assert said[1].startswith("0.50 epoch 2 of 4: loss ")
    module = Line()
    fit(module, tmp_path, FitSettings(4))
    assert module.line.weight.item() == pytest.approx(by_hand(4)[-1], rel=1e-5)


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    def full(fraction: float, message: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(InputError, match=r"no space is left on the disk\. Free some and run again"):
        fit(Line(), tmp_path, FitSettings(2), progress=full)


def test_a_missing_checkpoint_is_told(tmp_path: Path) -> None:
    fit(Line(), tmp_path, FitSettings(2))
    (tmp_path / "checkpoints" / "best.ckpt").unlink()
    with pytest.raises(InputError, match="this checkpoint is missing"):
        fit(Line(), tmp_path, FitSettings(2))


def test_mixed_precision_is_for_cuda() -> None:
    assert _precision("auto", "cpu") == "32" == _precision("bf16-mixed", "cpu") == _precision("auto", "mps")
    assert _precision("16-mixed", "cuda") == "16-mixed"
    assert _precision("32", "cuda") == "32"


def test_only_kernels_decay_and_frozen_parameters_are_left_out() -> None:
    module = nn.Sequential(nn.Conv3d(1, 2, 1), nn.BatchNorm3d(2), nn.Linear(2, 2))
    module[0].requires_grad_(False)
    optimizer = adamw(module, 0.1, 0.02)
    decay, rest = optimizer.param_groups
    assert [p.shape for p in decay["params"]] == [(2, 2)]
    assert decay["weight_decay"] == 0.02
    assert len(rest["params"]) == 3
    assert rest["weight_decay"] == 0.0
    set_rates(optimizer, 0.5)
    set_rates(optimizer, 0.5)
    assert [group["lr"] for group in optimizer.param_groups] == [0.05, 0.05]


def test_seeded_weights_leave_the_generator_as_it_was() -> None:
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    with seeded(4):
        one = torch.rand(1)
    assert torch.equal(torch.rand(1), expected)
    assert not torch.equal(one, expected)
    assert math.isfinite(float(one))


def _stopped(folder: Path) -> None:
    """A run that ended in the third of five epochs; its best epoch is the second."""

    def stop(fraction: float, message: str) -> None:
        if fraction > 0.65:
            raise Cancelled

    with pytest.raises(Cancelled):
        fit(Line((0.5, 0.2, 0.9, 0.4, 0.3)), folder, FitSettings(5), progress=stop)
    assert (folder / "checkpoints" / "last.ckpt").is_file()
    assert (folder / "checkpoints" / "best.ckpt").is_file()


@pytest.mark.parametrize("length", [0, 1, 500, -200])
def test_a_last_checkpoint_that_was_cut_short_lets_the_run_go_on_after_its_best_epoch(
    length: int, tmp_path: Path
) -> None:
    script = (0.5, 0.2, 0.9, 0.4, 0.3)
    whole = Line(script)
    fit(whole, tmp_path / "whole", FitSettings(5))
    _stopped(tmp_path / "a")
    last = tmp_path / "a" / "checkpoints" / "last.ckpt"
    last.write_bytes(last.read_bytes()[:length])
    module = Line(script)
    with pytest.warns(UserWarning, match=r"last\.ckpt: this checkpoint is damaged.*resumes after its best"):
        fitted = fit(module, tmp_path / "a", FitSettings(5))
    assert fitted.epochs == 5
    assert fitted.best_epoch == 2
    assert torch.equal(module.line.weight, whole.line.weight)


def test_where_no_checkpoint_is_whole_it_is_said_what_to_do_each_time(tmp_path: Path) -> None:
    _stopped(tmp_path)
    for name in ("last", "best"):
        (tmp_path / "checkpoints" / f"{name}.ckpt").write_bytes(b"PK")
    for _ in range(2):
        with pytest.raises(InputError, match=r"best\.ckpt: this checkpoint is damaged.*--no-resume"):
            fit(Line(), tmp_path, FitSettings(5))
    run = RunFolder(tmp_path, {"s": str(FitSettings(5))}, resume=False)
    assert fit_module(Line(), run, FitSettings(5), device="cpu").epochs == 5


def test_a_history_that_was_edited_is_told(tmp_path: Path) -> None:
    fit(Line(), tmp_path, FitSettings(2))
    for text in ("epoch,seconds\nfirst,1\n", "a,b\n1,2\n"):
        (tmp_path / "history.csv").write_text(text)
        with pytest.raises(InputError, match=r"history\.csv: the history of this run is damaged"):
            RunFolder(tmp_path, {"s": str(FitSettings(2))}).rows()
