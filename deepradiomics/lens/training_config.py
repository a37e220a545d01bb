"""Every choice of an encoder and its trainings: network and stacks, masked pre-training, fine-tuning; and two presets.

``paper`` is ConvNeXt-V2 tiny on stacks of 32×192×192 voxels of 0.5×0.5×1 mm, AdamW with a rate of 1e-3, 100 epochs.
The paper gives voxel size, optimiser, rate and epochs of the fine-tuning (section 3.3). Network size, stack size, batch
size, weight decay, schedule, augmentation and the whole pre-training protocol are not in it: they are ours.
``tiny`` is the same method made small for tests, demonstrations and computers without a GPU.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from deepradiomics.errors import InputError
from deepradiomics.files import read_settings, write_json
from deepradiomics.options import check_choice, check_keys, check_number, check_whole, group_of, plain_values
from deepradiomics.prepare.stack import StackRecipe
from deepradiomics.training.fit import FitSettings, Precision

Preset = Literal["paper", "tiny"]
Size = Literal["micro", "mini", "atto", "femto", "pico", "nano", "tiny", "base", "large", "huge"]


@dataclass(frozen=True)
class StageTraining:
    """How one stage, pre-training or fine-tuning, is run.

    Args:
        epochs: at most so many.
        batch_size: cases a step, over all devices together.
        learning_rate: of AdamW, falling to zero along a half cosine.
        weight_decay: of AdamW, for weight matrices and kernels; biases and norms are not decayed.
        patience: epochs without improvement on validation before training stops; 0 never stops early.
        flip: augmentation: half of the images are mirrored left–right (with their masks).
        shift_voxels: augmentation: images are moved by up to so many voxels along (z, y, x).
        noise_sd: augmentation: SD of added Gaussian noise, in units of the normalised image.
        gradient_clip: largest gradient norm; 0 does not clip.
        precision: ``auto`` is bfloat16 or float16 mixed precision on CUDA and float32 elsewhere.
        devices: GPUs (or processes, on the CPU); above 1 they train together (DDP). That equals one device up to
            rounding where batches divide evenly between them; a head's batch-norm sees each device's own part.

    Raises:
        InputError: a value is out of range.
    """

    epochs: int = 100
    batch_size: int = 8
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    patience: int = 0
    flip: bool = True
    shift_voxels: tuple[int, int, int] = (1, 8, 8)
    noise_sd: float = 0.05
    gradient_clip: float = 1.0
    precision: Precision = "auto"
    devices: int = 1

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
        check_choice("precision", self.precision, get_args(Precision))
        for name, low, high in (("epochs", 1, 100_000), ("batch_size", 2, 4096), ("devices", 1, 1024)):
            check_whole(name, getattr(self, name), low, high)
        check_whole("patience", self.patience, 0, 100_000)
        for name, top in (("learning_rate", 1.0), ("weight_decay", 10.0), ("noise_sd", 10.0), ("gradient_clip", 1e9)):
            check_number(name, getattr(self, name), 0.0, top)

    def fit_settings(self, monitor: str, mode: Literal["min", "max"]) -> FitSettings:
        """The part that the training loop needs to know."""
        return FitSettings(
            self.epochs, monitor, mode, self.patience or None, self.gradient_clip, self.precision, self.devices
        )


@dataclass(frozen=True)
class EncoderConfig:
    """An encoder, what it sees, and how it is trained.

    Args:
        preset: where this configuration came from.
        size: of the ConvNeXt-V2 (``deepradiomics.networks.convnextv2.SIZES``).
        recipe: modalities, size and spacing of the stacks. In fine-tuning the encoder's own recipe is used instead.
        patch: edge of the masked patches, voxels, a multiple of 16.
        mask_ratio: part of the patches that is hidden.
        decoder_width: channels of the decoder that pre-training throws away.
        head_width: channels inside the head of a fine-tuning.
        pretraining, finetuning: how each is run.
    """

    preset: Preset = "paper"
    size: Size = "tiny"
    recipe: StackRecipe = field(default_factory=StackRecipe)
    patch: int = 16
    mask_ratio: float = 0.6
    decoder_width: int = 512
    head_width: int = 256
    pretraining: StageTraining = field(default_factory=StageTraining)
    finetuning: StageTraining = field(default_factory=StageTraining)

    def __post_init__(self) -> None:
        check_choice("preset", self.preset, get_args(Preset))
        check_choice("size", self.size, get_args(Size))
        check_whole("patch", self.patch, 16, 256)
        check_number("mask_ratio", self.mask_ratio, 0.05, 0.95)
        check_whole("decoder_width", self.decoder_width, 8, 8192)
        check_whole("head_width", self.head_width, 8, 8192)
        if self.patch % 16:
            raise InputError(f"patch: expected a multiple of 16 (the encoder's stride), got {self.patch}.")
        if self.head_width % 8:
            raise InputError(f"head_width: expected a multiple of 8, got {self.head_width}.")
        if any(length % self.patch for length in self.recipe.size_zyx):
            raise InputError(
                f"recipe.size_zyx: expected multiples of the patch of {self.patch} voxels along (z, y, x), "
                f"got {tuple(self.recipe.size_zyx)}."
            )

    def to_dict(self) -> dict[str, Any]:
        """JSON form, with lists for tuples."""
        plain = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in _GROUPS}
        return {
            **plain,
            "recipe": self.recipe.to_dict(),
            "pretraining": plain_values(asdict(self.pretraining)),
            "finetuning": plain_values(asdict(self.finetuning)),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> EncoderConfig:
        """Inverse of :meth:`to_dict`; what is left out comes from the preset named by ``preset`` (default ``paper``).

        Raises:
            InputError: an unknown key, with the nearest known one, or a value out of range.
        """
        check_keys("configuration", stored, [f.name for f in fields(cls)])
        base = encoder_config(stored.get("preset", "paper"))
        recipe = {**base.recipe.to_dict(), **group_of(stored, "recipe")}
        check_keys("recipe", recipe, list(base.recipe.to_dict()))
        stages = {name: _updated(getattr(base, name), name, stored) for name in ("pretraining", "finetuning")}
        simple = {key: value for key, value in stored.items() if key not in _GROUPS}
        return replace(base, **simple, **stages, recipe=StackRecipe.from_dict(recipe))  # type: ignore[arg-type]

    def write(self, path: str | Path) -> None:
        """Write as JSON."""
        write_json(path, self.to_dict())

    @classmethod
    def read(cls, path: str | Path) -> EncoderConfig:
        """Read JSON written by :meth:`write` or by hand.

        Raises:
            InputError: the file is missing, is not JSON, or says something unknown; the message names the file.
        """
        return read_settings(path, f"the keys {', '.join(f.name for f in fields(cls))}", cls.from_dict)


_GROUPS = ("recipe", "pretraining", "finetuning")


def encoder_config(preset: Preset = "paper") -> EncoderConfig:
    """Return a preset.

    Raises:
        InputError: the preset is unknown.
    """
    check_choice("preset", preset, get_args(Preset))
    if preset == "paper":
        return EncoderConfig()
    light = StageTraining(epochs=40, batch_size=8, learning_rate=2e-3, shift_voxels=(0, 2, 2))
    return EncoderConfig(
        "tiny",
        "mini",
        StackRecipe(size_zyx=(16, 64, 64), spacing_mm=(1.5, 1.5, 3.0)),
        decoder_width=64,
        head_width=32,
        pretraining=light,
        finetuning=light,
    )


def _updated(base: StageTraining, name: str, stored: Mapping[str, Any]) -> StageTraining:
    changes = group_of(stored, name)
    check_keys(name, changes, [f.name for f in fields(base)])
    try:
        return replace(base, **changes)
    except InputError as error:
        raise InputError(f"{name}.{error}") from error
