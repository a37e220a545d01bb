"""Pre-train an encoder on a cohort without labels: a masked autoencoder reconstructs the patches that are hidden.

manifest ─ splits by patient ─ stacks (cached) ─ hide 60 % of the patches ─ fit ─ encoder bundle, reconstruction.png
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepradiomics.cohort.contents import manifest_hash
from deepradiomics.cohort.each_case import Missing
from deepradiomics.cohort.splits import rows_of, subset, write_splits
from deepradiomics.files.lock import holds_out
from deepradiomics.lens.encoders.config import EncoderConfig
from deepradiomics.lens.encoders.provenance import early_best, stage_record
from deepradiomics.lens.encoders.splits import pretraining_splits
from deepradiomics.lens.encoders.stacks import check_region, cohort_stacks
from deepradiomics.progress import Progress, part
from deepradiomics.public import one_line
from deepradiomics.training.fit import Fitted, need_lightning
from deepradiomics.training.run import TrainingRun
from deepradiomics.training.run_folder import RunKind
from deepradiomics.training.seeds import check_seed

if TYPE_CHECKING:
    from deepradiomics.cohort.manifest import Manifest
    from deepradiomics.networks.encoders.encoder import Encoder

PRETRAINING = RunKind("pretraining", "a pre-training")
PRODUCTS = ("encoder", "splits.csv", "reconstruction.png")


@one_line
@dataclass(frozen=True)
class PretrainedRun:
    """A finished pre-training.

    Args:
        encoder: folder of the encoder's bundle.
        metrics: ``validation_loss``, ``best_epoch``, ``epochs``, ``seconds``, ``cases``, ``warnings``.
        history: path of history.csv.
        out: the run folder.
        dropped: (id, reason) of the cases that were left out.
        notes: by case, what was assumed on reading and preparing it.
    """

    encoder: Path
    metrics: Mapping[str, Any]
    history: Path
    out: Path
    dropped: tuple[tuple[str, str], ...]
    notes: Mapping[str, Sequence[str]] = field(default_factory=dict)


@one_line
@dataclass(frozen=True, eq=False)
class PretrainRequest:
    """What an encoder is pre-trained on, and how.

    Args:
        manifest: cases; labels are not used, test cases are left out.
        config: network, stacks, masking and training.
        roi: region in whose middle a stack lies; ignored where the recipe centres on the image.
        seed: of splits, weights, order, masks and augmentation.
        init: encoder to start from (bundle, ProFound checkpoint). It decides size and grey levels; its channels must be
            the recipe's.
        missing: what to do with cases that cannot be used.
    """

    manifest: Manifest
    config: EncoderConfig
    roi: str = "gland"
    seed: int = 0
    init: str | Path | None = None
    missing: Missing = "refuse"

    def identity(self, settings: Mapping[str, Any], cohort: Manifest, start: Encoder | None) -> dict[str, Any]:
        """What makes a run of this request this run.

        Args:
            settings: the configuration, with the recipe of the encoder that the run starts from.
            cohort: the cases with splits.
            start: that encoder.
        """
        return {
            "config": settings,
            "roi": self.roi,
            "seed": self.seed,
            "missing": self.missing,
            "manifest_sha256": manifest_hash(cohort),
            "init": None if start is None else start.weights_sha256,
        }


@holds_out
def pretrain(
    request: PretrainRequest,
    out: str | Path,
    *,
    resume: bool = True,
    device: str = "auto",
    cache: str | Path | None = None,
    progress: Progress | None = None,
) -> PretrainedRun:
    """Pre-train an encoder and write its bundle.

    A run that was stopped, at whatever point, resumes; a finished run is returned as it is.

    Args:
        request: what is learned from, and how.
        out: run folder.
        resume: with False an earlier run in ``out`` is removed first (prepared stacks are kept).
        device: auto, cpu, cuda or mps.
        cache: folder of the prepared stacks; ``out/cache`` by default.
        progress: may raise Cancelled; the run can be resumed.

    Raises:
        InputError: the folder belongs to another run, cases cannot be used, or training diverged.
        BundleError: ``init`` does not fit.
        MissingDependencyError: an extra is not installed.
    """
    manifest, config, seed = request.manifest, request.config, request.seed
    need_lightning()
    from deepradiomics.lens.encoders.pretrain.fit import (
        draw_case,
        init_record,
        new_autoencoder,
        save_encoder,
        start_from,
    )
    from deepradiomics.lens.encoders.pretrain.module import Pretraining

    check_seed(seed)
    out = Path(out)
    manifest = pretraining_splits(manifest, seed)
    start = None if request.init is None else start_from(request.init, config)
    recipe = config.recipe if start is None else replace(config.recipe, fixed_scale=start.recipe.fixed_scale)
    centre = check_region(manifest, recipe, request.roi)
    settings = {**config.to_dict(), "recipe": recipe.to_dict()}
    settings.pop("finetuning")
    identity = request.identity(settings, manifest, start)
    run = TrainingRun(out, PRETRAINING, identity, proof=("encoder/bundle.json",), products=PRODUCTS, resume=resume)
    if run.is_finished:
        return _result(run)
    with run.preparing():
        stacks = cohort_stacks(
            manifest,
            recipe,
            cache or out / "cache",
            roi=centre,
            missing=request.missing,
            progress=part(progress, 0.0, 0.15),
        )
        manifest = pretraining_splits(subset(manifest, stacks.ids), seed)
    run.begin(stacks)
    write_splits(manifest, out / "splits.csv")

    network = new_autoencoder(config, len(recipe.modalities), seed, start)
    rows = (rows_of(manifest.rows, "train"), rows_of(manifest.rows, "validation"))
    fitted = run.fit(
        Pretraining(network, stacks, rows, config.pretraining, seed),
        config.pretraining.fit_settings("validation_loss", "min"),
        device=device,
        progress=part(progress, 0.15, 0.97),
    )
    record = stage_record(manifest, stacks, {"config": settings, "roi": request.roi, **init_record(start)}, seed)
    metrics = _metrics(fitted, len(stacks))
    about = {"pretraining": {**record, "metrics": metrics}, "synthetic": record["synthetic"]}
    save_encoder(network, recipe, out, about, start)
    draw_case(network, stacks.images(rows[1][:1]), recipe.modalities, out, synthetic=record["synthetic"])
    run.finish(metrics=metrics, encoder="encoder")
    if progress:
        progress(1.0, "pre-trained")
    return _result(run)


def _metrics(fitted: Fitted, cases: int) -> dict[str, Any]:
    """The content of metrics.json."""
    remark = early_best(fitted.best_epoch, fitted.epochs)
    return {
        "validation_loss": fitted.best_score,
        **fitted.summary(),
        "cases": cases,
        "warnings": [f"Pre-training: {remark} pre-training hardly changed it."] if remark else [],
    }


def _result(run: TrainingRun) -> PretrainedRun:
    return PretrainedRun(run.folder / "encoder", run.record["metrics"], run.history, run.folder, run.dropped, run.notes)
