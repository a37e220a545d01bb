"""Small heads on an encoder's vector (B, d): a class, or a volume.

Source: lens paper, section 3.3: two fully connected layers with batch-norm between them (class), batch-norm and one
fully connected layer (volume). Two linear layers with nothing between them would be one, so a ReLU follows the
batch-norm, as in ProFound's public code.
"""

from __future__ import annotations

import torch
from torch import nn

from deepradiomics.errors import InputError


class ClassHead(nn.Module):
    """Logits (B, classes) of embeddings (B, d): linear, batch-norm, ReLU, linear.

    Args:
        dimension: d.
        classes: 2 or more.
        hidden: width between the two layers.

    Raises:
        InputError: an argument is out of range; in ``forward``, a batch of one case while training.
    """

    def __init__(self, dimension: int, classes: int, hidden: int = 256) -> None:
        super().__init__()
        if dimension < 1 or hidden < 1 or classes < 2:
            raise InputError(
                f"ClassHead: expected dimension and hidden of at least 1 and at least 2 classes, "
                f"got {dimension}, {hidden} and {classes}."
            )
        self.dimension, self.classes, self.hidden = dimension, classes, hidden
        self.layers = nn.Sequential(
            nn.Linear(dimension, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, classes)
        )

    def forward(self, embeddings: torch.Tensor) -> torch.Tensor:
        return self.layers(_checked(embeddings, self.dimension, self.training))


class VolumeHead(nn.Module):
    """One number (B,) from embeddings (B, d): batch-norm, linear. The number is the scaled volume, not mL.

    Raises:
        InputError: as for :class:`ClassHead`.
    """

    def __init__(self, dimension: int) -> None:
        super().__init__()
        if dimension < 1:
            raise InputError(f"VolumeHead: expected a dimension of at least 1, got {dimension}.")
        self.dimension = dimension
        self.layers = nn.Sequential(nn.BatchNorm1d(dimension), nn.Linear(dimension, 1))

    def forward(self, embeddings: torch.Tensor) -> torch.Tensor:
        return self.layers(_checked(embeddings, self.dimension, self.training)).squeeze(1)


def _checked(embeddings: torch.Tensor, dimension: int, training: bool) -> torch.Tensor:
    if embeddings.ndim != 2 or embeddings.shape[1] != dimension:
        raise InputError(f"embeddings: expected (batch, {dimension}), got shape {tuple(embeddings.shape)}.")
    if training and len(embeddings) < 2:
        raise InputError(
            "embeddings: batch-norm cannot train on a batch of one case. Choose a batch size that leaves no single "
            "case over, or leave the last batch out."
        )
    return embeddings
