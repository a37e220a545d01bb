"""Every choice of a fingerprint model, in three small groups: preparation, model, training; and the two presets.

``paper`` follows the paper at full size (ResNet-18, exact pairwise terms, registration to templates, GPU advised);
``tiny`` is the same method made small for tests, demonstrations and computers without a GPU.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from deepradiomics.fingerprint.model.pool import Families
from deepradiomics.options import Option, Options
from deepradiomics.prepare.exam.recipe import Recipe
from deepradiomics.training import options as shared

Preset = Literal["paper", "tiny"]
PairwiseForm = Literal["auto", "exact", "factorised", "none"]


@dataclass(frozen=True)
class ModelConfig(Options):
    """Network G and classifier R.

    Raises:
        InputError: a value is out of range.
    """

    network: Annotated[Preset, Option("size of G")] = "paper"
    selection: Annotated[
        Literal["network", "none"],
        Option("network predicts relevance per patient; none sets q ≡ 1 (the baseline NoFS)"),
    ] = "network"
    initial_relevance: Annotated[float, Option("value that every q starts near", 0.01, 0.99)] = 0.55
    families: Annotated[Families, Option("subset of the radiomic families in the pool")] = "all"
    pairwise: Annotated[
        PairwiseForm,
        Option("second-order terms; auto is exact up to exact_limit columns and factorised above"),
    ] = "auto"
    rank: Annotated[int, Option("rank of the factorised form", 1, 512)] = 16
    exact_limit: Annotated[int, Option("largest number of columns for exact pairwise terms under auto", 1, 20_000)] = (
        2600
    )
    clip_z: Annotated[float, Option("standardised features are clipped to ±clip_z; 0 does not clip", 0, 1e6)] = 5.0

    def pairwise_for(self, n_features: int) -> Literal["exact", "factorised", "none"]:
        """Return the form used for a number of columns."""
        if self.pairwise == "auto":
            return "exact" if n_features <= self.exact_limit else "factorised"
        return self.pairwise


@dataclass(frozen=True)
class TrainingConfig(Options):
    """How a model is fitted.

    The classifier's learning rates are given as steps of a logit: one optimiser step moves all D weights together by at
    most this much logit per unit of |f q|, whatever D is. Its L2 is decoupled: the share of each weight that is removed
    at every step.

    Raises:
        InputError: a value is out of range.
    """

    epochs: shared.Epochs = 100
    batch_size: shared.PairedBatch = 8
    learning_rate: Annotated[float, Option("of the network (AdamW), falling to zero along a half cosine", 0, 1)] = 1e-4
    network_decay: Annotated[float, Option("AdamW weight decay of the network", 0, 10)] = 1e-2
    linear_step: Annotated[float, Option("logit step of the first-order weights and intercepts", 0, 100)] = 0.3
    pairwise_step: Annotated[float, Option("logit step of the pairwise weights", 0, 100)] = 0.02
    linear_shrinkage: Annotated[float, Option("decoupled L2 of the first-order weights, share per step", 0, 1)] = 1e-3
    pairwise_shrinkage: Annotated[
        float, Option("decoupled L2 of the pairwise weights, share per step; strong", 0, 1)
    ] = 1e-2
    patience: Annotated[int, Option("epochs without improvement before training stops", 1, 100_000)] = 20
    monitor: Annotated[
        Literal["loss", "auc"],
        Option("validation quantity to improve: mean cross-entropy (loss) or mean AUC (auc)"),
    ] = "loss"
    balance: Annotated[bool, Option("weight the classes of each task so that they count the same")] = True
    shift_voxels: shared.ShiftVoxels = (1, 2, 2)
    noise_sd: shared.NoiseSd = 0.05
    gradient_clip: shared.GradientClip = 5.0
    precision: shared.MixedPrecision = "auto"


@dataclass(frozen=True)
class FingerprintConfig(Options):
    """A whole fingerprint model: how exams are prepared, what the model is, how it is trained."""

    PRESETS: ClassVar = {
        "paper": {"recipe": {"registration": "template", "registration_backend": "auto"}},
        "tiny": {
            "recipe": {"registration": "reference", "resized_shape": [16, 64, 64]},
            "model": {"network": "tiny", "pairwise": "factorised", "rank": 4},
            "training": {"epochs": 30, "learning_rate": 1e-3, "patience": 10, "shift_voxels": [0, 1, 1]},
        },
    }

    preset: Annotated[Preset, Option("where this configuration came from")] = "paper"
    recipe: Annotated[Recipe, Option("how exams are prepared")] = field(default_factory=Recipe)
    model: Annotated[ModelConfig, Option("what the model is")] = field(default_factory=ModelConfig)
    training: Annotated[TrainingConfig, Option("how it is trained")] = field(default_factory=TrainingConfig)


def config(preset: Preset = "paper") -> FingerprintConfig:
    """Return a preset.

    Raises:
        InputError: the preset is unknown.
    """
    return FingerprintConfig.of_preset(preset)
