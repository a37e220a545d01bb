"""Train a VAE-GAN on a cohort's lesions: once, or out-of-fold, so that a blind network gives each patient's latents.

manifest ─ crops (cached) ─ splits by patient ─ fit ─ bundle, reconstruction.png, active units
         ─ with folds: the same for each fold, manifest.csv with the column autoencoder
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepradiomics.cohort.contents import manifest_hash
from deepradiomics.cohort.splits import subset
from deepradiomics.errors import ManifestError
from deepradiomics.files.lock import holds_out
from deepradiomics.ich.autoencoder.config import AutoencoderConfig
from deepradiomics.ich.autoencoder.crops import cohort_crops
from deepradiomics.ich.autoencoder.splits import autoencoder_splits, out_of_fold_splits
from deepradiomics.ich.cohort.fold_manifest import write_folds
from deepradiomics.options import check_whole
from deepradiomics.progress import Progress, part
from deepradiomics.public import one_line
from deepradiomics.training.fit import need_lightning
from deepradiomics.training.run import TrainingRun
from deepradiomics.training.run_folder import RunKind
from deepradiomics.training.seeds import check_seed

if TYPE_CHECKING:
    from deepradiomics.cohort.each_case import Missing
from deepradiomics.cohort.manifest import Manifest

_RUN = RunKind("ich-autoencoder", "the training of a lesion autoencoder")
PRODUCTS = ("bundle", "manifest.csv", "reconstruction.png", "splits.csv", "README.txt")


@one_line
@dataclass(frozen=True)
class AutoencoderRun:
    """A finished training.

    Args:
        bundle: of the network trained on all patients but those of validation (and, without folds, of the test split).
        metrics: ``active`` (units, active, share …), errors in HU beside those of the mean image, ``epochs``,
            ``seconds``, ``cases``, ``warnings``; with folds also ``folds`` (the metrics of each) and ``agreement``.
        history: path of history.csv.
        out: the run folder.
        manifest: with folds, the manifest whose column ``autoencoder`` names each patient's network.
        dropped: (id, reason) of the cases that were left out.
        notes: by case, what was assumed of it.
    """

    bundle: Path
    metrics: Mapping[str, Any]
    history: Path
    out: Path
    manifest: Path | None = None
    dropped: tuple[tuple[str, str], ...] = ()
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@one_line
@dataclass(frozen=True, eq=False)
class AutoencoderRequest:
    """What an autoencoder is trained on, and how.

    Args:
        manifest: columns ``image`` and ``mask``; labels are not used.
        config: crop, networks and training.
        seed: of splits, weights, order, noise and augmentation.
        folds: also train this many networks, each on the patients outside its fold (``out/fold-1`` …), and write
            ``out/manifest.csv``, which names for every patient the network that did not see them. All networks begin
            with the same weights, so that their latents stay comparable as far as they can. A column ``split`` is then
            not used.
        missing: what to do with cases that cannot be used.
    """

    manifest: Manifest
    config: AutoencoderConfig
    seed: int = 0
    folds: int | None = None
    missing: Missing = "refuse"


@holds_out
def train_autoencoder(
    request: AutoencoderRequest,
    out: str | Path,
    *,
    resume: bool = True,
    device: str = "auto",
    cache: str | Path | None = None,
    progress: Progress | None = None,
) -> AutoencoderRun:
    """Train an autoencoder of lesion crops and write its bundle.

    A run that was stopped, at whatever point, resumes; a finished run is returned as it is.

    Args:
        request: what is learned from, and how.
        out: run folder.
        resume: with False an earlier run in ``out`` is removed first (cut crops are kept).
        device: auto, cpu, cuda or mps.
        cache: folder of the crops; ``out/cache`` by default.
        progress: may raise Cancelled; the run can be resumed.

    Raises:
        InputError: the folder belongs to another run, cases cannot be used, or training diverged.
        MissingDependencyError: an extra is not installed.
    """
    manifest, config, seed, folds = request.manifest, request.config, request.seed, request.folds
    need_lightning()
    from deepradiomics.ich.autoencoder.fit import fit_autoencoder, fold_agreement

    check_seed(seed)
    if folds is not None:
        check_whole("folds", folds, 2, 100)
        if manifest.path is None:
            raise ManifestError("folds: the manifest was made in memory; write it to a file first, it gets a column.")
    out = Path(out)
    identity = {
        "config": config.to_dict(),
        "seed": seed,
        "missing": request.missing,
        "folds": folds,
        "manifest_sha256": manifest_hash(manifest, outcomes=False),
    }
    products = (*PRODUCTS, *(f"fold-{n + 1}" for n in range(folds or 0)))
    run = TrainingRun(out, _RUN, identity, proof=("bundle/bundle.json",), products=products, resume=resume)
    if run.is_finished:
        return _result(run)
    with run.preparing():
        _parts(manifest, seed, folds)  # what cannot be split is refused before anything is cut out
        crops = cohort_crops(
            manifest, config.recipe, cache or out / "cache", missing=request.missing, progress=part(progress, 0.0, 0.1)
        )
        parts = _parts(subset(manifest, crops.ids), seed, folds)
    run.begin(crops)
    networks: dict[str, dict[str, Any]] = {}
    for number, (name, splits) in enumerate(parts.items()):
        begin = 0.1 + 0.88 * number / len(parts)
        report = _named(part(progress, begin, begin + 0.88 / len(parts)), name, len(parts))
        subrun = run.subrun(name, fold=name) if name else run
        networks[name] = fit_autoencoder(splits, crops, config, subrun, seed=seed, device=device, progress=report)
    metrics = dict(networks[""])
    if folds is not None:
        write_folds(manifest, out, "autoencoder", {name: fold for name, fold in parts.items() if name}, "bundle")
        bundles = [out / name / "bundle" for name in networks if name]
        metrics |= _fold_metrics(networks, *fold_agreement(bundles, crops, device))
    run.finish(metrics=metrics, bundle="bundle")
    if progress:
        progress(1.0, "autoencoder trained")
    return _result(run)


def _parts(manifest: Manifest, seed: int, folds: int | None) -> dict[str, Manifest]:
    """By folder inside the run its splits; the network of all patients comes last, as ``""``."""
    if folds is None:
        return {"": autoencoder_splits(manifest, seed)}
    everyone = replace(manifest, rows=tuple(replace(row, split=None) for row in manifest.rows))
    by_fold = out_of_fold_splits(manifest, folds, seed)
    return {**{f"fold-{n}": fold for n, fold in enumerate(by_fold, start=1)}, "": autoencoder_splits(everyone, seed)}


def _fold_metrics(
    networks: Mapping[str, Mapping[str, Any]], agreement: Mapping[str, float], remark: str | None
) -> dict[str, Any]:
    """Metrics of all folds, and how far their networks agree."""
    folds = {name: metrics for name, metrics in networks.items() if name}
    warnings = [*networks[""]["warnings"], *(f"{name}: {text}" for name in folds for text in folds[name]["warnings"])]
    return {"folds": folds, "agreement": agreement, "warnings": [*warnings, *([remark] if remark else [])]}


def _named(progress: Progress, name: str, count: int) -> Progress:
    if count == 1:
        return progress
    return lambda fraction, message: progress(fraction, f"{name or 'all patients'}: {message}")


def _result(run: TrainingRun) -> AutoencoderRun:
    out, record = run.folder, run.record
    manifest = out / "manifest.csv" if record["identity"].get("folds") else None
    return AutoencoderRun(out / "bundle", record["metrics"], run.history, out, manifest, run.dropped, run.notes)
