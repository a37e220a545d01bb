"""Every choice of a haematoma segmenter and its training, and two presets.

``paper`` is the dual-scale U-Net on 128³ and 64³ voxels with 32 to 512 channels. Sizes, bottlenecks, residual blocks,
deep supervision and Dice + cross-entropy are the paper's (section 2.2); it used nnU-Net, whose plan it does not print:
optimiser, rate, epochs, batches and augmentation are ours.
``tiny`` is the same method made small (48³ and 24³ of 4 mm, four stages) for tests, demonstrations and computers
without a GPU.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from deepradiomics.errors import InputError
from deepradiomics.options import Option, Options, check_whole
from deepradiomics.prepare.head.head import HeadRecipe
from deepradiomics.training import options as shared
from deepradiomics.training.fit import FitSettings

Preset = Literal["paper", "tiny"]
Scales = Literal["dual", "single"]
PAPER_WIDTHS = (32, 64, 128, 256, 512)


@dataclass(frozen=True)
class SegmenterTraining(Options):
    """How a segmenter is trained. Augmentation moves, turns and zooms heads, and changes their grey levels of 0 to 1.

    Raises:
        InputError: a value is out of range.
    """

    epochs: shared.Epochs = 300
    batch_size: shared.Batch = 2
    learning_rate: shared.LearningRate = 5e-4
    weight_decay: shared.WeightDecay = 1e-2
    patience: shared.Patience = 0
    flip: shared.Flip = True
    rotate_degrees: Annotated[
        float, Option("augmentation: largest angle by which heads are turned about each axis", 0, 180, unit="degrees")
    ] = 15.0
    zoom: Annotated[float, Option("augmentation: largest share by which heads become larger or smaller", 0, 0.9)] = 0.15
    shift_mm: Annotated[float, Option("augmentation: largest shift of heads along each axis", 0, 200, unit="mm")] = 10.0
    grey_shift: Annotated[
        float, Option("augmentation: most that is added to the grey levels (of 0 to 1): scanners differ", 0, 1)
    ] = 0.03
    grey_scale: Annotated[float, Option("augmentation: largest share by which their contrast changes", 0, 0.9)] = 0.1
    noise_sd: shared.NoiseSd = 0.02
    gradient_clip: shared.GradientClip = 1.0
    precision: shared.MixedPrecision = "auto"
    devices: shared.Devices = 1

    def fit_settings(self) -> FitSettings:
        """The part that the training loop needs to know."""
        return FitSettings(
            self.epochs,
            "validation_dice",
            "max",
            self.patience or None,
            self.gradient_clip,
            self.precision,
            self.devices,
        )


@dataclass(frozen=True)
class SegmenterConfig(Options):
    """A segmenter, what it sees, and how it is trained.

    Raises:
        InputError: a value is out of range, or the cube cannot be halved as often as the network does.
    """

    PRESETS: ClassVar = {
        "paper": {},
        "tiny": {
            "widths": [8, 16, 32, 64],
            "supervised": 2,
            "recipe": {"size_zyx": [48, 48, 48], "spacing_mm": 4.0},
            "training": {
                "epochs": 8,
                "learning_rate": 4e-3,
                "rotate_degrees": 8.0,
                "zoom": 0.1,
                "shift_mm": 6.0,
                "weight_decay": 1e-3,
            },
        },
    }

    preset: Annotated[Preset, Option("where this configuration came from")] = "paper"
    scales: Annotated[Scales, Option("dual (with the encoder of the half-size image) or single")] = "dual"
    widths: Annotated[tuple[int, ...], Option("channels of the stages, fine to deep", 1, 4096)] = PAPER_WIDTHS
    supervised: Annotated[
        int, Option("number of sizes at which the decoder's output is supervised, the finest first", 1, 6)
    ] = 3
    recipe: Annotated[HeadRecipe, Option("window, size and spacing of the cube")] = field(default_factory=HeadRecipe)
    training: Annotated[SegmenterTraining, Option("how it is trained")] = field(default_factory=SegmenterTraining)

    def _check_together(self) -> None:
        if not 3 <= len(self.widths) <= 7:
            raise InputError(f"widths: expected the channels (1 to 4096) of 3 to 7 stages, got {self.widths}.")
        check_whole("supervised", self.supervised, 1, len(self.widths) - 1)
        step = 2 ** (len(self.widths) - (0 if self.scales == "dual" else 1))
        if any(size % step or size < 2 * step for size in self.recipe.size_zyx):
            raise InputError(
                f"recipe.size_zyx: a {self.scales}-scale network of {len(self.widths)} stages needs multiples of "
                f"{step}, at least {2 * step}, got {self.recipe.size_zyx}."
            )
