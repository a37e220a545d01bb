"""Fine-tune an encoder for a task, head alone and whole, on the same splits: what the lens compares, and table A1.

manifest ─ cases with a target ─ stacks (cached) ─ splits 7:1:2 by patient
         ├─ frozen: the head alone ─┐
         └─ tuned: encoder and head ┴─ best epoch on validation ─ test cases ─ metrics.json, tableA1.csv, bundles
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from deepradiomics.cohort.contents import manifest_hash
from deepradiomics.cohort.each_case import Missing
from deepradiomics.cohort.splits import check_patients, subset, write_splits
from deepradiomics.errors import InputError
from deepradiomics.files.lock import holds_out
from deepradiomics.lens.encoders.config import EncoderConfig
from deepradiomics.lens.encoders.finetune.cohort import having_target, make_task, target_of
from deepradiomics.lens.encoders.finetune.result import write_result
from deepradiomics.lens.encoders.finetune.tasks import TaskKind
from deepradiomics.lens.encoders.provenance import seen_cases
from deepradiomics.lens.encoders.splits import task_splits
from deepradiomics.lens.encoders.stacks import check_region, cohort_stacks
from deepradiomics.progress import Progress, part
from deepradiomics.public import one_line
from deepradiomics.training.fit import need_lightning
from deepradiomics.training.run import TrainingRun
from deepradiomics.training.run_folder import RunKind, refuse_other_kinds
from deepradiomics.training.seeds import check_seed

if TYPE_CHECKING:
    from deepradiomics.cohort.manifest import Manifest
    from deepradiomics.networks.encoders.encoder import ChannelChange, Encoder

Stage = Literal["frozen", "tuned"]
STAGES: tuple[Stage, ...] = ("frozen", "tuned")
FINETUNING = RunKind("finetuning", "a fine-tuning")
PRODUCTS = ("model", "encoder")


@one_line
@dataclass(frozen=True)
class FinetunedRun:
    """A finished fine-tuning.

    Args:
        out: the run folder.
        metrics: content of metrics.json.
        encoders: folder of the encoder's bundle by stage (``frozen``: as it was before).
        models: folder of the bundle of encoder and head by stage.
    """

    out: Path
    metrics: Mapping[str, Any]
    encoders: Mapping[str, Path]
    models: Mapping[str, Path]


@one_line
@dataclass(frozen=True, eq=False)
class FinetuneRequest:
    """What is fine-tuned on what, and how.

    Args:
        manifest: cases with the target's column; given splits are kept.
        kind: class, segment or regress.
        encoder: a ConvNeXt-V2: bundle, ProFound checkpoint or object.
        config: ``finetuning`` and ``head_width`` are used; stacks follow the encoder's own recipe.
        target: column to learn, by default the only one of its kind; of regions lesion, any other must be named.
        modalities: train on these of the encoder's channels (such as T2 alone) …
        channels: … with the stem's weights of these channels (``slice``), or with one modality fed to every channel
            (``replicate``).
        only: one of the two stages.
        roi: region in whose middle a stack lies; ignored where the recipe centres on the image.
        seed: of the head's weights, order and augmentation; the same for both stages.
        split_seed: of the splits.
        missing: what to do with cases that cannot be used.

    Raises:
        InputError: an unknown stage, or a seed that no generator can begin with.
    """

    manifest: Manifest
    kind: TaskKind
    encoder: Encoder | str | Path
    config: EncoderConfig
    target: str | None = None
    modalities: Sequence[str] | None = None
    channels: ChannelChange = "slice"
    only: Stage | None = None
    roi: str = "gland"
    seed: int = 0
    split_seed: int = 0
    missing: Missing = "refuse"

    def __post_init__(self) -> None:
        if self.only is not None and self.only not in STAGES:
            raise InputError(f"only: expected one of {', '.join(STAGES)}, got {self.only!r}.")
        check_seed(self.seed)
        check_seed(self.split_seed, "split_seed")

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages that are trained."""
        return STAGES if self.only is None else (self.only,)

    def identity(self, start: Encoder, target: str, cohort: Manifest) -> dict[str, Any]:
        """What makes a run of this request this run.

        Args:
            start: the encoder with the channels wanted.
            target: column that is learned.
            cohort: the cases that have a target, with splits.
        """
        return {
            "task": self.kind,
            "target": target,
            "encoder": start.hash,
            "head_width": self.config.head_width,
            "training": self.config.to_dict()["finetuning"],
            "roi": self.roi,
            "seed": self.seed,
            "split_seed": self.split_seed,
            "missing": self.missing,
            "manifest_sha256": manifest_hash(cohort),
        }


@holds_out
def finetune(
    request: FinetuneRequest,
    out: str | Path,
    *,
    resume: bool = True,
    device: str = "auto",
    cache: str | Path | None = None,
    progress: Progress | None = None,
) -> FinetunedRun:
    """Train a task's head on the frozen encoder, and head and encoder together; score both on the same test cases.

    A run that was stopped resumes; what is finished is not trained again. Cases without a target are left out (for
    segmentation: cases without that mask, since whether they have no lesion or nobody drew one is unknown).

    Args:
        request: what is fine-tuned, and how.
        out: run folder; gets frozen/, tuned/, splits.csv, metrics.json and tableA1.csv.
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
    from deepradiomics.lens.encoders.finetune.fit import Plan, fitting_encoder, train_stage

    out, manifest, kind = Path(out), request.manifest, request.kind
    if not out.is_file():
        refuse_other_kinds(out, FINETUNING)
    check_patients(manifest)
    target = target_of(manifest, kind, request.target)
    start = fitting_encoder(request.encoder, manifest, request.modalities, request.channels)
    cohort, without = having_target(manifest, kind, target)
    cohort = task_splits(cohort, request.split_seed)
    make_task(cohort, kind, target)  # what cannot be split or learned is refused before any image is read
    centre = check_region(cohort, start.recipe, request.roi)
    runs = _run_folders(out, request.identity(start, target, cohort), request.stages, resume)

    with _preparing(out, runs):
        stacks = cohort_stacks(
            cohort,
            start.recipe,
            cache or out / "cache",
            roi=centre,
            regions=(target,) if kind == "segment" else (),
            missing=request.missing,
            progress=part(progress, 0.0, 0.1),
        )
        if stacks.dropped:
            cohort = task_splits(subset(_as_given(cohort, manifest), stacks.ids), request.split_seed)
        task = make_task(cohort, kind, target)
    for run in runs.values():
        run.identify(data_sha256=stacks.digest)
    write_splits(cohort, out / "splits.csv")
    known = seen_cases(start.about, stacks)
    plan = Plan(cohort, stacks, task, start, request.config, request.roi, request.seed, device)
    share = {"frozen": 0.3, "tuned": 0.6} if request.only is None else {request.only: 0.9}
    done = 0.1
    for stage in request.stages:
        train_stage(stage, plan, runs[stage], part(progress, done, done + share[stage]))
        done += share[stage]
    stages = {stage: run.record["metrics"] for stage, run in runs.items() if run.status == "finished"}
    metrics = write_result(
        out, task, cohort, stages, without=without, dropped=stacks.dropped, known=known, notes=stacks.notes
    )
    if progress:
        progress(1.0, "fine-tuned")
    folders = {str(stage): out / stage for stage in STAGES if stage in stages}
    return FinetunedRun(
        out,
        metrics,
        encoders={stage: folder / "encoder" for stage, folder in folders.items()},
        models={stage: folder / "model" for stage, folder in folders.items()},
    )


def _run_folders(
    out: Path, identity: Mapping[str, Any], stages: Sequence[Stage], resume: bool
) -> dict[Stage, TrainingRun]:
    """The run of each stage. Another stage that is there must belong to the same fine-tuning: table A1 has both."""
    if out.exists() and not out.is_dir():
        raise InputError(f"{out}: expected a folder for the run, found a file.")
    others: list[Stage] = [s for s in STAGES if s not in stages and (out / s / "run.json").is_file()]
    runs: dict[Stage, TrainingRun] = {}
    with _preparing(out, runs):
        for stage in [*others, *stages]:  # before anything is made or removed, the other stage must fit
            runs[stage] = TrainingRun(
                out / stage,
                FINETUNING,
                {**identity, "stage": stage},
                part=True,
                products=PRODUCTS,
                proof=[f"{name}/bundle.json" for name in PRODUCTS],
                resume=resume or stage in others,
            )
    return runs


@contextmanager
def _preparing(out: Path, runs: Mapping[Stage, TrainingRun]) -> Iterator[None]:
    """Where the input cannot be used, leave nothing of the runs behind but the cache."""
    try:
        yield
    except InputError:
        for run in runs.values():
            run.take_back()
        if out.is_dir() and not any(out.iterdir()):
            out.rmdir()
        raise


def _as_given(cohort: Manifest, manifest: Manifest) -> Manifest:
    """The cases of a cohort with the splits of the manifest alone."""
    splits = {row.id: row.split for row in manifest.rows}
    return replace(cohort, rows=tuple(replace(row, split=splits[row.id]) for row in cohort.rows))
