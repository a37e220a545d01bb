"""Every choice of a fingerprint model, in three small groups: preparation, model, training; and the two presets.

``paper`` follows the paper at full size (ResNet-18, exact pairwise terms, registration to templates, GPU advised);
``tiny`` is the same method made small for tests, demonstrations and computers without a GPU.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from deepradiomics.errors import InputError
from deepradiomics.files import read_settings, write_json
from deepradiomics.fingerprint.pool import Families
from deepradiomics.options import check_choice, check_keys, check_number, group_of, plain_values
from deepradiomics.prepare.recipe import Recipe

Preset = Literal["paper", "tiny"]
PairwiseForm = Literal["auto", "exact", "factorised", "none"]
Precision = Literal["auto", "32", "bf16-mixed", "16-mixed"]


@dataclass(frozen=True)
class ModelConfig:
    """Network G and classifier R.

    Args:
        network: size of G.
        selection: ``network`` predicts relevance per patient; ``none`` sets q ≡ 1 (the baseline NoFS).
        initial_relevance: value that every q starts near.
        families: subset of the radiomic families in the pool.
        pairwise: second-order terms; ``auto`` is exact up to ``exact_limit`` columns and factorised above.
        rank: rank of the factorised form.
        exact_limit: largest number of columns for exact pairwise terms under ``auto``.
        clip_z: standardised features are clipped to ±clip_z; 0 does not clip.

    Raises:
        InputError: a value is out of range.
    """

    network: Preset = "paper"
    selection: Literal["network", "none"] = "network"
    initial_relevance: float = 0.55
    families: Families = "all"
    pairwise: PairwiseForm = "auto"
    rank: int = 16
    exact_limit: int = 2600
    clip_z: float = 5.0

    def __post_init__(self) -> None:
        check_choice("network", self.network, get_args(Preset))
        check_choice("selection", self.selection, ("network", "none"))
        check_choice("families", self.families, get_args(Families))
        check_choice("pairwise", self.pairwise, get_args(PairwiseForm))
        check_number("initial_relevance", self.initial_relevance, 0.01, 0.99)
        check_number("rank", self.rank, 1, 512)
        check_number("exact_limit", self.exact_limit, 1, 20000)
        check_number("clip_z", self.clip_z, 0.0, 1e6)

    def pairwise_for(self, n_features: int) -> Literal["exact", "factorised", "none"]:
        """Return the form used for a number of columns."""
        if self.pairwise == "auto":
            return "exact" if n_features <= self.exact_limit else "factorised"
        return self.pairwise


@dataclass(frozen=True)
class TrainingConfig:
    """How a model is fitted.

    The classifier's learning rates are given as steps of a logit: one optimiser step moves all D weights together by at
    most this much logit per unit of |f q|, whatever D is. Its L2 is decoupled: the share of each weight that is removed
    at every step.

    Args:
        epochs: at most so many.
        batch_size: exams a step.
        learning_rate: of the network (AdamW), falling to zero along a half cosine.
        network_decay: AdamW weight decay of the network.
        linear_step: logit step of the first-order weights and intercepts.
        pairwise_step: logit step of the pairwise weights.
        linear_shrinkage: decoupled L2 of the first-order weights, share per step.
        pairwise_shrinkage: decoupled L2 of the pairwise weights, share per step; strong.
        patience: epochs without improvement before training stops.
        monitor: validation quantity to improve: mean cross-entropy (``loss``) or mean AUC (``auc``).
        balance: weight the classes of each task so that they count the same.
        shift_voxels: augmentation: images are moved by up to so many voxels along (z, y, x).
        noise_sd: augmentation: SD of added Gaussian noise, in units of the normalised image.
        gradient_clip: largest gradient norm; 0 does not clip.
        precision: ``auto`` is bfloat16 or float16 mixed precision on CUDA and float32 elsewhere.

    Raises:
        InputError: a value is out of range.
    """

    epochs: int = 100
    batch_size: int = 8
    learning_rate: float = 1e-4
    network_decay: float = 1e-2
    linear_step: float = 0.3
    pairwise_step: float = 0.02
    linear_shrinkage: float = 1e-3
    pairwise_shrinkage: float = 1e-2
    patience: int = 20
    monitor: Literal["loss", "auc"] = "loss"
    balance: bool = True
    shift_voxels: tuple[int, int, int] = (1, 2, 2)
    noise_sd: float = 0.05
    gradient_clip: float = 5.0
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        object.__setattr__(self, "shift_voxels", tuple(int(n) for n in self.shift_voxels))
        if len(self.shift_voxels) != 3 or min(self.shift_voxels) < 0:
            raise InputError(f"shift_voxels: expected three whole numbers ≥ 0 (z, y, x), got {self.shift_voxels}.")
        check_choice("monitor", self.monitor, ("loss", "auc"))
        check_choice("precision", self.precision, get_args(Precision))
        for name, low, high in (
            ("epochs", 1, 100_000), ("batch_size", 2, 4096), ("patience", 1, 100_000),
            ("learning_rate", 0.0, 1.0), ("network_decay", 0.0, 10.0), ("noise_sd", 0.0, 10.0),
            ("linear_step", 0.0, 100.0), ("pairwise_step", 0.0, 100.0), ("gradient_clip", 0.0, 1e9),
            ("linear_shrinkage", 0.0, 1.0), ("pairwise_shrinkage", 0.0, 1.0),
        ):  # fmt: skip
            check_number(name, getattr(self, name), low, high)


@dataclass(frozen=True)
class FingerprintConfig:
    """A whole fingerprint model: how exams are prepared, what the model is, how it is trained."""

    preset: str = "paper"
    recipe: Recipe = field(default_factory=Recipe)
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)

    def to_dict(self) -> dict[str, Any]:
        """JSON form, with lists for tuples."""
        return {
            "preset": self.preset,
            "recipe": self.recipe.to_dict(),
            "model": plain_values(asdict(self.model)),
            "training": plain_values(asdict(self.training)),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> FingerprintConfig:
        """Inverse of :meth:`to_dict`; what is left out comes from the preset named by ``preset`` (default ``paper``).

        Raises:
            InputError: an unknown key, with the nearest known one, or a value out of range.
        """
        check_keys("configuration", stored, [f.name for f in fields(cls)])
        name = str(stored.get("preset", "paper"))
        base = config(name)  # type: ignore[arg-type]
        recipe = {**base.recipe.to_dict(), **group_of(stored, "recipe")}
        check_keys("recipe", recipe, [f.name for f in fields(Recipe)])
        return cls(
            preset=name,
            recipe=Recipe.from_dict(recipe),
            model=_updated(base.model, "model", group_of(stored, "model")),
            training=_updated(base.training, "training", group_of(stored, "training")),
        )

    def write(self, path: str | Path) -> None:
        """Write as JSON."""
        write_json(path, self.to_dict())

    @classmethod
    def read(cls, path: str | Path) -> FingerprintConfig:
        """Read JSON written by :meth:`write` or by hand.

        Raises:
            InputError: the file is missing, is not JSON, or says something unknown; the message names the file.
        """
        return read_settings(path, "the keys preset, recipe, model, training", cls.from_dict)


def config(preset: Preset = "paper") -> FingerprintConfig:
    """Return a preset.

    Raises:
        InputError: the preset is unknown.
    """
    check_choice("preset", preset, get_args(Preset))
    if preset == "paper":
        return FingerprintConfig("paper", Recipe(registration="template", registration_backend="auto"))
    return FingerprintConfig(
        "tiny",
        Recipe(registration="reference", resized_shape=(16, 64, 64)),
        ModelConfig(network="tiny", pairwise="factorised", rank=4),
        TrainingConfig(epochs=30, learning_rate=1e-3, patience=10, shift_voxels=(0, 1, 1)),
    )


_Group = TypeVar("_Group", ModelConfig, TrainingConfig)


def _updated(base: _Group, name: str, changes: Mapping[str, Any]) -> _Group:
    check_keys(name, changes, [f.name for f in fields(base)])
    try:
        return replace(base, **changes)
    except TypeError as error:
        raise InputError(f"{name}: a value has the wrong type ({error}).") from error
