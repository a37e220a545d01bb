"""One stage of a fine-tuning: fit the head, or encoder and head; score the test cases; write both bundles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deepradiomics.cohort.manifest import Manifest
from deepradiomics.cohort.splits import rows_of
from deepradiomics.errors import BundleError
from deepradiomics.lens.encoders.config import EncoderConfig
from deepradiomics.lens.encoders.finetune.module import Finetuning, Stage, new_network
from deepradiomics.lens.encoders.finetune.score import score
from deepradiomics.lens.encoders.finetune.stored import save_model
from deepradiomics.lens.encoders.finetune.tasks import Task
from deepradiomics.lens.encoders.provenance import stage_record
from deepradiomics.lens.encoders.stacks import Stacks
from deepradiomics.networks.convnextv2 import ConvNeXtV2
from deepradiomics.networks.encoders.encoder import ChannelChange, Encoder
from deepradiomics.networks.encoders.load import load_encoder
from deepradiomics.progress import Progress
from deepradiomics.training.run import TrainingRun


@dataclass(frozen=True, eq=False)
class Plan:
    """What both stages share.

    Args:
        manifest: the cases of ``stacks``, with splits.
        stacks: as prepared.
        task: what is learned.
        encoder: where both stages start.
        config: ``finetuning`` and ``head_width`` are used.
        roi: region in whose middle a stack lies.
        seed: of the head's weights, order and augmentation.
        device: as in :mod:`deepradiomics.devices`.
    """

    manifest: Manifest
    stacks: Stacks
    task: Task
    encoder: Encoder
    config: EncoderConfig
    roi: str
    seed: int
    device: str


def fitting_encoder(
    encoder: Encoder | str | Path, manifest: Manifest, modalities: Sequence[str] | None, channels: ChannelChange
) -> Encoder:
    """The encoder with the channels wanted; they must be among the manifest's views.

    Raises:
        BundleError: it has another architecture, or channels that the manifest lacks.
    """
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


def train_stage(stage: Stage, plan: Plan, run: TrainingRun, progress: Progress) -> None:
    """Fit one stage, score it, and write its bundles; a stage that is finished is left as it is."""
    if run.is_finished:
        return
    training, task, encoder = plan.config.finetuning, plan.task, plan.encoder
    rows, targets = plan.manifest.rows, task.targets(plan.manifest)
    network = new_network(encoder.module, task, plan.config.head_width, plan.seed)  # type: ignore[arg-type]
    module = Finetuning(
        network, stage, plan.stacks, (rows_of(rows, "train"), rows_of(rows, "validation")), targets, training, plan.seed
    )
    key = task.metrics[0].key
    message = f"{stage}: validation loss {{validation_loss:.4g}}, {key} {{validation_{key}:.3f}}"
    settings = training.fit_settings("validation_loss", "min")
    fitted = run.fit(module, settings, device=plan.device, message=message, progress=progress)
    test = score(
        network, plan.stacks, rows_of(rows, "test"), targets, batch_size=training.batch_size, device=plan.device
    )
    metrics = {"test": test, "validation_loss": fitted.best_score, **fitted.summary()}
    choices = {
        "task": task.to_dict(),
        "roi": plan.roi,
        "training": plan.config.to_dict()["finetuning"],
        "stage": stage,
        "encoder": {"name": encoder.name, "hash": encoder.hash},
    }
    record = {**stage_record(plan.manifest, plan.stacks, choices, plan.seed), "metrics": metrics}
    synthetic = record["synthetic"] or bool(encoder.about.get("synthetic", False))
    about = {**encoder.about, "finetuning": record, "synthetic": synthetic}
    save_model(run.folder / "model", network, encoder.recipe, plan.config.head_width, about)
    if stage == "frozen":
        encoder.save(run.folder / "encoder")
    else:
        name, layer = f"{encoder.name}-{task.target}", encoder.layer
        Encoder(network.encoder, encoder.recipe, layer=layer, name=name).save(run.folder / "encoder", about)
    run.finish(metrics=metrics)
