"""Wall and CPU time of the engine and of PyRadiomics 3.0.1, in one run: docs/results/engine_cpu.csv and .json.

    DEEPRADIOMICS_TEST_DATA=... python Testing/benchmarks/bench_cpu.py --out docs/results [--only TEXT] [--quick]

CPU time is what all threads of a program used together: two threads that halve the wall time gain nothing there, and a
machine that is busy with other things lengthens the wall time alone. Voxel-wise GLCM maps are timed against PyRadiomics
with ``voxelBatch: 100``; its default, all voxels in one batch, takes two minutes on one core (``engine_speed.csv``).
"""

import argparse
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from deepradiomics.files.atomic import write_json
from Testing.benchmarks.bench_engine import CORES, Row, child
from Testing.benchmarks.engine.workloads import BY_NAME
from Testing.benchmarks.tables import write_csv

JOBS = ("ct-107", "ct-1130", "ct-ich-1688", "patches", "glcm-maps-batched")
OURS = "DeepRadiomics"


def main() -> None:
    """Measure, write and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--repeats", type=int, default=5, help="timed runs of ours, after the first")
    parser.add_argument("--only", default="", help="only workloads whose name contains this")
    parser.add_argument("--quick", action="store_true", help="tiny images, one run")
    arguments = parser.parse_args()
    rows = [row for name in JOBS if arguments.only in name for row in job_rows(name, arguments)]
    write_csv(arguments.out / "engine_cpu.csv", rows)
    write_json(
        arguments.out / "engine_cpu.json",
        {
            "what": "Seconds of wall and of CPU (all threads); ratios are PyRadiomics' time over ours.",
            "command": f"python Testing/benchmarks/bench_cpu.py --out docs/results --repeats {arguments.repeats}",
            "machine": f"{platform.system()} {platform.machine()}, {CORES} cores, Python {platform.python_version()}",
            "date": datetime.now(UTC).date().isoformat(),
        },
    )


def job_rows(name: str, arguments: argparse.Namespace) -> list[Row]:
    """PyRadiomics, ours with one thread, ours with all."""
    base = ["--quick"] if arguments.quick else []
    repeats = 0 if arguments.quick else BY_NAME[name].repeats
    runs = [("PyRadiomics", 1, child("pyradiomics", name, 1, repeats, base))]
    for threads in dict.fromkeys((1, CORES)):
        runs.append((OURS, threads, child("ours", name, threads, 1 if arguments.quick else arguments.repeats, base)))
    theirs = runs[0][2]
    rows = []
    for program, threads, figures in runs:
        row: Row = {"workload": name, "title": BY_NAME[name].title, "program": program, "threads": threads}
        for column, key in (("wall", "median_s"), ("cpu", "median_cpu_s")):
            ours = figures.get(key)
            row[f"{column}_s"] = ours and float(f"{ours:.4g}")
            ratio = theirs[key] / ours if program == OURS and ours and key in theirs else None
            row[f"{column}_ratio"] = ratio and float(f"{ratio:.3g}")
        rows.append(row | {"runs": figures.get("runs"), "problem": figures.get("problem", "")})
        print(rows[-1], flush=True)
    return rows


if __name__ == "__main__":
    main()
