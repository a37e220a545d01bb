"""Train a VAE-GAN on a cohort's lesions: once, or out-of-fold, so that a blind network gives each patient's latents.

manifest ─ crops (cached) ─ splits by patient ─ fit ─ bundle, reconstruction.png, active units
         ─ with folds: the same for each fold, manifest.csv with the column autoencoder
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepradiomics.cohort.synthetic import is_synthetic
from deepradiomics.errors import InputError, ManifestError
from deepradiomics.files import content_hash, write_text
from deepradiomics.ich.autoencoder_config import AutoencoderConfig
from deepradiomics.ich.autoencoder_crops import Crops, Missing, cohort_crops
from deepradiomics.ich.autoencoder_fit import fit_autoencoder, fold_agreement
from deepradiomics.ich.autoencoder_splits import out_of_fold_splits, watched_splits
from deepradiomics.ich.fold_manifest import write_fold_manifest
from deepradiomics.options import check_whole
from deepradiomics.progress import Progress, part
from deepradiomics.training.fit import need_lightning
from deepradiomics.training.run_folder import RunFolder, now
from deepradiomics.training.seeds import check_seed

if TYPE_CHECKING:
    from deepradiomics.cohort.manifest import Manifest

KIND = "ich-autoencoder"
BUNDLE, MANIFEST, PICTURE, SPLITS, README = "bundle", "manifest.csv", "reconstruction.png", "splits.csv", "README.txt"


@dataclass(frozen=True)
class AutoencoderRun:
    """A finished training.

    Args:
        bundle: of the network trained on all patients (but for those watched; and test cases, without folds).
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


def train_autoencoder(
    manifest: Manifest,
    config: AutoencoderConfig,
    out: str | Path,
    *,
    seed: int = 0,
    folds: int | None = None,
    missing: Missing = "refuse",
    resume: bool = True,
    device: str = "auto",
    cache: str | Path | None = None,
    progress: Progress | None = None,
) -> AutoencoderRun:
    """Train an autoencoder of lesion crops and write its bundle.

    A run that was stopped, at whatever point, goes on where it was; a finished run is returned as it is.

    Args:
        manifest: columns ``image`` and ``mask``; labels are not used.
        config: crop, networks and training.
        out: run folder.
        seed: of splits, weights, order, noise and augmentation.
        folds: also train this many networks, each on the patients outside its fold (``out/fold-1`` …), and write
            ``out/manifest.csv``, which names for every patient the network that did not see him. All networks begin
            with the same weights, so that their latents stay comparable as far as they can. A column ``split`` is then
            not used.
        missing: what to do with cases that cannot be used.
        resume: with False an earlier run in ``out`` is removed first (cut crops are kept).
        device: auto, cpu, cuda or mps.
        cache: folder of the crops; ``out/cache`` by default.
        progress: may raise Cancelled; the run can be resumed.

    Raises:
        InputError: the folder belongs to another run, cases cannot be used, or training diverged.
        MissingDependencyError: an extra is not installed.
    """
    need_lightning()
    check_seed(seed)
    if folds is not None:
        check_whole("folds", folds, 2, 100)
        if manifest.path is None:
            raise ManifestError("folds: the manifest was made in memory; write it to a file first, it gets a column.")
    out = Path(out)
    identity = {
        "kind": KIND, "config": config.to_dict(), "seed": seed, "missing": missing, "folds": folds,
        "manifest_sha256": _cohort_hash(manifest),
    }  # fmt: skip
    products = (BUNDLE, MANIFEST, PICTURE, SPLITS, README, *(f"fold-{n + 1}" for n in range(folds or 0)))
    run = RunFolder(out, identity, resume=resume, products=products)
    if run.status == "finished" and (out / BUNDLE / "bundle.json").is_file():
        return _result(out, run)
    try:
        _parts(manifest, seed, folds)  # what cannot be dealt is told before anything is cut out
        crops = cohort_crops(
            manifest, config.recipe, cache or out / "cache", missing=missing, progress=part(progress, 0.0, 0.1)
        )
        manifest_used = _used(manifest, crops)
        parts = _parts(manifest_used, seed, folds)
    except InputError:
        run.take_back()
        raise
    run = RunFolder(out, {**identity, "data_sha256": crops.digest}, products=products)
    run.update(
        dropped=[list(pair) for pair in crops.dropped], notes={case: list(said) for case, said in crops.notes.items()}
    )
    found: dict[str, dict[str, Any]] = {}
    for number, (name, splits) in enumerate(parts.items()):
        begin = 0.1 + 0.88 * number / len(parts)
        say = _named(part(progress, begin, begin + 0.88 / len(parts)), name, len(parts))
        own = run if name == "" else RunFolder(out / name, {**identity, "data_sha256": crops.digest, "fold": name})
        found[name] = fit_autoencoder(splits, crops, config, own, seed=seed, device=device, progress=say)
    metrics = dict(found[""])
    if folds is not None:
        metrics |= _out_of_fold(manifest, parts, found, crops, out, device)
    run.update(status="finished", finished=now(), metrics=metrics, bundle=BUNDLE)
    if progress:
        progress(1.0, "autoencoder trained")
    return _result(out, run)


def _parts(manifest: Manifest, seed: int, folds: int | None) -> dict[str, Manifest]:
    """By folder inside the run: who trains and who is watched there. The network of all patients comes last, as ''."""
    if folds is None:
        return {"": watched_splits(manifest, seed)}
    dealt = out_of_fold_splits(manifest, folds, seed)
    everyone = replace(manifest, rows=tuple(replace(row, split=None) for row in manifest.rows))
    return {**{f"fold-{n + 1}": fold for n, fold in enumerate(dealt)}, "": watched_splits(everyone, seed)}


def _out_of_fold(
    manifest: Manifest,
    parts: Mapping[str, Manifest],
    found: Mapping[str, dict[str, Any]],
    crops: Crops,
    out: Path,
    device: str,
) -> dict[str, Any]:
    """Write who gives whose latents; tell how far the networks agree."""
    names = [name for name in parts if name]
    network_of = {
        patient: f"{name}/{BUNDLE}"
        for name in names
        for row, patient in zip(parts[name].rows, parts[name].groups, strict=True)
        if row.split == "test"
    }
    write_fold_manifest(manifest, out / MANIFEST, "autoencoder", network_of, otherwise=f"{names[0]}/{BUNDLE}")
    if is_synthetic(manifest):
        write_text(out / README, "SYNTHETIC: networks trained on computed heads, and their manifest.\n")
    told, remark = fold_agreement([out / name / BUNDLE for name in names], crops, device)
    warnings = [*found[""]["warnings"], *(f"{name}: {text}" for name in names for text in found[name]["warnings"])]
    return {
        "folds": {name: found[name] for name in names}, "agreement": told,
        "warnings": [*warnings, *([remark] if remark else [])],
    }  # fmt: skip


def _used(manifest: Manifest, crops: Crops) -> Manifest:
    """The cases whose lesions could be cut out, in the order of the crops."""
    there = set(crops.ids)
    return replace(manifest, rows=tuple(row for row in manifest.rows if row.id in there))


def _cohort_hash(manifest: Manifest) -> str:
    """Hash of ids, patients and splits; where the files lie does not matter, their content is hashed with the crops."""
    rows = [[row.id, group, row.split] for row, group in zip(manifest.rows, manifest.groups, strict=True)]
    return content_hash(rows)


def _named(progress: Progress, name: str, count: int) -> Progress:
    if count == 1:
        return progress
    return lambda fraction, message: progress(fraction, f"{name or 'all patients'}: {message}")


def _result(out: Path, run: RunFolder) -> AutoencoderRun:
    record = run.record
    return AutoencoderRun(
        out / BUNDLE,
        record["metrics"],
        run.history,
        out,
        out / MANIFEST if record["identity"].get("folds") else None,
        tuple((case, reason) for case, reason in record.get("dropped", ())),
        {case: tuple(said) for case, said in record.get("notes", {}).items()},
    )
