"""Pre-train an encoder on a cohort without labels: a masked autoencoder paints in what it was not shown.

manifest ─ splits by patient ─ stacks (cached) ─ hide 60 % of the patches ─ fit ─ encoder bundle, reconstruction.png
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepradiomics.errors import BundleError, InputError
from deepradiomics.lens.provenance import cohort_hash, early_best, stage_record
from deepradiomics.lens.splits import pretraining_splits, rows_of, subset, write_splits
from deepradiomics.lens.stacks import Missing, Stacks, check_region, cohort_stacks
from deepradiomics.lens.training_config import EncoderConfig
from deepradiomics.progress import Progress, part
from deepradiomics.training.fit import Fitted, fit_module, need_lightning
from deepradiomics.training.run_folder import RunFolder, now
from deepradiomics.training.seeds import check_seed, seeded

if TYPE_CHECKING:
    from deepradiomics.cohort.manifest import Manifest
    from deepradiomics.networks.encoder import Encoder
    from deepradiomics.networks.mae import MaskedAutoencoder

PRODUCTS = ("encoder", "splits.csv", "reconstruction.png")


@dataclass(frozen=True)
class PretrainedRun:
    """A finished pre-training.

    Args:
        encoder: folder of the encoder's bundle.
        metrics: ``validation_loss``, ``best_epoch``, ``epochs``, ``seconds``, ``cases``, ``warnings``.
        history: path of history.csv.
        out: the run folder.
        dropped: (id, reason) of the cases that were left out.
    """

    encoder: Path
    metrics: Mapping[str, Any]
    history: Path
    out: Path
    dropped: tuple[tuple[str, str], ...]


def pretrain(
    manifest: Manifest,
    config: EncoderConfig,
    out: str | Path,
    *,
    roi: str = "gland",
    seed: int = 0,
    init: str | Path | None = None,
    missing: Missing = "refuse",
    resume: bool = True,
    device: str = "auto",
    cache: str | Path | None = None,
    progress: Progress | None = None,
) -> PretrainedRun:
    """Pre-train an encoder and write its bundle.

    A run that was stopped, at whatever point, goes on where it was; a finished run is returned as it is.

    Args:
        manifest: cases; labels are not used, test cases are left out.
        config: network, stacks, masking and training.
        out: run folder.
        roi: region in whose middle a stack lies; ignored where the recipe centres on the image.
        seed: of splits, weights, order, masks and augmentation.
        init: encoder to start from (bundle, ProFound checkpoint). It decides size and grey levels; its channels must be
            the recipe's.
        missing: what to do with cases that cannot be used.
        resume: with False an earlier run in ``out`` is removed first (prepared stacks are kept).
        device: auto, cpu, cuda or mps.
        cache: folder of the prepared stacks; ``out/cache`` by default.
        progress: may raise Cancelled; the run can be resumed.

    Raises:
        InputError: the folder belongs to another run, cases cannot be used, or training diverged.
        BundleError: ``init`` does not fit.
        MissingDependencyError: an extra is not installed.
    """
    need_lightning()
    check_seed(seed)
    out = Path(out)
    manifest = pretraining_splits(manifest, seed)
    start = None if init is None else _start(init, config)
    recipe = config.recipe if start is None else replace(config.recipe, fixed_scale=start.recipe.fixed_scale)
    centre = check_region(manifest, recipe, roi)
    settings = {**config.to_dict(), "recipe": recipe.to_dict()}
    settings.pop("finetuning")
    identity = {
        "kind": "pretraining", "config": settings, "roi": roi, "seed": seed, "missing": missing,
        "manifest_sha256": cohort_hash(manifest), "init": None if start is None else start.weights_sha256,
    }  # fmt: skip
    run = RunFolder(out, identity, resume=resume, products=PRODUCTS)
    if run.status == "finished" and (out / "encoder" / "bundle.json").is_file():
        return _result(out, run)

    try:
        stacks = cohort_stacks(
            manifest, recipe, cache or out / "cache", roi=centre, missing=missing, progress=part(progress, 0.0, 0.15)
        )
        manifest = pretraining_splits(subset(manifest, stacks.ids), seed)
    except InputError:
        run.take_back()
        raise
    run = RunFolder(out, {**identity, "data_sha256": stacks.digest}, products=PRODUCTS)
    run.update(dropped=[list(pair) for pair in stacks.dropped])
    write_splits(manifest, out / "splits.csv")

    model = new_autoencoder(config, len(recipe.modalities), seed, start)
    fitted = _fit(model, manifest, stacks, config, run, seed, device, part(progress, 0.15, 0.97))
    record = stage_record(manifest, stacks, {"config": settings, "roi": roi, **_init_of(start)}, seed)
    remark = early_best(fitted.best_epoch, fitted.epochs)
    metrics = {
        "validation_loss": fitted.best_score, "best_epoch": fitted.best_epoch, "epochs": fitted.epochs,
        "seconds": fitted.seconds, "cases": len(stacks),
        "warnings": [f"Pre-training: {remark} pre-training hardly changed it."] if remark else [],
    }  # fmt: skip
    _save(model, recipe, out, {"pretraining": {**record, "metrics": metrics}, "synthetic": record["synthetic"]}, start)
    _draw(model, manifest, stacks, recipe.modalities, out, record["synthetic"])
    run.update(status="finished", finished=now(), metrics=metrics, encoder="encoder")
    if progress:
        progress(1.0, "pre-trained")
    return _result(out, run)


def new_autoencoder(config: EncoderConfig, channels: int, seed: int, start: Encoder | None = None) -> MaskedAutoencoder:
    """Return an autoencoder whose weights are drawn from ``seed``; those of the encoder come from ``start``."""
    import copy

    from deepradiomics.networks.convnextv2 import ConvNeXtV2
    from deepradiomics.networks.mae import MaskedAutoencoder

    with seeded(seed):
        network = ConvNeXtV2(channels, config.size) if start is None else copy.deepcopy(start.module)
        return MaskedAutoencoder(network, config.patch, config.mask_ratio, config.decoder_width)  # type: ignore[arg-type]


def _start(init: str | Path, config: EncoderConfig) -> Encoder:
    from deepradiomics.networks.convnextv2 import ConvNeXtV2
    from deepradiomics.networks.encoder import load_encoder

    start = load_encoder(init)
    if not isinstance(start.module, ConvNeXtV2):
        raise BundleError(
            f"--init {init}: only a ConvNeXt-V2 can be pre-trained here, this is a {type(start.module).__name__}."
        )
    if start.channels != config.recipe.modalities:
        raise BundleError(
            f"--init {init}: its channels are {', '.join(start.channels)}, the recipe's modalities are "
            f"{', '.join(config.recipe.modalities)}. Set recipe.modalities of the configuration to its channels."
        )
    return start


def _init_of(start: Encoder | None) -> dict[str, Any]:
    if start is None:
        return {}
    return {"init": {"name": start.name, "weights_sha256": start.weights_sha256, "about": start.about}}


def _fit(
    model: MaskedAutoencoder,
    manifest: Manifest,
    stacks: Stacks,
    config: EncoderConfig,
    run: RunFolder,
    seed: int,
    device: str,
    progress: Progress,
) -> Fitted:
    from deepradiomics.lens.pretrain_module import Pretraining

    rows = (rows_of(manifest.rows, "train"), rows_of(manifest.rows, "validation"))
    module = Pretraining(model, stacks, rows, config.pretraining, seed)
    settings = config.pretraining.fit_settings("validation_loss", "min")
    return fit_module(module, run, settings, device=device, progress=progress)


def _save(model: MaskedAutoencoder, recipe: Any, out: Path, about: Mapping[str, Any], start: Encoder | None) -> None:
    from deepradiomics.networks.encoder import Encoder

    layer = None if start is None else start.layer
    Encoder(model.encoder, recipe, layer=layer, name=out.resolve().name).save(out / "encoder", about)


def _draw(
    model: MaskedAutoencoder, manifest: Manifest, stacks: Stacks, names: tuple[str, ...], out: Path, synthetic: bool
) -> None:
    from deepradiomics.lens.pretrain_picture import draw_reconstruction

    row = rows_of(manifest.rows, "validation")[0]
    draw_reconstruction(model, stacks.images([row]), names, out / "reconstruction.png", synthetic=synthetic)


def _result(out: Path, run: RunFolder) -> PretrainedRun:
    dropped = tuple((case, reason) for case, reason in run.record.get("dropped", ()))
    return PretrainedRun(out / "encoder", run.record["metrics"], run.history, out, dropped)
