"""Fine-tune an encoder for a task, frozen and whole, on the same splits: what the lens compares, and table A1.

manifest ─ cases with a target ─ stacks (cached) ─ splits 7:1:2 by patient
         ├─ frozen: the head alone ─┐
         └─ tuned: encoder and head ┴─ best epoch on validation ─ test cases ─ metrics.json, tableA1.csv, bundles
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from deepradiomics.cohort.splits import check_patients
from deepradiomics.errors import BundleError, InputError
from deepradiomics.lens.finetune_cohort import having_target, make_task, target_of
from deepradiomics.lens.finetune_result import write_result
from deepradiomics.lens.finetune_tasks import Task, TaskKind
from deepradiomics.lens.provenance import cohort_hash, seen_cases, stage_record
from deepradiomics.lens.splits import rows_of, subset, task_splits, write_splits
from deepradiomics.lens.stacks import Missing, Stacks, check_region, cohort_stacks
from deepradiomics.lens.training_config import EncoderConfig
from deepradiomics.progress import Progress, part
from deepradiomics.training.fit import fit_module, need_lightning
from deepradiomics.training.run_folder import RunFolder, now, refuse_other_kinds
from deepradiomics.training.seeds import check_seed

if TYPE_CHECKING:
    from deepradiomics.cohort.manifest import Manifest
    from deepradiomics.networks.encoder import ChannelChange, Encoder

Stage = Literal["frozen", "tuned"]
STAGES: tuple[Stage, ...] = ("frozen", "tuned")
PRODUCTS = ("model", "encoder")


@dataclass(frozen=True)
class FinetunedRun:
    """A finished fine-tuning.

    Args:
        out: the run folder.
        metrics: what stands in metrics.json.
        encoders: folder of the encoder's bundle by stage (``frozen``: as it was before).
        models: folder of the bundle of encoder and head by stage.
    """

    out: Path
    metrics: Mapping[str, Any]
    encoders: Mapping[str, Path]
    models: Mapping[str, Path]


@dataclass(frozen=True, eq=False)
class _Plan:
    """What both stages share."""

    manifest: Manifest
    stacks: Stacks
    task: Task
    encoder: Encoder
    config: EncoderConfig
    roi: str
    seed: int
    device: str
    seen: Mapping[str, Sequence[str]]


def finetune(
    manifest: Manifest,
    kind: TaskKind,
    encoder: Encoder | str | Path,
    config: EncoderConfig,
    out: str | Path,
    *,
    target: str | None = None,
    modalities: Sequence[str] | None = None,
    channels: ChannelChange = "slice",
    only: Stage | None = None,
    roi: str = "gland",
    seed: int = 0,
    split_seed: int = 0,
    missing: Missing = "refuse",
    resume: bool = True,
    device: str = "auto",
    cache: str | Path | None = None,
    progress: Progress | None = None,
) -> FinetunedRun:
    """Train a task's head on the frozen encoder, and head and encoder together; score both on the same test cases.

    A run that was stopped goes on where it was; what is finished is not trained again. Cases without a target are left
    out (for segmentation: cases without that mask, since whether they have no lesion or nobody drew one is unknown).

    Args:
        manifest: cases with the target's column; given splits are kept.
        kind: class, segment or regress.
        encoder: a ConvNeXt-V2: bundle, ProFound checkpoint or object.
        config: ``finetuning`` and ``head_width`` are used; stacks follow the encoder's own recipe.
        out: run folder; gets frozen/, tuned/, splits.csv, metrics.json and tableA1.csv.
        target: column to learn, by default the only one of its kind; of regions lesion, any other must be named.
        modalities: train on these of the encoder's channels (such as T2 alone) …
        channels: … with the stem's weights of these channels (``slice``), or with one modality fed to every channel
            (``replicate``).
        only: one of the two stages.
        roi: region in whose middle a stack lies; ignored where the recipe centres on the image.
        seed: of the head's weights, order and augmentation; the same for both stages.
        split_seed: of the splits.
        missing: what to do with cases that cannot be used.
        resume: with False the stages that are trained are removed first (prepared stacks are kept).
        device: auto, cpu, cuda or mps.
        cache: folder of the prepared stacks; ``out/cache`` by default.
        progress: may raise Cancelled; the run can be resumed.

    Raises:
        ManifestError: the target is missing, has one class or value, or splits separate a patient's scans.
        InputError: the folder belongs to another run, cases cannot be used, or training diverged.
        BundleError: the encoder does not fit.
        MissingDependencyError: an extra is not installed.
    """
    need_lightning()
    if only is not None and only not in STAGES:
        raise InputError(f"only: expected one of {', '.join(STAGES)}, got {only!r}.")
    check_seed(seed)
    check_seed(split_seed, "split_seed")
    out, stages = Path(out), STAGES if only is None else (only,)
    if not out.is_file():
        refuse_other_kinds(out, "finetuning")
    check_patients(manifest)
    name = target_of(manifest, kind, target)
    start = _fitting(encoder, manifest, modalities, channels)
    usable, without = having_target(manifest, kind, name)
    usable = task_splits(usable, split_seed)  # what cannot be split or learned is told before any image is read
    make_task(usable, kind, name)
    centre = check_region(usable, start.recipe, roi)
    identity = {
        "kind": "finetuning", "task": kind, "target": name, "encoder": start.hash, "head_width": config.head_width,
        "training": config.to_dict()["finetuning"], "roi": roi, "seed": seed, "split_seed": split_seed,
        "missing": missing, "manifest_sha256": cohort_hash(usable),
    }  # fmt: skip
    runs = _run_folders(out, identity, stages, resume)

    regions = (name,) if kind == "segment" else ()
    try:
        stacks = cohort_stacks(
            usable, start.recipe, cache or out / "cache", roi=centre, regions=regions, missing=missing,
            progress=part(progress, 0.0, 0.1),
        )  # fmt: skip
        if stacks.dropped:
            usable = task_splits(subset(_undealt(usable, manifest), stacks.ids), split_seed)
        task = make_task(usable, kind, name)
    except InputError:
        _take_back(out, runs)
        raise
    write_splits(usable, out / "splits.csv")
    plan = _Plan(usable, stacks, task, start, config, roi, seed, device, seen_cases(start.about, stacks))
    share = {"frozen": 0.3, "tuned": 0.6} if only is None else {only: 0.9}
    done = 0.1
    for stage in stages:
        runs[stage].update(identity={**identity, "stage": stage, "data_sha256": stacks.digest})
        _train_stage(stage, plan, runs[stage], part(progress, done, done + share[stage]))
        done += share[stage]
    finished = {stage: run.record["metrics"] for stage, run in runs.items() if run.status == "finished"}
    metrics = write_result(
        out, plan.task, plan.manifest, finished, without=without, dropped=stacks.dropped, seen=plan.seen
    )
    if progress:
        progress(1.0, "fine-tuned")
    return FinetunedRun(
        out, metrics, {s: out / s / "encoder" for s in STAGES if s in metrics},
        {s: out / s / "model" for s in STAGES if s in metrics},
    )  # fmt: skip


def _fitting(
    encoder: Encoder | str | Path, manifest: Manifest, modalities: Sequence[str] | None, channels: ChannelChange
) -> Encoder:
    """The encoder with the channels wanted; they must be among the manifest's views."""
    from deepradiomics.networks.convnextv2 import ConvNeXtV2
    from deepradiomics.networks.encoder import load_encoder

    start = load_encoder(encoder) if isinstance(encoder, str | Path) else encoder
    if not isinstance(start.module, ConvNeXtV2):
        raise BundleError(
            f"Encoder {start.name!r} is a {type(start.module).__name__}; only a ConvNeXt-V2 (bundle or ProFound "
            "checkpoint) is fine-tuned here. Fine-tune another network with its own tools and give both states to "
            "the lens as entry points."
        )
    if modalities is not None:
        start = start.with_channels(tuple(modalities), channels)
    start.require_channels(manifest.views)
    return start


def _run_folders(
    out: Path, identity: Mapping[str, Any], stages: Sequence[Stage], resume: bool
) -> dict[Stage, RunFolder]:
    """The run of each stage. Another stage that is there must belong to the same fine-tuning: table A1 has both."""
    if out.exists() and not out.is_dir():
        raise InputError(f"{out}: expected a folder for the run, found a file.")
    others: list[Stage] = [s for s in STAGES if s not in stages and (out / s / "run.json").is_file()]
    runs: dict[Stage, RunFolder] = {}
    try:
        for stage in [*others, *stages]:  # before anything is made or removed, the other stage must fit
            again = resume or stage in others
            runs[stage] = RunFolder(out / stage, {**identity, "stage": stage}, resume=again, products=PRODUCTS)
    except InputError:
        _take_back(out, runs)
        raise
    return runs


def _take_back(out: Path, runs: Mapping[Stage, RunFolder]) -> None:
    """Leave nothing of a run whose input cannot be used, but for the cache."""
    for run in runs.values():
        run.take_back()
    if out.is_dir() and not any(out.iterdir()):
        out.rmdir()


def _undealt(usable: Manifest, manifest: Manifest) -> Manifest:
    """The usable cases with the splits that the manifest gave, not those that were dealt."""
    given = {row.id: row.split for row in manifest.rows}
    return replace(usable, rows=tuple(replace(row, split=given[row.id]) for row in usable.rows))


def _train_stage(stage: Stage, plan: _Plan, run: RunFolder, progress: Progress) -> None:
    """Fit one stage, score it, and write its bundles; a stage that is finished is left as it is."""
    from deepradiomics.lens.finetune_module import Finetuning, new_network
    from deepradiomics.lens.finetune_score import score
    from deepradiomics.lens.finetune_stored import save_model
    from deepradiomics.networks.encoder import Encoder

    if run.status == "finished" and all((run.folder / name / "bundle.json").is_file() for name in PRODUCTS):
        return
    training, task = plan.config.finetuning, plan.task
    rows, targets = plan.manifest.rows, task.targets(plan.manifest)
    network = new_network(plan.encoder.module, task, plan.config.head_width, plan.seed)  # type: ignore[arg-type]
    module = Finetuning(
        network, stage, plan.stacks, (rows_of(rows, "train"), rows_of(rows, "validation")), targets, training, plan.seed
    )
    settings = training.fit_settings("validation_loss", "min")
    fitted = fit_module(
        module, run, settings, device=plan.device, message=_Said(stage, task.metrics[0].key), progress=progress
    )
    found = score(
        network, plan.stacks, rows_of(rows, "test"), targets, batch_size=training.batch_size, device=plan.device
    )
    metrics = {
        "test": found, "validation_loss": fitted.best_score, "best_epoch": fitted.best_epoch,
        "epochs": fitted.epochs, "seconds": fitted.seconds,
    }  # fmt: skip
    settings_said = {
        "task": task.to_dict(), "roi": plan.roi, "training": plan.config.to_dict()["finetuning"], "stage": stage,
        "encoder": {"name": plan.encoder.name, "hash": plan.encoder.hash},
    }  # fmt: skip
    record = {**stage_record(plan.manifest, plan.stacks, settings_said, plan.seed), "metrics": metrics}
    synthetic = record["synthetic"] or bool(plan.encoder.about.get("synthetic", False))
    about = {**plan.encoder.about, "finetuning": record, "synthetic": synthetic}
    save_model(run.folder / "model", network, plan.encoder.recipe, plan.config.head_width, about)
    if stage == "frozen":
        plan.encoder.save(run.folder / "encoder")
    else:
        name, layer = f"{plan.encoder.name}-{task.target}", plan.encoder.layer
        Encoder(network.encoder, plan.encoder.recipe, layer=layer, name=name).save(run.folder / "encoder", about)
    run.update(status="finished", finished=now(), metrics=metrics)


@dataclass(frozen=True)
class _Said:
    """An epoch in words; a class, since another process must be able to receive it."""

    stage: str
    key: str

    def __call__(self, metrics: Mapping[str, float]) -> str:
        score = metrics.get(f"validation_{self.key}", float("nan"))
        return f"{self.stage}: validation loss {metrics['validation_loss']:.4g}, {self.key} {score:.3f}"
