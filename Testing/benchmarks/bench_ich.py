"""Time ICHLatentFeatures: the factorisation beside scikit-learn's, its memory, one patient, all cells of an experiment.

    python Testing/benchmarks/bench_ich.py [--jobs nmf,memory,case,scaling,cells] [--out docs/results]
                                           [--iterations 10,50] [--rounds 1] [--seed 0] [--quick]

nmf      400 x 65,536 -> 128, float32: ours against sklearn.decomposition.NMF (coordinate descent, nndsvda), both to the
         same number of iterations, starts included; `difference` is the relative difference of the objectives. The row
         "to its objective" is our time until our objective is no larger than scikit-learn's. With a CUDA GPU, there too
memory   866 x 294,912 -> 128 as an experiment fits it (dropping, scaling, factorisation), in a process of its own: peak
         memory and seconds an iteration; two iterations are run
case     one patient end to end, given a mask: see bench_ich_case.py
cells    866 + 645 synthetic patients with 128 + 128 + 128 + 14 columns a split: 7 inputs x 6 classifiers x 4 outcomes,
         5 folds and the last fit, thresholds and explanations included, on all cores
scaling  one fold of one outcome of the same, by one worker and by two

Ratios are of one run on one machine; quote no seconds elsewhere. ``--quick``: tiny sizes, to show that it works.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from deepradiomics.files.atomic import atomic_file, read_json, write_json
from Testing.benchmarks.bench_lens import COLUMNS as LENS_COLUMNS
from Testing.benchmarks.bench_lens import CORES, Row, in_turns, line, shown, yes
from Testing.benchmarks.bench_registration import machine
from Testing.benchmarks.tables import write_csv

COLUMNS = (*LENS_COLUMNS, "peak_mb", "measured")
SKLEARN = "scikit-learn NMF"
OURS = "HALS"
CLASSES = {"poor_outcome": 0.4, "expansion_3ml": 0.25, "expansion_6ml": 0.18, "expansion_9ml": 0.14}


def main() -> None:
    """Measure, print, write."""
    arguments = parsed()
    begun = time.perf_counter()
    rows: list[Row] = []
    for name in arguments.jobs.split(","):
        rows += JOBS[name](arguments)
    took = time.perf_counter() - begun
    widths = {c: max(len(c), *(len(shown(row.get(c))) for row in rows)) for c in COLUMNS}
    for row in [dict(zip(COLUMNS, COLUMNS, strict=True)), *rows]:
        print("  ".join(shown(row.get(c)).ljust(widths[c]) for c in COLUMNS))
    print(f"{took / 60:.1f} minutes in all")
    if arguments.out:
        save(arguments, rows, took)


def parsed() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", default=",".join(JOBS), help="some of them, with commas between")
    parser.add_argument("--out", type=Path, help="folder for ich_speed.csv and ich_speed.json")
    parser.add_argument("--iterations", default="10,50", help="of the factorisations compared")
    parser.add_argument("--rounds", type=int, default=1, help="repeats of the factorisations, programs in turns")
    parser.add_argument("--workers", type=int, default=CORES, help="of all cells")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="tiny sizes")
    parser.add_argument("--child-memory", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def table(rows: int, columns: int, seed: int) -> np.ndarray:
    """Like latents: 40 non-negative parts and noise, each column from 0 to 1, float32."""
    generator = np.random.default_rng(seed)
    found = np.empty((rows, columns), np.float32)
    weights = generator.gamma(0.5, size=(rows, 40)).astype(np.float32)
    for start in range(0, columns, 8192):
        width = min(8192, columns - start)
        part = weights @ generator.gamma(0.5, size=(40, width)).astype(np.float32)
        part += generator.random((rows, width), dtype=np.float32) * part.mean()
        found[:, start : start + width] = (part - part.min(axis=0)) / np.ptp(part, axis=0)
    return found


def nmf(arguments: argparse.Namespace) -> list[Row]:
    """Ours and scikit-learn's, to the same number of iterations and to the same objective."""
    import sklearn.decomposition
    import torch

    from deepradiomics.modelling.components.nmf import NMF

    n, p, k = (60, 800, 12) if arguments.quick else (400, 65_536, 128)
    X = table(n, p, arguments.seed)
    objective: dict[str, float] = {}
    rows = []

    def ours(iterations: int, device: str = "cpu") -> Callable[[], None]:
        def run() -> None:
            objective[device] = NMF(k, max_iter=iterations, device=device).fit(X).reconstruction_err_

        return run

    def theirs(iterations: int) -> Callable[[], None]:
        def run() -> None:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="Maximum number of iterations")
                model = sklearn.decomposition.NMF(
                    k, init="nndsvda", max_iter=iterations, random_state=arguments.seed
                ).fit(X)
            objective[SKLEARN] = float(model.reconstruction_err_)

        return run

    ours(1)()  # compiles
    for iterations in map(int, arguments.iterations.split(",")):
        programs = {OURS: ours(iterations), SKLEARN: theirs(iterations)}
        if torch.cuda.is_available():
            programs[f"{OURS} on the GPU"] = ours(iterations, "cuda")
        found = timed(programs, arguments.rounds)
        job = f"nmf: {n} x {p} -> {k}, {iterations} iterations"
        for name, seconds in found.items():
            device = "cuda" if "GPU" in name else "cpu"
            row = line(job, name, device, seconds, arguments.rounds, "iterations", iterations)
            if name != SKLEARN:
                ratio = found[SKLEARN] / seconds
                apart = objective[device] / objective[SKLEARN] - 1.0
                row |= {"times_faster": ratio, "against": SKLEARN, "goal": ">= 3 x, objective within 1 %",
                        "met": yes(ratio >= 3 and apart <= 0.01), "difference": apart}  # fmt: skip
            rows.append(row)
        fewer = 1
        while True:
            begun = time.perf_counter()
            ours(fewer)()
            seconds = time.perf_counter() - begun
            if objective["cpu"] <= objective[SKLEARN] or fewer > 2 * iterations:
                break
            fewer += max(1, iterations // 10)
        row = line(f"{job}: to its objective", OURS, "cpu", seconds, 1, "iterations", fewer)
        ratio = found[SKLEARN] / seconds
        rows.append(row | {"times_faster": ratio, "against": SKLEARN, "goal": ">= 3 x",
                           "met": yes(ratio >= 3 and objective["cpu"] <= objective[SKLEARN]),
                           "difference": objective["cpu"] / objective[SKLEARN] - 1.0})  # fmt: skip
    return rows


def timed(programs: dict[str, Callable[[], None]], rounds: int) -> dict[str, float]:
    """Median seconds; in turns. Nothing is compiled here, and scikit-learn is slow, so that no round goes uncounted."""
    if rounds > 1:
        return in_turns(programs, rounds - 1, "cpu")
    found = {}
    for name, run in programs.items():
        begun = time.perf_counter()
        run()
        found[name] = time.perf_counter() - begun
        print(f"  {name}: {found[name]:.1f} s", flush=True)
    return found


def memory(arguments: argparse.Namespace) -> list[Row]:
    """Peak memory of the largest factorisation, in a process of its own."""
    command = [sys.executable, str(Path(__file__)), "--child-memory", "--seed", str(arguments.seed)]
    done = subprocess.run(command + ["--quick"] * arguments.quick, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout.strip().splitlines()[-1])
    row = line(told["job"], OURS, "cpu", told["seconds"], 1, "iterations", told["iterations"])
    row["peak_mb"] = told["peak_mb"]
    return [row | {"goal": "<= 24000 MB", "met": yes(told["peak_mb"] <= 24_000)}]


def child_memory(quick: bool, seed: int) -> None:
    """Fit as an experiment does and print what it took; the data's own memory is included."""
    import resource

    from deepradiomics.modelling.components.nmf_components import Components

    n, p, k, iterations = (40, 3000, 8, 2) if quick else (866, 294_912, 128, 2)
    X = table(n, p, seed)
    begun = time.perf_counter()
    components = Components.fit(X, None, family="encoder", n_components=k, max_iter=iterations)
    seconds = time.perf_counter() - begun
    components.transform(X[: n // 5])
    unit = 1e6 if sys.platform == "darwin" else 1e3
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    job = f"memory: {n} x {p} -> {k}, {iterations} iterations with start and scaling"
    print(json.dumps({"job": job, "seconds": seconds, "iterations": iterations, "peak_mb": peak}))


def cells(arguments: argparse.Namespace) -> list[Row]:
    """All cells of an experiment on ready components."""
    from deepradiomics.ich.experiment.config import EXPLAINED_INPUT, INPUTS

    config, splits = experiment(arguments)
    inputs = list(INPUTS)
    count = len(inputs) * len(config.classifiers) * len(CLASSES)
    seconds = run(splits, config, inputs, arguments.workers, arguments.seed, EXPLAINED_INPUT)
    patients = len(splits[-1].fold.train)
    job = f"cells: {count} x ({config.folds} folds + last fit), {patients} patients"
    row = line(job, "run_cells", "cpu", seconds, 1, "cells", count * len(splits))
    row["on"] = f"{arguments.workers} workers"
    return [row | {"goal": "<= 90 minutes on 2 cores", "met": yes(seconds <= 5400)}]


def scaling(arguments: argparse.Namespace) -> list[Row]:
    """The cells of one fold of one outcome, by one worker and by two."""
    from deepradiomics.ich.experiment.config import INPUTS

    config, splits = experiment(arguments)
    part = [only(splits[0], next(iter(CLASSES)))]
    count = len(INPUTS) * len(config.classifiers)
    rows: list[Row] = []
    for workers in (1, 2):
        taken = run(part, config, list(INPUTS), workers, arguments.seed, None)
        row = line(f"scaling: one fold of one outcome, {count} cells", "run_cells", "cpu", taken, 1, "cells", count)
        row["on"] = f"{workers} worker{'s' if workers > 1 else ''}"
        if rows:
            row |= {"times_faster": rows[0]["seconds"] / taken, "against": "1 worker"}
        rows.append(row)
    return rows


def experiment(arguments: argparse.Namespace):  # type: ignore[no-untyped-def]
    """The paper's settings (small ones with --quick) and the splits of synthetic patients."""
    from dataclasses import replace

    from deepradiomics.ich.experiment.config import ExperimentConfig

    config = ExperimentConfig.of_preset("paper")
    if arguments.quick:
        few = ("naive-bayes", "extra-trees")
        config = replace(config, trees=5, folds=2, shap_cases=2, background=3, classifiers=few)
    return config, synthetic_splits(config, arguments.seed, arguments.quick)


def run(splits, config, inputs, workers: int, seed: int, explained: str | None) -> float:  # type: ignore[no-untyped-def]
    """Seconds of all cells in a new folder."""
    from deepradiomics.ich.experiment.cells import run_cells
    from deepradiomics.ich.experiment.config import Design

    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        last = [begun]

        def told(fraction: float, message: str) -> None:
            if time.perf_counter() - last[0] > 60:
                last[0] = time.perf_counter()
                print(f"  {fraction:.0%} after {(last[0] - begun) / 60:.0f} minutes: {message}", flush=True)

        design = Design(config, tuple(inputs), seed=seed)
        run_cells(splits, folder, design, explained_input=explained, workers=workers, progress=told)
        return time.perf_counter() - begun


def synthetic_splits(config, seed: int, quick: bool) -> list:  # type: ignore[no-untyped-def,type-arg]
    """Components as they come out of the factorisations, and outcomes that depend a little on some of them."""
    from deepradiomics.ich.experiment.cells import SplitBlocks
    from deepradiomics.modelling.folds import everybody, experiment_folds

    n, external = (60, 20) if quick else (866, 645)
    widths = {"radiomics": 128, "encoder": 128, "autoencoder": 128, "shape": 14}
    generator = np.random.default_rng(seed)
    values, risk = {}, np.zeros(n + external)
    for group, width in widths.items():
        width = min(width, 4) if quick else width
        values[group] = generator.gamma(0.7, size=(n + external, width))
        risk += values[group][:, :3].sum(axis=1) / 3
    risk += generator.normal(size=n + external)
    y = {name: (risk > np.quantile(risk, 1 - share)).astype(float) for name, share in CLASSES.items()}
    known = {name: one[:n] for name, one in y.items()}
    ids = [f"synthetic-{i}" for i in range(n)]
    splits = [
        SplitBlocks(fold, {g: v[fold.train] for g, v in values.items()}, {g: v[fold.test] for g, v in values.items()},
                    {m: one[fold.train] for m, one in known.items()}, {m: one[fold.test] for m, one in known.items()})
        for fold in experiment_folds(ids, ids, known, config.folds, seed)
    ]  # fmt: skip
    later = {name: one[n:] for name, one in y.items()}
    last = SplitBlocks(everybody(n), {g: v[:n] for g, v in values.items()}, {g: v[n:] for g, v in values.items()},
                       known, later)  # fmt: skip
    return [*splits, last]


def only(split, outcome: str):  # type: ignore[no-untyped-def]
    """The split with one of its outcomes."""
    from dataclasses import replace

    return replace(split, y_train={outcome: split.y_train[outcome]}, y_test={outcome: split.y_test[outcome]})


def save(arguments: argparse.Namespace, rows: list[Row], took: float) -> None:
    """Write ich_speed.csv and ich_speed.json; rows of jobs that did not run now stay, with their date."""
    date = datetime.now(UTC).isoformat(timespec="seconds")
    now = arguments.jobs.split(",")
    rows = [row | {"measured": date} for row in rows]
    rows = [row for name in JOBS for row in (rows if name in now else _earlier(arguments.out)) if _job(row) == name]
    rounded = [{c: shown(row.get(c)) for c in COLUMNS} for row in rows]
    arguments.out.mkdir(parents=True, exist_ok=True)
    with atomic_file(arguments.out / "ich_speed.csv") as temporary:
        write_csv(temporary, rounded, COLUMNS)
    options = f"--jobs {arguments.jobs} --iterations {arguments.iterations} --rounds {arguments.rounds}"
    write_json(
        arguments.out / "ich_speed.json",
        {
            "command": f"python Testing/benchmarks/bench_ich.py {options} --seed {arguments.seed}"
            f"{' --quick' if arguments.quick else ''}",
            "seed": arguments.seed,
            "date": date,
            "machine": machine("auto", "gpu") | {"threads": CORES},
            "minutes": round(took / 60, 1),
            "load": "all input is SYNTHETIC; the factorised tables are 40 non-negative parts and noise",
            "times_faster": "seconds of scikit-learn (or one worker) over seconds of ours, in the same run",
            "difference": "our objective over scikit-learn's, minus one: negative is better",
            "ich_speed": rows,
        },
    )
    print(f"Wrote {arguments.out / 'ich_speed.csv'} and {arguments.out / 'ich_speed.json'}")


def _job(row: Row) -> str:
    return str(row["job"]).partition(":")[0].partition(" ")[0].lower()


def _earlier(out: Path) -> list[Row]:
    file = out / "ich_speed.json"
    return list(read_json(file)["ich_speed"]) if file.is_file() else []


def case(arguments: argparse.Namespace) -> list[Row]:
    """One patient end to end, given a mask: see bench_ich_case.py, which also prints the stages."""
    from Testing.benchmarks.bench_ich_case import one_patient
    from Testing.benchmarks.bench_ich_case import shown as stages

    found = one_patient(("tiny",) if arguments.quick else ("tiny", "paper"))
    print(stages(found))
    rows = []
    for one in found:
        row = line(f"case: one patient, {one['preset']} networks", "ich apply", "cpu", one["seconds"], 1, "patients", 1)
        row |= {"on": f"{one['threads']} threads", "peak_mb": one["peak_gb"] * 1024, "stages": one["stages"]}
        if one["goal_s"]:
            row |= {"goal": f"<= {one['goal_s']:g} s on 2 cores", "met": yes(one["met"])}
        rows.append(row)
    return rows


JOBS: dict[str, Callable[[argparse.Namespace], list[Row]]] = {
    "nmf": nmf, "memory": memory, "case": case, "scaling": scaling, "cells": cells
}  # fmt: skip

if __name__ == "__main__":
    given = parsed()
    if given.child_memory:
        child_memory(given.quick, given.seed)
    else:
        main()
