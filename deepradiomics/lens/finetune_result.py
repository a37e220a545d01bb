"""What a fine-tuning reports: metrics.json, and the table frozen against fine-tuned (tableA1.csv)."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deepradiomics.cohort.manifest import Manifest
from deepradiomics.cohort.synthetic import is_synthetic
from deepradiomics.files import atomic_file, write_json
from deepradiomics.lens.finetune_tasks import Task
from deepradiomics.lens.splits import rows_of

COLUMNS = ("task", "metric", "better", "frozen", "tuned", "unit")
FEW_TEST_CASES = 10  # below, intervals say little and a remark says so


def write_result(
    out: Path,
    task: Task,
    manifest: Manifest,
    stages: Mapping[Any, Mapping[str, Any]],
    *,
    dropped: Sequence[tuple[str, str]],
    seen: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    """Write metrics.json and tableA1.csv; return what the former holds.

    Args:
        out: the run folder.
        task: what was learned.
        manifest: the cases that were used, with their splits.
        stages: frozen, tuned → ``test`` (metric → value, low, high), best_epoch …; of those that are finished.
        dropped: (id, reason) of the cases that were not used.
        seen: by earlier stage (pretraining …) the cases that the encoder had been trained on.
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
        "dropped": [{"id": case, "reason": reason} for case, reason in dropped],
        "seen_before": {
            stage: {"cases": len(cases), "test_cases": len(test & set(cases))} for stage, cases in seen.items()
        },
        "synthetic": is_synthetic(manifest),
        "warnings": _remarks(test, seen),
    }
    write_json(out / "metrics.json", metrics)
    write_table(out / "tableA1.csv", task, {stage: record["test"] for stage, record in stages.items()})
    return metrics


def write_table(path: str | Path, task: Task, scores: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Path:
    """Write ``tableA1.csv``: a line a metric; a cell is empty where its stage was not trained."""
    path = Path(path)
    name = f"{task.kind} {task.target}"
    with atomic_file(path) as part, part.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(COLUMNS)
        for metric in task.metrics:
            cells = [
                f"{scores[stage][metric.key]['value']:.6g}" if stage in scores else "" for stage in ("frozen", "tuned")
            ]
            table.writerow([name, metric.name, metric.better, *cells, metric.unit])
    return path


def _remarks(test: set[str], seen: Mapping[str, Sequence[str]]) -> list[str]:
    remarks = []
    for stage, cases in seen.items():
        verb = "pre-trained" if stage == "pretraining" else "fine-tuned before"
        known = len(test & set(cases))
        if known:
            remarks.append(
                f"The encoder was {verb} on images of {known} of the {len(test)} test cases: what it does with new "
                "patients may be worse (leakage)."
            )
    if len(test) < FEW_TEST_CASES:
        remarks.append(f"There are only {len(test)} test cases: the numbers say little, see their intervals.")
    return remarks
