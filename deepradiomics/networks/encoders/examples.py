"""Two encoders of MONAI as entry points: the pattern to follow for an encoder of your own.

::

    deepradiomics encode cohort.csv -e deepradiomics.networks.encoders.examples:monai_resnet -o embeddings.parquet

Each returns the network and the recipe of the images it wants. Their weights are random (seeded): load your own with
``module.load_state_dict`` before you return it.
"""

from __future__ import annotations

import warnings
from importlib.util import find_spec

import torch
from torch import nn

from deepradiomics.errors import MissingDependencyError
from deepradiomics.prepare.stack import StackRecipe

SIZE_ZYX = (32, 96, 96)
SPACING_MM = (1.0, 1.0, 2.0)


def monai_resnet(in_channels: int = 3, size_zyx: tuple[int, int, int] = SIZE_ZYX) -> tuple[nn.Module, StackRecipe]:
    """MONAI's 3D ResNet-18 without its last layer: (B, 512)."""
    with _monai(), torch.random.fork_rng(devices=[]):
        from monai.networks.nets.resnet import resnet18

        torch.manual_seed(0)
        module = resnet18(spatial_dims=3, n_input_channels=in_channels, feed_forward=False, shortcut_type="B")
    return module, _recipe(in_channels, size_zyx)


def swin_unetr(in_channels: int = 3, size_zyx: tuple[int, int, int] = SIZE_ZYX) -> tuple[nn.Module, StackRecipe]:
    """The encoder of MONAI's SwinUNETR: the deepest of its maps, (B, 192, z/32, y/32, x/32), is pooled."""
    with _monai(), torch.random.fork_rng(devices=[]):
        from monai.networks.nets.swin_unetr import SwinUNETR

        if find_spec("einops") is None:
            raise MissingDependencyError("MONAI's SwinUNETR needs einops: pip install einops.")
        torch.manual_seed(0)
        module = SwinUNETR(in_channels=in_channels, out_channels=1, feature_size=12, spatial_dims=3).swinViT
    return module, _recipe(in_channels, size_zyx)


def _recipe(in_channels: int, size_zyx: tuple[int, int, int]) -> StackRecipe:
    return StackRecipe(("t2", "highb", "adc")[:in_channels], size_zyx, SPACING_MM)


class _monai(warnings.catch_warnings):  # noqa: N801 - read as "with MONAI"
    """Import MONAI without its own deprecation warnings, or say how to install it."""

    def __enter__(self) -> None:  # type: ignore[override]
        super().__enter__()
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            import monai.networks.nets  # noqa: F401
        except ImportError as error:
            raise MissingDependencyError("This encoder needs MONAI: pip install 'deepradiomics[networks]'.") from error
