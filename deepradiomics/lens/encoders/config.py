"""Every choice of an encoder and its trainings: network and stacks, masked pre-training, fine-tuning; and two presets.

``paper`` is ConvNeXt-V2 tiny on stacks of 32×192×192 voxels of 0.5×0.5×1 mm, AdamW with a rate of 1e-3, 100 epochs.
The paper gives voxel size, optimiser, rate and epochs of the fine-tuning (section 3.3). Network size, stack size, batch
size, weight decay, schedule, augmentation and the whole pre-training protocol are not in it: they are ours.
``tiny`` is the same method made small for tests, demonstrations and computers without a GPU.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from deepradiomics.errors import InputError
from deepradiomics.options import Option, Options
from deepradiomics.prepare.stack import StackRecipe
from deepradiomics.training import options as shared
from deepradiomics.training.fit import FitSettings

Preset = Literal["paper", "tiny"]
Size = Literal["micro", "mini", "atto", "femto", "pico", "nano", "tiny", "base", "large", "huge"]
_LIGHT = {"epochs": 40, "learning_rate": 2e-3, "shift_voxels": [0, 2, 2]}


@dataclass(frozen=True)
class StageTraining(Options):
    """How one stage, pre-training or fine-tuning, is run.

    Raises:
        InputError: a value is out of range.
    """

    epochs: shared.Epochs = 100
    batch_size: shared.PairedBatch = 8
    learning_rate: shared.LearningRate = 1e-3
    weight_decay: shared.WeightDecay = 0.01
    patience: shared.Patience = 0
    flip: shared.Flip = True
    shift_voxels: shared.ShiftVoxels = (1, 8, 8)
    noise_sd: shared.NoiseSd = 0.05
    gradient_clip: shared.GradientClip = 1.0
    precision: shared.MixedPrecision = "auto"
    devices: shared.Devices = 1

    def fit_settings(self, monitor: str, mode: Literal["min", "max"]) -> FitSettings:
        """The part that the training loop needs to know."""
        return FitSettings(
            self.epochs, monitor, mode, self.patience or None, self.gradient_clip, self.precision, self.devices
        )


@dataclass(frozen=True)
class EncoderConfig(Options):
    """An encoder, what it sees, and how it is trained.

    Raises:
        InputError: a value is out of range; ``training.epochs: …`` names one of a group.
    """

    PRESETS: ClassVar = {
        "paper": {},
        "tiny": {
            "size": "mini",
            "recipe": {"size_zyx": [16, 64, 64], "spacing_mm": [1.5, 1.5, 3.0]},
            "decoder_width": 64,
            "head_width": 32,
            "pretraining": _LIGHT,
            "finetuning": _LIGHT,
        },
    }

    preset: Annotated[Preset, Option("where this configuration came from")] = "paper"
    size: Annotated[Size, Option("of the ConvNeXt-V2 (deepradiomics.networks.convnextv2.SIZES)")] = "tiny"
    recipe: Annotated[
        StackRecipe,
        Option("modalities, size and spacing of the stacks; in fine-tuning the encoder's own recipe is used instead"),
    ] = field(default_factory=StackRecipe)
    patch: Annotated[int, Option("edge of the masked patches, a multiple of 16", 16, 256, unit="voxels")] = 16
    mask_ratio: Annotated[float, Option("part of the patches that is hidden", 0.05, 0.95)] = 0.6
    decoder_width: Annotated[int, Option("channels of the decoder that is discarded after pre-training", 8, 8192)] = 512
    head_width: Annotated[int, Option("channels inside the head of a fine-tuning, a multiple of 8", 8, 8192)] = 256
    pretraining: Annotated[StageTraining, Option("how pre-training is run")] = field(default_factory=StageTraining)
    finetuning: Annotated[StageTraining, Option("how fine-tuning is run")] = field(default_factory=StageTraining)

    def _check_together(self) -> None:
        if self.patch % 16:
            raise InputError(f"patch: expected a multiple of 16 (the encoder's stride), got {self.patch}.")
        if self.head_width % 8:
            raise InputError(f"head_width: expected a multiple of 8, got {self.head_width}.")
        if any(length % self.patch for length in self.recipe.size_zyx):
            raise InputError(
                f"recipe.size_zyx: expected multiples of the patch of {self.patch} voxels along (z, y, x), "
                f"got {tuple(self.recipe.size_zyx)}."
            )
