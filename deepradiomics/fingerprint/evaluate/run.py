"""Evaluate the fingerprint against its baselines on the same splits: everything that table T1 is made of.

    repetitions (seed, fold) × groups of methods ─► predictions of validation and test cases ─► Evaluation

Methods: the fingerprint in both inference modes; NoFS (q ≡ 1, the same classifier); mean-q and shuffled-q (the
fingerprint's model with the cohort's mean relevance, or another patient's); the fixed signature; MRNet; ELNet. A method
that is finished for a repetition is read, not repeated, so that a long evaluation can be stopped and started again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deepradiomics.errors import InputError
from deepradiomics.files.lock import holds_out
from deepradiomics.fingerprint.evaluate.methods import GROUPS, MODES, Group, Unit, run_group
from deepradiomics.fingerprint.evaluate.records import Prediction
from deepradiomics.fingerprint.evaluate.result import Evaluation, MethodInfo
from deepradiomics.fingerprint.evaluate.selection import SelectionRecord, first_features, summarise_selection
from deepradiomics.fingerprint.evaluate.slices import SliceOptions
from deepradiomics.fingerprint.evaluate.units import Extractor, labelled, provenance, repeats
from deepradiomics.fingerprint.model.config import FingerprintConfig
from deepradiomics.progress import Progress, part
from deepradiomics.public import one_line

if TYPE_CHECKING:
    from deepradiomics.cohort import Manifest

FAMILIES = {"all": "All", "second": "2nd", "first+shape": "1st+shape"}
_LABELS = {
    "fingerprint": "Fingerprint",
    "mean-q": "Mean relevance (mean-q)",
    "shuffled-q": "Another patient's relevance (shuffled-q)",
    "nofs": "NoFS (q = 1)",
    "signature": "Fixed signature (LASSO)",
    "mrnet": "MRNet",
    "elnet": "ELNet",
}
_SELECTION = {
    "fingerprint": "per patient",
    "mean-q": "cohort mean",
    "shuffled-q": "another patient's",
    "nofs": "none",
    "signature": "fixed",
}
_WEIGHT = {"fingerprint": 3.0, "nofs": 2.0, "signature": 0.3, "mrnet": 3.0, "elnet": 3.0}  # rough shares of the time


@one_line
@dataclass(frozen=True, eq=False)
class EvaluationRequest:
    """Which methods are judged on which repetitions of a cohort.

    Args:
        manifest: cases with labels; given splits are kept unless ``folds`` asks for others.
        config: of the fingerprint; the baselines take preparation, epochs and batches from it.
        seeds: one repetition a seed (and fold).
        folds: 0 for fixed splits, k for k-fold cross-validation.
        split_seed: of the splits; all repetitions share them.
        methods: groups wanted; ``fingerprint`` brings mean-q and shuffled-q.
        slices: how MRNet and ELNet are built.
    """

    manifest: Manifest
    config: FingerprintConfig
    seeds: Sequence[int] = (0, 1, 2)
    folds: int = 0
    split_seed: int = 0
    methods: Sequence[Group] = GROUPS
    slices: SliceOptions | None = None


@holds_out
def evaluate_fingerprint(
    request: EvaluationRequest,
    out: Path | str,
    *,
    workers: int = 1,
    cluster: str | None = None,
    device: str = "auto",
    cache: Path | str | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Train and judge every method on every repetition, and save what the tables need.

    Args:
        request: what is judged on what.
        out: gets ``predictions.csv``, ``evaluation.json`` and ``runs/<repetition>/<group>/``.
        workers, cluster: of the extraction.
        device: auto, cpu, cuda or mps.
        cache: folder of kept features; ``out/cache`` by default.
        progress: may raise Cancelled; what is finished is kept.

    Raises:
        InputError: unusable arguments, or ``out`` holds finished runs of other data or settings.
        ManifestError: a split lacks a class.
    """
    manifest, config, methods = request.manifest, request.config, request.methods
    out, slices = Path(out), request.slices or SliceOptions()
    unknown = [name for name in methods if name not in GROUPS]
    if unknown or not methods:
        raise InputError(f"methods: expected some of {', '.join(GROUPS)}, got {list(methods)}.")
    repetitions = repeats(manifest, request.seeds, request.folds, request.split_seed)
    extractor = Extractor(Path(cache) if cache else out / "cache", workers, cluster)
    total = len(repetitions) * (1.0 + sum(_WEIGHT[group] for group in methods))
    predictions: list[Prediction] = []
    done = 0.0
    for repeat in repetitions:
        data = extractor.data(repeat, config, part(progress, done / total, (done + 1) / total))
        done += 1
        for group in methods:
            share = part(progress, done / total, (done + _WEIGHT[group]) / total)
            unit = Unit(
                data,
                config,
                out / "runs" / repeat.name / group,
                repeat.seed,
                repeat.fold,
                device,
                slices,
                labelled(share, f"{repeat.name}, {group}"),
            )
            predictions += run_group(group, unit)
            done += _WEIGHT[group]
    records = selection_records(out, [repeat.name for repeat in repetitions]) if "fingerprint" in methods else ()
    evaluation = Evaluation(
        kind="evaluation",
        predictions=tuple(predictions),
        methods=method_infos(config, methods, slices),
        selections=summarise_selection(records),
        top=first_features(records),
        notes=(*notes(config, methods, slices), *extractor.remarks()),
        provenance=provenance(
            manifest, config, repetitions, folds=request.folds, split_seed=request.split_seed, device=device
        ),
    )
    evaluation.save(out)
    return evaluation


def selection_records(out: Path | str, names: Sequence[str], group: str = "fingerprint") -> tuple[SelectionRecord, ...]:
    """What a finished evaluation's models selected on their test cases, one record a repetition."""
    return tuple(SelectionRecord.load(Path(out) / "runs" / name / group) for name in names)


def method_infos(config: FingerprintConfig, methods: Sequence[Group], slices: SliceOptions) -> tuple[MethodInfo, ...]:
    """Name and columns N, RF, FS, View, Reg of every row."""
    found = []
    for group in methods:
        for method in ("fingerprint", "mean-q", "shuffled-q") if group == "fingerprint" else (group,):
            for mode in MODES if group == "fingerprint" else ("",):
                found.append(_info(method, mode, config, slices))
    return tuple(found)


def grid_text(config: FingerprintConfig) -> str:
    """The patch grid as the paper writes it."""
    return "×".join(str(n) for n in config.recipe.patch_grid)


def notes(config: FingerprintConfig, methods: Sequence[Group], slices: SliceOptions) -> tuple[str, ...]:
    """What a reader must know about the methods."""
    said = [
        "Inference: paper = f ⊙ 1[q ≥ T]; masked = f ⊙ q ⊙ 1[q ≥ T]. T and the decision threshold are chosen on "
        "validation, for mean-q and shuffled-q anew with their own relevance.",
        "Fixed signature: L1-penalised logistic regression, strength by cross-validation inside the training split.",
    ]
    if {"mrnet", "elnet"} & set(methods):
        start = "from ImageNet weights" if slices.imagenet_weights else "from scratch (no ImageNet weights)"
        heads = (
            "one network for each plane and task" if slices.per_task else "one network for each plane, shared by tasks"
        )
        size = config.model.network if slices.size == "auto" else slices.size
        said.append(
            f"MRNet (backbone {start}) and ELNet, size {size!r}: {heads}; planes combined by logistic regression on "
            "the training split. They read the same prepared region of interest as the fingerprint, not whole slices."
        )
    return tuple(said)


def _info(method: str, mode: str, config: FingerprintConfig, slices: SliceOptions) -> MethodInfo:
    label = _LABELS[method] + (f", {mode}" if mode else "")
    views, registration = len(config.recipe.views), config.recipe.registration
    if method in ("mrnet", "elnet"):
        note = "backbone from ImageNet weights" if method == "mrnet" and slices.imagenet_weights else "from scratch"
        return MethodInfo(method, mode, label, views=views, registration=registration, note=note)
    return MethodInfo(
        method, mode, label, grid_text(config), FAMILIES[config.model.families], _SELECTION[method], views, registration
    )
