"""Is the synthetic cohort hard enough, and not too hard: measured with the real preparation and the real engine.

As a script it writes the table that the documentation shows:

    python Testing/unit/phantoms/test_difficulty.py --cases 160 --cache CACHE -o docs/results/phantom_difficulty
"""

from __future__ import annotations

import argparse
import csv
import datetime
import platform
from pathlib import Path

import numpy as np
import pytest

from deepradiomics.cohort import folds, read_manifest
from deepradiomics.cohort.extraction import CohortFeatures, extract_cohort
from deepradiomics.files import write_json
from deepradiomics.phantoms import write_knee_cohort
from deepradiomics.prepare import Recipe
from deepradiomics.stats import delong_ci

REPEATS, FOLDS = 3, 5
INPUTS = {
    "roi-mean": ("mean of the region, one a view (3 inputs)", 1.0),
    "patch-mean": ("mean of each patch and view (24 inputs)", 0.1),
    "nofs": ("logistic regression on the whole standardised pool, q = 1", 1e-3),
}


def inputs(features: CohortFeatures) -> dict[str, np.ndarray]:
    """What each model sees: (N, columns)."""
    mean = features.values[..., features.feature_names.index("original_firstorder_Mean")]  # (N, J, V)
    return {
        "roi-mean": features.images.mean(axis=(2, 3, 4), dtype=np.float64),
        "patch-mean": mean.reshape(len(mean), -1),
        "nofs": features.values.reshape(len(mean), -1),
    }


def cross_validated(x: np.ndarray, y: np.ndarray, manifest, strength: float, seed: int) -> np.ndarray:
    """Out-of-fold scores of an L2 logistic regression; everything fitted on the other folds."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    score = np.empty(len(y))
    for fold in folds(manifest, FOLDS, seed):
        test = fold.indices("test")
        rest = [i for i in range(len(y)) if i not in set(test)]
        varying = np.ptp(x[rest], axis=0) > 1e-9 * (1 + np.abs(x[rest]).max(axis=0))
        model = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=2000))
        model.fit(x[rest][:, varying], y[rest])
        score[test] = model.decision_function(x[test][:, varying])
    return score


def measure(folder: Path, cases: int, seed: int, cache: Path, workers: int = 1) -> list[dict[str, object]]:
    """One row a task and model: AUC of pooled out-of-fold scores, mean and SD over repeats, DeLong CI of the first."""
    path = folder / "manifest.csv"
    if not path.exists():
        write_knee_cohort(folder, cases, seed)
    manifest = read_manifest(path)
    features = extract_cohort(manifest, Recipe(), cache, workers=workers)
    rows: list[dict[str, object]] = []
    for task in manifest.tasks:
        y = np.array(manifest.labels(task))
        for name, x in inputs(features).items():
            what, strength = INPUTS[name]
            scores = [cross_validated(x, y, manifest, strength, repeat) for repeat in range(REPEATS)]
            intervals = [delong_ci(y, score) for score in scores]
            areas = [interval.estimate for interval in intervals]
            rows.append(
                {
                    "task": task, "model": name, "what": what, "cases": len(y), "positive": int(y.sum()),
                    "auc_mean": round(float(np.mean(areas)), 4), "auc_sd": round(float(np.std(areas, ddof=1)), 4),
                    "ci_low": round(intervals[0].low, 4), "ci_high": round(intervals[0].high, 4),
                }
            )  # fmt: skip
    return rows


@pytest.mark.slow
def test_mean_intensity_tells_little_and_the_whole_pool_tells_enough(tmp_path):
    pytest.importorskip("sklearn")
    rows = measure(tmp_path / "cohort", 160, 0, tmp_path / "cache")
    area = {(row["task"], row["model"]): row["auc_mean"] for row in rows}
    for task in ("abnormality", "acl", "meniscus"):
        assert area[task, "roi-mean"] <= 0.6
        assert 0.75 <= area[task, "nofs"] <= 0.95


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=160)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    folder = given.cache / f"cohort-{given.cases}-{given.seed}"
    rows = measure(folder, given.cases, given.seed, given.cache / "features", given.workers)
    with given.output.with_suffix(".csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    command = f"python Testing/unit/phantoms/test_difficulty.py --cases {given.cases} --seed {given.seed} --cache CACHE"
    provenance = {
        "what": "Difficulty of the SYNTHETIC knee cohort, cross-validated; not about patients.",
        "command": f"{command} -o docs/results/phantom_difficulty",
        "seed": given.seed,
        "cross_validation": f"{FOLDS} folds, {REPEATS} repeats; CI: DeLong, first repeat",
        "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, CPU only",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "rows": rows,
    }
    write_json(given.output.with_suffix(".json"), provenance)
    for row in rows:
        print(f"{row['task']:12} {row['model']:11} {row['auc_mean']:.3f} ± {row['auc_sd']:.3f}")


if __name__ == "__main__":
    main()
