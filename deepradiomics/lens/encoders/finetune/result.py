"""What a fine-tuning reports: metrics.json, and the table frozen against fine-tuned (tableA1.csv)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deepradiomics.cohort.manifest import Manifest
from deepradiomics.cohort.splits import rows_of
from deepradiomics.cohort.synthetic import is_synthetic
from deepradiomics.files.atomic import write_json
from deepradiomics.files.tables import write_csv
from deepradiomics.lens.encoders.finetune.tasks import COLUMNS as TARGET_COLUMNS
from deepradiomics.lens.encoders.finetune.tasks import Task
from deepradiomics.lens.encoders.provenance import early_best

COLUMNS = (
    "task", "metric", "better", "frozen", "tuned", "unit", "frozen_low", "frozen_high", "tuned_low", "tuned_high", "n",
)  # fmt: skip
FEW_TEST_CASES = 10  # below, intervals say little, and a remark points that out


def write_result(
    out: Path,
    task: Task,
    manifest: Manifest,
    stages: Mapping[Any, Mapping[str, Any]],
    *,
    without: Sequence[tuple[str, str]],
    dropped: Sequence[tuple[str, str]],
    known: Mapping[str, Sequence[str]],
    notes: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    """Write metrics.json and tableA1.csv; return what the former holds.

    Args:
        out: the run folder.
        task: what was learned.
        manifest: the cases that were used, with their splits.
        stages: frozen, tuned → ``test`` (metric → value, low, high), best_epoch …; of those that are finished.
        without: (id, reason) of the cases that have no target.
        dropped: (id, reason) of the cases that could not be used.
        known: by earlier stage (pretraining …) the cases that the encoder had been trained on.
        notes: by case, what was assumed on reading and preparing it.
    """
    test = {row.id for row in manifest.rows if row.split == "test"}
    described = {
        stage: {**record["test"], **{key: value for key, value in record.items() if key != "test"}}
        for stage, record in stages.items()
    }
    metrics: dict[str, Any] = {
        "task": task.kind,
        "target": task.target,
        "metric": task.metrics[0].key,
        "metrics": [vars(metric) for metric in task.metrics],
        **described,
        "test_cases": len(test),
        "splits": {split: len(rows_of(manifest.rows, split)) for split in ("train", "validation", "test")},
        "without_target": len(without),
        "dropped": [{"id": case, "reason": reason} for case, reason in (*without, *dropped)],
        "seen_before": {
            stage: {"cases": len(cases), "test_cases": len(test & set(cases))} for stage, cases in known.items()
        },
        "synthetic": is_synthetic(manifest),
        "notes": {case: list(texts) for case, texts in notes.items()},
        "warnings": [
            *_left_out(task, len(manifest), len(without), len(dropped)),
            *_hardly_trained(stages),
            *_remarks(test, known),
        ],
    }
    write_json(out / "metrics.json", metrics)
    write_table(out / "tableA1.csv", task, {stage: record["test"] for stage, record in stages.items()}, len(test))
    return metrics


def write_table(
    path: str | Path, task: Task, scores: Mapping[str, Mapping[str, Mapping[str, float | None]]], n: int
) -> Path:
    """Write ``tableA1.csv``: one line per metric; a cell is empty where its stage was not trained or has no interval.

    Args:
        path: the file.
        task: its name and metrics.
        scores: stage → metric → value and the limits of its 95 % interval, low and high.
        n: test cases.
    """
    path = Path(path)
    name = f"{task.kind} {task.target}"
    rows = []
    for metric in task.metrics:
        stages = [scores.get(stage, {}).get(metric.key, {}) for stage in ("frozen", "tuned")]
        values = [_cell(score.get("value")) for score in stages]
        limits = [_cell(score.get(limit)) for score in stages for limit in ("low", "high")]
        rows.append([name, metric.name, metric.better, *values, metric.unit, *limits, n])
    return write_csv(path, COLUMNS, rows)


def _cell(number: float | None) -> str:
    return "" if number is None else f"{number:.6g}"


def _left_out(task: Task, used: int, without: int, dropped: int) -> list[str]:
    """In one line how many cases have no target, and why that is so."""
    if not without:
        return []
    column, total = f"{TARGET_COLUMNS[task.kind]}_{task.target}", used + without + dropped
    why = (
        f"no {task.target} was drawn, and whether they have none is unknown"
        if task.kind == "segment"
        else "it is empty"
    )
    verb = "has" if without == 1 else "have"
    return [f"{without} of {total} cases {verb} nothing in the column {column} and were left out: {why}."]


def _hardly_trained(stages: Mapping[Any, Mapping[str, Any]]) -> list[str]:
    remarks = []
    for stage, record in stages.items():
        remark = early_best(record["best_epoch"], record["epochs"])
        if remark and stage == "tuned":
            remarks.append(f"tuned: {remark} fine-tuning hardly changed it.")
        elif remark:
            remark = remark.replace("the encoder kept", "the head kept", 1)
            remarks.append(f"{stage}: {remark} it learned little from this encoder.")
    return remarks


def _remarks(test: set[str], known: Mapping[str, Sequence[str]]) -> list[str]:
    remarks = []
    for stage, cases in known.items():
        verb = "pre-trained" if stage == "pretraining" else "fine-tuned before"
        count = len(test & set(cases))
        if count:
            remarks.append(
                f"The encoder was {verb} on images of {count} of the {len(test)} test cases: what it does with new "
                "patients may be worse (leakage)."
            )
    if len(test) < FEW_TEST_CASES:
        remarks.append(f"There are only {len(test)} test cases: the numbers say little, see their intervals.")
    return remarks
