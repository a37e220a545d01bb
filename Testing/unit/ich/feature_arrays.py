"""SYNTHETIC feature tables without images: expansion is planted in columns of heterogeneity, or in nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from deepradiomics.cohort.manifest import Manifest, ManifestRow
from deepradiomics.ich.cohort.manifest import IchCohort, as_cohort
from deepradiomics.ich.experiment.config import ExperimentConfig
from deepradiomics.ich.features.latents import Latents, NetworkUse
from deepradiomics.ich.features.patient import SHAPE_PREFIX
from deepradiomics.ich.features.run import CohortFeatures
from deepradiomics.radiomics import Settings, feature_names

_NAMES = feature_names(Settings.from_params("ich-1688"))  # real names: those that nobody knows are searched for long
SHAPES = tuple(name for name in _NAMES if name.startswith(SHAPE_PREFIX))
TEXTURES = tuple(name for name in _NAMES if name.startswith(("original_glcm", "original_ngtdm")))[:26]
LATENTS = 30


def feature_arrays(
    n: int = 120, seed: int = 0, *, planted: bool = True, latents: bool = True, prefix: str = "p"
) -> CohortFeatures:
    """Patients with three families of features.

    With ``planted``, a hidden heterogeneity stands in every third texture column and every third latent of the VAE-GAN,
    and expansion follows it; the shape columns know the size, which moves expansion a little. Without, the outcomes
    are drawn from nothing.
    """
    rng = np.random.default_rng([seed, n])
    size, heterogeneity = rng.normal(size=n), rng.normal(size=n)
    shape = size[:, None] * rng.uniform(0.5, 1.5, len(SHAPES)) + 0.5 * rng.normal(size=(n, len(SHAPES)))
    texture, vaegan = rng.normal(size=(n, len(TEXTURES))), rng.normal(size=(n, LATENTS))
    texture[:, ::3] += 2.0 * heterogeneity[:, None]
    vaegan[:, ::3] += 2.0 * heterogeneity[:, None]
    drive = 1.6 * heterogeneity + 0.3 * size if planted else np.zeros(n)
    expansion = 3.0 + 4.0 * (drive + 0.8 * rng.normal(size=n))
    mrs = np.clip(np.rint(2.8 + (size if planted else 0.0) + 1.2 * rng.normal(size=n)), 0, 6)
    rows = tuple(
        ManifestRow(
            f"{prefix}{i:03d}", {"image": Path(f"{prefix}{i:03d}.nii.gz")}, patient=f"person-{prefix}{i}",
            values={"mrs": float(mrs[i]), "expansion_ml": float(expansion[i]), "age": float(60 + 10 * rng.normal())},
            more={"sex": "FM"[i % 2], "site": "AB"[i % 3 == 0]},
        )
        for i in range(n)
    )  # fmt: skip
    cohort = as_cohort(Manifest(rows, ("image",), (), value_names=("mrs", "expansion_ml", "age")))
    return table(cohort, np.hstack([shape, texture]), rng.normal(size=(n, LATENTS)), vaegan, latents=latents)


def table(
    cohort: IchCohort, radiomics: np.ndarray, encoder: np.ndarray, vaegan: np.ndarray, *, latents: bool = True
) -> CohortFeatures:
    """A feature table from arrays."""
    n = len(cohort)
    network = NetworkUse(Path("elsewhere"), "elsewhere", "0" * 64, {})
    both = {
        kind: Latents(values.astype(np.float32), (network,), (0,) * n, {})
        for kind, values in (("encoder", encoder), ("autoencoder", vaegan))
    }
    return CohortFeatures(
        cohort, cohort.ids, (*SHAPES, *TEXTURES), radiomics, np.exp(2 + 0.5 * radiomics[:, 0]),
        tuple(f"mark {case}" for case in cohort.ids), ("region",) * n, (0,) * n, both if latents else {},
    )  # fmt: skip


def quick_config(**changes: object) -> ExperimentConfig:
    """A configuration that takes seconds."""
    given = {
        "classifiers": ["naive-bayes"], "components": 8, "trees": 5, "folds": 3, "bootstraps": 200,
        "calibration_bins": 4, "shap_cases": 0, "background": 5,
    }  # fmt: skip
    return ExperimentConfig.from_dict({"preset": "tiny", **given, **changes})
