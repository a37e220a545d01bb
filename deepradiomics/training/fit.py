"""fit_module: run the epochs of any LightningModule in a run folder, so that a kill costs at most one epoch.

The module brings its data loaders, its loss and its metrics; what is here is the same for every network: early
stopping, the checkpoints of the last and the best epoch, and resuming a killed run.
"""

from __future__ import annotations

import errno
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from deepradiomics.child import safe_children
from deepradiomics.devices import resolve_device
from deepradiomics.errors import InputError, MissingDependencyError
from deepradiomics.files.reading import reading
from deepradiomics.progress import Progress, silent
from deepradiomics.training.processes import supervised
from deepradiomics.training.quiet import quiet
from deepradiomics.training.run_folder import RunFolder, now
from deepradiomics.training.seeds import untouched_randomness

Precision = Literal["auto", "32", "bf16-mixed", "16-mixed"]

_START_OVER = "Start the run over with resume=False (--no-resume)."


@dataclass(frozen=True)
class FitSettings:
    """How long a module is trained, how its best epoch is chosen, and on what it is trained.

    Args:
        epochs: largest number of epochs.
        monitor: name of the logged validation quantity by which the best epoch is chosen.
        mode: whether a smaller or a larger one is better.
        patience: epochs without improvement before training stops; None never stops early.
        gradient_clip: largest gradient norm; 0 does not clip.
        precision: ``auto`` is bfloat16 or float16 mixed precision on CUDA and float32 elsewhere.
        devices: number of processes, one per GPU (or on the CPU); above 1 gradients are averaged (DDP).
    """

    epochs: int
    monitor: str = "validation_loss"
    mode: Literal["min", "max"] = "min"
    patience: int | None = None
    gradient_clip: float = 0.0
    precision: Precision = "auto"
    devices: int = 1


@dataclass(frozen=True)
class Fitted:
    """A finished fit.

    Args:
        best_epoch: epoch (1-based) whose weights the module now has.
        epochs: epochs that were run.
        best_score: monitored validation quantity in that epoch.
        seconds: time spent in its epochs, also before it was resumed.
        history: path of history.csv.
    """

    best_epoch: int
    epochs: int
    best_score: float
    seconds: float
    history: Path

    def summary(self) -> dict[str, float]:
        """Epochs and time, as bundles and metrics give them."""
        return {"best_epoch": self.best_epoch, "epochs": self.epochs, "seconds": self.seconds}


def fit_module(
    module: Any,
    run: RunFolder,
    settings: FitSettings,
    *,
    device: str = "auto",
    message: str | None = None,
    progress: Progress | None = None,
) -> Fitted:
    """Train a module in place and leave it with the weights of its best epoch, on the CPU, in eval mode.

    A run that was stopped resumes after its last whole epoch and ends as if it had not been stopped; a run that is
    finished is only loaded. That holds bit by bit where all that is random in a step comes from (seed, epoch, step),
    see :mod:`deepradiomics.training.seeds`.

    Args:
        module: a LightningModule with loaders of its own. It logs ``settings.monitor`` once per epoch.
        run: where history and checkpoints go.
        settings: epochs, what is monitored, precision, processes.
        device: auto, cpu, cuda, cuda:N or mps.
        message: how the progress reports the metrics of an epoch, with their names in braces: ``loss
            {validation_loss:.3g}``; the monitored quantity by default.
        progress: called after every step (with several processes, after every epoch); may raise Cancelled.

    Raises:
        InputError: the disk is full, or no epoch was finished.
        MissingDependencyError: lightning is not installed.
    """
    need_lightning()
    if run.status == "running":
        try:
            with quiet(), untouched_randomness(), _threads_of(run):
                default = f"{settings.monitor.replace('_', ' ')} {{{settings.monitor}:.4g}}"
                _train(module, run, settings, resolve_device(device), message or default, progress or silent)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise InputError(
                f"{run.folder}: no space is left on the disk. Free some and run again: it resumes."
            ) from error
        best_epoch, best_score = _best_row(run, settings)
        run.update(
            status="fitted",
            fitted=now(),
            device=resolve_device(device),
            best_epoch=best_epoch,
            best_score=best_score,
            epochs=len(run.rows()),
            seconds=round(sum(float(row["seconds"]) for row in run.rows()), 1),
        )
    best = run.checkpoints / "best.ckpt"
    with reading(best, "the best checkpoint", _START_OVER):
        module.load_state_dict(_checkpoint(best)["state_dict"])
    module.to("cpu")
    module.eval()
    record = run.record
    return Fitted(record["best_epoch"], record["epochs"], record["best_score"], record["seconds"], run.history)


def need_lightning() -> None:
    """Import Lightning without its remarks.

    Raises:
        MissingDependencyError: it is not installed, or cannot be loaded.
    """
    try:
        with quiet():
            import lightning.pytorch  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError(
            f"Training needs Lightning: pip install 'deepradiomics[train]' ({error})."
        ) from error


def _train(
    module: Any,
    run: RunFolder,
    settings: FitSettings,
    device: str,
    message: str,
    progress: Progress,
) -> None:
    """Run Lightning until the last epoch or until validation has not improved for ``patience`` epochs."""
    import lightning.pytorch as pl
    from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint

    from deepradiomics.training.report import Report

    run.checkpoints.mkdir(parents=True, exist_ok=True)
    last = _last_whole(run)
    monitor, mode, patience = settings.monitor, settings.mode, settings.patience
    if last is not None and patience is not None and _has_stopped(last, patience):
        return
    callbacks: list[Any] = [Report(run.add_row, progress, settings.epochs, message)]
    if patience is not None:
        callbacks.append(EarlyStopping(monitor, patience=patience, mode=mode, check_on_train_epoch_end=True))
    callbacks.append(
        ModelCheckpoint(
            run.checkpoints,
            "best",
            monitor=monitor,
            mode=mode,
            save_last=True,
            save_on_train_epoch_end=True,
            auto_insert_metric_name=False,
            enable_version_counter=False,
        )
    )
    kind, _, index = device.partition(":")
    trainer = pl.Trainer(
        accelerator={"cuda": "gpu"}.get(kind, kind),
        devices=[int(index)] if index else settings.devices,
        # Spawned, so that it works from any program and not only from a script that can be run again. Some parameters
        # get no gradient in some tasks (the last norm of an encoder whose maps alone are used).
        strategy="auto" if settings.devices == 1 else "ddp_spawn_find_unused_parameters_true",
        precision=_precision(settings.precision, kind),
        max_epochs=settings.epochs,
        gradient_clip_val=settings.gradient_clip or None,
        deterministic=True if kind == "cpu" else "warn",
        callbacks=callbacks,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        default_root_dir=run.folder,
    )
    resume: dict[str, Any] = {"ckpt_path": last, "weights_only": True}
    if settings.devices == 1:
        trainer.fit(module, **resume)
        return
    with safe_children(), supervised(trainer, run, settings.epochs, message, progress):
        trainer.fit(module, **resume)


def _last_whole(run: RunFolder) -> Path | None:
    """The checkpoint to resume from: the last one or, where it is damaged, that of the best epoch; None at the start.

    Raises:
        InputError: both are damaged.
    """
    last, best = (run.checkpoints / f"{name}.ckpt" for name in ("last", "best"))
    if not last.is_file():
        return None
    try:
        _checkpoint(last)
        return last
    except InputError as error:
        if not best.is_file():
            raise
        _checkpoint(best)
        warnings.warn(f"{str(error).removesuffix(_START_OVER)}The run resumes after its best epoch.", stacklevel=2)
        return best


def _has_stopped(last: Path, patience: int) -> bool:
    """Whether early stopping had already ended the run when its last checkpoint was written."""
    states = _checkpoint(last).get("callbacks", {})
    waits = [int(state["wait_count"]) for name, state in states.items() if name.startswith("EarlyStopping")]
    return any(wait >= patience for wait in waits)


def _checkpoint(path: Path) -> dict[str, Any]:
    import torch

    if not path.is_file():
        raise InputError(f"{path}: this checkpoint is missing. {_START_OVER}")
    with reading(path, "this checkpoint", _START_OVER):
        checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        checkpoint["state_dict"]
    return checkpoint


def _best_row(run: RunFolder, settings: FitSettings) -> tuple[int, float]:
    """Epoch (1-based) and score of the best checkpoint."""
    sign = 1.0 if settings.mode == "min" else -1.0
    rows = [(int(row["epoch"]), float(row[settings.monitor])) for row in run.rows()]
    if not rows:
        raise InputError(f"{run.folder}: no epoch was finished. Start over with resume=False (--no-resume).")
    return min(rows, key=lambda row: (sign * row[1], row[0]))


def _precision(precision: Precision, kind: str) -> Any:
    if precision != "auto":
        return precision if kind == "cuda" or precision == "32" else "32"
    if kind != "cuda":
        return "32"
    import torch

    return "bf16-mixed" if torch.cuda.is_bf16_supported() else "16-mixed"


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
