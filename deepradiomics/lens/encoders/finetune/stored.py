"""A fine-tuned model on disk: encoder, head and what they were trained for, in one bundle (``model/``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from deepradiomics.errors import BundleError
from deepradiomics.files.reading import UNUSABLE, reason
from deepradiomics.lens.encoders.finetune.module import TaskNetwork
from deepradiomics.lens.encoders.finetune.tasks import Task, task_from_dict
from deepradiomics.networks.bundle import load_bundle, load_info, loading_bundle, save_bundle
from deepradiomics.networks.convnextv2 import SIZES, ConvNeXtV2
from deepradiomics.networks.weights import built
from deepradiomics.prepare.stack import StackRecipe

KIND = "finetuned"


@dataclass(frozen=True, eq=False)
class FinetunedModel:
    """A model ready for use.

    Args:
        network: on the CPU, in eval mode.
        task: what its output means.
        recipe: how a case becomes its image.
        info: the bundle's description.
    """

    network: TaskNetwork
    task: Task
    recipe: StackRecipe
    info: Mapping[str, Any]

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Predict for prepared stacks (B, C, z, y, x).

        Returns:
            class: probabilities (B, classes); segment: probability of the region (B, z, y, x); regress: the value in
            its own unit (B,).
        """
        with torch.no_grad():
            output = self.network(torch.from_numpy(np.ascontiguousarray(images, dtype=np.float32)))
        if self.task.kind == "class":
            return output.softmax(dim=1).numpy()
        if self.task.kind == "segment":
            return output.sigmoid()[:, 0].numpy()
        stored = self.task.to_dict()
        return output.numpy() * (stored["high"] - stored["low"]) + stored["low"]


def save_model(
    folder: str | Path, network: TaskNetwork, recipe: StackRecipe, width: int, about: Mapping[str, Any]
) -> Path:
    """Write the bundle of a fine-tuned model; ``about`` says where it comes from."""
    described = {
        "kind": KIND,
        "task": network.task.to_dict(),
        "architecture": {
            "name": "convnextv2",
            "size": network.encoder.size,
            "in_channels": network.encoder.in_channels,
            "head_width": width,
        },
        "channels": list(recipe.modalities),
        "recipe": recipe.to_dict(),
        "about": dict(about),
    }
    return save_bundle(folder, network.state_dict(), described)


@loading_bundle
def load_model(folder: str | Path) -> FinetunedModel:
    """Read the bundle of a fine-tuned model.

    Raises:
        BundleError: it is damaged, or of another kind.
    """
    kind = load_info(folder).get("kind")
    if kind != KIND:
        raise BundleError(f"{folder}: expected a bundle of kind {KIND!r}, this one is of kind {kind!r}.")
    tensors, info = load_bundle(folder)
    try:
        architecture = info["architecture"]
        if architecture["name"] != "convnextv2" or architecture["size"] not in SIZES:
            raise ValueError(f"unknown architecture {architecture}")
        task = task_from_dict(info["task"])

        def build() -> TaskNetwork:
            encoder = ConvNeXtV2(int(architecture["in_channels"]), architecture["size"])
            return TaskNetwork(encoder, task.head(encoder, int(architecture["head_width"])), task)

        recipe = StackRecipe.from_dict(info["recipe"])
        network = built(build, tensors, str(folder))
    except BundleError:
        raise
    except UNUSABLE as error:
        raise BundleError(f"{folder}: the description is not that of a fine-tuned model ({reason(error)}).") from error
    return FinetunedModel(network.eval(), task, recipe, info)
