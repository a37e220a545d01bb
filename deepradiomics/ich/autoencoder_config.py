"""Every choice of a lesion autoencoder: crop, network, training; and two presets.

``paper`` has the paper's shapes, crops of 64³ voxels of 1 mm and latents of 512×4³. Channels, losses, weights, rate,
epochs and augmentation are not in the paper: they are ours. ``tiny`` is the same method made small for tests,
demonstrations and computers without a GPU: the same 64 mm as 32³ voxels of 2 mm, latents of 32×4³.

The weight of the KL term is that of a likelihood: for Laplacian noise of mean size b the evidence bound, times b and
divided by the number of voxels, is |x − x'| + b · (latents / voxels) · KL a latent. With b = 0.03 (4 HU of a window of
140) and 1 latent on 8 voxels (``paper``) or 16 (``tiny``) that is about 0.004 and 0.002.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from deepradiomics.errors import InputError
from deepradiomics.files import read_settings, write_json
from deepradiomics.ich.lesion import CropRecipe
from deepradiomics.networks.vaegan import VaeGanSize
from deepradiomics.options import check_choice, check_keys, check_number, check_whole, group_of, plain_values
from deepradiomics.training.fit import FitSettings

Preset = Literal["paper", "tiny"]
Keep = Literal["last", "best"]
Precision = Literal["auto", "32", "bf16-mixed"]  # no float16: its scaled gradients cannot be clipped as they are


@dataclass(frozen=True)
class AutoencoderTraining:
    """How a VAE-GAN is trained.

    Args:
        epochs: so many.
        batch_size: crops a step.
        learning_rate: of the autoencoder (AdamW), falling to zero along a half cosine.
        judge_rate: of the discriminator (AdamW), the same schedule.
        weight_decay: of both, for kernels alone.
        lesion_weight: how much a voxel of the dilated lesion counts in the error, beside 1 for one outside it: the
            latents are to tell the haematoma and its rim, and a large part of a crop is bone, air and other tissue.
        kl_weight: of the mean KL divergence of a latent, in units of the mean absolute error of a voxel.
        kl_annealing: share of the epochs in which that weight rises from 0 to its full size: an autoencoder that is
            pressed onto the prior before it has learned to use its latents never does.
        free_nats: KL that a latent channel has for nothing (mean over places and batch): free bits.
        judge_from: share of the epochs after which the discriminator joins in; before, its verdicts mean nothing.
        adversarial_weight: of deceiving the discriminator; 0 leaves the discriminator out, with its features.
        feature_weight: of the distance in the discriminator's features.
        keep: the weights of the ``last`` epoch, or of the ``best`` by error and KL on validation. A GAN gives up some
            absolute error for sharpness, so that the smallest error is often that of an epoch without it.
        flip: augmentation: half of the crops are mirrored left–right.
        shift_voxels: augmentation: crops are moved by up to so many voxels along (z, y, x).
        gradient_clip: largest gradient norm of each network; 0 does not clip.
        precision: ``auto`` is bfloat16 mixed precision on GPUs that have it and float32 elsewhere.

    Raises:
        InputError: a value is out of range.
    """

    epochs: int = 200
    batch_size: int = 8
    learning_rate: float = 2e-4
    judge_rate: float = 1e-4
    weight_decay: float = 1e-4
    lesion_weight: float = 4.0
    kl_weight: float = 0.004
    kl_annealing: float = 0.25
    free_nats: float = 0.05
    judge_from: float = 0.25
    adversarial_weight: float = 0.005
    feature_weight: float = 0.02
    keep: Keep = "last"
    flip: bool = True
    shift_voxels: tuple[int, int, int] = (2, 2, 2)
    gradient_clip: float = 1.0
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "shift_voxels", tuple(int(n) for n in self.shift_voxels))
        except (TypeError, ValueError) as error:
            raise InputError(
                f"shift_voxels: expected three whole numbers (z, y, x), got {self.shift_voxels!r}."
            ) from error
        if len(self.shift_voxels) != 3 or min(self.shift_voxels) < 0:
            raise InputError(f"shift_voxels: expected three whole numbers ≥ 0 (z, y, x), got {self.shift_voxels}.")
        if not isinstance(self.flip, bool):
            raise InputError(f"flip: expected true or false, got {self.flip!r}.")
        check_choice("keep", self.keep, get_args(Keep))
        check_choice("precision", self.precision, get_args(Precision))
        check_whole("epochs", self.epochs, 1, 100_000)
        check_whole("batch_size", self.batch_size, 1, 4096)
        check_number("lesion_weight", self.lesion_weight, 1.0, 1000.0)
        for name, top in (
            ("learning_rate", 1.0), ("judge_rate", 1.0), ("weight_decay", 10.0), ("kl_weight", 100.0),
            ("kl_annealing", 1.0), ("free_nats", 100.0), ("judge_from", 1.0), ("adversarial_weight", 100.0),
            ("feature_weight", 100.0), ("gradient_clip", 1e9),
        ):  # fmt: skip
            check_number(name, getattr(self, name), 0.0, top)

    def kl_share(self, epoch: int) -> float:
        """Share of ``kl_weight`` in an epoch (0-based): rises evenly to 1 over the annealing."""
        rising = self.kl_annealing * self.epochs
        return 1.0 if rising < 1 else min(1.0, epoch / rising)

    def judged(self, epoch: int) -> bool:
        """Whether the discriminator takes part in an epoch (0-based)."""
        return self.adversarial_weight > 0 and epoch >= round(self.judge_from * self.epochs)

    def fit_settings(self) -> FitSettings:
        """The part that the training loop needs to know. Gradients are clipped by the module, a network at a time."""
        if self.keep == "last":
            return FitSettings(self.epochs, "epochs_done", "max", precision=self.precision)
        return FitSettings(self.epochs, "validation_loss", "min", precision=self.precision)


@dataclass(frozen=True)
class AutoencoderConfig:
    """A lesion autoencoder: what it sees, what it is, how it is trained.

    Args:
        preset: where this configuration came from.
        recipe: how lesions are cut out.
        network: channels and blocks.
        training: losses and rates.

    Raises:
        InputError: a value is out of range, or the crop cannot be halved as often as the network does.
    """

    preset: Preset = "paper"
    recipe: CropRecipe = field(default_factory=CropRecipe)
    network: VaeGanSize = field(default_factory=VaeGanSize)
    training: AutoencoderTraining = field(default_factory=AutoencoderTraining)

    def __post_init__(self) -> None:
        check_choice("preset", self.preset, get_args(Preset))
        self.network.latent_shape(self.recipe.size)

    def to_dict(self) -> dict[str, Any]:
        """JSON form, with lists for tuples."""
        return {
            "preset": self.preset,
            "recipe": self.recipe.to_dict(),
            "network": self.network.to_dict(),
            "training": plain_values(asdict(self.training)),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> AutoencoderConfig:
        """Inverse of :meth:`to_dict`; what is left out comes from the preset named by ``preset`` (default ``paper``).

        Raises:
            InputError: an unknown key, with the nearest known one, or a value out of range.
        """
        check_keys("configuration", stored, [f.name for f in fields(cls)])
        base = autoencoder_config(stored.get("preset", "paper"))
        groups = {name: _updated(getattr(base, name), name, stored) for name in ("recipe", "network", "training")}
        return replace(base, **groups)

    def write(self, path: str | Path) -> None:
        """Write as JSON."""
        write_json(path, self.to_dict())

    @classmethod
    def read(cls, path: str | Path) -> AutoencoderConfig:
        """Read JSON written by :meth:`write` or by hand.

        Raises:
            InputError: the file is missing, is not JSON, or says something unknown; the message names the file.
        """
        return read_settings(path, f"the keys {', '.join(f.name for f in fields(cls))}", cls.from_dict)


def autoencoder_config(preset: Preset = "paper") -> AutoencoderConfig:
    """Return a preset.

    Raises:
        InputError: the preset is unknown.
    """
    check_choice("preset", preset, get_args(Preset))
    if preset == "paper":
        return AutoencoderConfig()
    return AutoencoderConfig(
        "tiny",
        CropRecipe(size=32, spacing_mm=2.0),
        VaeGanSize((8, 16, 32, 32), 32, 1, 8, 8, 2),
        AutoencoderTraining(
            epochs=50,
            batch_size=4,
            learning_rate=1e-3,
            judge_rate=5e-4,
            kl_weight=0.002,
            judge_from=0.6,
            shift_voxels=(1, 1, 1),
        ),
    )


def _updated(base: Any, name: str, stored: Mapping[str, Any]) -> Any:
    changes = group_of(stored, name)
    check_keys(name, changes, [f.name for f in fields(base)])
    try:
        return replace(base, **changes)
    except InputError as error:
        raise InputError(f"{name}.{error}") from error
