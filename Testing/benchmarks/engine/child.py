"""Measure one workload in this process alone: first call, later calls, peak memory. Started by ``bench_engine.py``.

    python Testing/benchmarks/engine/child.py --who ours|pyradiomics|cuda --workload ct-107 [--threads 1] [--repeats 3]

Prints one line of JSON. A process of its own keeps imports, caches and memory of the programs apart.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--who", choices=("ours", "cuda", "pyradiomics"), required=True)
    parser.add_argument("--workload", required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    limit_threads(arguments.threads)
    from Testing.benchmarks.engine import workloads

    if arguments.who == "pyradiomics":
        job = workloads.pyradiomics(arguments.workload, arguments.quick)
    else:
        device = "cuda" if arguments.who == "cuda" else "cpu"
        job = workloads.ours(arguments.workload, device, arguments.threads, arguments.quick)
    print(json.dumps(measured(job, arguments.repeats)))


def limit_threads(threads: int) -> None:
    """Let no library use more threads; call it before numpy is imported."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS",
                     "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", "DEEPRADIOMICS_THREADS"):  # fmt: skip
        os.environ[variable] = str(threads)
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)


def measured(job: Callable[[], int], repeats: int) -> dict[str, object]:
    """Time a job: the first call, then ``repeats`` more; CPU time is that of all threads together."""
    base = peak_mb()
    times, busy = [], []
    values = 0
    for _ in range(repeats + 1):
        start, cpu = time.perf_counter(), time.process_time()
        values = job()
        times.append(time.perf_counter() - start)
        busy.append(time.process_time() - cpu)
    later = sorted(times[1:]) or times
    return {
        "first_s": times[0], "median_s": median(later), "median_cpu_s": median(busy[1:] or busy), "runs": len(later),
        "fastest_s": later[0], "slowest_s": later[-1],
        "base_mb": base, "peak_mb": peak_mb(), "device_peak_mb": device_peak_mb(), "values": values,
    }  # fmt: skip


def peak_mb() -> float | None:
    """Peak resident memory of this process; None on Windows, which does not tell it."""
    status = Path("/proc/self/status")
    if status.is_file():  # Linux counts what the parent held at the fork into ru_maxrss, but not into this
        lines = dict(line.split(":", 1) for line in status.read_text(encoding="utf-8").splitlines() if ":" in line)
        return int(lines["VmHWM"].split()[0]) / 1e3
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3


def device_peak_mb() -> float | None:
    """Peak memory that torch took on the GPU; None without one."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return None
    return torch.cuda.max_memory_allocated() / 1e6


if __name__ == "__main__":
    main()
