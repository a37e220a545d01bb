"""The lens's bench runs, compares like with like, and writes its table."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

BENCH = Path(__file__).with_name("bench_lens.py")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bench")
    command = [sys.executable, str(BENCH), "--quick", "--rounds", "1", "--epochs", "3", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return out


def test_every_job_has_ours_first_and_the_plain_way_beside_it(written: Path):
    with open(written / "lens_speed.csv", encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    jobs = {row["job"].split(":")[0] for row in rows}
    assert jobs == {"sweep", "heads", "intervals", "encode"}
    for job in jobs:
        mine = [row for row in rows if row["job"].startswith(job)]
        assert len(mine) >= 2
        assert float(mine[0]["times_faster"]) > 0
    assert all(float(row["seconds"]) > 0 for row in rows)
    assert {row["goal"] for row in rows} >= {">= 1.3 x", "<= 5 s", "<= 60 s"}


def test_both_ways_give_the_same_answer(written: Path):
    rows = json.loads((written / "lens_speed.json").read_text(encoding="utf-8"))["lens_speed"]
    found = {row["job"].split(":")[0]: row["difference"] for row in rows if "difference" in row}
    assert found["sweep"] < 1e-4
    assert found["heads"] < 1e-8
    assert found["encode"] < 1e-4


def test_the_table_says_how_it_was_made(written: Path):
    about = json.loads((written / "lens_speed.json").read_text(encoding="utf-8"))
    assert about["command"] == "python Testing/benchmarks/bench_lens.py --epochs 3 --rounds 1 --seed 0 --quick"
    assert about["machine"]["cores"] >= 1
    assert about["seed"] == 0
    assert about["date"].startswith("20")
