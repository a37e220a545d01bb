"""VAE-GAN of lesion crops: MONAI's AutoencoderKL, and its PatchDiscriminator for the adversarial loss.

::

    crop (1, 64³) ─ encoder, 4 times halved ─ posterior N(μ, σ²), μ: (512, 4³) ─ z = μ + σ ε ─ decoder ─ crop'
    discriminator: patches of crop and crop' ─ real or not?   loss: |crop − crop'| + β KL + adversarial + features

The latents of a patient are the posterior means μ. There is no attention: at 4³ places residual blocks see the whole
lesion, and MONAI's attention needs a further package (einops).

Sources: Larsen et al., Autoencoding beyond pixels using a learned similarity metric, ICML 2016 (VAE-GAN, features of
the discriminator as similarity); Isola et al., CVPR 2017 (patch discriminator); Mao et al., ICCV 2017 (least squares);
Kingma et al., NIPS 2016 (free bits: what keeps a latent channel from collapsing onto the prior).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import torch
from torch import Tensor, nn

from deepradiomics.errors import InputError, MissingDependencyError
from deepradiomics.options import Option, Options


@dataclass(frozen=True)
class VaeGanSize(Options):
    """Channels and blocks of both networks.

    Raises:
        InputError: a value is out of range.
    """

    TITLE: ClassVar = "network"

    channels: Annotated[
        tuple[int, ...],
        Option(
            "of the levels of encoder and decoder, multiples of norm_groups; each level but the last halves the edge "
            "of the image",
            1,
            65_536,
        ),
    ] = (32, 64, 128, 256, 512)
    latent_channels: Annotated[int, Option("of the posterior means", 1, 4096)] = 512
    res_blocks: Annotated[int, Option("residual blocks per level", 1, 8)] = 2
    norm_groups: Annotated[int, Option("of the group norms; divides every number of channels", 1, 512)] = 32
    discriminator_channels: Annotated[
        int, Option("of the discriminator's first layer; doubled with each further one", 2, 1024)
    ] = 32
    discriminator_layers: Annotated[int, Option("of the discriminator beside its first and last", 1, 5)] = 3

    def _check_together(self) -> None:
        if not 2 <= len(self.channels) <= 7:
            raise InputError(f"channels: expected 2 to 7 levels, got {len(self.channels)}.")
        if any(n % self.norm_groups for n in self.channels):
            raise InputError(
                f"channels: expected multiples of norm_groups ({self.norm_groups}), got {list(self.channels)}."
            )

    @property
    def halvings(self) -> int:
        """How often the encoder halves the image."""
        return len(self.channels) - 1

    def latent_shape(self, crop_size: int) -> tuple[int, int, int, int]:
        """Shape (C, z, y, x) of the latents of a cube. Raises InputError where it cannot be halved so often."""
        edge, rest = divmod(crop_size, 2**self.halvings)
        if rest or edge < 2:
            raise InputError(
                f"size: a crop of {crop_size} voxels cannot be halved {self.halvings} times and keep 2 at least; "
                f"take a multiple of {2**self.halvings}, or other channels."
            )
        return (self.latent_channels, edge, edge, edge)


def autoencoder(size: VaeGanSize) -> nn.Module:
    """Return MONAI's AutoencoderKL for cubes of one channel; weights from torch's generator.

    ``encode(x) -> (μ, σ)``, ``decode(z) -> x'``, with x (B, 1, n, n, n) and μ, σ, z (B, C, n/2^h, …).

    Raises:
        MissingDependencyError: MONAI is not installed, or too old.
    """
    AutoencoderKL, _ = _monai()
    levels = len(size.channels)
    network: nn.Module = AutoencoderKL(
        spatial_dims=3,
        in_channels=1,
        out_channels=1,
        num_res_blocks=size.res_blocks,
        channels=size.channels,
        attention_levels=(False,) * levels,
        latent_channels=size.latent_channels,
        norm_num_groups=size.norm_groups,
        with_encoder_nonlocal_attn=False,
        with_decoder_nonlocal_attn=False,
    )
    return network


def discriminator(size: VaeGanSize) -> nn.Module:
    """Return MONAI's PatchDiscriminator: (B, 1, n, n, n) to the list of its layers' maps, its logits last.

    Instance norms, not batch norms: the logits of a crop must not depend on the other crops of its batch.
    """
    _, PatchDiscriminator = _monai()
    network: nn.Module = PatchDiscriminator(
        spatial_dims=3,
        channels=size.discriminator_channels,
        in_channels=1,
        num_layers_d=size.discriminator_layers,
        norm="INSTANCE",
    )
    return network


def easy_start(network: nn.Module, level: float) -> None:
    """Initialise an autoencoder so that it learns quickly.

    Its output begins at one grey level everywhere, so that no epochs are spent on finding it; and its posterior is
    narrow (σ = e^−2.5), so that it begins as an ordinary autoencoder. With MONAI's initial weights σ is 1 and μ nearly
    0: the decoder sees noise, learns to ignore its latents, and the posterior collapses easily.
    """
    convolutions = [part for part in network.decoder.modules() if isinstance(part, nn.Conv3d)]  # type: ignore[union-attr]
    nn.init.constant_(convolutions[-1].bias, level)  # type: ignore[arg-type]
    last: Any = network.quant_conv_log_sigma  # gives ln σ²
    nn.init.zeros_(last.conv.weight)
    nn.init.constant_(last.conv.bias, -5.0)


def level_ends(network: nn.Module) -> dict[int, nn.Module]:
    """The layer in which each level of an encoder ends, by how often the image was halved there (0, 1, …).

    Grad-CAM can be drawn of each: the last has the most meaning and the coarsest places (4³), the one before it 8³.
    """
    blocks = list(network.encoder.blocks)  # type: ignore[union-attr, arg-type]
    ends = [blocks[n - 1] for n, block in enumerate(blocks) if type(block).__name__ == "AEKLDownsample"]
    residual = [block for block in blocks if type(block).__name__ == "AEKLResBlock"]
    return dict(enumerate([*ends, residual[-1]]))


def kl_divergence(mean: Tensor, deviation: Tensor) -> Tensor:
    """KL(N(μ, σ²) ‖ N(0, 1)) of each latent, in nats: ½ (μ² + σ² − 1 − ln σ²); shape as given."""
    mean, deviation = mean.float(), deviation.float()
    variance = deviation.square()
    return 0.5 * (mean.square() + variance - 1 - torch.log(variance.clamp_min(1e-20)))


def free_bits(divergence: Tensor, floor_nats: float) -> Tensor:
    """Mean divergence of a latent, where a channel costs ``floor_nats`` at least: below it there is nothing to gain.

    The mean over batch and places of a channel is compared with the floor: single latents of few cases are mostly
    noise.

    Args:
        divergence: (B, C, z, y, x).
    """
    return divergence.mean(dim=(0, 2, 3, 4)).clamp_min(floor_nats).mean()


def feature_distance(generated: Sequence[Tensor], real: Sequence[Tensor]) -> Tensor:
    """Mean absolute difference of the discriminator's inner maps (all but the logits), each layer counted alike."""
    gaps = [(fake - true.detach()).abs().mean() for fake, true in zip(generated[:-1], real[:-1], strict=True)]
    return torch.stack(gaps).mean()


def adversarial_loss(logits_generated: Tensor) -> Tensor:
    """Adversarial loss of the generator (the autoencoder) over the patches of its images: mean (D(x') − 1)²."""
    return (logits_generated - 1).square().mean()


def discriminator_loss(logits_real: Tensor, logits_generated: Tensor) -> Tensor:
    """Loss of the discriminator: ½ mean (D(x) − 1)² + ½ mean D(x')²; 0.25 where it always answers ½."""
    return 0.5 * ((logits_real - 1).square().mean() + logits_generated.square().mean())


def _monai() -> tuple[Any, Any]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            from monai.networks.nets import AutoencoderKL, PatchDiscriminator
    except ImportError as error:
        raise MissingDependencyError(
            "The VAE-GAN needs MONAI 1.4 or later: pip install 'deepradiomics[networks]'."
        ) from error
    return AutoencoderKL, PatchDiscriminator
