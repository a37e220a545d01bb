"""The benchmark of reading DICOM runs, compares equal voxels, and its kept table meets the goal."""

import csv
from pathlib import Path

from Testing.benchmarks.bench_dicom import COLUMNS, GOAL, compared, write_series

TABLE = Path(__file__).resolve().parents[2] / "docs/results/dicom_speed.csv"


def test_both_programs_are_timed_on_equal_voxels(tmp_path: Path) -> None:
    write_series(tmp_path, 3, "explicit")
    rows = compared(tmp_path, "explicit", 3, 1)
    assert [row["program"] for row in rows] == ["SimpleITK", "deepradiomics"]
    assert tuple(rows[0]) == COLUMNS
    assert rows[0]["wall_ratio"] == 1
    assert rows[1]["wall_s"] > 0


def test_the_kept_table_meets_the_goal_for_three_hundred_plain_slices() -> None:
    with open(TABLE, newline="", encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["slices"] == "300" and row["goal"]]
    assert {row["series"] for row in rows} == {"explicit", "implicit"}
    assert all(float(row["wall_ratio"]) <= GOAL and float(row["cpu_ratio"]) <= GOAL for row in rows)
