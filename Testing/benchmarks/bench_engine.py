"""Time the radiomics engine against PyRadiomics 3.0.1 and its peers, all in one run; tables, JSON and charts.

    DEEPRADIOMICS_TEST_DATA=... python Testing/benchmarks/bench_engine.py [--out docs/results] [--repeats 5]
        [--peers-python PATH] [--peer-limit 150] [--only TEXT] [--quick]

Every program runs in a process of its own. Ratios are of one run on one machine; quote no seconds elsewhere.
PyRadiomics runs with one thread (its C code knows no more), ours with one and with all; where torch sees a CUDA GPU,
ours runs there too, transfers counted. PyRadiomics' longest jobs run once. Without the real images only what makes
sense on synthetic ones is timed; ``--quick`` runs everything on tiny images, to show that it works.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from Testing.benchmarks import inputs  # noqa: E402
from Testing.benchmarks.engine import peers  # noqa: E402
from Testing.benchmarks.engine.workloads import BY_NAME, EXAMS, WITHOUT_DATA, WORKLOADS, Workload  # noqa: E402
from Testing.benchmarks.tables import SPEED_COLUMNS, speed_row, write_csv  # noqa: E402

HERE = Path(__file__).parent / "engine"
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
FIRST_CALLS = ("ct-107", "ct-1130", "patches", "glcm-maps")
THREAD_JOBS = ("ct-1130", "patches", "all-maps")
Row = dict[str, Any]


def main() -> None:
    """Measure, print, write."""
    arguments = parsed()
    start = time.perf_counter()
    base = ["--quick"] if arguments.quick else []
    wanted = [
        w for w in WORKLOADS if arguments.only in w.name and (arguments.quick or has_data() or w.name in WITHOUT_DATA)
    ]
    gpu = has_gpu()
    tables: dict[str, list[Row]] = {"engine_speed": [], "engine_first_call": [], "engine_scaling": []}
    for workload in wanted:
        tables["engine_speed"] += speed(workload, arguments, gpu, base)
    if "first" not in arguments.skip:
        tables["engine_first_call"] = first_calls([w.name for w in wanted if w.name in FIRST_CALLS], base)
    if "scaling" not in arguments.skip:
        tables["engine_scaling"] = scaling(gpu, base) + by_threads([w for w in wanted if w.name in THREAD_JOBS], base)
    took = time.perf_counter() - start
    print(f"{took / 60:.1f} minutes in all")
    if arguments.out:
        write(arguments.out, tables, arguments, took)


def parsed() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="folder for engine_*.csv, engine.json and charts")
    parser.add_argument("--repeats", type=int, default=5, help="timed runs of ours, after the first")
    parser.add_argument("--peers-python", help="Python in which the peers are installed (see peers.py)")
    parser.add_argument("--peer-limit", type=float, default=150, help="seconds that a peer may take, start included")
    parser.add_argument("--only", default="", help="only workloads whose name contains this")
    parser.add_argument("--skip", nargs="*", default=[], choices=("first", "scaling", "charts"))
    parser.add_argument("--quick", action="store_true", help="tiny images, one run")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.repeats = 1
    return arguments


def speed(workload: Workload, arguments: argparse.Namespace, gpu: bool, base: list[str]) -> list[Row]:
    """Rows of one workload: PyRadiomics, ours with one and all threads, ours on a GPU, peers."""
    rows: list[Row] = []
    name = workload.name
    repeats = min(workload.repeats, arguments.repeats)
    single = BY_NAME["patches"] if name == "patches-64" else workload
    theirs = child("pyradiomics", single.name, 1, repeats, base) if name != "all-maps" else {"problem": "not run"}
    per = EXAMS if name == "patches-64" else 1

    def add(who: str, on: str, found: Row) -> None:
        divisor = per if who == "DeepRadiomics" else 1
        rows.append(speed_row(workload, who, on, found, theirs, divisor))
        print(", ".join(f"{k} {v}" for k, v in rows[-1].items() if k != "title" and v not in (None, "")), flush=True)

    add("PyRadiomics", "1 thread", theirs)
    if name != "patches-64":
        for threads in dict.fromkeys((1, CORES)):
            label = f"{threads} thread{'s' * (threads > 1)}"
            add("DeepRadiomics", label, child("ours", name, threads, arguments.repeats, base))
    if gpu:
        add("DeepRadiomics", "GPU", child("cuda", name, CORES, arguments.repeats, base))
    for who, (title, _) in peers.PEERS.items():
        if name in peers.SUPPORTED[who]:
            add(title, "1 thread", peer(who, name, arguments, base))
    return rows


def first_calls(names: list[str], base: list[str]) -> list[Row]:
    """First call of a new process: kernels compiled (empty cache), and loaded (cache filled)."""
    rows = []
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            cold = child("ours", name, 1, 0, base, {"NUMBA_CACHE_DIR": folder})
            warm = child("ours", name, 1, 1, base, {"NUMBA_CACHE_DIR": folder})
        row = {
            "workload": name,
            "first_call_compiling_s": rounded(cold.get("first_s")),
            "first_call_cached_s": rounded(warm.get("first_s")),
            "later_call_s": rounded(warm.get("median_s")),
            "problem": cold.get("problem") or warm.get("problem") or "",
        }
        rows.append(row)
        print(row, flush=True)
    return rows


def scaling(gpu: bool, base: list[str]) -> list[Row]:
    """Seconds by voxels, grey levels and patches."""
    from Testing.benchmarks.engine.scaling import SERIES

    rows = []
    for series in SERIES:
        runs = [("pyradiomics", 1), ("ours", 1), ("ours", CORES)] + ([("cuda", CORES)] if gpu else [])
        for who, threads in dict.fromkeys(runs):
            command = [sys.executable, str(HERE / "scaling.py"), "--who", who, "--series", series]
            lines, problem = output([*command, "--threads", str(threads), *base], None, 900)
            points = [json.loads(line) for line in lines if line.startswith("{")]
            rows += [{"series": series, "who": who, "threads": threads, **point, "problem": ""} for point in points]
            if problem:
                rows.append({"series": series, "who": who, "threads": threads, "problem": problem})
            print(series, who, threads, [(p["x"], round(p["seconds"], 4)) for p in points], problem, flush=True)
    return rows


def by_threads(workloads: list[Workload], base: list[str]) -> list[Row]:
    """Seconds of ours by number of threads."""
    counts = sorted({1, CORES, *(2**k for k in range(1, 6) if 2**k < CORES)})
    rows = []
    for workload in workloads:
        for threads in counts:
            found = child("ours", workload.name, threads, 1 if workload.name == "all-maps" else 3, base)
            rows.append({
                "series": f"threads, {workload.name}", "who": "ours", "threads": threads, "x": threads,
                "seconds": found.get("fastest_s"), "peak_mb": found.get("peak_mb"), "problem": found.get("problem", ""),
            })  # fmt: skip
            print({k: v for k, v in rows[-1].items() if v not in ("", None)}, flush=True)
    return rows


def child(
    who: str, name: str, threads: int, repeats: int, base: list[str], environment: dict[str, str] | None = None
) -> Row:
    """Measure in a process of its own."""
    command = [sys.executable, str(HERE / "child.py"), "--who", who, "--workload", name, "--threads", str(threads)]
    return last_json(*output([*command, "--repeats", str(repeats), *base], environment, 900))


def peer(who: str, name: str, arguments: argparse.Namespace, base: list[str]) -> Row:
    """Measure another package in its own Python."""
    if not arguments.peers_python:
        return {"problem": "not installed"}
    module = peers.PEERS[who][1]
    if output([arguments.peers_python, "-W", "ignore", "-c", f"import {module}"], None, 120)[1]:
        return {"problem": "not installed"}
    command = [arguments.peers_python, str(HERE / "peers.py"), "--who", who, "--workload", name, *base]
    lines, problem = output(command, None, arguments.peer_limit)
    done = any(line.startswith("{") for line in lines)  # one run ended in time, if not two
    return last_json(lines, "" if done and "did not finish" in problem else problem)


def output(command: list[str], environment: dict[str, str] | None, limit_s: float) -> tuple[list[str], str]:
    """Run a command; return its lines and what went wrong, if anything."""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=limit_s,
            env={**os.environ, **(environment or {})},
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        text = error.stdout.decode() if isinstance(error.stdout, bytes) else error.stdout or ""
        return text.splitlines(), f"did not finish in {limit_s:g} s"
    said = done.stderr.strip().splitlines() or [f"ended with code {done.returncode} and no message"]
    if done.returncode < 0:
        said = [f"killed by signal {-done.returncode}" + " (out of memory?)" * (done.returncode == -9)]
    return done.stdout.splitlines(), "" if done.returncode == 0 else said[-1][:200]


def last_json(lines: list[str], problem: str) -> Row:
    """The child's result, or the problem."""
    found = [line for line in lines if line.startswith("{")]
    return json.loads(found[-1]) if found and not problem else {"problem": problem or "no result"}


def rounded(value: float | None) -> float | None:
    """Three digits of milliseconds."""
    return None if value is None else round(value, 4)


def has_data() -> bool:
    """Tell whether the real images are there."""
    return inputs.data() is not None


def has_gpu() -> bool:
    """Tell whether torch sees a CUDA GPU."""
    return gpu_name() != ""


def gpu_name() -> str:
    """The GPU's name, or nothing; asked in a process of its own, which keeps torch out of this one."""
    code = "import torch; print(torch.cuda.get_device_name() if torch.cuda.is_available() else '')"
    lines, problem = output([sys.executable, "-W", "ignore", "-c", code], None, 120)
    return lines[-1] if lines and not problem else ""


def write(folder: Path, tables: dict[str, list[Row]], arguments: argparse.Namespace, took: float) -> None:
    """Write the tables, JSON with command, machine and date, and the charts."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = {"engine_speed": SPEED_COLUMNS}
    for name, rows in tables.items():
        if rows:
            write_csv(folder / f"{name}.csv", rows, columns.get(name))
    document = {
        "command": "python Testing/benchmarks/bench_engine.py --out docs/results"
        + f" --repeats {arguments.repeats}{' --peers-python PATH' * bool(arguments.peers_python)}"
        + " --quick" * arguments.quick,
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.system()} {platform.machine()}, {CORES} cores" + f", {gpu_name()}".rstrip(", "),
        "load_average_at_end": list(os.getloadavg()) if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("numpy", "scipy", "SimpleITK", "numba", "torch", "pyradiomics")},
        "minutes": round(took / 60, 1),
        "note": "medians of one run; each program in a process of its own; peak memory of the whole process, "
        "libraries and inputs included",
        **tables,
    }  # fmt: skip
    (folder / "engine.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8", newline="\n")
    if "charts" not in arguments.skip:
        from Testing.benchmarks.charts import draw

        draw(folder)


if __name__ == "__main__":
    main()
