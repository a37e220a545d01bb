"""fit: train any model on training data, with checkpoints that survive a kill.

Used for the fingerprint, for its controls (q ≡ 1, other grids and families) and for networks that read images alone.
"""

from __future__ import annotations

import errno
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from deepradiomics.devices import resolve_device
from deepradiomics.errors import DeepRadiomicsError, InputError, MissingDependencyError
from deepradiomics.fingerprint.config import TrainingConfig
from deepradiomics.fingerprint.data import TrainingData
from deepradiomics.fingerprint.run import RunFolder, now
from deepradiomics.progress import Progress, silent

if TYPE_CHECKING:
    from deepradiomics.fingerprint.module import Trainable

Model = TypeVar("Model", bound="Trainable")

_EXPECTED_WARNINGS = (  # what Lightning and torch say about choices made here on purpose
    ".*does not have many workers.*",
    ".*number of training batches.*",
    ".*Checkpoint directory .* exists and is not empty.*",
    ".*GPU available but not used.*",
    ".*does not have a deterministic implementation.*",
    ".*`isinstance\\(treespec, LeafSpec\\)` is deprecated.*",
    ".*torch.jit.*is deprecated.*",
    ".*The dirpath has changed.*",
)


@dataclass(frozen=True)
class Fitted:
    """A finished fit.

    Args:
        best_epoch: epoch (1-based) whose weights the model now has.
        epochs: epochs that were run.
        best_score: monitored validation quantity in that epoch.
        seconds: time spent in its epochs, over all sittings.
        history: path of history.csv.
    """

    best_epoch: int
    epochs: int
    best_score: float
    seconds: float
    history: Path


def fit(
    model: Model,
    data: TrainingData,
    config: TrainingConfig,
    out: str | Path,
    *,
    seed: int = 0,
    identity: Mapping[str, Any] | None = None,
    resume: bool = True,
    device: str = "auto",
    progress: Progress | None = None,
) -> Fitted:
    """Train ``model`` in place and leave it with the weights of its best epoch on validation, on the CPU, in eval mode.

    A run that was stopped goes on at its last whole epoch and ends as if it had not been stopped; a run that is
    finished is only loaded.

    Args:
        model: a ``torch.nn.Module`` whose forward(image, z) gives an ``Output`` and which offers ``parameter_groups``.
            Its initial weights are the caller's affair (see :func:`seeded`).
        data: training and validation cases; others are not looked at.
        config: epochs, rates, augmentation.
        out: run folder (see ``run.py``).
        seed: of case order, augmentation and dropout.
        identity: what else makes this run different from others, JSON-able.
        resume: with False a run in the folder is removed first.
        device: auto, cpu, cuda or mps.
        progress: called after every step; may raise Cancelled.

    Raises:
        InputError: the folder belongs to another run, or training diverged.
        MissingDependencyError: lightning is not installed.
    """
    try:
        with _quiet():
            from deepradiomics.fingerprint.module import JointTraining, Report
    except ImportError as error:
        if isinstance(error, DeepRadiomicsError):
            raise
        raise MissingDependencyError(
            f"Training needs Lightning: pip install 'deepradiomics[train]' ({error})."
        ) from error

    settings = {"training": _json(config), "seed": seed, "data_sha256": data.digest, **(identity or {})}
    run = RunFolder(out, settings, resume=resume)
    if run.status == "running":
        module = JointTraining(model, data, config, seed)
        report = Report(run.add_row, progress or silent, config.epochs)
        try:
            with _quiet(), _untouched_randomness(), _threads_of(run):
                _train(module, report, run, config, resolve_device(device))
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise InputError(
                f"{run.folder}: no space is left on the disk. Free some and run again: it resumes."
            ) from error
        best_epoch, best_score = _best_row(run, config)
        run.update(
            status="fitted", fitted=now(), device=resolve_device(device), best_epoch=best_epoch, best_score=best_score,
            epochs=len(run.rows()), seconds=round(sum(float(row["seconds"]) for row in run.rows()), 1),
        )  # fmt: skip
    _load_best(model, run)
    record = run.record
    return Fitted(record["best_epoch"], record["epochs"], record["best_score"], record["seconds"], run.history)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw random numbers of torch from ``seed`` inside the block, and leave the generator as it was."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def _train(module: Any, report: Any, run: RunFolder, config: TrainingConfig, device: str) -> None:
    """Run Lightning until the last epoch or until validation has not improved for ``patience`` epochs."""
    import lightning.pytorch as pl
    from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint

    run.checkpoints.mkdir(parents=True, exist_ok=True)
    last = run.checkpoints / "last.ckpt"
    monitor, mode = f"validation_{config.monitor}", "min" if config.monitor == "loss" else "max"
    if last.is_file() and _has_stopped(last, config.patience):
        return
    kind, _, index = device.partition(":")
    trainer = pl.Trainer(
        accelerator={"cuda": "gpu"}.get(kind, kind),
        devices=[int(index)] if index else 1,
        precision=_precision(config, kind),
        max_epochs=config.epochs,
        gradient_clip_val=config.gradient_clip or None,
        deterministic=True if kind == "cpu" else "warn",
        callbacks=[
            report,
            EarlyStopping(monitor, patience=config.patience, mode=mode, check_on_train_epoch_end=True),
            ModelCheckpoint(
                run.checkpoints, "best", monitor=monitor, mode=mode, save_last=True, save_on_train_epoch_end=True,
                auto_insert_metric_name=False, enable_version_counter=False,
            ),
        ],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        default_root_dir=run.folder,
    )  # fmt: skip
    trainer.fit(module, ckpt_path=last if last.is_file() else None, weights_only=True)


def _has_stopped(last: Path, patience: int) -> bool:
    """Whether early stopping had already ended the run when its last checkpoint was written."""
    states = _checkpoint(last).get("callbacks", {})
    waits = [int(state["wait_count"]) for name, state in states.items() if name.startswith("EarlyStopping")]
    return any(wait >= patience for wait in waits)


def _load_best(model: Any, run: RunFolder) -> None:
    prefix = "model."
    stored = _checkpoint(run.checkpoints / "best.ckpt")["state_dict"]
    model.load_state_dict({k.removeprefix(prefix): v for k, v in stored.items() if k.startswith(prefix)})
    model.to("cpu")
    model.eval()


def _checkpoint(path: Path) -> dict[str, Any]:
    import torch

    if not path.is_file():
        raise InputError(f"{path}: this checkpoint is missing. Start the run over with resume=False (--no-resume).")
    checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return checkpoint


def _best_row(run: RunFolder, config: TrainingConfig) -> tuple[int, float]:
    """Epoch (1-based) and score of the best checkpoint."""
    sign = 1.0 if config.monitor == "loss" else -1.0
    rows = [(int(row["epoch"]), float(row[f"validation_{config.monitor}"])) for row in run.rows()]
    if not rows:
        raise InputError(f"{run.folder}: no epoch was finished. Start over with resume=False (--no-resume).")
    return min(rows, key=lambda row: (sign * row[1], row[0]))


def _precision(config: TrainingConfig, kind: str) -> Any:
    if config.precision != "auto":
        return config.precision if kind == "cuda" or config.precision == "32" else "32"
    if kind != "cuda":
        return "32"
    import torch

    return "bf16-mixed" if torch.cuda.is_bf16_supported() else "16-mixed"


def _json(config: TrainingConfig) -> dict[str, Any]:
    return {k: list(v) if isinstance(v, tuple) else v for k, v in vars(config).items()}


@contextmanager
def _quiet() -> Iterator[None]:
    """Lightning's remarks about choices made here on purpose are not the user's concern."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            for message in _EXPECTED_WARNINGS:
                warnings.filterwarnings("ignore", message=message)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def _threads_of(run: RunFolder) -> Iterator[None]:
    """Compute with as many threads as the run began with: sums are taken in another order with another number."""
    import torch

    before = torch.get_num_threads()
    if "threads" not in run.record:
        run.update(threads=before)
    try:
        torch.set_num_threads(run.record["threads"])
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _untouched_randomness() -> Iterator[None]:
    """Leave the process's generators and its choice of deterministic algorithms as they were."""
    import torch

    strict = torch.are_deterministic_algorithms_enabled()
    lenient = torch.is_deterministic_algorithms_warn_only_enabled()
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=devices):
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(strict, warn_only=lenient)
