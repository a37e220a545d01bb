"""SYNTHETIC cohorts with outcomes, of balls in balls, and untrained networks: for tests of whole experiments."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from deepradiomics.cohort.seen.marks import image_mark, seen_record
from deepradiomics.files.atomic import write_text
from deepradiomics.ich.experiment.config import ExperimentConfig
from deepradiomics.images import read_volume
from Testing.unit.ich.feature_arrays import quick_config
from Testing.unit.ich.head_balls import write_heads

FEW = """imageType: {Original: {}}
featureClass: {shape: [], firstorder: [], glcm: [Contrast, Idm]}
setting: {binWidth: 25}
"""


def write_cohort(folder: Path, cases: int = 18, seed: int = 0) -> Path:
    """Heads with mRS, expansion, age, sex and site; return the manifest. Every case is a patient of its own."""
    rng = np.random.default_rng([seed, 5])
    rows = read_rows(write_heads(folder, cases, seed=seed))
    for i, row in enumerate(rows):
        row |= {
            "patient": f"p{seed}-{i}", "value_mrs": str(int(rng.integers(0, 7))),
            "value_expansion_ml": f"{rng.uniform(-3, 14):.3f}", "value_age": f"{rng.uniform(40, 90):.1f}",
            "sex": "FM"[i % 2], "site": "AB"[i % 3 == 0],
        }  # fmt: skip
    return write_rows(folder / "manifest.csv", rows)


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a manifest, to be changed."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def write_rows(path: Path, rows: Sequence[dict[str, str]]) -> Path:
    """Write a manifest from its rows."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, columns, restval="")
        table.writeheader()
        table.writerows(rows)
    return path


def few_features(folder: Path) -> str:
    """A parameter file of 34 features, quick to measure."""
    write_text(folder / "few.yaml", FEW)
    return str(folder / "few.yaml")


def config(folder: Path, **changes: object) -> ExperimentConfig:
    """A configuration that takes seconds, on few features."""
    return replace(quick_config(), radiomics=few_features(folder), **changes)  # type: ignore[arg-type]


def segmenter(folder: Path, *, seen: Sequence[dict[str, str]] = (), root: Path | None = None, seed: int = 0) -> Path:
    """The bundle of an untrained segmentation network that says it has seen these rows."""
    import torch

    from deepradiomics.networks.dual_unet import DualScaleUNet
    from deepradiomics.networks.segmenter import BundleSegmenter
    from deepradiomics.prepare.head.head import HeadRecipe

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = DualScaleUNet((2, 4, 4), supervised=1)
    recipe = HeadRecipe(size_zyx=(32, 32, 32), spacing_mm=6.0)
    made = BundleSegmenter(module, recipe, name=folder.name, info={"seen": _seen(seen, root), "synthetic": True})
    return made.save(folder)


def autoencoder(folder: Path, *, seen: Sequence[dict[str, str]] = (), root: Path | None = None) -> Path:
    """The bundle of an untrained VAE-GAN."""
    import torch

    from deepradiomics.ich.autoencoder.latents import Autoencoder
    from deepradiomics.ich.haematoma.lesion import CropRecipe
    from deepradiomics.networks.vaegan import VaeGanSize
    from deepradiomics.networks.vaegan import autoencoder as network

    size = VaeGanSize((4, 4, 4), 4, res_blocks=1, norm_groups=2, discriminator_channels=2, discriminator_layers=1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        module = network(size)
    recipe = CropRecipe(size=16, spacing_mm=4.0)
    info = {"seen": _seen(seen, root), "synthetic": True}
    return Autoencoder(module, recipe, size, name=folder.name, info=info).save(folder)


def _seen(rows: Sequence[dict[str, str]], root: Path | None) -> dict[str, list[str]]:
    images = [image_mark(read_volume(root / row["image"])) for row in rows] if root is not None else []
    return seen_record(images, [row["patient"] for row in rows])
