"""``deepradiomics finetune MANIFEST --task T --encoder E -o RUN``: an encoder learns a task, frozen and whole."""

from pathlib import Path
from typing import Annotated, Any

import typer

from deepradiomics.cli.options import (
    ConfigFile,
    DeviceName,
    Epochs,
    JsonLines,
    OutputFolder,
    Preset,
    Seed,
    comma_list,
    existing_file,
)
from deepradiomics.cli.outputs import check_output
from deepradiomics.cli.pretrain import Missing, Resume, Roi, StackCache, configuration
from deepradiomics.cli.session import running
from deepradiomics.words import count


def finetune(
    manifest: Annotated[
        Path, typer.Argument(help="CSV of cases: id, patient, view_<modality> …, mask_<roi> …, split, and the target.")
    ],
    task: Annotated[
        str,
        typer.Option(
            "--task",
            help="class (label_<target>), segment (mask_<target>) or regress (value_<target>).",
            show_default=False,
        ),
    ],
    encoder: Annotated[
        str,
        typer.Option(
            "--encoder",
            "-e",
            help="Bundle, run folder of pretrain, or a checkpoint in ProFound's layout.",
            show_default=False,
        ),
    ],
    output: OutputFolder,
    target: Annotated[
        str | None,
        typer.Option("--target", help="Column to learn.  (default: the only label or value; of regions, lesion)"),
    ] = None,
    modalities: Annotated[
        str | None, typer.Option("--modalities", help="Train on these of the encoder's channels alone, such as t2.")
    ] = None,
    channels: Annotated[
        str,
        typer.Option(
            "--channels", help="With --modalities: slice the stem's weights, or replicate the modality to each channel."
        ),
    ] = "slice",
    only: Annotated[
        str | None, typer.Option("--only", help="frozen or tuned: one of the two.  (default: both)")
    ] = None,
    preset: Preset = None,
    config: ConfigFile = None,
    epochs: Epochs = None,
    roi: Roi = "gland",
    missing: Missing = "refuse",
    seed: Seed = 0,
    split_seed: Annotated[int, typer.Option("--split-seed", min=0, help="Seed of the splits 7:1:2 by patient.")] = 0,
    cache: StackCache = None,
    device: DeviceName = "auto",
    resume: Resume = True,
    json_lines: JsonLines = False,
) -> None:
    """Train a head on the frozen encoder, and head and encoder together, and score both on the same test cases.

    Writes frozen/ and tuned/ (each with model/, encoder/, history.csv, run.json), splits.csv, metrics.json and
    tableA1.csv into the output folder. A run that was stopped goes on where it stood.
    """
    with running(json_lines) as session:
        check_output(output)
        existing_file(manifest, "manifest")
        settings = configuration(preset, config, epochs, "finetuning")
        session.progress(0.0, "reading the manifest")
        from deepradiomics.cohort.manifest import read_manifest
        from deepradiomics.lens.finetune import finetune as compute

        run = compute(
            read_manifest(manifest, need_labels=False), task, encoder, settings, output,  # type: ignore[arg-type]
            target=target, modalities=comma_list(modalities), channels=channels, only=only,  # type: ignore[arg-type]
            roi=roi, seed=seed, split_seed=split_seed, missing=missing, resume=resume,  # type: ignore[arg-type]
            device=device, cache=cache, progress=session.progress,
        )  # fmt: skip
        session.progress(1.0, "done")
        for case in run.metrics["dropped"][run.metrics["without_target"] :]:  # those without one are one remark
            session.warn(f"left out: {case['reason']}")
        for remark in run.metrics["warnings"]:
            session.warn(remark)
        session.result(
            _table(run.metrics),
            out=str(run.out),
            metrics=run.metrics,
            encoders={stage: str(folder) for stage, folder in run.encoders.items()},
            models={stage: str(folder) for stage, folder in run.models.items()},
            table=str(run.out / "tableA1.csv"),
        )


def _with_interval(cell: dict[str, Any]) -> str:
    if cell["low"] is None:
        return f"{cell['value']:.3f} (no interval)"
    return f"{cell['value']:.3f} ({cell['low']:.3f} to {cell['high']:.3f})"


def _table(metrics: dict[str, Any] | Any) -> str:
    """The result for a person: a line a metric, each with its interval."""
    stages = [stage for stage in ("frozen", "tuned") if stage in metrics]
    lines = [f"{metrics['task']} {metrics['target']}, {count(metrics['test_cases'], 'test case')}"]
    for metric in metrics["metrics"]:
        cells = [metrics[stage][metric["key"]] for stage in stages]
        shown = [f"{stage} {_with_interval(cell)}" for stage, cell in zip(stages, cells, strict=True)]
        unit = f" [{metric['unit']}]" if metric["unit"] else ""
        lines.append(f"  {metric['name']}{unit}, {metric['better']} is better: {'; '.join(shown)}")
    return "\n".join(lines)
