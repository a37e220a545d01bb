"""The haemorrhage bench runs, compares like with like, and writes its table."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("xgboost")

from Testing.benchmarks import bench_ich


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bench")
    options = ["--quick", "--jobs", "nmf,memory,cells", "--iterations", "20", "--workers", "1", "--out", str(out)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["bench_ich.py", *options])
        bench_ich.main()
    return out


def test_every_job_is_there_with_its_goal(written: Path):
    with open(written / "ich_speed.csv", encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["job"].split(":")[0] for row in rows} == {"nmf", "memory", "cells"}
    assert all(float(row["seconds"]) > 0 for row in rows)
    assert {row["goal"] for row in rows} >= {">= 3 x", "<= 24000 MB", "<= 90 minutes on 2 cores"}
    assert rows[0]["program"] == "HALS"
    assert rows[1]["program"] == "scikit-learn NMF"


def test_both_programs_reach_the_same_objective_and_the_table_says_how_it_was_made(written: Path):
    about = json.loads((written / "ich_speed.json").read_text(encoding="utf-8"))
    compared = [row for row in about["ich_speed"] if "difference" in row]
    assert len(compared) == 2
    assert all(row["difference"] <= 0.01 for row in compared)
    assert "--iterations 20" in about["command"]
    assert "SYNTHETIC" in about["load"]


def test_a_later_run_of_one_job_keeps_the_rows_of_the_others(tmp_path: Path):
    def run(jobs: str, seconds: float) -> list[str]:
        arguments = argparse.Namespace(out=tmp_path, jobs=jobs, iterations="2", rounds=1, seed=0, quick=True)
        rows = [bench_ich.line(f"{job}: x", "p", "cpu", seconds, 1, "n", 1) for job in jobs.split(",")]
        bench_ich.save(arguments, rows, 1.0)
        kept = json.loads((tmp_path / "ich_speed.json").read_text(encoding="utf-8"))["ich_speed"]
        return [f"{row['job']} {row['seconds']:g}" for row in kept]

    assert run("nmf,cells", 5.0) == ["nmf: x 5", "cells: x 5"]
    assert run("case,cells", 7.0) == ["nmf: x 5", "case: x 7", "cells: x 7"]
