"""One network of an autoencoder training: fit, check, bundle, picture; and how far networks of several folds agree."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepradiomics import __version__
from deepradiomics.cohort.synthetic import is_synthetic
from deepradiomics.devices import resolve_device
from deepradiomics.files import atomic_file
from deepradiomics.ich.autoencoder import Autoencoder, load_autoencoder
from deepradiomics.ich.autoencoder_check import (
    LEAST_AGREEMENT,
    active_units,
    agreement,
    reconstruction_errors,
    remarks,
)
from deepradiomics.ich.autoencoder_config import AutoencoderConfig, AutoencoderTraining
from deepradiomics.ich.autoencoder_crops import Crops
from deepradiomics.ich.marks import seen_record
from deepradiomics.progress import Progress, part
from deepradiomics.training.fit import fit_module
from deepradiomics.training.run_folder import RunFolder, command, now, versions
from deepradiomics.training.seeds import seed_of, seeded

if TYPE_CHECKING:
    from deepradiomics.cohort.manifest import Manifest

_SHOWN = 4  # lesions in the picture
_COMPARED = 64  # patients by whom networks are compared


def fit_autoencoder(
    manifest: Manifest,
    crops: Crops,
    config: AutoencoderConfig,
    run: RunFolder,
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
        The metrics; see :class:`deepradiomics.ich.autoencoder_train.AutoencoderRun`.
    """
    import torch

    from deepradiomics.ich.autoencoder_module import VaeGanTraining
    from deepradiomics.networks.vaegan import autoencoder, discriminator, easy_start

    if "network_metrics" in run.record and (run.folder / "bundle" / "bundle.json").is_file():
        return dict(run.record["network_metrics"])
    place = {case: n for n, case in enumerate(crops.ids)}
    rows = {s: [place[row.id] for row in manifest.rows if row.split == s] for s in ("train", "validation", "test")}
    _write_splits(manifest, run.folder / "splits.csv")
    with seeded(seed_of(seed, 7)):
        painter, judge = autoencoder(config.network), discriminator(config.network)
    mean_image = _mean_of(crops, rows["train"])
    easy_start(painter, float(mean_image.mean()))
    if resolve_device(device) == "cpu":  # a third faster there, with the same meaning
        for network in (painter, judge):
            network.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
    training = replace(config.training, precision=_precision(config.training))
    module = VaeGanTraining(painter, judge, crops, (rows["train"], rows["validation"]), training, seed)
    fitted = fit_module(
        module, run, training.fit_settings(), device=device, progress=part(progress, 0.0, 0.95), message=_said
    )
    trained = Autoencoder(
        module.autoencoder, config.recipe, config.network, name=run.folder.resolve().name, device=device
    )
    shown = rows["test"] or rows["validation"]
    metrics = _checked(trained, crops, mean_image, shown)
    metrics |= {
        "best_epoch": fitted.best_epoch, "epochs": fitted.epochs, "seconds": fitted.seconds,
        "cases": len(rows["train"]) + len(rows["validation"]), "held_out": len(shown),
        "held_out_by": "fold" if rows["test"] else "validation", "shrunk": len(crops.shrunk),
    }  # fmt: skip
    synthetic = is_synthetic(manifest)
    seen = [*rows["train"], *rows["validation"]]
    trained.save(
        run.folder / "bundle",
        {
            "preset": config.preset, "synthetic": synthetic, "metrics": metrics,
            "training": config.to_dict()["training"],
            "seen": seen_record([crops.marks[n] for n in seen], [crops.patients[n] for n in seen]),
            "cohort": {
                "cases": len(seen), "patients": len({crops.patients[n] for n in seen}),
                "splits": dict(sorted(Counter(str(row.split) for row in manifest.rows).items())),
            },
            "seed": seed, "created": now(), "version": __version__, "software": versions(), "command": command(),
        },
    )  # fmt: skip
    _draw(trained, crops, shown, mean_image, run.folder / "reconstruction.png", synthetic)
    run.update(network_metrics=metrics, status="finished" if "fold" in run.record["identity"] else run.status)
    return metrics


def fold_agreement(bundles: Sequence[Path], crops: Crops, device: str) -> tuple[dict[str, float], str | None]:
    """How far the latents of the folds' networks agree on the same patients, and a remark where they do not."""
    rows = np.unique(np.linspace(0, len(crops) - 1, _COMPARED).round().astype(int)).tolist()
    images = crops.images(rows)
    latents = []
    for bundle in bundles:
        latents.append(load_autoencoder(bundle, device).latents_of(images).reshape(len(rows), -1))
    told = agreement(latents)
    if told["correlation"] >= LEAST_AGREEMENT:
        return told, None
    return told, (
        f"The latents of the {len(bundles)} networks are not the same quantities (median correlation of a latent with "
        f"itself in another network {told['correlation']:.2f}; linear CKA {told['cka']:.2f}): components fitted to the "
        "whole cohort mix them. A network trained on other patients gives all patients the same latents."
    )


def _checked(network: Autoencoder, crops: Crops, mean_image: np.ndarray, held_out: Sequence[int]) -> dict[str, Any]:
    """Active units over all crops, and errors on those held out."""
    means = np.concatenate([network.latents_of(crops.images([n])) for n in range(len(crops))])
    images = crops.images(held_out)
    low, high = network.recipe.window_hu
    made = network.reconstructions(images)[:, 0]
    errors = reconstruction_errors(images[:, 0], made, mean_image, crops.regions(held_out) > 0, high - low)
    active = active_units(means)
    return {"active": active.to_dict(), **errors, "warnings": remarks(active, errors)}


def _mean_of(crops: Crops, rows: Sequence[int]) -> np.ndarray:
    """The mean image of some crops, (n, n, n): one in memory at a time."""
    total = crops.images(rows[:1])[0, 0].astype(np.float64)
    for row in rows[1:]:
        total += crops.images([row])[0, 0]
    return (total / len(rows)).astype(np.float32)


def _draw(
    network: Autoencoder, crops: Crops, rows: Sequence[int], mean_image: np.ndarray, path: Path, synthetic: bool
) -> None:
    from deepradiomics.ich.autoencoder_picture import draw_reconstructions

    some = list(rows[:_SHOWN])
    images = crops.images(some)
    draw_reconstructions(
        images[:, 0], network.reconstructions(images)[:, 0], crops.regions(some), mean_image,
        [crops.ids[n] for n in some], network.recipe.window_hu, path, synthetic=synthetic,
    )  # fmt: skip


def _precision(training: AutoencoderTraining) -> Any:
    """``auto`` of the training loop would take float16 where there is no bfloat16."""
    import torch

    if training.precision != "auto":
        return training.precision
    return "bf16-mixed" if torch.cuda.is_available() and torch.cuda.is_bf16_supported() else "32"


def _said(metrics: Any) -> str:
    return f"validation error {metrics['validation_error']:.4f}, KL {metrics['validation_kl']:.3f}"


def _write_splits(manifest: Manifest, path: Path) -> None:
    with atomic_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(("id", "split"))
        table.writerows((row.id, row.split) for row in manifest.rows)
