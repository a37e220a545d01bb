"""fit: train any model on training data, with checkpoints that survive a kill.

Used for the fingerprint, for its controls (q ≡ 1, other grids and families) and for networks that read images alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepradiomics.fingerprint.model.config import TrainingConfig
from deepradiomics.fingerprint.train.data import TrainingData
from deepradiomics.progress import Progress
from deepradiomics.training.fit import FitSettings, Fitted, fit_module, need_lightning
from deepradiomics.training.run_folder import RunFolder

if TYPE_CHECKING:
    from deepradiomics.fingerprint.train.module import Trainable

PRODUCTS = ("bundle",)  # what a finished fingerprint run leaves beside history and checkpoints


@dataclass(frozen=True, eq=False)
class FitRequest:
    """Which model is trained on what, and how.

    Args:
        model: a ``torch.nn.Module`` whose forward(image, z) gives an ``Output`` and which offers ``parameter_groups``.
            Its initial weights are the caller's affair (see :func:`deepradiomics.training.seeds.seeded`).
        data: training and validation cases; others are not looked at.
        config: epochs, rates, augmentation.
        seed: of case order, augmentation and dropout.
        identity: what else makes this run different from others, JSON-able.
    """

    model: Trainable
    data: TrainingData
    config: TrainingConfig
    seed: int = 0
    identity: Mapping[str, Any] | None = None


def fit(
    request: FitRequest,
    out: str | Path,
    *,
    resume: bool = True,
    device: str = "auto",
    progress: Progress | None = None,
) -> Fitted:
    """Train ``model`` in place and leave it with the weights of its best epoch on validation, on the CPU, in eval mode.

    A run that was stopped resumes after its last whole epoch and ends as if it had not been stopped; a run that is
    finished is only loaded.

    Args:
        request: which model is trained on what, and how.
        out: run folder (see :mod:`deepradiomics.training.run_folder`).
        resume: with False a run in the folder is removed first.
        device: auto, cpu, cuda or mps.
        progress: called after every step; may raise Cancelled.

    Raises:
        InputError: the folder belongs to another run, or training diverged.
        MissingDependencyError: lightning is not installed.
    """
    settings = {**identity_of(request.data, request.config), "seed": request.seed, **(request.identity or {})}
    run = RunFolder(out, settings, resume=resume, products=PRODUCTS)
    return fit_in(run, request.model, request.data, request.config, seed=request.seed, device=device, progress=progress)


def fit_in(
    run: RunFolder,
    model: Trainable,
    data: TrainingData,
    config: TrainingConfig,
    *,
    seed: int,
    device: str = "auto",
    progress: Progress | None = None,
) -> Fitted:
    """:func:`fit` in a run that is open already."""
    need_lightning()
    from deepradiomics.fingerprint.train.module import JointTraining

    schedule = FitSettings(
        config.epochs,
        f"validation_{config.monitor}",
        "min" if config.monitor == "loss" else "max",
        config.patience,
        config.gradient_clip,
        config.precision,
    )
    message = "validation loss {validation_loss:.3f}, AUC {validation_auc:.2f}"
    module = JointTraining(model, data, config, seed)
    return fit_module(module, run, schedule, device=device, message=message, progress=progress)


def identity_of(data: TrainingData, config: TrainingConfig) -> dict[str, Any]:
    """What a fit adds to what makes its run this run."""
    training = {key: list(value) if isinstance(value, tuple) else value for key, value in vars(config).items()}
    return {"training": training, "data_sha256": data.digest}
