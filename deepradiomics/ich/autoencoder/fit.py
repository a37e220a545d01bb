"""One network of an autoencoder training: fit, check, bundle, picture; and how far networks of several folds agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from deepradiomics.cohort.manifest import Manifest
from deepradiomics.cohort.seen.marks import seen_record
from deepradiomics.cohort.splits import write_splits
from deepradiomics.cohort.synthetic import heads_title, is_synthetic
from deepradiomics.devices import resolve_device
from deepradiomics.ich.autoencoder.check import (
    LEAST_AGREEMENT,
    active_units,
    agreement,
    reconstruction_errors,
    remarks,
)
from deepradiomics.ich.autoencoder.config import AutoencoderConfig, AutoencoderTraining
from deepradiomics.ich.autoencoder.crops import Crops
from deepradiomics.ich.autoencoder.latents import Autoencoder, load_autoencoder
from deepradiomics.ich.autoencoder.module import VaeGanTraining
from deepradiomics.ich.autoencoder.picture import draw_reconstructions
from deepradiomics.networks.vaegan import autoencoder, discriminator, easy_start
from deepradiomics.progress import Progress, part
from deepradiomics.training.run import TrainingRun
from deepradiomics.training.run_folder import provenance
from deepradiomics.training.seeds import seed_of, seeded

_SHOWN = 4  # lesions in the picture
_COMPARED = 64  # patients by whom networks are compared


def fit_autoencoder(
    manifest: Manifest,
    crops: Crops,
    config: AutoencoderConfig,
    run: TrainingRun,
    *,
    seed: int,
    device: str,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Train one network in a run folder and write bundle/, splits.csv and reconstruction.png there.

    Args:
        manifest: the cases of ``crops``, or some of them, with splits train and validation (others are not shown).
        crops: the lesions.
        config: networks and training.
        run: where; a finished one is only read.
        seed: of weights, order, noise and augmentation.

    Returns:
        The metrics; see :class:`deepradiomics.ich.autoencoder.run.AutoencoderRun`.
    """
    if "network_metrics" in run.record and (run.folder / "bundle" / "bundle.json").is_file():
        return dict(run.record["network_metrics"])
    place = {case: n for n, case in enumerate(crops.ids)}
    rows = {s: [place[row.id] for row in manifest.rows if row.split == s] for s in ("train", "validation", "test")}
    write_splits(manifest, run.folder / "splits.csv")
    with seeded(seed_of(seed, 7)):
        generator, critic = autoencoder(config.network), discriminator(config.network)
    mean_image = _mean_of(crops, rows["train"])
    easy_start(generator, float(mean_image.mean()))
    if resolve_device(device) == "cpu":  # a third faster there, with the same meaning
        for network in (generator, critic):
            network.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    training = replace(config.training, precision=_precision(config.training))
    module = VaeGanTraining(generator, critic, crops, (rows["train"], rows["validation"]), training, seed)
    fitted = run.fit(
        module,
        training.fit_settings(),
        device=device,
        progress=part(progress, 0.0, 0.95),
        message="validation error {validation_error:.4f}, KL {validation_kl:.3f}",
    )
    trained = Autoencoder(
        module.autoencoder, config.recipe, config.network, name=run.folder.resolve().name, device=device
    )
    shown = rows["test"] or rows["validation"]
    metrics = _checked(trained, crops, mean_image, shown)
    metrics |= {
        **fitted.summary(),
        "cases": len(rows["train"]) + len(rows["validation"]),
        "held_out": len(shown),
        "held_out_by": "fold" if rows["test"] else "validation",
        "shrunk": len(crops.shrunk),
    }
    synthetic = is_synthetic(manifest)
    learned = [*rows["train"], *rows["validation"]]
    trained.save(
        run.folder / "bundle",
        {
            "preset": config.preset,
            "synthetic": synthetic,
            "metrics": metrics,
            "training": config.to_dict()["training"],
            "seen": seen_record([crops.marks[n] for n in learned], [crops.patients[n] for n in learned]),
            "cohort": {
                "cases": len(learned),
                "patients": len({crops.patients[n] for n in learned}),
                "splits": dict(sorted(Counter(str(row.split) for row in manifest.rows).items())),
            },
            "seed": seed,
            **provenance(),
        },
    )
    _draw(trained, crops, shown, mean_image, run.folder / "reconstruction.png", heads_title(manifest))
    run.update(network_metrics=metrics, status="finished" if run.record.get("part") else run.status)
    return metrics


def fold_agreement(bundles: Sequence[Path], crops: Crops, device: str) -> tuple[dict[str, float], str | None]:
    """How far the latents of the folds' networks agree on the same patients, and a remark where they do not."""
    rows = np.unique(np.linspace(0, len(crops) - 1, _COMPARED).round().astype(int)).tolist()
    images = crops.images(rows)
    latents = []
    for bundle in bundles:
        latents.append(load_autoencoder(bundle, device).latents_of(images).reshape(len(rows), -1))
    measures = agreement(latents)
    if measures["correlation"] >= LEAST_AGREEMENT:
        return measures, None
    return measures, (
        f"The latents of the {len(bundles)} networks are not the same quantities (median correlation of a latent with "
        f"itself in another network {measures['correlation']:.2f}; linear CKA {measures['cka']:.2f}): components "
        "fitted to the whole cohort mix them. A network trained on other patients gives all patients the same latents."
    )


def _checked(network: Autoencoder, crops: Crops, mean_image: np.ndarray, held_out: Sequence[int]) -> dict[str, Any]:
    """Active units over all crops, and errors on those held out."""
    means = np.concatenate([network.latents_of(crops.images([n])) for n in range(len(crops))])
    images = crops.images(held_out)
    low, high = network.recipe.window_hu
    reconstructions = network.reconstructions(images)[:, 0]
    errors = reconstruction_errors(images[:, 0], reconstructions, mean_image, crops.regions(held_out) > 0, high - low)
    active = active_units(means)
    return {"active": active.to_dict(), **errors, "warnings": remarks(active, errors)}


def _mean_of(crops: Crops, rows: Sequence[int]) -> np.ndarray:
    """The mean image of some crops, (n, n, n): one in memory at a time."""
    total = crops.images(rows[:1])[0, 0].astype(np.float64)
    for row in rows[1:]:
        total += crops.images([row])[0, 0]
    return (total / len(rows)).astype(np.float32)


def _draw(
    network: Autoencoder, crops: Crops, rows: Sequence[int], mean_image: np.ndarray, path: Path, synthetic: str
) -> None:
    some = list(rows[:_SHOWN])
    images = crops.images(some)
    draw_reconstructions(
        images[:, 0],
        network.reconstructions(images)[:, 0],
        crops.regions(some),
        mean_image,
        [crops.ids[n] for n in some],
        network.recipe.window_hu,
        path,
        synthetic=synthetic,
    )


def _precision(training: AutoencoderTraining) -> Any:
    """``auto`` of the training loop would take float16 where there is no bfloat16."""
    if training.precision != "auto":
        return training.precision
    return "bf16-mixed" if torch.cuda.is_available() and torch.cuda.is_bf16_supported() else "32"
