"""MRNet: one stack of slices in, one set of logits out; the strongest slice decides.

Every slice goes through the convolutional part of AlexNet, each of its maps is averaged over the slice, the maximum
over the slices is taken map by map, and one linear layer reads the exam's 256 numbers. One network sees one plane;
the planes are combined afterwards by logistic regression (see ``deepradiomics.fingerprint.evaluate.baselines``).

Source: Bien et al., "Deep-learning-assisted diagnosis for knee magnetic resonance imaging", PLoS Medicine 2018.
What differs here: the network may carry the heads of several tasks, and its backbone starts from scratch unless
ImageNet weights are given (the paper always starts from ImageNet).
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import torch
from torch import nn

from deepradiomics.errors import BundleError, InputError

Size = Literal["paper", "tiny"]

SLICE_PX = 224  # AlexNet's own input size; MRNet keeps it
_PREFIX = "features."  # torchvision's name for the convolutional part


def alexnet_features() -> nn.Sequential:
    """AlexNet's convolutions, numbered as in torchvision so that its weights fit: (n, 3, h, w) to (n, 256, h', w')."""
    return nn.Sequential(
        nn.Conv2d(3, 64, kernel_size=11, stride=4, padding=2), nn.ReLU(), nn.MaxPool2d(3, stride=2),  # 0 1 2
        nn.Conv2d(64, 192, kernel_size=5, padding=2), nn.ReLU(), nn.MaxPool2d(3, stride=2),  # 3 4 5
        nn.Conv2d(192, 384, kernel_size=3, padding=1), nn.ReLU(),  # 6 7
        nn.Conv2d(384, 256, kernel_size=3, padding=1), nn.ReLU(),  # 8 9
        nn.Conv2d(256, 256, kernel_size=3, padding=1), nn.ReLU(), nn.MaxPool2d(3, stride=2),  # 10 11 12
    )  # fmt: skip


def tiny_features() -> nn.Sequential:
    """The same idea for small slices and a CPU: (n, 3, h, w) → (n, 32, h', w'), total stride 8."""
    return nn.Sequential(
        nn.Conv2d(3, 12, kernel_size=5, stride=2, padding=2),
        nn.ReLU(),
        nn.Conv2d(12, 24, kernel_size=3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(24, 32, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(3, stride=2, padding=1),
    )


class MRNet(nn.Module):
    """One plane of MRNet.

    Args:
        n_outputs: logits wanted, all tasks together.
        size: ``"paper"`` is AlexNet on slices resized to 224 × 224; ``"tiny"`` a small stack on the slices as they are.
        dropout: probability of dropping one of the exam's numbers during training.

    Example:
        >>> MRNet(1, size="tiny")(torch.zeros(2, 5, 38, 64)).shape
        torch.Size([2, 1])
    """

    def __init__(self, n_outputs: int, size: Size = "paper", dropout: float = 0.5) -> None:
        super().__init__()
        if n_outputs < 1:
            raise InputError(f"n_outputs: expected at least 1 logit, got {n_outputs}.")
        if size not in ("paper", "tiny"):
            raise InputError(f"size: expected 'paper' or 'tiny', got {size!r}.")
        self.size: Size = size
        self.features = alexnet_features() if size == "paper" else tiny_features()
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(256 if size == "paper" else 32, n_outputs)

    def forward(self, stack: torch.Tensor) -> torch.Tensor:
        """Logits (batch, n_outputs) of stacks of slices (batch, slices, height, width)."""
        batch, slices = _check_stack(stack)
        maps = self.features(self._as_images(stack))  # (batch·slices, maps, h', w')
        averages = maps.mean(dim=(2, 3)).view(batch, slices, -1)  # (batch, slices, maps)
        return self.head(self.dropout(averages.amax(dim=1)))

    def _as_images(self, stack: torch.Tensor) -> torch.Tensor:
        """Grey slices as three equal channels (batch·slices, 3, h, w), resized for the paper's backbone."""
        images = stack.flatten(0, 1).unsqueeze(1)  # (batch·slices, 1, h, w)
        if self.size == "paper" and images.shape[-2:] != (SLICE_PX, SLICE_PX):
            images = nn.functional.interpolate(images, (SLICE_PX, SLICE_PX), mode="bilinear", align_corners=False)
        return images.expand(-1, 3, -1, -1)


def load_imagenet_weights(network: MRNet, path: Path | str) -> MRNet:
    """Fill the backbone from a safetensors file with AlexNet's weights in torchvision's names; the head stays as it is.

    Raises:
        InputError: the file is absent, or the network is the tiny one.
        BundleError: the file is no safetensors file, or lacks a tensor, or one has another shape.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = Path(path)
    if network.size != "paper":
        raise InputError("imagenet_weights: they fit the 'paper' backbone (AlexNet) only, got the 'tiny' one.")
    if not path.is_file():
        raise InputError(f"imagenet_weights: {path} does not exist; give a safetensors file with AlexNet's weights.")
    try:
        stored = load_file(path)
    except SafetensorError as error:
        raise BundleError(f"imagenet_weights: {path.name} is not a readable safetensors file ({error}).") from error
    weights = network.features.state_dict()
    for name, tensor in weights.items():
        weight = stored.get(_PREFIX + name)
        if weight is None:
            raise BundleError(
                f"imagenet_weights: {path.name} lacks {_PREFIX + name!r}; torchvision's names of AlexNet are expected."
            )
        if weight.shape != tensor.shape:
            raise BundleError(
                f"imagenet_weights: {_PREFIX + name!r} in {path.name} has shape {tuple(weight.shape)}, "
                f"expected {tuple(tensor.shape)}."
            )
    network.features.load_state_dict({name: stored[_PREFIX + name] for name in weights})
    return network


def _check_stack(stack: torch.Tensor) -> tuple[int, int]:
    """(batch, slices) of a legal stack."""
    if stack.ndim != 4:
        raise InputError(f"stack: expected (batch, slices, height, width), got shape {tuple(stack.shape)}.")
    return stack.shape[0], stack.shape[1]
