"""A bundle of tiny untrained networks and outcome models fitted on random rows: everything real but the knowledge."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deepradiomics.ich.experiment.config import columns_of
from deepradiomics.ich.predictor import CalibrationBin, OutcomeModel, Predictor, save_predictor
from deepradiomics.modelling.classifiers import make_classifier
from deepradiomics.modelling.components.nmf_components import Components
from deepradiomics.modelling.frozen import freeze

SETTINGS: dict[str, Any] = {
    "imageType": {"Original": {}},
    "featureClass": {"shape": None, "firstorder": None},
    "setting": {"binWidth": 25, "label": 1},
}
OUTCOMES = ("poor_outcome", "expansion_6ml")
ROWS = 24


def tiny_segmenter(folder: Path, seed: int = 0, *, bias: float | None = None) -> Path:
    """An untrained dual-scale network of 8 channels that sees 32³ voxels; ``bias`` of its last layer, if given."""
    import torch

    from deepradiomics.networks.dual_unet import DualScaleUNet
    from deepradiomics.networks.segmenter import BundleSegmenter
    from deepradiomics.prepare.head.head import HeadRecipe

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = DualScaleUNet((4, 8, 8), supervised=1)
    if bias is not None:
        for head in module.heads:
            torch.nn.init.zeros_(head.weight)
            torch.nn.init.constant_(head.bias, bias)
    recipe = HeadRecipe(size_zyx=(32, 32, 32), spacing_mm=6.0)
    return BundleSegmenter(module, recipe, name=f"tiny segmenter {seed}", info={"synthetic": True}).save(folder)


def tiny_autoencoder(folder: Path, seed: int = 0) -> Path:
    """An untrained VAE-GAN with latents of 4 × 4³ from crops of 16³ voxels of 4 mm."""
    import torch

    from deepradiomics.ich.autoencoder.latents import Autoencoder
    from deepradiomics.ich.haematoma.lesion import CropRecipe
    from deepradiomics.networks.vaegan import VaeGanSize, autoencoder

    size = VaeGanSize(
        (8, 8, 8), latent_channels=4, res_blocks=1, norm_groups=4, discriminator_channels=4, discriminator_layers=1
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = autoencoder(size)
    recipe = CropRecipe(size=16, spacing_mm=4.0)
    return Autoencoder(module, recipe, size, name=f"tiny autoencoder {seed}", info={"synthetic": True}).save(folder)


def random_predictor(
    *,
    input: str = "radiomics+latents",
    classifier: str = "extra-trees",
    covariates: Sequence[str] = (),
    outcomes: Sequence[str] = OUTCOMES,
    widths: tuple[int, int] = (0, 0),
    hashes: tuple[str, str] = ("", ""),
    seed: int = 0,
    **more: Any,
) -> Predictor:
    """Outcome models fitted on random rows of the right shape.

    Args:
        widths: numbers of latents of segmenter and autoencoder.
        hashes: of their weights.
    """
    from deepradiomics.radiomics import Settings, feature_names

    rng = np.random.default_rng(seed)
    radiomics = tuple(feature_names(Settings.from_params(SETTINGS)))
    shape = tuple(name for name in radiomics if name.startswith("original_shape_"))
    names = {
        "radiomics": radiomics,
        "shape": shape,
        "encoder": None,
        "autoencoder": None,
        "clinical": tuple(covariates),
    }
    sizes = {"encoder": widths[0], "autoencoder": widths[1]}
    blocks, tables = {}, []
    for group in columns_of(input, tuple(covariates)):
        known = names[group]
        d = len(known) if known is not None else sizes[group]
        if group in sizes:  # latents of many patients: correlated, of either sign
            values = rng.normal(0, 1, (ROWS, 6)) @ rng.normal(0, 1, (6, d)) + 0.1 * rng.normal(0, 1, (ROWS, d))
        else:
            values = rng.gamma(2.0, 40.0, (ROWS, d))
        blocks[group] = Components.fit(values, known, family=group, n_components=4, seed=seed, threads=1)  # type: ignore[arg-type]
        tables.append(blocks[group].transform(values))
    rows = np.hstack(tables)
    models = []
    for number, name in enumerate(outcomes):
        drive = rows @ rng.normal(0, 1, rows.shape[1]) / rows.std(axis=0).mean()
        y = (drive > np.median(drive)).astype(int)
        estimator = make_classifier(classifier, seed=seed + number)
        for option in ("n_estimators", "classifier__n_estimators"):
            if option in estimator.get_params():
                estimator.set_params(**{option: 20})
        bins = tuple(CalibrationBin(p, p * 0.9, p * 0.6, min(1.0, p * 1.3), 8) for p in (0.2, 0.5, 0.8))
        estimator.fit(rows, y)
        models.append(
            OutcomeModel(
                name, name.replace("_", " "), freeze(estimator), 0.4 + 0.1 * number, float(y.mean()), ROWS, bins, rows
            )
        )
    given = {"radiomics_settings": SETTINGS, "encoder_sha256": hashes[0], "autoencoder_sha256": hashes[1],
             "info": {"name": "tiny", "synthetic": True, "leaking": False}, **more}  # fmt: skip
    return Predictor(input, classifier, blocks, tuple(models), **given)


def tiny_bundle(folder: Path, *, seed: int = 0, networks: Path | None = None, **more: Any) -> Path:
    """Write a whole bundle: predictor, segmenter, autoencoder. ``networks``: take those that lie there already."""
    from deepradiomics.ich.autoencoder.latents import load_autoencoder
    from deepradiomics.networks.segmenter import load_bundle_segmenter

    where = networks or folder.with_name(f"{folder.name}-networks")
    if not where.exists():
        tiny_segmenter(where / "segmenter", seed)
        tiny_autoencoder(where / "autoencoder", seed)
    segmenter = load_bundle_segmenter(where / "segmenter", device="cpu")
    network = load_autoencoder(where / "autoencoder", device="cpu")
    widths = (sum(int(np.prod(shape)) for shape in segmenter.latent_shapes), int(np.prod(network.latent_shape)))
    predictor = random_predictor(seed=seed, widths=widths, hashes=(segmenter.sha256, network.sha256), **more)
    return save_predictor(folder, predictor, encoder=where / "segmenter", autoencoder=where / "autoencoder")
