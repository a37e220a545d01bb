"""The fingerprint model: network G chooses features for each patient and task, classifier R decides from them.

    image (B, V, z, y, x) ─ G ─ sigmoid ─ relevance q (B, T, D)
    z (B, D) ── ⊙ q or mask ── weighted (B, C, D) ── R ── logits (B, C)

B exams, V views, T tasks, C logits of all tasks, D columns in use (the pool without its constant columns), z the
standardised features. Source: Chen et al., Radiomic fingerprints for knee MR images assessment, section 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from deepradiomics.errors import InputError
from deepradiomics.fingerprint.model.classifier import PairwiseLogistic
from deepradiomics.fingerprint.model.config import ModelConfig, TrainingConfig
from deepradiomics.fingerprint.model.tasks import Task, task_of_output
from deepradiomics.networks.resnet import explained_block, relevance_resnet

Inference = Literal["paper", "masked", "soft"]
INFERENCES: tuple[Inference, ...] = ("paper", "masked", "soft")


@dataclass(frozen=True, eq=False)
class Output:
    """What a model returns: logits (B, C); relevance (B, T, D), or None for networks that read images alone."""

    logits: Tensor
    relevance: Tensor | None = None


class FingerprintModel(nn.Module):
    """G and R together.

    Args:
        n_views: V.
        n_features: D.
        tasks: what is predicted.
        config: sizes and forms. With ``selection="none"`` there is no G and q ≡ 1.
    """

    def __init__(self, n_views: int, n_features: int, tasks: Sequence[Task], config: ModelConfig) -> None:
        super().__init__()
        self.n_features, self.tasks, self.config = n_features, tuple(tasks), config
        self._task_of_output = list(task_of_output(self.tasks))
        self.network: nn.Module | None = None
        if config.selection == "network":
            size = len(self.tasks) * n_features
            self.network = relevance_resnet(n_views, size, config.network, config.initial_relevance)
        form = config.pairwise_for(n_features)
        self.classifier = PairwiseLogistic(n_features, len(self._task_of_output), form, config.rank)

    def forward(self, image: Tensor, z: Tensor) -> Output:
        """Training's form: every feature is multiplied by its relevance (``soft``).

        Args:
            image: normalised views on the ROI, (B, V, z, y, x).
            z: standardised features, (B, D).
        """
        relevance = self.relevance(image, z.shape[0])
        return Output(self.logits(z, relevance), relevance)

    def relevance(self, image: Tensor, batch: int | None = None) -> Tensor:
        """Return q (B, T, D) in [0, 1], float32."""
        batch = image.shape[0] if batch is None else batch
        if self.network is None:
            return torch.ones(batch, len(self.tasks), self.n_features, device=self.classifier.linear.device)
        raw: Tensor = self.network(image)
        return torch.sigmoid(raw.float()).view(batch, len(self.tasks), self.n_features)

    def weighted(
        self, z: Tensor, relevance: Tensor, inference: Inference = "soft", thresholds: Tensor | None = None
    ) -> Tensor:
        """Features as the classifier sees them, (B, C, D).

        Args:
            z: (B, D).
            relevance: q (B, T, D).
            inference: ``soft`` f ⊙ q; ``paper`` f ⊙ 1[q ≥ T]; ``masked`` f ⊙ q ⊙ 1[q ≥ T].
            thresholds: T of each task, (T,); needed except for ``soft``.
        """
        if inference == "soft":
            weight = relevance
        elif thresholds is None:
            raise InputError(f"inference={inference!r} needs the relevance threshold of each task.")
        else:
            mask = (relevance >= thresholds.to(relevance)[None, :, None]).to(relevance.dtype)
            weight = mask if inference == "paper" else relevance * mask
        return (z[:, None, :] * weight)[:, self._task_of_output]

    def logits(
        self, z: Tensor, relevance: Tensor, inference: Inference = "soft", thresholds: Tensor | None = None
    ) -> Tensor:
        """Logits (B, C) from features and relevance under an inference mode."""
        logits: Tensor = self.classifier(self.weighted(z, relevance, inference, thresholds))
        return logits

    def explained_block(self) -> nn.Module | None:
        """Return the layer of G that Grad-CAM explains, or None without G."""
        return None if self.network is None else explained_block(self.network)

    def parameter_groups(self, training: TrainingConfig) -> list[dict[str, Any]]:
        """Learning rates and decoupled decay of G, of the first-order and of the pairwise weights, for AdamW."""
        groups: list[dict[str, Any]] = []
        if self.network is not None:
            groups.append(_group(list(self.network.parameters()), training.learning_rate, training.network_decay))
        d, head = self.n_features, self.classifier
        groups.append(_group([head.intercept], training.linear_step, 0.0))
        groups.append(_shrinking([head.linear], training.linear_step / d, training.linear_shrinkage))
        if head.pairwise == "exact":
            rate = training.pairwise_step / max(1.0, d * (d - 1) / 2)
            groups.append(_shrinking([head.upper], rate, training.pairwise_shrinkage))
        elif head.pairwise == "factorised":
            groups.append(_shrinking([head.factors], training.pairwise_step / d, training.pairwise_shrinkage))
        return groups


def _group(parameters: list[nn.Parameter], rate: float, decay: float) -> dict[str, Any]:
    return {"params": parameters, "lr": rate, "weight_decay": decay}


def _shrinking(parameters: list[nn.Parameter], rate: float, shrinkage: float) -> dict[str, Any]:
    # AdamW removes lr × weight_decay of a weight at each step; here that product is what the user chose.
    return _group(parameters, rate, shrinkage / rate if rate > 0 else 0.0)
