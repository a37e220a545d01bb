"""Every choice of a lesion autoencoder: crop, network, training; and two presets.

``paper`` has the paper's shapes, crops of 64³ voxels of 1 mm and latents of 512×4³. Channels, losses, weights, rate,
epochs and augmentation are not in the paper: they are ours. ``tiny`` is the same method made small for tests,
demonstrations and computers without a GPU: the same 64 mm as 32³ voxels of 2 mm, latents of 32×4³.

The weight of the KL term is that of a likelihood: for Laplacian noise of mean size b the evidence bound, times b and
divided by the number of voxels, is |x − x'| + b · (latents / voxels) · KL a latent. With b = 0.03 (4 HU of a window of
140) and 1 latent on 8 voxels (``paper``) or 16 (``tiny``) that is about 0.004 and 0.002.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from deepradiomics.ich.haematoma.lesion import CropRecipe
from deepradiomics.networks.vaegan import VaeGanSize
from deepradiomics.options import Option, Options
from deepradiomics.training import options as shared
from deepradiomics.training.fit import FitSettings

Preset = Literal["paper", "tiny"]
Keep = Literal["last", "best"]
Precision = Literal["auto", "32", "bf16-mixed"]  # no float16: its scaled gradients cannot be clipped as they are


@dataclass(frozen=True)
class AutoencoderTraining(Options):
    """How a VAE-GAN is trained.

    Raises:
        InputError: a value is out of range.
    """

    epochs: shared.Epochs = 200
    batch_size: shared.Batch = 8
    learning_rate: shared.LearningRate = 2e-4
    discriminator_rate: Annotated[float, Option("of the discriminator (AdamW), the same schedule", 0, 1)] = 1e-4
    weight_decay: shared.WeightDecay = 1e-4
    lesion_weight: Annotated[
        float,
        Option(
            "how much a voxel of the dilated lesion counts in the error, beside 1 for one outside it: the latents are "
            "to tell the haematoma and its rim, and a large part of a crop is bone, air and other tissue",
            1,
            1000,
        ),
    ] = 4.0
    kl_weight: Annotated[
        float, Option("of the mean KL divergence of a latent, in units of the mean absolute error of a voxel", 0, 100)
    ] = 0.004
    kl_annealing: Annotated[
        float,
        Option(
            "share of the epochs in which that weight rises from 0 to its full size: an autoencoder that is pressed "
            "onto the prior before it has learned to use its latents never does",
            0,
            1,
        ),
    ] = 0.25
    free_nats: Annotated[
        float,
        Option("KL below which a latent channel costs the same (mean over places and batch): free bits", 0, 100),
    ] = 0.05
    discriminator_from: Annotated[
        float,
        Option(
            "share of the epochs after which discriminator and adversarial loss begin; earlier images are too blurred "
            "for them",
            0,
            1,
        ),
    ] = 0.25
    adversarial_weight: Annotated[
        float, Option("of the adversarial loss; 0 leaves the discriminator out, with its features", 0, 100)
    ] = 0.005
    feature_weight: Annotated[float, Option("of the distance in the discriminator's features", 0, 100)] = 0.02
    keep: Annotated[
        Keep,
        Option(
            "the weights of the last epoch, or of the best by error and KL on validation. A GAN gives up some absolute "
            "error for sharpness, so that the smallest error is often that of an epoch without it"
        ),
    ] = "last"
    flip: shared.Flip = True
    shift_voxels: shared.ShiftVoxels = (2, 2, 2)
    gradient_clip: Annotated[float, Option("largest gradient norm of each network; 0 does not clip", 0, 1e9)] = 1.0
    precision: Annotated[
        Precision, Option("auto is bfloat16 mixed precision on GPUs that have it and float32 elsewhere")
    ] = "auto"

    def kl_share(self, epoch: int) -> float:
        """Share of ``kl_weight`` in an epoch (0-based): rises evenly to 1 over the annealing."""
        rising = self.kl_annealing * self.epochs
        return 1.0 if rising < 1 else min(1.0, epoch / rising)

    def adversarial(self, epoch: int) -> bool:
        """Whether the discriminator takes part in an epoch (0-based)."""
        return self.adversarial_weight > 0 and epoch >= round(self.discriminator_from * self.epochs)

    def fit_settings(self) -> FitSettings:
        """Settings of the training loop. The module clips the gradients itself, one network at a time."""
        if self.keep == "last":
            return FitSettings(self.epochs, "epochs_done", "max", precision=self.precision)
        return FitSettings(self.epochs, "validation_loss", "min", precision=self.precision)


@dataclass(frozen=True)
class AutoencoderConfig(Options):
    """A lesion autoencoder: what it sees, what it is, how it is trained.

    Raises:
        InputError: a value is out of range, or the crop cannot be halved as often as the network does.
    """

    PRESETS: ClassVar = {
        "paper": {},
        "tiny": {
            "recipe": {"size": 32, "spacing_mm": 2.0},
            "network": {
                "channels": [8, 16, 32, 32], "latent_channels": 32, "res_blocks": 1, "norm_groups": 8,
                "discriminator_channels": 8, "discriminator_layers": 2,
            },
            "training": {
                "epochs": 50, "batch_size": 4, "learning_rate": 1e-3, "discriminator_rate": 5e-4, "kl_weight": 0.002,
                "discriminator_from": 0.6, "shift_voxels": [1, 1, 1],
            },
        },
    }  # fmt: skip

    preset: Annotated[Preset, Option("where this configuration came from")] = "paper"
    recipe: Annotated[CropRecipe, Option("how lesions are cut out")] = field(default_factory=CropRecipe)
    network: Annotated[VaeGanSize, Option("channels and blocks")] = field(default_factory=VaeGanSize)
    training: Annotated[AutoencoderTraining, Option("losses and rates")] = field(default_factory=AutoencoderTraining)

    def _check_together(self) -> None:
        self.network.latent_shape(self.recipe.size)
