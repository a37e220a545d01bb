"""``deepradiomics finetune MANIFEST ENCODER --task T -o RUN``: an encoder learns a task, frozen and whole."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from deepradiomics.cli.groups import comma_list, with_groups
from deepradiomics.cli.inputs import existing_file
from deepradiomics.cli.options import JsonLines, Modalities, OutputFolder, SplitSeed
from deepradiomics.cli.outputs import check_output
from deepradiomics.cli.reading import ReadingOptions, note_cases
from deepradiomics.cli.session import running
from deepradiomics.cli.shared_groups import CohortOptions, TrainingOptions
from deepradiomics.words import count


@dataclass(frozen=True)
class TaskOptions:
    """Which encoder is fine-tuned, on what."""

    encoder: Annotated[
        str,
        typer.Argument(
            help="Bundle, run folder of pretrain, or a checkpoint in ProFound's layout.", show_default=False
        ),
    ]
    task: Annotated[
        str,
        typer.Option(
            "--task",
            help="class (label_<target>), segment (mask_<target>) or regress (value_<target>).",
            show_default=False,
        ),
    ]
    target: Annotated[
        str | None,
        typer.Option("--target", help="Column to learn.  (default: the only label or value; of regions, lesion)"),
    ] = None
    modalities: Modalities = None
    channels: Annotated[
        str,
        typer.Option(
            "--channels", help="With --modalities: slice the stem's weights, or replicate the modality to each channel."
        ),
    ] = "slice"
    only: Annotated[str | None, typer.Option("--only", help="frozen or tuned: one of the two.  (default: both)")] = None
    split_seed: SplitSeed = 0


@with_groups
def finetune(
    manifest: Annotated[
        Path, typer.Argument(help="CSV of cases: id, patient, view_<modality> …, mask_<roi> …, split, and the target.")
    ],
    learned: TaskOptions,
    output: OutputFolder,
    reading: ReadingOptions,
    run: TrainingOptions,
    cohort: CohortOptions,
    json_lines: JsonLines = False,
) -> None:
    """Train a head on the frozen encoder, and head and encoder together, and score both on the same test cases.

    Writes frozen/ and tuned/ (each with model/, encoder/, history.csv, run.json), splits.csv, metrics.json and
    tableA1.csv into the output folder. A run that was stopped is resumed.
    """
    with running(json_lines) as session:
        check_output(output)
        existing_file(manifest, "manifest")
        chosen = reading.reading()
        session.progress(0.0, "reading the manifest")
        from deepradiomics.cohort.manifest import read_manifest
        from deepradiomics.lens.encoders.config import EncoderConfig
        from deepradiomics.lens.encoders.finetune.run import FinetuneRequest
        from deepradiomics.lens.encoders.finetune.run import finetune as compute

        request = FinetuneRequest(
            read_manifest(manifest, need_labels=False).read_as(chosen), learned.task, learned.encoder,  # type: ignore[arg-type]
            run.of(EncoderConfig, "finetuning"), target=learned.target, modalities=comma_list(learned.modalities),
            channels=learned.channels, only=learned.only, roi=cohort.centre, seed=run.seed,  # type: ignore[arg-type]
            split_seed=learned.split_seed, missing=cohort.missing,  # type: ignore[arg-type]
        )  # fmt: skip
        result = compute(
            request, output, resume=run.resume, device=run.device, cache=run.cache, progress=session.progress
        )
        session.progress(1.0, "done")
        for case in result.metrics["dropped"][result.metrics["without_target"] :]:  # those without one are one remark
            session.warn(f"left out: {case['reason']}")
        for remark in result.metrics["warnings"]:
            session.warn(remark)
        note_cases(session, result.metrics["notes"])
        session.result(
            _table(result.metrics),
            out=str(result.out),
            metrics=result.metrics,
            encoders={stage: str(folder) for stage, folder in result.encoders.items()},
            models={stage: str(folder) for stage, folder in result.models.items()},
            table=str(result.out / "tableA1.csv"),
        )


def _with_interval(cell: dict[str, Any]) -> str:
    if cell["low"] is None:
        return f"{cell['value']:.3f} (no interval)"
    return f"{cell['value']:.3f} ({cell['low']:.3f} to {cell['high']:.3f})"


def _table(metrics: dict[str, Any] | Any) -> str:
    """The result for a person: a line per metric, each with its interval."""
    stages = [stage for stage in ("frozen", "tuned") if stage in metrics]
    lines = [f"{metrics['task']} {metrics['target']}, {count(metrics['test_cases'], 'test case')}"]
    for metric in metrics["metrics"]:
        cells = [metrics[stage][metric["key"]] for stage in stages]
        shown = [f"{stage} {_with_interval(cell)}" for stage, cell in zip(stages, cells, strict=True)]
        unit = f" [{metric['unit']}]" if metric["unit"] else ""
        lines.append(f"  {metric['name']}{unit}, {metric['better']} is better: {'; '.join(shown)}")
    return "\n".join(lines)
