"""A small fingerprint bundle with random weights and a small oblique exam, for tests of storing and applying."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from deepradiomics.fingerprint.model.bundle import FingerprintBundle, engine_features
from deepradiomics.fingerprint.model.config import FingerprintConfig, config
from deepradiomics.fingerprint.model.network import FingerprintModel
from deepradiomics.fingerprint.model.pool import PoolLayout
from deepradiomics.fingerprint.model.scaling import Scaling
from deepradiomics.fingerprint.model.tasks import Task
from deepradiomics.fingerprint.model.thresholds import Thresholds
from deepradiomics.images import VIEWS, Case, Geometry, Mask, Volume
from deepradiomics.prepare import Templates, reformat
from deepradiomics.training.seeds import seeded

TASKS = (Task("acl", (0, 1)), Task("grade", (0, 1, 2)))


def small_config(**model: Any) -> FingerprintConfig:
    tiny = config("tiny")
    recipe = replace(tiny.recipe, registration="off", resized_shape=(8, 24, 20), patch_grid=(1, 2, 1))
    return replace(tiny, recipe=recipe, model=replace(tiny.model, **model))


def small_bundle(templates: Templates | None = None, **model: Any) -> FingerprintBundle:
    settings = small_config(**model)
    layout = PoolLayout(settings.recipe.patch_grid, settings.recipe.views, engine_features(settings))
    rng = np.random.default_rng(0)
    kept = np.sort(rng.choice(len(layout), 200, replace=False))
    scaling = Scaling(kept, rng.normal(size=200), rng.uniform(0.5, 2, 200), 5.0, len(layout))
    with seeded(1):
        network = FingerprintModel(3, 200, TASKS, settings.model).eval()
        for parameter in network.classifier.parameters():
            torch.nn.init.normal_(parameter, std=0.05)
    decision = {mode: {"acl": 0.4, "grade": None} for mode in ("paper", "masked", "soft")}
    about = {
        "name": "test", "version": "0", "synthetic": True,
        "cohort": {"cases": 9, "splits": {"train": 5, "validation": 2, "test": 2}},
        "metrics": {"test": {"paper": {"acl": {"auc": 0.75}}}},
    }  # fmt: skip
    thresholds = Thresholds({"acl": 0.55, "grade": 0.55}, decision)
    return FingerprintBundle(network, settings, layout, scaling, thresholds, templates, about)


def oblique_case(views: tuple[str, ...] = ("sagittal",), with_mask: bool = False) -> Case:
    """Noise over a bright ball, on a grid tilted in space."""
    angle = 0.3
    c, s = float(np.cos(angle)), float(np.sin(angle))
    geometry = Geometry((30, 36, 12), (1.0, 1.0, 2.5), (-12.0, 8.0, 20.0), (0.0, -s, c, 1.0, 0.0, 0.0, 0.0, -c, -s))
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in geometry.shape), indexing="ij")
    ball = np.clip(1 - (x**2 + y**2 + z**2), 0, None)
    voxels = 100 * ball + np.random.default_rng(3).normal(0, 8, geometry.shape)
    sagittal = Volume(voxels.astype(np.float32), geometry, "sagittal", "sagittal.nii.gz")
    mask = Mask((ball > 0.4).astype(np.uint8), geometry) if with_mask else None
    made = {view: sagittal if view == "sagittal" else reformat(sagittal, view) for view in VIEWS}
    return Case("patient-7", {view: made[view] for view in views}, mask)
