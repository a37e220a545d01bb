"""The relevance network G: a 3D ResNet that reads the views as channels and gives one number per feature and task.

``paper`` is ResNet-18 at full width; ``tiny`` has one narrow block a stage, for tests and small computers::

    image (B, views, z, y, x) ─ conv ─ [pool] ─ layer1 ─ layer2 /2 ─ layer3 /2 ─ layer4 /2 ─ mean ─ linear (B, outputs)

The last linear layer starts near zero with a bias, so that every relevance begins at the same chosen value.
Source: He et al. 2016 (ResNet); the 3D form is MONAI's.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from deepradiomics.errors import InputError, MissingDependencyError

Size = Literal["paper", "tiny"]


@dataclass(frozen=True)
class _Shape:
    layers: tuple[int, int, int, int]
    planes: tuple[int, int, int, int]
    first_kernel: int
    max_pool: bool


_SHAPES: dict[str, _Shape] = {
    "paper": _Shape((2, 2, 2, 2), (64, 128, 256, 512), first_kernel=7, max_pool=True),
    # Eight numbers in front of the head keep the head small: it has tasks × pool rows.
    "tiny": _Shape((1, 1, 1, 1), (8, 16, 16, 8), first_kernel=3, max_pool=False),
}


def relevance_resnet(n_views: int, n_outputs: int, size: Size = "paper", initial: float = 0.5) -> nn.Module:
    """Build G: (B, n_views, z, y, x) → (B, n_outputs) before the sigmoid.

    Args:
        n_views: channels of the image.
        n_outputs: tasks × features.
        size: ``paper`` or ``tiny``.
        initial: the relevance, in (0, 1), that the sigmoid of every output starts near.

    Raises:
        InputError: an argument is out of range.
        MissingDependencyError: MONAI is not installed.
    """
    if size not in _SHAPES:
        raise InputError(f"size: expected one of {', '.join(_SHAPES)}, got {size!r}.")
    if n_views < 1 or n_outputs < 1:
        raise InputError(f"n_views and n_outputs: expected at least 1, got {n_views} and {n_outputs}.")
    if not 0.0 < initial < 1.0:
        raise InputError(f"initial: expected a relevance between 0 and 1, got {initial}.")
    try:
        with warnings.catch_warnings():  # MONAI's own use of torch.jit, nothing a user could fix
            warnings.simplefilter("ignore", DeprecationWarning)
            from monai.networks.nets.resnet import ResNet, ResNetBlock
    except ImportError as error:
        raise MissingDependencyError(
            "The relevance network needs MONAI: pip install 'deepradiomics[networks]'."
        ) from error
    shape = _SHAPES[size]
    network: nn.Module = ResNet(
        block=ResNetBlock,
        layers=list(shape.layers),
        block_inplanes=list(shape.planes),
        spatial_dims=3,
        n_input_channels=n_views,
        conv1_t_size=shape.first_kernel,
        conv1_t_stride=1,
        no_max_pool=not shape.max_pool,
        num_classes=n_outputs,
        bias_downsample=False,
    )
    head = network.get_submodule("fc")
    if not isinstance(head, nn.Linear):
        raise TypeError("MONAI's ResNet is expected to end in a linear layer named 'fc'.")
    with torch.no_grad():
        nn.init.normal_(head.weight, std=0.01)
        nn.init.constant_(head.bias, math.log(initial / (1.0 - initial)))
    return network


def explained_block(network: nn.Module) -> nn.Module:
    """Return the block of G whose maps Grad-CAM explains: the last that still tells left from right.

    On a region of 16 slices (8 in ``tiny``) the maps of layer4 have one cell across the slices, those of layer3 two.
    """
    return network.get_submodule("layer3")
