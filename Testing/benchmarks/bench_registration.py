"""How far and how fast: both registration backends on known affines of lung, knee and brain.

    python Testing/benchmarks/bench_registration.py --data DIR [--device cuda] [--affines 20] [--out docs/results]

The peer is SimpleITK itself (the "cpu" backend); the lower control lays the image centres on each other and stops.
Writes registration.csv (a row for each anatomy and method) and registration.json (also every single run).
"""

import argparse
import csv
import os
import platform
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

import deepradiomics
from deepradiomics.devices import resolve_device
from deepradiomics.files.atomic import atomic_file, write_json
from deepradiomics.images import Geometry, Volume
from deepradiomics.prepare import AffineTransform, register, resample
from Testing.benchmarks.known_affines import ANATOMIES, RANGE_TEXT, Problem, make_problem, synthetic_anatomy

COLUMNS = (
    "anatomy", "size", "landmarks", "method", "affines", "error_before", "error_mean", "error_median", "error_max",
    "within_1_voxel", "seconds_median", "seconds_max",
)  # fmt: skip


def main() -> None:
    """Run, print the table, write the files."""
    arguments = parse()
    methods: list[tuple[str, Any, Any]] = [("centres only", None, None)]
    for backend in arguments.backends.split(","):
        engine = "SimpleITK" if backend == "cpu" else f"torch on {resolve_device(arguments.device)}"
        methods += [(f"{engine} {metric}", backend, metric) for metric in arguments.metrics.split(",")]
    if any(backend == "gpu" for _, backend, _ in methods):
        warm_up(arguments.device)

    rows, runs = [], []
    for anatomy, (fixed, landmarks) in load(arguments.data, arguments.anatomies).items():
        found: dict[str, list[dict[str, Any]]] = {name: [] for name, _, _ in methods}
        for number in range(arguments.affines):
            problem = make_problem(fixed, landmarks, arguments.seed + number)
            for name, backend, metric in methods:
                run = measure(problem, backend, metric, arguments)
                run.update(anatomy=anatomy, method=name, affine=number)
                found[name].append(run)
                runs.append(run)
                print(
                    f"  {anatomy} {number:2d} {name:20s} {run['error']:6.2f} voxels {run['seconds']:6.2f} s", flush=True
                )
        rows += [summarise(anatomy, fixed, landmarks, name, found[name]) for name, _, _ in methods]

    speed = grid_times(arguments)
    print_table(rows)
    for line in speed:
        print(f"{line['grid_zyx']} {line['backend']}: {line['seconds']:.2f} s")
    save(arguments, rows, runs, speed)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    environment = os.environ.get("DEEPRADIOMICS_TEST_DATA")
    parser.add_argument("--data", type=Path, default=Path(environment) if environment else None,
                        help="folder of the real test images; without it only the synthetic body is used")  # fmt: skip
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    parser.add_argument("--device", default="auto", help="of the gpu backend: auto, cpu, cuda, mps")
    parser.add_argument("--affines", type=int, default=20)
    parser.add_argument("--anatomies", default="lung,knee,brain,synthetic")
    parser.add_argument("--backends", default="cpu,gpu")
    parser.add_argument("--metrics", default="mi")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def load(data: Path | None, wanted: str) -> dict[str, tuple[Volume, np.ndarray]]:
    """Return the images that are there, with their landmarks."""
    images = {}
    for name in wanted.split(","):
        if name == "synthetic":
            images[name] = synthetic_anatomy()
        elif data is None:
            print(f"{name}: skipped, no --data")
        else:
            images[name] = ANATOMIES[name](data)
    return images


def warm_up(device: str) -> None:
    """The first call to a GPU pays for its start; that is not registration."""
    problem = make_problem(*synthetic_anatomy((24, 24, 12)), 0)
    register(problem.fixed, problem.moving, backend="gpu", device=device)


def measure(problem: Problem, backend: Any, metric: Any, arguments: argparse.Namespace) -> dict[str, Any]:
    """One registration: error of the landmarks before and after, and wall time."""
    before = problem.error_voxels(AffineTransform.identity())
    if backend is None:
        begun = time.perf_counter()
        offset = np.array(problem.moving.geometry.centre_mm) - np.array(problem.fixed.geometry.centre_mm)
        transform, value = AffineTransform.translation(offset), None
        seconds = time.perf_counter() - begun
    else:
        result = register(
            problem.fixed, problem.moving, backend=backend, metric=metric, seed=arguments.seed, device=arguments.device
        )
        transform, value, seconds = result.transform, result.metric_value, result.seconds
    error = problem.error_voxels(transform)
    return {"error_before": before, "error": error, "seconds": seconds, "metric_value": value}


def summarise(anatomy: str, fixed: Volume, landmarks: np.ndarray, method: str, runs: list[dict[str, Any]]) -> dict:
    """One row of the table."""
    errors = np.array([run["error"] for run in runs])
    seconds = np.array([run["seconds"] for run in runs])
    return {
        "anatomy": anatomy,
        "size": "x".join(map(str, fixed.geometry.size)),
        "landmarks": len(landmarks),
        "method": method,
        "affines": len(runs),
        "error_before": round(float(np.mean([run["error_before"] for run in runs])), 3),
        "error_mean": round(float(errors.mean()), 3),
        "error_median": round(float(np.median(errors)), 3),
        "error_max": round(float(errors.max()), 3),
        "within_1_voxel": int((errors < 1).sum()),
        "seconds_median": round(float(np.median(seconds)), 3),
        "seconds_max": round(float(seconds.max()), 3),
    }


def grid_times(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Median time of five registrations between images of the paper's grid and of the tiny preset's."""
    fixed, landmarks = synthetic_anatomy((128, 128, 32))
    lines = []
    for shape in ((32, 128, 128), (16, 64, 64)):
        for backend in arguments.backends.split(","):
            seconds = []
            for seed in range(5):
                problem = make_problem(fixed, landmarks, seed)
                pair = [on_grid(image, shape) for image in (problem.fixed, problem.moving)]
                seconds.append(register(*pair, backend=backend, device=arguments.device).seconds)
            lines.append({"grid_zyx": list(shape), "backend": backend, "seconds": float(np.median(seconds))})
    return lines


def on_grid(volume: Volume, shape_zyx: tuple[int, int, int]) -> Volume:
    """The image with another number of voxels over the same extent."""
    grid: Geometry = volume.geometry.resized(shape_zyx[::-1])
    return resample(volume, grid)


def print_table(rows: list[dict[str, Any]]) -> None:
    """Columns aligned for reading."""
    widths = {c: max(len(c), *(len(str(row[c])) for row in rows)) for c in COLUMNS}
    print("  ".join(c.ljust(widths[c]) for c in COLUMNS))
    for row in rows:
        print("  ".join(str(row[c]).ljust(widths[c]) for c in COLUMNS))


def machine(device: str, backends: str) -> dict[str, Any]:
    """What the times were measured on."""
    import SimpleITK as sitk

    described: dict[str, Any] = {
        "system": platform.system(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "SimpleITK": sitk.Version.VersionString(),
        "deepradiomics": deepradiomics.__version__,
    }
    if "gpu" in backends:
        import torch

        name = resolve_device(device)
        described.update(torch=torch.__version__, torch_threads=torch.get_num_threads(), device=name)
        if name.startswith("cuda"):
            described["gpu"] = torch.cuda.get_device_name()
    return described


def processor() -> str:
    """Name of the CPU, as far as the system tells."""
    if Path("/proc/cpuinfo").is_file():
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def save(arguments: argparse.Namespace, rows: list[dict], runs: list[dict], speed: list[dict]) -> None:
    """Write registration.csv and registration.json."""
    command = ["python", "Testing/benchmarks/bench_registration.py", "--data", "DIR"]
    for name in ("device", "affines", "anatomies", "backends", "metrics", "seed"):
        command += [f"--{name}", str(getattr(arguments, name))]
    with (
        atomic_file(arguments.out / "registration.csv") as temporary,
        open(temporary, "w", newline="", encoding="utf-8") as stream,
    ):
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    write_json(
        arguments.out / "registration.json",
        {
            "command": " ".join(command),
            "seed": arguments.seed,
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine(arguments.device, arguments.backends),
            "affines": RANGE_TEXT,
            "error": "mean distance of the landmarks from their true place, in voxels of the fixed image",
            "table": rows,
            "seconds_on_method_grids": speed,
            "runs": runs,
        },
    )
    print(f"Wrote {arguments.out / 'registration.csv'} and {arguments.out / 'registration.json'}")


if __name__ == "__main__":
    main()
