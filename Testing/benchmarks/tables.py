"""The rows of the speed table: seconds, ratio to PyRadiomics in the same run, memory, and whether the goal is met."""

import csv
from pathlib import Path
from typing import Any

from Testing.benchmarks.engine.workloads import Workload

SPEED_COLUMNS = (
    "workload", "title", "program", "on", "seconds", "runs", "first_call_s", "times_faster", "peak_mb",
    "device_peak_mb", "values", "goal", "met", "problem",
)  # fmt: skip


def speed_row(
    workload: Workload, program: str, on: str, found: dict[str, Any], theirs: dict[str, Any], divisor: int = 1
) -> dict[str, Any]:
    """Return one row; ``divisor`` exams were done in one go."""
    seconds = found["median_s"] / divisor if "median_s" in found else None
    ratio = theirs["median_s"] / seconds if seconds and "median_s" in theirs else None
    goal, met = judged(workload, program, on, seconds, ratio, found.get("peak_mb"))
    return {
        "workload": workload.name,
        "title": workload.title,
        "program": program,
        "on": on,
        "seconds": None if seconds is None else float(f"{seconds:.4g}"),
        "runs": found.get("runs"),
        "first_call_s": None if "first_s" not in found else round(found["first_s"], 3),
        "times_faster": None if ratio is None or program == "PyRadiomics" else float(f"{ratio:.3g}"),
        "peak_mb": None if found.get("peak_mb") is None else round(found["peak_mb"]),
        "device_peak_mb": None if found.get("device_peak_mb") is None else round(found["device_peak_mb"]),
        "values": found.get("values"),
        "goal": goal,
        "met": met,
        "problem": found.get("problem", ""),
    }


def judged(
    workload: Workload, program: str, on: str, seconds: float | None, ratio: float | None, peak: float | None
) -> tuple[str, str]:
    """Return the goal in words and ``yes``, ``no`` or nothing; only ours has goals, on all cores or the GPU."""
    if program != "DeepRadiomics":
        return "", ""
    gpu = on == "GPU"
    times = workload.goal_gpu if gpu else workload.goal_cpu
    within = workload.goal_seconds_gpu if gpu else workload.goal_seconds_cpu
    goals, met = [], []
    if times is not None:
        goals.append(f">= {times:g} x")
        met.append(ratio is not None and ratio >= times)
    if within is not None:
        goals.append(f"<= {within:g} s")
        met.append(seconds is not None and seconds <= within)
    if workload.goal_peak_mb is not None and not gpu:
        goals.append(f"<= {workload.goal_peak_mb:g} MB")
        met.append(peak is not None and peak <= workload.goal_peak_mb)
    return ", ".join(goals), "" if not goals else "yes" if all(met) else "no"


def write_csv(path: Path, rows: list[dict[str, Any]], columns: tuple[str, ...] | None = None) -> None:
    """Write rows, with the columns of the first unless they are given."""
    names = list(columns or dict.fromkeys(key for row in rows for key in row))
    with open(path, "w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
