"""How long `deepradiomics extract --manifest` takes to find a finished cohort again, against computing it.

    python Testing/benchmarks/bench_resume.py --cases 2000 --out docs/results

Noise images (z, y, x) with a block as region, all features of the original image. The command runs three times on each
cohort: to compile its kernels on five cases, to compute, to resume. CPU time is that of the whole command, its start
included, and depends little on what else the machine does; the column load is its load average at the end. Python may
keep its bytecode, as it does where the package is installed. The resumed table must be the computed one, to the byte.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from deepradiomics.files.tables import write_csv
from deepradiomics.images import Geometry, Mask, Volume, write_mask, write_volume

SHAPES = ((8, 16, 16), (16, 32, 32), (24, 48, 48))
GOAL = 0.1
COLUMNS = (
    "cases", "shape_zyx", "roi_voxels", "compute_cpu_s", "resume_cpu_s", "cpu_ratio", "compute_wall_s", "resume_wall_s",
    "goal", "met", "load", "command", "machine", "date",
)  # fmt: skip


def main() -> None:
    """Measure, write and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--out", type=Path, required=True, help="folder of resume.csv")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = [measured(Path(folder), arguments.cases, shape) for shape in SHAPES]
    write_csv(arguments.out / "resume.csv", COLUMNS, rows)
    for row in rows:
        print(f"{row['shape_zyx']}: {row['resume_cpu_s']} of {row['compute_cpu_s']} s, {row['cpu_ratio']:.3f}")


def measured(folder: Path, cases: int, shape: tuple[int, int, int]) -> dict[str, Any]:
    """One row of the table."""
    name = "x".join(map(str, shape))
    manifest, roi_voxels = write_cohort(folder / name, cases, shape)
    few, _ = write_cohort(folder / f"{name}-few", 5, shape)
    run(few)
    compute_cpu_s, compute_wall_s = run(manifest)
    table = (manifest.parent / "features.csv").read_bytes()
    resume_cpu_s, resume_wall_s = run(manifest)
    if (manifest.parent / "features.csv").read_bytes() != table:
        raise SystemExit(f"{name}: the resumed table is another")
    ratio = resume_cpu_s / compute_cpu_s
    return {
        "cases": cases, "shape_zyx": name, "roi_voxels": roi_voxels,
        "compute_cpu_s": round(compute_cpu_s, 2), "resume_cpu_s": round(resume_cpu_s, 2), "cpu_ratio": round(ratio, 4),
        "compute_wall_s": round(compute_wall_s, 2), "resume_wall_s": round(resume_wall_s, 2),
        "goal": GOAL, "met": "yes" if ratio < GOAL else "no",
        "load": round(os.getloadavg()[0], 1),
        "command": f"python Testing/benchmarks/bench_resume.py --cases {cases}",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "date": datetime.now(UTC).date().isoformat(),
    }  # fmt: skip


def write_cohort(folder: Path, cases: int, shape: tuple[int, int, int]) -> tuple[Path, int]:
    """Images, masks and their manifest; the number of voxels of a region."""
    folder.mkdir(parents=True)
    generator = np.random.default_rng(0)
    grid = Geometry(shape[::-1])
    region = np.zeros(shape, np.uint8)
    region[tuple(slice(size // 4, size - size // 4) for size in shape)] = 1
    rows = []
    for number in range(cases):
        image, mask = folder / f"{number}.nii", folder / f"{number}_mask.nii"
        write_volume(Volume(generator.normal(100, 100, shape).astype(np.float32), grid), image)
        write_mask(Mask(region, grid), mask)
        rows.append((f"case{number}", image.name, mask.name))
    return write_csv(folder / "manifest.csv", ("id", "image", "mask"), rows), int(region.sum())


def run(manifest: Path) -> tuple[float, float]:
    """CPU and wall seconds of the command."""
    words = [sys.executable, "-m", "deepradiomics", "extract", "--manifest", str(manifest)]
    words += ["-o", str(manifest.parent / "features.csv")]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(words, check=True, capture_output=True, env=environment)
    after, wall_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - start
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall_s


if __name__ == "__main__":
    main()
