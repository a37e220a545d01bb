"""The fingerprint's bundle: everything that applying a trained model to a new exam needs, in one checked folder.

Tensors: the networks' weights, the feature scaling, the registration templates (float16).
Description: feature names in order, views, ROI and grid (the recipe), tasks and thresholds, training cohort, metrics,
versions, the command that trained it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepradiomics.cohort.extraction import radiomics_params
from deepradiomics.errors import BundleError
from deepradiomics.files.reading import UNUSABLE, reason
from deepradiomics.fingerprint.model.config import FingerprintConfig
from deepradiomics.fingerprint.model.pool import PoolLayout, differences
from deepradiomics.fingerprint.model.scaling import Scaling
from deepradiomics.fingerprint.model.tasks import Task
from deepradiomics.fingerprint.model.thresholds import Thresholds
from deepradiomics.images import Geometry, Volume
from deepradiomics.networks.bundle import load_bundle, loading_bundle, save_bundle
from deepradiomics.prepare import Templates
from deepradiomics.public import one_line
from deepradiomics.radiomics import Settings, feature_names

if TYPE_CHECKING:
    from deepradiomics.fingerprint.model.network import FingerprintModel

KIND = "fingerprint"
_MODEL, _TEMPLATE = "model.", "template."


@one_line
@dataclass(frozen=True, eq=False)
class FingerprintBundle:
    """A trained fingerprint model with all it needs.

    Args:
        model: on the CPU, in eval mode.
        config: how it was made.
        layout: the pool's columns.
        scaling: standardisation and the columns in use.
        thresholds: relevance and decision thresholds.
        templates: for registration to a template; None otherwise.
        about: the rest of the description: name, version, cohort, metrics, versions, command.
        path: folder it was loaded from.
        sha256: hash of its weights.
    """

    model: FingerprintModel
    config: FingerprintConfig
    layout: PoolLayout
    scaling: Scaling
    thresholds: Thresholds
    templates: Templates | None
    about: Mapping[str, Any]
    path: Path | None = None
    sha256: str = ""

    @property
    def tasks(self) -> tuple[Task, ...]:
        """What it predicts."""
        return self.model.tasks

    def save(self, folder: str | Path) -> Path:
        """Write the bundle as a whole or not at all."""
        tensors: dict[str, Any] = {f"{_MODEL}{k}": v for k, v in self.model.state_dict().items()}
        tensors.update(self.scaling.to_tensors())
        info: dict[str, Any] = {
            "kind": KIND,
            **self.about,
            "config": self.config.to_dict(),
            "pool": {**self.layout.to_dict(), "columns": len(self.layout), "used": len(self.scaling)},
            "tasks": [task.to_dict() for task in self.tasks],
            "thresholds": self.thresholds.to_dict(),
            "templates": None,
        }
        if self.templates is not None:
            scales = {}
            for view, volume in self.templates.views.items():
                # float16 holds numbers up to 65504 with 11 bits: ample for a mean image of at most 1 in size.
                peak = float(np.abs(volume.voxels).max()) or 1.0
                tensors[f"{_TEMPLATE}{view}"] = (np.asarray(volume.voxels, np.float64) / peak).astype(np.float16)
                scales[view] = peak
            info["templates"] = {"grid": self.templates.grid.to_dict(), "scales": scales}
        return save_bundle(folder, tensors, info)


@loading_bundle
def load_fingerprint(folder: str | Path) -> FingerprintBundle:
    """Read a fingerprint bundle and check that it fits this version of the software.

    Raises:
        BundleError: the bundle is damaged, of another kind, or its shapes or features do not fit; the message says
            which file, what was expected and found, and what to do.
    """
    from deepradiomics.fingerprint.model.network import INFERENCES, FingerprintModel

    folder = Path(folder)
    tensors, info = load_bundle(folder)
    if info.get("kind") != KIND:
        raise BundleError(f"{folder}: expected a bundle of kind {KIND!r}, got {info.get('kind')!r}. Choose another.")
    try:
        config = FingerprintConfig.from_dict(info["config"])
        layout = PoolLayout.from_dict(info["pool"])
        tasks = tuple(Task.from_dict(task) for task in info["tasks"])
        thresholds = Thresholds.from_dict(info["thresholds"])
        scaling = Scaling.from_tensors(tensors)
        missing = [t.name for t in tasks if t.name not in thresholds.relevance]
    except UNUSABLE as error:
        raise BundleError(f"{folder / 'bundle.json'}: an entry is missing or unusable ({reason(error)}).") from error
    missing += [
        f"{task.name} ({inference})"
        for inference in INFERENCES
        for task in tasks
        if task.name not in thresholds.decision.get(inference, ())
    ]
    if missing:
        raise BundleError(f"{folder / 'bundle.json'}: thresholds are missing for {', '.join(missing)}.")
    _check_layout(folder, layout, scaling, config)
    model = FingerprintModel(len(layout.views), len(scaling), tasks, config.model)
    _load_weights(folder, model, tensors)
    own = {"format", "format_version", "weights", "kind", "config", "pool", "tasks", "thresholds", "templates"}
    return FingerprintBundle(
        model=model.eval(),
        config=config,
        layout=layout,
        scaling=scaling,
        thresholds=thresholds,
        templates=_templates(folder, info.get("templates"), tensors),
        about={key: value for key, value in info.items() if key not in own},
        path=folder,
        sha256=str(info["weights"]["sha256"]),
    )


def _check_layout(folder: Path, layout: PoolLayout, scaling: Scaling, config: FingerprintConfig) -> None:
    """The pool is the one this version of the radiomics engine computes for the bundle's recipe."""
    expected = engine_features(config)
    if layout.features != expected:
        raise BundleError(
            f"{folder / 'bundle.json'}: the bundle's {len(layout.features)} feature names are not the "
            f"{len(expected)} that this version computes for {config.recipe.features!r}: "
            f"{differences(expected, layout.features)}. Use the version of deepradiomics that trained the bundle "
            "or train it again."
        )
    if layout.views != config.recipe.views or layout.patch_grid != config.recipe.patch_grid:
        raise BundleError(
            f"{folder / 'bundle.json'}: the pool has views {layout.views} and grid {layout.patch_grid}, the recipe "
            f"{config.recipe.views} and {config.recipe.patch_grid}. The description contradicts itself; train again."
        )
    if scaling.pool_size != len(layout):
        raise BundleError(
            f"{folder}: the scaling is for a pool of {scaling.pool_size} columns, the layout has {len(layout)}. "
            "Weights and description belong to different models; copy the whole bundle again."
        )


def _load_weights(folder: Path, model: FingerprintModel, tensors: Mapping[str, np.ndarray]) -> None:
    import torch

    given = {k.removeprefix(_MODEL): torch.from_numpy(np.array(v)) for k, v in tensors.items() if k.startswith(_MODEL)}
    own = model.state_dict()
    absent, surplus = sorted(set(own) - set(given)), sorted(set(given) - set(own))
    if absent or surplus:
        raise BundleError(
            f"{folder / 'model.safetensors'}: the weights do not fit the network described: missing "
            f"{absent[:3] or 'none'}, unexpected {surplus[:3] or 'none'}. Train the bundle again with this version."
        )
    for name, tensor in own.items():
        if given[name].shape != tensor.shape:
            raise BundleError(
                f"{folder / 'model.safetensors'}: tensor {name!r}: expected {tuple(tensor.shape)} (by the network "
                f"described), got {tuple(given[name].shape)}. Weights and description belong to different models."
            )
    model.load_state_dict(given)


def _templates(folder: Path, stored: Any, tensors: Mapping[str, np.ndarray]) -> Templates | None:
    if stored is None:
        return None
    try:
        grid = Geometry.from_dict(stored["grid"])
        return Templates(
            {
                view: Volume(
                    tensors[f"{_TEMPLATE}{view}"].astype(np.float32) * np.float32(scale), grid, f"{view} template"
                )
                for view, scale in stored["scales"].items()
            }
        )
    except UNUSABLE as error:
        raise BundleError(f"{folder}: the registration templates are missing or unusable ({reason(error)}).") from error


def engine_features(config: FingerprintConfig) -> tuple[str, ...]:
    """Return the names of the features that this version computes for a recipe, in order."""
    return tuple(feature_names(Settings.from_params(radiomics_params(config.recipe))))
