"""Our NMF's objective beside scikit-learn's at equal numbers of iterations, over many matrices: nmf_objective.csv.

    python -m Testing.benchmarks.nmf_objective --out docs/results

Matrices: a product of gamma factors plus noise, each column scaled to [0, 1], in several shapes and with little or
much noise. Starts: nndsvda, each program's own. ``relative`` is our ‖X - W H‖ over scikit-learn's, minus one: negative
is better. Both are local optima, so that neither program wins on every matrix.
"""

from __future__ import annotations

import argparse
import csv
import warnings
from pathlib import Path
from typing import Any

import numpy as np

SHAPES = ((60, 700, 12), (50, 20, 7), (40, 333, 33), (120, 400, 20))
NOISE = (0.1, 1.0)
ITERATIONS = (10, 50, 200)
SEEDS = 20


def matrix(seed: int, n: int, p: int, noise: float, parts: int = 6) -> np.ndarray:
    """Non-negative rows (n, p) of a few parts and noise."""
    generator = np.random.default_rng(seed)
    X = generator.gamma(0.5, size=(n, parts)) @ generator.gamma(0.5, size=(parts, p))
    X += noise * X.mean() * generator.gamma(1.0, size=(n, p))
    return ((X - X.min(axis=0)) / np.ptp(X, axis=0)).astype(np.float32)


def differences(n: int, p: int, k: int, noise: float, iterations: int, seeds: int = SEEDS) -> np.ndarray:
    """Our objective over scikit-learn's, minus one, for each seed."""
    from sklearn import decomposition

    from deepradiomics.modelling.components.nmf import NMF

    relative = []
    for seed in range(seeds):
        X = matrix(seed, n, p, noise)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that scikit-learn stopped at the last iteration
            theirs = decomposition.NMF(k, init="nndsvda", max_iter=iterations, random_state=seed).fit(X)
        ours = NMF(k, max_iter=iterations).fit(X)
        relative.append(ours.reconstruction_err_ / theirs.reconstruction_err_ - 1.0)
    return np.array(relative)


def main() -> None:
    """Measure, write and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for n, p, k in SHAPES:
        for noise in NOISE:
            for iterations in ITERATIONS:
                relative = differences(n, p, k, noise, iterations)
                rows.append({
                    "rows": n, "columns": p, "components": k, "noise": noise, "iterations": iterations,
                    "matrices": len(relative), "ours_larger": int((relative > 0).sum()),
                    "best": f"{relative.min():.4f}", "median": f"{np.median(relative):.4f}",
                    "worst": f"{relative.max():.4f}",
                })  # fmt: skip
                print(rows[-1], flush=True)
    with (arguments.out / "nmf_objective.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
