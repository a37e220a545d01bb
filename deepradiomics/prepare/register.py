"""Affine registration: one call, two backends, one result."""

from dataclasses import dataclass
from typing import Literal

from deepradiomics.images.volume import Volume
from deepradiomics.prepare.affine import AffineTransform
from deepradiomics.progress import Progress

Backend = Literal["auto", "cpu", "gpu"]
Metric = Literal["mi", "ncc"]


@dataclass(frozen=True)
class Registration:
    """What a registration found.

    Args:
        transform: maps points of the fixed image's space to the moving image's space (LPS millimetres).
        metric: "mi" (mutual information, nats) or "ncc" (correlation coefficient).
        metric_value: similarity reached; larger is better, the same definition for both backends.
        backend: "cpu" or "gpu", the one that ran.
        seconds: wall time.
    """

    transform: AffineTransform
    metric: str
    metric_value: float
    backend: str
    seconds: float


def register(
    fixed: Volume,
    moving: Volume,
    *,
    backend: Backend = "auto",
    metric: Metric = "mi",
    seed: int = 0,
    device: str = "auto",
    progress: Progress | None = None,
) -> Registration:
    raise NotImplementedError
