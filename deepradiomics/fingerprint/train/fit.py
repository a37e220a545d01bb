"""fit: train any model on training data, with checkpoints that survive a kill.

Used for the fingerprint, for its controls (q ≡ 1, other grids and families) and for networks that read images alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from deepradiomics.fingerprint.config import TrainingConfig
from deepradiomics.fingerprint.data import TrainingData
from deepradiomics.progress import Progress
from deepradiomics.training.fit import FitSettings, Fitted, fit_module, need_lightning
from deepradiomics.training.run_folder import RunFolder

if TYPE_CHECKING:
    from deepradiomics.fingerprint.module import Trainable

Model = TypeVar("Model", bound="Trainable")

PRODUCTS = ("bundle",)  # what a finished fingerprint run leaves beside history and checkpoints


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
            Its initial weights are the caller's affair (see :func:`deepradiomics.training.seeds.seeded`).
        data: training and validation cases; others are not looked at.
        config: epochs, rates, augmentation.
        out: run folder (see :mod:`deepradiomics.training.run_folder`).
        seed: of case order, augmentation and dropout.
        identity: what else makes this run different from others, JSON-able.
        resume: with False a run in the folder is removed first.
        device: auto, cpu, cuda or mps.
        progress: called after every step; may raise Cancelled.

    Raises:
        InputError: the folder belongs to another run, or training diverged.
        MissingDependencyError: lightning is not installed.
    """
    need_lightning()
    from deepradiomics.fingerprint.module import JointTraining

    settings = {"training": _json(config), "seed": seed, "data_sha256": data.digest, **(identity or {})}
    run = RunFolder(out, settings, resume=resume, products=PRODUCTS)
    schedule = FitSettings(
        config.epochs, f"validation_{config.monitor}", "min" if config.monitor == "loss" else "max", config.patience,
        config.gradient_clip, config.precision,
    )  # fmt: skip
    module = JointTraining(model, data, config, seed)
    return fit_module(module, run, schedule, device=device, message=_said, progress=progress)


def _said(metrics: Mapping[str, float]) -> str:
    return f"validation loss {metrics['validation_loss']:.3f}, AUC {metrics['validation_auc']:.2f}"


def _json(config: TrainingConfig) -> dict[str, Any]:
    return {k: list(v) if isinstance(v, tuple) else v for k, v in vars(config).items()}
