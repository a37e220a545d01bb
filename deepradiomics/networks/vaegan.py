"""VAE-GAN of lesion crops: MONAI's AutoencoderKL, and its PatchDiscriminator as judge of what it paints.

::

    crop (1, 64³) ─ encoder, 4 times halved ─ posterior N(μ, σ²), μ: (512, 4³) ─ z = μ + σ ε ─ decoder ─ crop'
    discriminator: patches of crop and crop' ─ real or made?        loss: |crop − crop'| + β KL + judge + its features

The latents of a patient are the posterior means μ. There is no attention: at 4³ places residual blocks see the whole
lesion, and MONAI's attention needs a further package (einops).

Sources: Larsen et al., Autoencoding beyond pixels using a learned similarity metric, ICML 2016 (VAE-GAN, features of
the discriminator as similarity); Isola et al., CVPR 2017 (patch discriminator); Mao et al., ICCV 2017 (least squares);
Kingma et al., NIPS 2016 (free bits: what keeps a latent channel from collapsing onto the prior).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from deepradiomics.errors import InputError, MissingDependencyError
from deepradiomics.options import check_keys, check_whole, plain_values


@dataclass(frozen=True)
class VaeGanSize:
    """Channels and blocks of both networks.

    Args:
        channels: of the levels of encoder and decoder; each level but the last halves the edge of the image.
        latent_channels: of the posterior means.
        res_blocks: residual blocks a level.
        norm_groups: of the group norms; divides every number of channels.
        judge_channels: of the discriminator's first layer; doubled with each further one.
        judge_layers: of the discriminator beside its first and last.

    Raises:
        InputError: a value is out of range.
    """

    channels: tuple[int, ...] = (32, 64, 128, 256, 512)
    latent_channels: int = 512
    res_blocks: int = 2
    norm_groups: int = 32
    judge_channels: int = 32
    judge_layers: int = 3

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "channels", tuple(int(n) for n in self.channels))
        except (TypeError, ValueError) as error:
            raise InputError(f"channels: expected whole numbers, one a level, got {self.channels!r}.") from error
        if not 2 <= len(self.channels) <= 7:
            raise InputError(f"channels: expected 2 to 7 levels, got {len(self.channels)}.")
        for name, low, high in (
            ("latent_channels", 1, 4096), ("res_blocks", 1, 8), ("norm_groups", 1, 512),
            ("judge_channels", 2, 1024), ("judge_layers", 1, 5),
        ):  # fmt: skip
            check_whole(name, getattr(self, name), low, high)
        if any(n < 1 or n % self.norm_groups for n in self.channels):
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

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return plain_values(asdict(self))

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> VaeGanSize:
        """Inverse of :meth:`to_dict`. Raises InputError for an unknown key or a value out of range."""
        check_keys("network", stored, list(cls.__dataclass_fields__))
        return cls(**stored)


def autoencoder(size: VaeGanSize) -> nn.Module:
    """Return MONAI's AutoencoderKL for cubes of one channel; weights from torch's generator.

    ``encode(x) -> (μ, σ)``, ``decode(z) -> x'``, with x (B, 1, n, n, n) and μ, σ, z (B, C, n/2^h, …).

    Raises:
        MissingDependencyError: MONAI is not installed, or too old.
    """
    AutoencoderKL, _ = _monai()
    levels = len(size.channels)
    made: nn.Module = AutoencoderKL(
        spatial_dims=3, in_channels=1, out_channels=1, num_res_blocks=size.res_blocks, channels=size.channels,
        attention_levels=(False,) * levels, latent_channels=size.latent_channels, norm_num_groups=size.norm_groups,
        with_encoder_nonlocal_attn=False, with_decoder_nonlocal_attn=False,
    )  # fmt: skip
    return made


def discriminator(size: VaeGanSize) -> nn.Module:
    """Return MONAI's PatchDiscriminator: (B, 1, n, n, n) to the list of its layers' maps, the verdicts last.

    Instance norms, not batch norms: what one crop is called must not depend on which others stand in its batch.
    """
    _, PatchDiscriminator = _monai()
    made: nn.Module = PatchDiscriminator(
        spatial_dims=3, channels=size.judge_channels, in_channels=1, num_layers_d=size.judge_layers, norm="INSTANCE"
    )
    return made


def easy_start(network: nn.Module, level: float) -> None:
    """Let an autoencoder begin where learning is quick.

    It paints one grey level everywhere, so that no epochs are spent on finding it; and its posterior is narrow (σ =
    e^−2.5), so that it begins as an ordinary autoencoder. With MONAI's own start σ is 1 and μ nearly 0: the decoder
    sees noise, learns to ignore its latents, and the posterior has a reason to collapse.
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
    """Mean divergence of a latent where a channel pays nothing below ``floor_nats``.

    The mean over batch and places of a channel is what is compared with the floor: single latents of few cases would
    be mostly noise.

    Args:
        divergence: (B, C, z, y, x).
    """
    return divergence.mean(dim=(0, 2, 3, 4)).clamp_min(floor_nats).mean()


def feature_distance(made: Sequence[Tensor], real: Sequence[Tensor]) -> Tensor:
    """Mean absolute difference of the discriminator's inner maps (all but the verdicts), each layer counted alike."""
    gaps = [(one - other.detach()).abs().mean() for one, other in zip(made[:-1], real[:-1], strict=True)]
    return torch.stack(gaps).mean()


def deceiving(verdicts_made: Tensor) -> Tensor:
    """What the autoencoder loses where patches of its images are not taken for real: mean (D(x') − 1)²."""
    return (verdicts_made - 1).square().mean()


def judging(verdicts_real: Tensor, verdicts_made: Tensor) -> Tensor:
    """What the discriminator loses: ½ mean (D(x) − 1)² + ½ mean D(x')². A judge who knows nothing has 0.25."""
    return 0.5 * ((verdicts_real - 1).square().mean() + verdicts_made.square().mean())


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
