"""Does the ridge probes' ΔR² tell strengthened from weakened, with how many patients, and nothing from nothing?

    python -m Testing.reference.lens.probe_planted_table --out docs/results [--lens-seeds 2]

Writes lens_probes.csv (one line per setting, reading and measure) and lens_probes.json (how it was made).

experiment  planted: AUC for strengthened against weakened attributes; listed: share of attributes with R² > 0 before or
            after. Readings: ΔR² of probes on the whole embedding (4 repeats of 5 folds); for the first --lens-seeds
            seeds also ΔE, ΔI and ΔR² through the lens's shared layer (hidden 64, one split 7:1:2), for comparison
            null: exchangeable encoders; share of attributes listed with p < 0.05 and with q < 0.05, of all attributes
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from deepradiomics.files.atomic import write_json
from deepradiomics.files.tables import write_csv
from deepradiomics.modelling.probes import compare_embeddings, probe_r2
from deepradiomics.stats import benjamini_hochberg
from Testing.reference.lens.lens_planted import Plant, auc, exchangeable, planted
from Testing.reference.lens.lens_planted_readings import deltas, fitted

COLUMNS = ("experiment", "patients", "noise", "reading", "measure", "mean", "sd", "least", "most", "runs")
PATIENTS = (40, 80, 200, 1000)
NOISES = (0.1, 0.3, 0.6, 1.0, 2.0)
LENS_READINGS = {"explained": "ΔE (lens)", "raw": "ΔI (lens)", "r2": "ΔR² (lens)"}
NULL_NOISE = 0.6
ALPHA = 0.05


def planted_rows(patients: int, noise: float, seeds: int, lens_seeds: int) -> Iterator[dict[str, object]]:
    """AUC by reading, and how many attributes are listed."""
    areas: dict[str, list[float]] = {}
    listed = []
    for seed in range(seeds):
        data = planted(seed, Plant(patients=patients, noise=noise))
        pre, ft = (probe_r2(X, data.R, seed=seed).mean(axis=0) for X in (data.X_pre, data.X_ft))
        areas.setdefault("ΔR² (probes)", []).append(auc(ft - pre, data.direction))
        listed.append(float(np.mean((pre > 0) | (ft > 0))))
        if seed < lens_seeds:
            lens = fitted(data, hidden=64, seed=seed)
            for reading, delta in deltas(lens, data).items():
                if reading in LENS_READINGS:
                    areas.setdefault(LENS_READINGS[reading], []).append(auc(delta, data.direction))
    setting = {"experiment": "planted", "patients": patients, "noise": noise}
    for reading, values in areas.items():
        yield {**setting, "reading": reading, "measure": "AUC", **summary(values)}
    yield {**setting, "reading": "ΔR² (probes)", "measure": "listed", **summary(listed)}


def null_rows(patients: int, sets: int) -> Iterator[dict[str, object]]:
    """Shares of attributes called changed where nothing changed."""
    called: dict[str, list[float]] = {"p < 0.05": [], "q < 0.05": []}
    for seed in range(sets):
        data = exchangeable(seed, Plant(patients=patients, noise=NULL_NOISE))
        change = compare_embeddings(data.X_pre, data.X_ft, data.R, seed=seed)
        listed = (change.r2_before > 0) | (change.r2_after > 0)
        called["p < 0.05"].append(float(np.mean(listed & (change.p < ALPHA))))
        called["q < 0.05"].append(float(np.mean(listed & (benjamini_hochberg(change.p) < ALPHA))))
    for measure, values in called.items():
        yield {
            "experiment": "null", "patients": patients, "noise": NULL_NOISE, "reading": "ΔR² (probes)",
            "measure": measure, **summary(values),
        }  # fmt: skip


def summary(values: list[float]) -> dict[str, object]:
    """Mean, spread and range over the runs."""
    array = np.array(values)
    return {
        "mean": round(float(array.mean()), 4),
        "sd": round(float(array.std(ddof=1)), 4) if len(array) > 1 else "",
        "least": round(float(array.min()), 4),
        "most": round(float(array.max()), 4),
        "runs": len(array),
    }


def main() -> None:
    """Run everything and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of lens_probes.csv and lens_probes.json")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--lens-seeds", type=int, default=2)
    parser.add_argument("--null-sets", type=int, default=20)
    options = parser.parse_args()
    rows = []
    for patients in PATIENTS:
        for noise in NOISES:
            rows += planted_rows(patients, noise, options.seeds, options.lens_seeds)
            print(*rows[-2].values(), flush=True)
        if patients < 1000:
            rows += null_rows(patients, options.null_sets)
            print(*rows[-2].values(), flush=True)
    write_csv(options.out / "lens_probes.csv", COLUMNS, rows)
    write_json(
        options.out / "lens_probes.json",
        {
            "what": "SYNTHETIC: ridge probes on embeddings whose change is known, and on encoders that do not differ.",
            "command": "python -m Testing.reference.lens.probe_planted_table --out docs/results "
            f"--seeds {options.seeds} --lens-seeds {options.lens_seeds} --null-sets {options.null_sets}",
            "planted": vars(Plant()) | {"patients": PATIENTS, "noise": NOISES},
            "versions": {name: version(name) for name in ("numpy", "scipy", "torch")},
            "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python "
            f"{platform.python_version()}",
            "date": datetime.now(UTC).date().isoformat(),
        },
    )


if __name__ == "__main__":
    main()
