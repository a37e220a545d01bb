"""The three tasks of a fine-tuning: what is learned, with which head and loss, and by which metric it is scored.

class     label_<target>   two linear layers, batch-norm between   cross-entropy         quadratic weighted kappa
segment   mask_<target>    UPerNet in 3D                           soft Dice of a case   mean Dice of the cases
regress   value_<target>   batch-norm, linear                      MSE, scaled value     that; MAE in the value's unit

Source: lens paper, section 3.3 and table 2. The scaled value is min–max to [0, 1] over the training cases.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from deepradiomics.cohort.manifest import Manifest
from deepradiomics.stats import quadratic_weighted_kappa

if TYPE_CHECKING:
    from torch import Tensor, nn

    from deepradiomics.networks.convnextv2 import ConvNeXtV2

TaskKind = Literal["class", "segment", "regress"]
COLUMNS: dict[TaskKind, str] = {"class": "label", "segment": "mask", "regress": "value"}


@dataclass(frozen=True)
class Metric:
    """One number by which a task is scored.

    Args:
        key: name in metrics.json.
        name: name in tables.
        better: whether a larger or a smaller number is better.
        unit: unit, or nothing.
    """

    key: str
    name: str
    better: Literal["higher", "lower"]
    unit: str = ""


class Task(Protocol):
    """What training, scoring and storing need to know of a task."""

    @property
    def kind(self) -> TaskKind: ...
    @property
    def target(self) -> str: ...
    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The first is the task's own."""

    def head(self, network: ConvNeXtV2, width: int) -> nn.Module: ...

    def forward(self, network: ConvNeXtV2, head: nn.Module, images: Tensor) -> Tensor: ...

    def targets(self, manifest: Manifest) -> np.ndarray | None:
        """One target per row; None where it is a region of the stack."""

    def loss(self, output: Tensor, target: Tensor) -> Tensor: ...

    def record(self, output: Tensor, target: Tensor) -> Tensor:
        """What is kept of each case, float64 (B, k): enough for loss and metrics."""

    def scores(self, records: np.ndarray) -> dict[str, float]:
        """``loss`` and every metric, of records (n, k)."""

    def strata(self, records: np.ndarray, key: str) -> np.ndarray | None:
        """By what the bootstrap of a metric is stratified: only where a resample without a class has no value."""

    def to_dict(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class ClassTask:
    """Which of the classes, such as a PIRADS grade; ``classes`` are the label numbers, in rising order."""

    target: str
    classes: tuple[int, ...]
    kind: Literal["class"] = "class"
    metrics: tuple[Metric, ...] = (
        Metric("qwk", "quadratic weighted kappa", "higher"),
        Metric("accuracy", "accuracy", "higher"),
        Metric("cross_entropy", "cross-entropy", "lower"),
    )

    def head(self, network: ConvNeXtV2, width: int) -> nn.Module:
        from deepradiomics.networks.heads import ClassHead

        return ClassHead(network.dimension, len(self.classes), width)

    def forward(self, network: ConvNeXtV2, head: nn.Module, images: Tensor) -> Tensor:
        return head(network(images))

    def targets(self, manifest: Manifest) -> np.ndarray:
        return np.searchsorted(self.classes, manifest.labels(self.target)).astype(np.int64)

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        from torch.nn.functional import cross_entropy

        return cross_entropy(output, target)

    def record(self, output: Tensor, target: Tensor) -> Tensor:
        import torch

        return torch.cat([output.double().log_softmax(dim=1), target[:, None].double()], dim=1)

    def scores(self, records: np.ndarray) -> dict[str, float]:
        truth, chances = records[:, -1].astype(int), records[:, :-1]
        entropy = -float(chances[np.arange(len(truth)), truth].mean())
        predicted = chances.argmax(axis=1)
        return {
            "loss": entropy,
            "qwk": quadratic_weighted_kappa(np.array(self.classes)[truth], np.array(self.classes)[predicted]),
            "accuracy": float((truth == predicted).mean()),
            "cross_entropy": entropy,
        }

    def strata(self, records: np.ndarray, key: str) -> np.ndarray | None:
        # A model that answers one class alone is right as often in every stratified resample: no interval at all.
        return records[:, -1] if key == "qwk" else None

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "target": self.target, "classes": list(self.classes)}


@dataclass(frozen=True)
class SegmentTask:
    """Where the region is. Cases without its mask are left out: whether they have none or none was drawn is unknown."""

    target: str
    kind: Literal["segment"] = "segment"
    metrics: tuple[Metric, ...] = (Metric("dice", "mean Dice", "higher"),)

    def head(self, network: ConvNeXtV2, width: int) -> nn.Module:
        from deepradiomics.networks.upernet import UPerNet3D

        return UPerNet3D(network.dims, 1, width)

    def forward(self, network: ConvNeXtV2, head: nn.Module, images: Tensor) -> Tensor:
        return head(network.forward_features(images), images.shape[2:])

    def targets(self, manifest: Manifest) -> None:
        return None

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return (1.0 - soft_dice(output.float().sigmoid(), target)).mean()

    def record(self, output: Tensor, target: Tensor) -> Tensor:
        import torch

        chances = output.double().sigmoid()
        hard = soft_dice((chances > 0.5).double(), target.double(), smooth=0.0)
        return torch.stack([1.0 - soft_dice(chances, target.double()), hard], dim=1)

    def scores(self, records: np.ndarray) -> dict[str, float]:
        return {"loss": float(records[:, 0].mean()), "dice": float(records[:, 1].mean())}

    def strata(self, records: np.ndarray, key: str) -> None:
        return None

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "target": self.target}


@dataclass(frozen=True)
class RegressTask:
    """How large a value is, such as a volume; ``low`` and ``high`` are its extremes in the training cases."""

    target: str
    low: float
    high: float
    kind: Literal["regress"] = "regress"

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return (
            Metric("mse", "MSE of the scaled value", "lower"),
            Metric("mae", "mean absolute error", "lower", unit_of(self.target)),
        )

    def head(self, network: ConvNeXtV2, width: int) -> nn.Module:
        from deepradiomics.networks.heads import VolumeHead

        return VolumeHead(network.dimension)

    def forward(self, network: ConvNeXtV2, head: nn.Module, images: Tensor) -> Tensor:
        return head(network(images))

    def targets(self, manifest: Manifest) -> np.ndarray:
        return ((np.array(manifest.values(self.target)) - self.low) / (self.high - self.low)).astype(np.float32)

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        from torch.nn.functional import mse_loss

        return mse_loss(output, target)

    def record(self, output: Tensor, target: Tensor) -> Tensor:
        import torch

        return torch.stack([output.double(), target.double()], dim=1)

    def scores(self, records: np.ndarray) -> dict[str, float]:
        errors = records[:, 0] - records[:, 1]
        mse = float(np.mean(errors**2))
        return {"loss": mse, "mse": mse, "mae": float(np.mean(np.abs(errors))) * (self.high - self.low)}

    def strata(self, records: np.ndarray, key: str) -> None:
        return None

    def to_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "target": self.target, "low": self.low, "high": self.high}


def soft_dice(chances: Tensor, target: Tensor, smooth: float = 1.0) -> Tensor:
    """Dice of each case, (B,): (2 Σ p g + s) / (Σ p + Σ g + s), of chances and truth (B, 1, z, y, x)."""
    axes = (1, 2, 3, 4)
    both, sizes = (chances * target).sum(axes), chances.sum(axes) + target.sum(axes)
    return (2.0 * both + smooth) / (sizes + smooth)


def unit_of(name: str) -> str:
    """The unit in a value's name: ``volume_ml`` → mL."""
    known = {"ml": "mL", "mm": "mm", "mm3": "mm³", "cm3": "cm³", "years": "years", "ngml": "ng/mL"}
    return known.get(name.rpartition("_")[2], "")


def task_from_dict(stored: Mapping[str, Any]) -> Task:
    """Inverse of ``to_dict``.

    Raises:
        KeyError, TypeError, ValueError: the record is not one of a task.
    """
    kind, target = stored["kind"], str(stored["target"])
    if kind == "class":
        classes: Sequence[Any] = stored["classes"]
        return ClassTask(target, tuple(int(c) for c in classes))
    if kind == "segment":
        return SegmentTask(target)
    if kind == "regress":
        return RegressTask(target, float(stored["low"]), float(stored["high"]))
    raise ValueError(f"unknown task {kind!r}")
