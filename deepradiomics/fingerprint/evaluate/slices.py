"""MRNet and ELNet as baselines: one network per plane, trained on the same cases, combined by logistic regression.

They read what the fingerprint's network reads, the prepared views on the region of interest, cut along each view's own
slices: sagittal slices stand along right-left, coronal along anterior-posterior, axial along superior-inferior. The
original papers use whole slices as acquired and one network for each plane and task; here the heads of all tasks share
the plane's network unless ``per_task`` is chosen. Training (optimiser, epochs, early stopping, class balance) is the
fingerprint's own ``fit``; on top of its shifts and noise MRNet's augmentation is used (rotation up to 25°, shift up to
a tenth of the slice, mirroring), also for ELNet.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from deepradiomics.devices import resolve_device
from deepradiomics.errors import InputError, MissingDependencyError
from deepradiomics.files.atomic import sha256_file
from deepradiomics.fingerprint.model.config import FingerprintConfig, TrainingConfig
from deepradiomics.fingerprint.model.network import Output
from deepradiomics.fingerprint.model.tasks import output_slices
from deepradiomics.fingerprint.train.data import TrainingData
from deepradiomics.fingerprint.train.fit import FitRequest, fit
from deepradiomics.networks.elnet import ELNet
from deepradiomics.networks.mrnet import MRNet, load_imagenet_weights
from deepradiomics.progress import Progress, part
from deepradiomics.training.seeds import seeded

Name = Literal["mrnet", "elnet"]

# Anatomical direction of each array axis (z, y, x) of the reference plane's grid, and the direction slices follow.
_AXES = {"sagittal": "LIP", "coronal": "PIL", "axial": "SPL"}
_NORMAL = {"sagittal": "L", "coronal": "P", "axial": "SI"}


@dataclass(frozen=True)
class SliceOptions:
    """How the slice networks are built.

    Args:
        size: ``paper`` or ``tiny``; ``auto`` follows the fingerprint's own network.
        per_task: one network for each plane and task, as in the papers, instead of one for each plane.
        augment: rotate, shift and mirror the slices while training.
        imagenet_weights: safetensors file for MRNet's backbone; from scratch without it.
    """

    size: Literal["auto", "paper", "tiny"] = "auto"
    per_task: bool = False
    augment: bool = True
    imagenet_weights: Path | None = None

    def identity(self) -> dict[str, Any]:
        """What tells two settings apart, JSON-able; the weights by their content."""
        weights = self.imagenet_weights
        if weights is not None and not weights.is_file():
            raise InputError(
                f"imagenet_weights: {weights} does not exist; give a safetensors file with AlexNet's weights."
            )
        return {
            "size": self.size,
            "per_task": self.per_task,
            "augment": self.augment,
            "imagenet_weights": None if weights is None else sha256_file(weights),
        }


class PlaneNetwork(nn.Module):
    """One view's slices, cut from the prepared images, through a slice network.

    Args:
        network: (B, S, H, W) to logits.
        view: channel of the view in the images.
        axis: array axis (0, 1, 2 for z, y, x) along which this view's slices stand.
        augment: rotate, shift and mirror while training.
    """

    def __init__(self, network: nn.Module, view: int, axis: int, augment: bool) -> None:
        super().__init__()
        self.network, self.view, self.axis, self.augment = network, view, axis, augment

    def forward(self, image: Tensor, z: Tensor) -> Output:
        """Images (B, V, z, y, x) to logits; ``z`` is not looked at."""
        stack = image[:, self.view].movedim(1 + self.axis, 1)  # (B, S, H, W)
        if self.training and self.augment:
            stack = moved_slices(stack)
        return Output(self.network(stack))

    def parameter_groups(self, training: TrainingConfig) -> list[dict[str, Any]]:
        """One group: all weights at the network's learning rate and decay."""
        return [
            {
                "params": list(self.network.parameters()),
                "lr": training.learning_rate,
                "weight_decay": training.network_decay,
            }
        ]


def slice_axis(view: str, reference_plane: str) -> int:
    """Array axis (0, 1, 2 for z, y, x) along which a view's own slices stand on the reference plane's grid.

    A view that is named after no plane is cut along the grid's own slices.

    Example:
        >>> slice_axis("coronal", "sagittal")
        2
    """
    if view not in _NORMAL:
        return 0
    return next(i for i, direction in enumerate(_AXES[reference_plane]) if direction in _NORMAL[view])


def moved_slices(stack: Tensor, degrees: float = 25.0, shift: float = 0.1) -> Tensor:
    """Rotate, shift and mirror each exam's slices alike, drawn from torch's generator: (B, S, H, W) to the same shape.

    What comes in from outside is 0, the mean of a z-scored image.
    """
    batch, _, height, width = stack.shape
    angle = (torch.rand(batch) * 2 - 1) * math.radians(degrees)
    move = (torch.rand(batch, 2) * 2 - 1) * 2 * shift  # the sampling grid spans -1 … 1
    mirror = torch.where(torch.rand(batch) < 0.5, -1.0, 1.0)
    cos, sin, ratio = angle.cos(), angle.sin(), height / width
    rows = [
        torch.stack([mirror * cos, -sin * ratio, move[:, 0]], 1),
        torch.stack([mirror * sin / ratio, cos, move[:, 1]], 1),
    ]
    theta = torch.stack(rows, dim=1).to(stack)  # (B, 2, 3)
    grid = nn.functional.affine_grid(theta, list(stack.shape), align_corners=False)
    return nn.functional.grid_sample(stack, grid, align_corners=False, padding_mode="zeros")


@dataclass(frozen=True, eq=False)
class SliceTraining:
    """Which slice networks are trained on what, and where.

    Args:
        name: mrnet or elnet.
        data: cases with splits.
        config: of the fingerprint; preparation, epochs and batches are taken from it.
        options: how the networks are built.
        device: auto, cpu, cuda or mps.
    """

    name: Name
    data: TrainingData
    config: FingerprintConfig
    options: SliceOptions = field(default_factory=SliceOptions)
    device: str = "auto"


def run_slice_networks(
    training: SliceTraining,
    folder: Path,
    *,
    seed: int,
    progress: Progress | None = None,
) -> tuple[NDArray[np.float64], ...]:
    """Train (or load) a network for each plane, combine them, and judge every case.

    Returns:
        For each task the probabilities of all cases, (N, 1) of class 1 or (N, classes).
    """
    data, options = training.data, training.options
    subsets = [data] if not options.per_task else [_one_task(data, t) for t in range(len(data.tasks))]
    views = range(data.images.shape[1])
    names = training.config.recipe.views
    logits: list[list[NDArray[np.float64]]] = []  # per subset, per view: (N, C of the subset)
    total = len(subsets) * len(views)
    for s, subset in enumerate(subsets):
        logits.append([])
        for v in views:
            which = f"{names[v]}-{subset.tasks[0].name}" if options.per_task else names[v]
            step = s * len(views) + v
            logits[-1].append(
                _one_network(
                    replace(training, data=subset),
                    folder / which,
                    v,
                    seed + 1000 * (step + 1),
                    part(progress, step / total, (step + 1) / total),
                )
            )
    return tuple(
        _combined(np.concatenate([view[:, columns] for view in logits[s]], axis=1), data, t, seed)
        for t, (s, columns) in enumerate(_places(subsets))
    )


def combine(logits: NDArray[np.float64], label: NDArray[np.integer], train: NDArray[np.intp], seed: int) -> Any:
    """Logistic regression of the label on the planes' logits (N, planes × outputs), fitted on the training rows.

    Returns:
        Probabilities (N, classes).
    """
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise MissingDependencyError(
            "Combining planes needs scikit-learn: pip install 'deepradiomics[train]'."
        ) from error
    model = LogisticRegression(C=1.0, max_iter=2000, random_state=seed).fit(logits[train], label[train])
    return model.predict_proba(logits)


def _one_network(
    training: SliceTraining, folder: Path, view: int, seed: int, progress: Progress
) -> NDArray[np.float64]:
    """Logits (N, C) of one plane's network."""
    data, config, options = training.data, training.config, training.options
    outputs = sum(task.n_outputs for task in data.tasks)
    size = config.model.network if options.size == "auto" else options.size
    with seeded(seed):
        network = MRNet(outputs, size) if training.name == "mrnet" else ELNet(outputs, size)
    if isinstance(network, MRNet) and options.imagenet_weights is not None:
        load_imagenet_weights(network, options.imagenet_weights)
    axis = slice_axis(config.recipe.views[view], config.recipe.reference_plane)
    model = PlaneNetwork(network, view, axis, options.augment)
    identity = {"network": training.name, "view": view, "axis": axis, **options.identity(), "size": size}
    request = FitRequest(model, data, config.training, seed=seed, identity=identity)
    fit(request, folder, device=training.device, progress=progress)
    return image_logits(model, data.images, config.training.batch_size, training.device)


def image_logits(model: nn.Module, images: NDArray[np.float32], batch: int, device: str) -> NDArray[np.float64]:
    """Logits (N, C) of a network that reads images alone."""
    where = torch.device(resolve_device(device))
    model = model.to(where).eval()
    found = []
    with torch.no_grad():
        for start in range(0, len(images), batch):
            image = torch.from_numpy(np.ascontiguousarray(images[start : start + batch])).to(where)
            found.append(model(image, image.new_zeros(len(image), 0)).logits.double().cpu().numpy())
    model.to("cpu")
    return np.concatenate(found)


def _combined(logits: NDArray[np.float64], data: TrainingData, task: int, seed: int) -> NDArray[np.float64]:
    chance = combine(logits, data.labels[:, task], data.part("train"), seed)
    return np.asarray(chance[:, 1:] if data.tasks[task].kind == "binary" else chance, dtype=np.float64)


def _one_task(data: TrainingData, task: int) -> TrainingData:
    return replace(data, tasks=(data.tasks[task],), labels=data.labels[:, [task]])


def _places(subsets: Sequence[TrainingData]) -> list[tuple[int, slice]]:
    """For each task in order: the subset that holds it and its columns there."""
    return [(s, columns) for s, subset in enumerate(subsets) for columns in output_slices(subset.tasks)]
