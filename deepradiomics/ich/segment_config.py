"""Every choice of a haematoma segmenter and its training, and two presets.

``paper`` is the dual-scale U-Net on 128³ and 64³ voxels with 32 to 512 channels. Sizes, bottlenecks, residual blocks,
deep supervision and Dice + cross-entropy are the paper's (section 2.2); it used nnU-Net, whose plan it does not print:
optimiser, rate, epochs, batches and augmentation are ours.
``tiny`` is the same method made small (48³ and 24³ of 4 mm, four stages) for tests, demonstrations and computers
without a GPU.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from deepradiomics.errors import InputError
from deepradiomics.files import read_settings, write_json
from deepradiomics.options import check_choice, check_keys, check_number, check_whole, group_of, plain_values
from deepradiomics.prepare.head import HeadRecipe
from deepradiomics.training.fit import FitSettings, Precision

Preset = Literal["paper", "tiny"]
Scales = Literal["dual", "single"]
PAPER_WIDTHS = (32, 64, 128, 256, 512)


@dataclass(frozen=True)
class SegmenterTraining:
    """How a segmenter is trained.

    Args:
        epochs: at most so many.
        batch_size: heads a step, over all devices together.
        learning_rate: of AdamW, falling to zero along a half cosine.
        weight_decay: of AdamW, for kernels.
        patience: epochs without a better validation Dice before training stops; 0 never stops early.
        flip: augmentation: half of the heads are mirrored left–right.
        rotate_degrees: augmentation: heads are turned by up to so much about each axis.
        zoom: augmentation: heads become larger or smaller by up to this share.
        shift_mm: augmentation: heads are moved by up to so much along each axis.
        grey_shift, grey_scale: augmentation: up to so much is added to the grey levels (of 0 to 1), and their contrast
            changes by up to this share: scanners differ.
        noise_sd: augmentation: SD of added Gaussian noise, of grey levels from 0 to 1.
        gradient_clip: largest gradient norm; 0 does not clip.
        precision: ``auto`` is bfloat16 or float16 mixed precision on CUDA and float32 elsewhere.
        devices: GPUs (or processes, on the CPU); above 1 they train together (DDP).

    Raises:
        InputError: a value is out of range.
    """

    epochs: int = 300
    batch_size: int = 2
    learning_rate: float = 5e-4
    weight_decay: float = 1e-2
    patience: int = 0
    flip: bool = True
    rotate_degrees: float = 15.0
    zoom: float = 0.15
    shift_mm: float = 10.0
    grey_shift: float = 0.03
    grey_scale: float = 0.1
    noise_sd: float = 0.02
    gradient_clip: float = 1.0
    precision: Precision = "auto"
    devices: int = 1

    def __post_init__(self) -> None:
        if not isinstance(self.flip, bool):
            raise InputError(f"flip: expected true or false, got {self.flip!r}.")
        check_choice("precision", self.precision, get_args(Precision))
        for name, low, high in (("epochs", 1, 100_000), ("batch_size", 1, 4096), ("devices", 1, 1024)):
            check_whole(name, getattr(self, name), low, high)
        check_whole("patience", self.patience, 0, 100_000)
        for name, top in (
            ("learning_rate", 1.0), ("weight_decay", 10.0), ("rotate_degrees", 180.0), ("zoom", 0.9),
            ("shift_mm", 200.0), ("grey_shift", 1.0), ("grey_scale", 0.9), ("noise_sd", 1.0), ("gradient_clip", 1e9),
        ):  # fmt: skip
            check_number(name, getattr(self, name), 0.0, top)

    def fit_settings(self) -> FitSettings:
        """The part that the training loop needs to know."""
        return FitSettings(
            self.epochs, "validation_dice", "max", self.patience or None, self.gradient_clip, self.precision,
            self.devices,
        )  # fmt: skip


@dataclass(frozen=True)
class SegmenterConfig:
    """A segmenter, what it sees, and how it is trained.

    Args:
        preset: where this configuration came from.
        scales: ``dual`` (with the encoder of the half-size image) or ``single``.
        widths: channels of the stages, fine to deep.
        supervised: sizes at which the decoder says its opinion, the finest first.
        recipe: window, size and spacing of the cube.
        training: how it is trained.
    """

    preset: Preset = "paper"
    scales: Scales = "dual"
    widths: tuple[int, ...] = PAPER_WIDTHS
    supervised: int = 3
    recipe: HeadRecipe = field(default_factory=HeadRecipe)
    training: SegmenterTraining = field(default_factory=SegmenterTraining)

    def __post_init__(self) -> None:
        check_choice("preset", self.preset, get_args(Preset))
        check_choice("scales", self.scales, get_args(Scales))
        try:
            object.__setattr__(self, "widths", tuple(int(width) for width in self.widths))
        except (TypeError, ValueError) as error:
            raise InputError(f"widths: expected whole numbers, got {self.widths!r}.") from error
        if not 3 <= len(self.widths) <= 7 or not 1 <= min(self.widths) <= max(self.widths) <= 4096:
            raise InputError(f"widths: expected the channels (1 to 4096) of 3 to 7 stages, got {self.widths}.")
        check_whole("supervised", self.supervised, 1, len(self.widths) - 1)
        step = 2 ** (len(self.widths) - (0 if self.scales == "dual" else 1))
        if any(size % step or size < 2 * step for size in self.recipe.size_zyx):
            raise InputError(
                f"recipe.size_zyx: a {self.scales}-scale network of {len(self.widths)} stages needs multiples of "
                f"{step}, {2 * step} at least, got {self.recipe.size_zyx}."
            )

    def to_dict(self) -> dict[str, Any]:
        """JSON form, with lists for tuples."""
        plain = plain_values({f.name: getattr(self, f.name) for f in fields(self) if f.name not in _GROUPS})
        return {**plain, "recipe": self.recipe.to_dict(), "training": asdict(self.training)}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> SegmenterConfig:
        """Inverse of :meth:`to_dict`; what is left out comes from the preset named by ``preset`` (default ``paper``).

        Raises:
            InputError: an unknown key, with the nearest known one, or a value out of range.
        """
        check_keys("configuration", stored, [f.name for f in fields(cls)])
        base = segmenter_config(stored.get("preset", "paper"))
        recipe = HeadRecipe.from_dict({**base.recipe.to_dict(), **group_of(stored, "recipe")})
        changes = group_of(stored, "training")
        check_keys("training", changes, [f.name for f in fields(base.training)])
        simple = {key: value for key, value in stored.items() if key not in _GROUPS}
        return replace(base, **simple, recipe=recipe, training=replace(base.training, **changes))

    def write(self, path: str | Path) -> None:
        """Write as JSON."""
        write_json(path, self.to_dict())

    @classmethod
    def read(cls, path: str | Path) -> SegmenterConfig:
        """Read JSON written by :meth:`write` or by hand.

        Raises:
            InputError: the file is missing, is not JSON, or says something unknown; the message names the file.
        """
        return read_settings(path, f"the keys {', '.join(f.name for f in fields(cls))}", cls.from_dict)


_GROUPS = ("recipe", "training")


def segmenter_config(preset: Preset = "paper", scales: Scales = "dual") -> SegmenterConfig:
    """Return a preset.

    Raises:
        InputError: preset or scales are unknown.
    """
    check_choice("preset", preset, get_args(Preset))
    if preset == "paper":
        return SegmenterConfig(scales=scales)
    light = SegmenterTraining(
        epochs=8, learning_rate=4e-3, rotate_degrees=8.0, zoom=0.1, shift_mm=6.0, weight_decay=1e-3
    )  # fmt: skip
    return SegmenterConfig("tiny", scales, (8, 16, 32, 64), 2, HeadRecipe(size_zyx=(48, 48, 48), spacing_mm=4.0), light)
