"""Does the lens tell strengthened from weakened? Measured where the answer is known, with the controls and the null.

    python -m Testing.reference.lens.lens_planted_table --out docs/results [--seeds 10]

Writes lens_planted.csv (one line per setting and reading) and lens_planted.json (the same with how it was made).

experiment  planted: AUC of ΔI for strengthened against weakened attributes (measure AUC; 0.5 is chance, 0 is inverted)
            control: nothing was strengthened; shift of the mean importance as a share of that before (measure shift;
            for the reading r2 the plain difference of the mean R²)
            null: exchangeable encoders; share of features with p ≤ 0.05 (measure false positives)
"""

from __future__ import annotations

import argparse
import csv
import os
import platform
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from deepradiomics.files.atomic import write_json
from Testing.reference.lens.lens_planted import Plant, Planted, auc, exchangeable, planted, reseeded, rotation
from Testing.reference.lens.lens_planted_readings import FIT_ON, READINGS, deltas, fitted, readings

COLUMNS = (
    "experiment", "what", "mixing", "noise", "hidden", "penalty", "fit_on", "embedding_scaling", "reading", "measure",
    "mean", "sd", "least", "most", "r2_pre", "r2_ft", "runs",
)  # fmt: skip
NOISES = {"elastic": (0.1, 0.3, 0.6, 1.0, 2.0), "none": (0.1, 0.6, 2.0)}
HIDDEN = (32, 64, 256)
CONTROL_HIDDEN = (64, 256)
PENALTIES = {"elastic": (1e-6, 1e-5), "none": (0.0, 0.0)}
CONTROLS: dict[str, Callable[[int, Planted, Plant], np.ndarray]] = {
    "identical": lambda seed, data, plant: data.X_pre.copy(),
    "scaled x3": lambda seed, data, plant: 3.0 * data.X_pre,
    "rotated": lambda seed, data, plant: data.X_pre @ rotation(seed, plant.dimension),
    "reseeded": reseeded,
}
CONTROL_NOISE = 0.3
NULL = Plant(patients=160, attributes=20, dimension=16, noise=0.6)
NULL_FIT = {"hidden": 16, "epochs": 60, "permutations": 99}
ALPHA = 0.05


def planted_rows(plant: Plant, hidden: int, penalty: str, seeds: range) -> list[dict[str, object]]:
    """AUC by reading and by what trained the shared layer."""
    l1, l2 = PENALTIES[penalty]
    found: dict[tuple[str, str], list[float]] = {}
    r2: dict[str, list[tuple[float, float]]] = {}
    for seed in seeds:
        data = planted(seed, plant)
        for fit_on in FIT_ON:
            lens = fitted(data, hidden=hidden, l1=l1, l2=l2, fit_on=fit_on, seed=seed)
            r2.setdefault(fit_on, []).append((lens.r2_mean_pre_, lens.r2_mean_ft_))
            for reading, delta in deltas(lens, data).items():
                found.setdefault((fit_on, reading), []).append(auc(delta, data.direction))
    setting = {
        "experiment": "planted", "mixing": plant.activation, "noise": plant.noise, "hidden": hidden,
        "penalty": penalty, "embedding_scaling": "pre", "measure": "AUC",
    }  # fmt: skip
    return [
        {**setting, "fit_on": fit_on, "reading": reading, **_summary(values), **_r2(r2[fit_on])}
        for (fit_on, reading), values in found.items()
    ]


def control_rows(name: str, hidden: int, seeds: range) -> list[dict[str, object]]:
    """Shift of the mean importance where nothing was strengthened."""
    plant = Plant(noise=CONTROL_NOISE)
    options = [("pre", "pre"), ("pre", "own"), ("ft", "pre"), ("both", "pre")]
    found: dict[tuple[str, str, str], list[float]] = {}
    for seed in seeds:
        data = planted(seed, plant)
        after = CONTROLS[name](seed, data, plant)
        for fit_on, scaling in options:
            lens = fitted(data, X_ft=after, hidden=hidden, fit_on=fit_on, embedding_scaling=scaling, seed=seed)
            for reading, (pre, ft) in readings(lens, data, after).items():
                shift = float(np.mean(ft - pre) / (1.0 if reading == "r2" else np.mean(pre)))
                found.setdefault((fit_on, scaling, reading), []).append(shift)
    setting = {
        "experiment": "control", "what": name, "mixing": plant.activation, "noise": plant.noise, "hidden": hidden,
        "penalty": "elastic", "measure": "shift",
    }  # fmt: skip
    return [
        {**setting, "fit_on": fit_on, "embedding_scaling": scaling, "reading": reading, **_summary(values)}
        for (fit_on, scaling, reading), values in found.items()
    ]


def null_rows(fit_on: str, sets: int, **options: int) -> list[dict[str, object]]:
    """False positives of the permutation null over data sets whose encoders are exchangeable."""
    single, family = [], []
    for seed in range(sets):
        data = exchangeable(seed, NULL)
        lens = fitted(data, fit_on=fit_on, seed=seed, **(NULL_FIT | options))
        single.append(float(np.mean(lens.p_null_ <= ALPHA)))
        family.append(float(np.min(lens.p_family_) <= ALPHA))
    setting = {
        "experiment": "null", "mixing": NULL.activation, "noise": NULL.noise, "hidden": NULL_FIT["hidden"],
        "penalty": "elastic", "fit_on": fit_on, "embedding_scaling": "pre", "reading": "raw",
    }  # fmt: skip
    return [
        {**setting, "what": "each feature", "measure": "false positives", **_summary(single)},
        {**setting, "what": "any feature (max-T)", "measure": "false positives", **_summary(family)},
    ]


def table(seeds: int, null_sets: int) -> Iterator[dict[str, object]]:
    """All rows, as they are found."""
    some = range(seeds)
    for penalty in PENALTIES:
        for hidden in HIDDEN:
            for noise in NOISES[penalty]:
                yield from planted_rows(Plant(noise=noise), hidden, penalty, some)
    for hidden in HIDDEN:
        yield from planted_rows(Plant(noise=0.6, activation="relu"), hidden, "elastic", some)
    for name in CONTROLS:
        for hidden in CONTROL_HIDDEN:
            yield from control_rows(name, hidden, some)
    for fit_on in ("pre", "both"):
        yield from null_rows(fit_on, null_sets)


def main() -> None:
    """Run everything and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for lens_planted.csv and lens_planted.json")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--null-sets", type=int, default=60)
    given = parser.parse_args()
    rows = []
    for row in table(given.seeds, given.null_sets):
        rows.append({column: row.get(column, "") for column in COLUMNS})
        print(*(rows[-1][column] for column in COLUMNS), sep=" ", flush=True)
    given.out.mkdir(parents=True, exist_ok=True)
    with (given.out / "lens_planted.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    write_json(
        given.out / "lens_planted.json",
        {
            "what": "SYNTHETIC: the lens where the answer is known (planted strengths), its controls, its null.",
            "command": f"python -m Testing.reference.lens.lens_planted_table --out docs/results --seeds {given.seeds} "
            f"--null-sets {given.null_sets}",
            "seeds": list(range(given.seeds)),
            "planted": vars(Plant()) | {"noise": NOISES, "hidden": HIDDEN},
            "null": vars(NULL) | NULL_FIT | {"data sets": given.null_sets, "alpha": ALPHA},
            "readings": list(READINGS),
            "versions": {name: version(name) for name in ("numpy", "torch")},
            "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, CPU only, "
            f"{os.environ.get('OMP_NUM_THREADS', os.cpu_count())} thread(s)",
            "date": datetime.now(UTC).date().isoformat(),
            "rows": rows,
        },
    )


def _summary(values: list[float]) -> dict[str, object]:
    array = np.array(values)
    return {
        "mean": _round(array.mean()), "sd": _round(array.std(ddof=1)) if len(array) > 1 else "",
        "least": _round(array.min()), "most": _round(array.max()), "runs": len(array),
    }  # fmt: skip


def _r2(pairs: list[tuple[float, float]]) -> dict[str, object]:
    pre, ft = np.mean(pairs, axis=0)
    return {"r2_pre": _round(pre), "r2_ft": _round(ft)}


def _round(value: float) -> float:
    return round(float(value), 4)


if __name__ == "__main__":
    main()
