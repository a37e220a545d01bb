"""How often a 95 % interval of an AUC holds the true area, by simulation: docs/results/auc_coverage.csv.

    python -m Testing.unit.stats.auc_coverage --out docs/results

Scores are normal with SD 1, those of positives shifted by √2 Φ⁻¹(AUC), so that the true area is known. ``bootstrap``
is the percentile interval of a bootstrap that redraws patients within their class.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import math
import platform
from pathlib import Path

import numpy as np
from scipy.special import ndtri

from deepradiomics.files.atomic import write_json
from deepradiomics.stats import bootstrap_aucs, delong_ci

AREAS = (0.6, 0.75, 0.85, 0.92, 0.97)
CLASSES = ((15, 85), (30, 70), (15, 15), (50, 150))
"""Positives and negatives."""
METHODS = ("logit", "wald")
_RESAMPLES = 400


def coverage(
    area: float, positives: int, negatives: int, repeats: int, seed: int, bootstraps: int = 0
) -> dict[str, float]:
    """Percentages of `repeats` simulated studies whose interval holds `area`, by method.

    Args:
        area: the true AUC.
        positives, negatives: cases of each class in a study.
        repeats: number of studies.
        seed: of numpy's default generator.
        bootstraps: of how many of the studies the bootstrap's interval is made as well; it is slow.
    """
    generator = np.random.default_rng(seed)
    y = np.repeat([0, 1], [negatives, positives])
    shift = math.sqrt(2.0) * float(ndtri(area))
    hits = dict.fromkeys((*METHODS, "bootstrap"), 0)
    points = 0
    for study in range(repeats):
        score = generator.normal(size=y.size) + shift * y
        for method in METHODS:
            interval = delong_ci(y, score, method=method)
            hits[method] += interval.low <= area <= interval.high
        points += interval.low == interval.high
        if study < bootstraps:
            low, high = np.quantile(bootstrap_aucs(y, (score,), _RESAMPLES, seed=study), [0.025, 0.975])
            hits["bootstrap"] += bool(low <= area <= high)
    row = {method: 100.0 * hits[method] / repeats for method in METHODS} | {"points": 100.0 * points / repeats}
    return row | ({"bootstrap": 100.0 * hits["bootstrap"] / bootstraps} if bootstraps else {})


def main() -> None:
    """Simulate, write and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=10_000)
    parser.add_argument("--bootstraps", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    rows = []
    for positives, negatives in CLASSES:
        for area in AREAS:
            hits = coverage(area, positives, negatives, arguments.repeats, arguments.seed, arguments.bootstraps)
            rows.append({"auc": area, "positives": positives, "negatives": negatives}
                        | {name: round(value, 1) for name, value in hits.items()})  # fmt: skip
            print(rows[-1], flush=True)
    with (arguments.out / "auc_coverage.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    write_json(
        arguments.out / "auc_coverage.json",
        {
            "what": "Percentage of simulated studies whose 95 % interval of the AUC holds the true area; `points` are "
            "studies with an AUC of 1, whose interval is a point.",
            "command": f"python -m Testing.unit.stats.auc_coverage --repeats {arguments.repeats} --bootstraps "
            f"{arguments.bootstraps} --seed {arguments.seed} --out docs/results",
            "resamples": _RESAMPLES,
            "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, CPU only",
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        },
    )


if __name__ == "__main__":
    main()
