"""The network of a pre-training: where it starts, its bundle and its picture."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deepradiomics.errors import BundleError
from deepradiomics.lens.encoders.config import EncoderConfig
from deepradiomics.lens.encoders.pretrain.picture import draw_reconstruction
from deepradiomics.networks.convnextv2 import ConvNeXtV2
from deepradiomics.networks.encoders.encoder import Encoder
from deepradiomics.networks.encoders.load import load_encoder
from deepradiomics.networks.mae import MaskedAutoencoder
from deepradiomics.prepare.stack import StackRecipe
from deepradiomics.training.seeds import seeded


def start_from(init: str | Path, config: EncoderConfig) -> Encoder:
    """Load the encoder that a pre-training starts from.

    Raises:
        BundleError: it has another architecture, or other channels than the configuration's recipe.
    """
    start = load_encoder(init)
    if not isinstance(start.module, ConvNeXtV2):
        raise BundleError(
            f"--init {init}: only a ConvNeXt-V2 can be pre-trained here, this is a {type(start.module).__name__}."
        )
    if start.channels != config.recipe.modalities:
        raise BundleError(
            f"--init {init}: its channels are {', '.join(start.channels)}, the recipe's modalities are "
            f"{', '.join(config.recipe.modalities)}. Set recipe.modalities of the configuration to its channels."
        )
    return start


def init_record(start: Encoder | None) -> dict[str, Any]:
    """The entry ``init`` of a bundle: name, hash and past of the encoder it started from; empty without one."""
    if start is None:
        return {}
    return {"init": {"name": start.name, "weights_sha256": start.weights_sha256, "about": start.about}}


def new_autoencoder(config: EncoderConfig, channels: int, seed: int, start: Encoder | None = None) -> MaskedAutoencoder:
    """Return an autoencoder whose weights are drawn from ``seed``; those of the encoder come from ``start``."""
    with seeded(seed):
        network = ConvNeXtV2(channels, config.size) if start is None else copy.deepcopy(start.module)
        return MaskedAutoencoder(network, config.patch, config.mask_ratio, config.decoder_width)  # type: ignore[arg-type]


def save_encoder(
    network: MaskedAutoencoder, recipe: StackRecipe, out: Path, about: Mapping[str, Any], start: Encoder | None
) -> None:
    """Write the bundle ``encoder/`` into the folder of a run."""
    layer = None if start is None else start.layer
    Encoder(network.encoder, recipe, layer=layer, name=out.resolve().name).save(out / "encoder", about)


def draw_case(
    network: MaskedAutoencoder, image: np.ndarray, names: Sequence[str], out: Path, *, synthetic: bool
) -> None:
    """Draw reconstruction.png of a case (1, C, z, y, x) into the folder of a run."""
    draw_reconstruction(network, image, names, out / "reconstruction.png", synthetic=synthetic)
