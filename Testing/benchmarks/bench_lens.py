"""Time RadiomicLens: the penalty sweep as one job, the heads, the intervals, and encoding; each beside the plain way.

    python Testing/benchmarks/bench_lens.py [--out docs/results] [--epochs 20] [--rounds 3] [--seed 0] [--quick]

sweep      24 shared layers (1,000 patients, d = 768, K = 2,500, h = 256): one batched job against an honest full-batch
           PyTorch loop (nn.Sequential, L1Loss, penalties and gradients by autograd, Adam), one layer after the other,
           and the same loop with the fused Adam. A few epochs of all 24 are timed, on all cores, in turns; a fit has
           200. Where torch sees a CUDA GPU, batched job and loop run there too.
heads      closed form for 10,000 patients × 2,500 targets, against numpy.linalg.lstsq
intervals  1,000 bootstrap samples of ΔI (700 patients), against refitting redrawn patients
encode     images a second through ConvNeXt-V2, against calling the network image by image

Ratios are of one run on one machine; quote no seconds elsewhere. ``--quick``: tiny sizes, to show that it works.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import torch

from deepradiomics.files.atomic import atomic_file, write_json
from deepradiomics.lens.encoders.encode import encode_stacks
from deepradiomics.lens.estimator.heads import fit_head
from deepradiomics.lens.estimator.intervals import bootstrap_intervals, corrected_residuals
from deepradiomics.lens.estimator.projection import initial, train_projections
from deepradiomics.lens.estimator.projection_settings import SWEEP, ProjectionSettings
from deepradiomics.networks.convnextv2 import ConvNeXtV2
from deepradiomics.networks.encoders.encoder import Encoder
from deepradiomics.prepare.stack import StackRecipe
from Testing.benchmarks.bench_registration import machine
from Testing.benchmarks.tables import write_csv

COLUMNS = (
    "job", "program", "on", "seconds", "runs", "unit", "per_second", "times_faster", "against", "goal", "met",
    "difference",
)  # fmt: skip
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
REDRAWN = "lstsq of redrawn patients"
Row = dict[str, Any]


def main() -> None:
    """Measure, print, write."""
    arguments = parsed()
    torch.set_num_threads(CORES)
    begun = time.perf_counter()
    rows = sweep("cpu", arguments)
    if torch.cuda.is_available():
        rows += sweep("cuda", arguments, cpu_loop=rows[1]["seconds"])
    rows += heads(arguments) + intervals(arguments) + encoding(arguments)
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
    parser.add_argument("--out", type=Path, help="folder for lens_speed.csv and lens_speed.json")
    parser.add_argument("--epochs", type=int, default=20, help="full-batch steps of the sweep that are timed")
    parser.add_argument("--rounds", type=int, default=3, help="repeats, programs in turns")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="tiny sizes")
    return parser.parse_args()


def sweep(device: str, arguments: argparse.Namespace, cpu_loop: float | None = None) -> list[Row]:
    """The 24 layers as one job and in a loop; `cpu_loop`: seconds of the loop on the CPU, told beside a GPU."""
    patients, d, targets, hidden = (60, 16, 40, 8) if arguments.quick else (1000, 768, 2500, 256)
    generator = np.random.default_rng(arguments.seed)
    X = generator.normal(size=(patients, d))
    Y = np.tanh(X @ generator.normal(size=(d, targets)) / d**0.5) + 0.5 * generator.normal(size=(patients, targets))
    settings = ProjectionSettings(hidden, arguments.epochs, 1e-3, arguments.seed)
    l1, l2 = (np.array(column) for column in zip(*SWEEP, strict=True))
    weights: dict[str, np.ndarray] = {}

    def batched() -> None:
        weights["ours"] = train_projections(X, Y, l1, l2, settings, device=device).weights

    def loop(fused: bool) -> Callable[[], None]:
        def run() -> None:
            weights[f"loop {fused}"] = plain_loop(X, Y, settings, device, fused)

        return run

    programs = {
        "one batched job": batched,
        "PyTorch loop": loop(False),
        "PyTorch loop, fused Adam": loop(True),
    }
    found = in_turns(programs, arguments.rounds, device)
    job = f"sweep: {len(SWEEP)} layers, {patients} x {d} -> {hidden} -> {targets}, {arguments.epochs} epochs"
    goal = 10.0 if device == "cuda" else 1.3
    ours = found["one batched job"]
    count = len(SWEEP) * arguments.epochs
    rows = []
    for name, seconds in found.items():
        row = line(job, name, device, seconds, arguments.rounds, "layer epochs", count)
        if name == "one batched job":
            ratio = found["PyTorch loop"] / ours
            row |= {
                "times_faster": ratio,
                "against": "PyTorch loop",
                "goal": f">= {goal:g} x",
                "met": yes(ratio >= goal),
            }
            row["difference"] = float(np.sqrt(np.mean((weights["ours"] - weights["loop False"]) ** 2)))
        rows.append(row)
    if cpu_loop is not None:
        row = line(job, "one batched job (again)", device, ours, arguments.rounds, "layer epochs", count)
        rows.append(row | {"times_faster": cpu_loop / ours, "against": "PyTorch loop on the CPU", "goal": ">= 10 x",
                           "met": yes(cpu_loop / ours >= 10)})  # fmt: skip
    return rows


def plain_loop(X: np.ndarray, Y: np.ndarray, settings: ProjectionSettings, device: str, fused: bool) -> np.ndarray:
    """What one writes in PyTorch: a model, a loss, an optimiser; for each pair of penalties. First-layer weights."""
    rows, targets = (torch.from_numpy(part.astype(np.float32)).to(device) for part in (X, Y))
    absolute = torch.nn.L1Loss()
    found = []
    for l1, l2 in SWEEP:
        model = torch.nn.Sequential(
            torch.nn.Linear(X.shape[1], settings.hidden), torch.nn.ReLU(),
            torch.nn.Linear(settings.hidden, Y.shape[1]),
        ).to(device)  # fmt: skip
        start = initial(X.shape[1], Y.shape[1], settings, device)
        with torch.no_grad():
            for parameter, value in zip(model.parameters(), start, strict=True):
                parameter.copy_(value)
        optimiser = torch.optim.Adam(model.parameters(), lr=settings.learning_rate, fused=fused or None)
        weights = [layer.weight for layer in model if isinstance(layer, torch.nn.Linear)]
        for _ in range(settings.epochs):
            optimiser.zero_grad()
            loss = absolute(model(rows), targets)
            if l1:
                loss = loss + l1 * sum(weight.abs().sum() for weight in weights)
            if l2:
                loss = loss + l2 * sum(weight.square().sum() for weight in weights)
            loss.backward()
            optimiser.step()
        found.append(weights[0].detach().cpu().numpy())
    return np.stack(found)


def heads(arguments: argparse.Namespace) -> list[Row]:
    """Closed-form heads for a large cohort."""
    patients, hidden, targets = (200, 8, 30) if arguments.quick else (10_000, 256, 2_500)
    generator = np.random.default_rng(arguments.seed)
    Z = np.maximum(generator.normal(size=(patients, hidden)) + 0.3, 0.0)
    Y = generator.normal(size=(patients, targets))
    design = np.column_stack([np.ones(patients), Z])
    coef: dict[str, np.ndarray] = {}

    def ours() -> None:
        coef["ours"] = fit_head(Z, Y).coef

    def peer() -> None:
        coef["lstsq"] = np.linalg.lstsq(design, Y, rcond=None)[0][1:].T

    found = in_turns({"closed form": ours, "numpy.linalg.lstsq": peer}, arguments.rounds, "cpu")
    job = f"heads: {patients} x {targets}, h = {hidden}"
    rows = [line(job, name, "cpu", seconds, arguments.rounds, "fits", 1) for name, seconds in found.items()]
    rows[0] |= {
        "times_faster": found["numpy.linalg.lstsq"] / found["closed form"], "against": "numpy.linalg.lstsq",
        "goal": "<= 5 s", "met": yes(found["closed form"] <= 5),
        "difference": float(np.abs(coef["ours"] - coef["lstsq"]).max()),
    }  # fmt: skip
    return rows


def intervals(arguments: argparse.Namespace) -> list[Row]:
    """Bootstrap of ΔI; a hundred samples are timed, and three refits of redrawn patients."""
    patients, hidden, targets = (80, 8, 30) if arguments.quick else (700, 256, 2_500)
    samples, refits = 100, 3
    generator = np.random.default_rng(arguments.seed)
    Z = [np.maximum(generator.normal(size=(patients, hidden)) + 0.3, 0.0) for _ in range(2)]
    Y = generator.normal(size=(patients, targets))
    fitted = (fit_head(Z[0], Y), fit_head(Z[1], Y))
    rest = (corrected_residuals(fitted[0], Z[0], Y), corrected_residuals(fitted[1], Z[1], Y))

    def ours() -> None:
        bootstrap_intervals(fitted, rest, np.arange(patients), samples, arguments.seed)

    def peer() -> None:
        for _ in range(refits):
            drawn = generator.integers(0, patients, patients)
            for stage in Z:
                np.linalg.lstsq(np.column_stack([np.ones(patients), stage[drawn]]), Y[drawn], rcond=None)

    found = in_turns({"wild bootstrap": ours, REDRAWN: peer}, arguments.rounds, "cpu")
    each = {name: found[name] / count for name, count in (("wild bootstrap", samples), (REDRAWN, refits))}
    job = f"intervals: 1000 samples (from {samples} and {refits}), {patients} x {targets}, h = {hidden}"
    rows = [line(job, name, "cpu", 1000 * one, arguments.rounds, "samples", 1000) for name, one in each.items()]
    rows[0] |= {
        "times_faster": each[REDRAWN] / each["wild bootstrap"], "against": REDRAWN,
        "goal": "<= 60 s", "met": yes(1000 * each["wild bootstrap"] <= 60),
    }  # fmt: skip
    return rows


def encoding(arguments: argparse.Namespace) -> list[Row]:
    """Images a second through two sizes of the encoder."""
    recipe = StackRecipe(size_zyx=(16, 32, 32)) if arguments.quick else StackRecipe()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    images = np.random.default_rng(arguments.seed).normal(size=(4, 3, *recipe.size_zyx)).astype(np.float32)
    rows = []
    for size in ("mini",) if arguments.quick else ("mini", "atto"):
        torch.manual_seed(arguments.seed)
        encoder = Encoder(ConvNeXtV2(3, size), recipe, device=device)
        vectors: dict[str, np.ndarray] = {}

        def ours(encoder: Encoder = encoder, vectors: dict[str, np.ndarray] = vectors) -> None:
            vectors["ours"] = encode_stacks(encoder, images, batch_size=4, device=device)

        def peer(encoder: Encoder = encoder, vectors: dict[str, np.ndarray] = vectors) -> None:
            with torch.no_grad():
                one = [encoder.module(torch.from_numpy(image[None]).to(device)).cpu().numpy() for image in images]
            vectors["peer"] = np.concatenate(one)

        found = in_turns({"encode_stacks": ours, "network, image by image": peer}, arguments.rounds, device)
        job = f"encode: ConvNeXt-V2 {size}, {len(images)} images of 3 x {' x '.join(map(str, recipe.size_zyx))}"
        made = [
            line(job, name, device, taken, arguments.rounds, "images", len(images)) for name, taken in found.items()
        ]
        made[0]["against"] = "network, image by image"
        made[0]["times_faster"] = found["network, image by image"] / found["encode_stacks"]
        made[0]["difference"] = float(np.abs(vectors["ours"] - vectors["peer"]).max())
        rows += made
    return rows


def in_turns(programs: dict[str, Callable[[], None]], rounds: int, device: str) -> dict[str, float]:
    """Median seconds of each, run one after the other in every round, after a round that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    for number in range(rounds + 1):
        for name, run in programs.items():
            begun = time.perf_counter()
            run()
            if device == "cuda":
                torch.cuda.synchronize()
            if number:
                seconds[name].append(time.perf_counter() - begun)
        print(f"  round {number}: {', '.join(programs)}", flush=True)
    return {name: statistics.median(values) for name, values in seconds.items()}


def line(job: str, program: str, device: str, seconds: float, runs: int, unit: str, count: int) -> Row:
    """One row of the table."""
    on = "GPU" if device == "cuda" else f"{CORES} threads"
    return {"job": job, "program": program, "on": on, "seconds": seconds, "runs": runs, "unit": unit,
            "per_second": count / seconds}  # fmt: skip


def yes(met: bool) -> str:
    """As the other tables say it."""
    return "yes" if met else "no"


def shown(value: Any) -> str:
    """Three digits are what a time is worth."""
    return "" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)


def save(arguments: argparse.Namespace, rows: list[Row], took: float) -> None:
    """Write lens_speed.csv and lens_speed.json."""
    rounded = [{c: shown(row.get(c)) for c in COLUMNS} for row in rows]
    arguments.out.mkdir(parents=True, exist_ok=True)
    with atomic_file(arguments.out / "lens_speed.csv") as temporary:
        write_csv(temporary, rounded, COLUMNS)
    command = f"python Testing/benchmarks/bench_lens.py --epochs {arguments.epochs} --rounds {arguments.rounds}"
    write_json(
        arguments.out / "lens_speed.json",
        {
            "command": f"{command} --seed {arguments.seed}{' --quick' if arguments.quick else ''}",
            "seed": arguments.seed,
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine("auto", "gpu") | {"threads": CORES},
            "minutes": round(took / 60, 1),
            "load": "all input is SYNTHETIC noise; times do not depend on its values",
            "times_faster": "seconds of the plain way over seconds of ours, medians, in the same run",
            "difference": "root mean square difference of weights (sweep; Adam lets rounding flip the smallest steps), "
            "largest absolute difference of coefficients (heads) and embeddings (encode)",
            "lens_speed": rows,
        },
    )
    print(f"Wrote {arguments.out / 'lens_speed.csv'} and {arguments.out / 'lens_speed.json'}")


if __name__ == "__main__":
    main()
