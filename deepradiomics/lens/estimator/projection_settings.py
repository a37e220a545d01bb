"""How a shared layer is trained: its settings, and the penalties that a sweep tries."""

from dataclasses import dataclass
from itertools import product

L1_GRID = (0.0, 1e-7, 3e-7, 1e-6, 3e-6, 1e-5)  # the paper prints 1e-6 twice; the last is read as 1e-5
L2_GRID = (0.0, 1e-5, 1e-4, 1e-3)
SWEEP = tuple(product(L1_GRID, L2_GRID))  # 24 pairs (λ1, λ2)


@dataclass(frozen=True)
class ProjectionSettings:
    """How one shared layer is trained.

    Args:
        hidden: h, number of ReLU units.
        epochs: full-batch steps.
        learning_rate: of Adam.
        seed: of the initial weights; all projections of one job begin with the same.
    """

    hidden: int = 256
    epochs: int = 200
    learning_rate: float = 1e-3
    seed: int = 0


@dataclass(frozen=True)
class LayerFit:
    """How a shared layer and its heads are fitted.

    Args:
        penalties: λ1, λ2.
        settings: of the layer's training.
        ridge: of the heads.
        device: of torch, resolved.
    """

    penalties: tuple[float, float]
    settings: ProjectionSettings
    ridge: float
    device: str = "cpu"
