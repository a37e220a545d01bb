"""How exact is a measured expansion? Synthetic pairs whose expansion and motion are known.

    python -m Testing.reference.ich_expansion_table --out docs/results [--pairs 20] [--head CT.nii.gz]

Writes ich_expansion.csv (one line a pair, stage and backend) and ich_expansion.json (the same in sums, with how it was
made). The error has two parts: volumes are exact counts of voxels, so that of the difference is what voxels of
2 × 2 × 3 mm make of a known surface; that of the map comes from registration.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from deepradiomics.files.atomic import write_json
from deepradiomics.ich.haematoma.expansion import LIMITS_ML, Expansion, expansion
from deepradiomics.ich.haematoma.result import GROWN, SHRUNK, STABLE
from deepradiomics.images import Mask, read_volume
from deepradiomics.phantoms.ich.cohort import IchExam, ich_exam
from deepradiomics.phantoms.ich.real_head import RealHead
from deepradiomics.prepare import AffineTransform, resample_mask

SEED = 2026
COLUMNS = (
    "head", "backend", "pair", "baseline_ml", "planted_ml", "measured_ml", "error_ml", "labels_right",
    "registration_error_mm", "skull_overlap", "dice_stable", "dice_change",
)  # fmt: skip


def measured(exam: IchExam, head: str, pair: int, found: Expansion) -> dict[str, object]:
    """One line of the table."""
    assert exam.motion is not None
    assert exam.mask_followup is not None
    bone = exam.baseline.geometry.index_to_physical(np.argwhere(exam.baseline.voxels > 300)[::50, ::-1])
    truth = AffineTransform(exam.motion)  # type: ignore[arg-type]
    after = resample_mask(exam.mask_followup, exam.mask.geometry, transform=truth).labels > 0
    before = exam.mask.labels > 0
    right = np.select([before & after, after, before], [STABLE, GROWN, SHRUNK], 0)
    planted = exam.plan.expansion_ml
    return {
        "head": head, "backend": found.backend, "pair": pair, "baseline_ml": round(found.baseline_ml, 3),
        "planted_ml": round(planted, 3), "measured_ml": round(found.difference_ml, 3),
        "error_ml": round(found.difference_ml - planted, 3),
        "labels_right": sum(found.labels[name] == (planted > limit) for name, limit in LIMITS_ML.items()),
        "registration_error_mm": round(
            float(np.linalg.norm(found.transform.apply(bone) - truth.apply(bone), axis=1).mean()), 3
        ),
        "skull_overlap": round(found.overlap, 3), "dice_stable": round(_dice(right, found.change, (STABLE,)), 3),
        "dice_change": round(_dice(right, found.change, (GROWN, SHRUNK)), 3),
    }  # fmt: skip


def _dice(right: np.ndarray, change: Mask, which: Sequence[int]) -> float:
    one, other = np.isin(right, which), np.isin(change.labels, which)
    total = int(one.sum() + other.sum())
    return 2 * int((one & other).sum()) / total if total else 1.0


def summary(rows: list[dict[str, object]]) -> dict[str, object]:
    """Errors of one head and backend."""
    error = np.array([float(row["error_ml"]) for row in rows])  # type: ignore[arg-type]
    away = np.array([float(row["registration_error_mm"]) for row in rows])  # type: ignore[arg-type]
    return {
        "pairs": len(rows),
        "mean_error_ml": round(float(error.mean()), 3),
        "mean_absolute_error_ml": round(float(np.abs(error).mean()), 3),
        "largest_absolute_error_ml": round(float(np.abs(error).max()), 3),
        "labels_right": f"{sum(int(row['labels_right']) for row in rows)} of {len(LIMITS_ML) * len(rows)}",  # type: ignore[call-overload]
        "median_registration_error_mm": round(float(np.median(away)), 3),
        "largest_registration_error_mm": round(float(away.max()), 3),
        "median_dice_stable": round(float(np.median([float(row["dice_stable"]) for row in rows])), 3),  # type: ignore[arg-type]
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Compute and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--head", type=Path, help="a real head CT to use as well")
    options = parser.parse_args(arguments)
    heads: dict[str, RealHead | None] = {"synthetic": None}
    if options.head:
        heads["real"] = RealHead(read_volume(options.head))
    rows: list[dict[str, object]] = []
    sums: dict[str, dict[str, object]] = {}
    for name, head in heads.items():
        exams = [ich_exam((SEED, pair), head=head) for pair in range(options.pairs)]
        for backend in ("cpu", "gpu"):
            made = []
            for pair, exam in enumerate(exams):
                assert exam.followup is not None
                assert exam.mask_followup is not None
                found = expansion(
                    exam.baseline, exam.followup, exam.mask, exam.mask_followup, backend=backend, device="cpu"  # type: ignore[arg-type]
                )  # fmt: skip
                made.append(measured(exam, name, pair, found))
                print(made[-1], flush=True)
            rows += made
            sums[f"{name} head, {backend}"] = summary(made)
    options.out.mkdir(parents=True, exist_ok=True)
    with (options.out / "ich_expansion.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    write_json(
        options.out / "ich_expansion.json",
        {
            "made_by": "python -m Testing.reference.ich_expansion_table",
            "synthetic": True,
            "seed": SEED,
            "voxels_mm": [2.0, 2.0, 3.0],
            "versions": {name: version(name) for name in ("deepradiomics", "numpy", "simpleitk", "torch")},
            "summary": sums,
        },
    )


if __name__ == "__main__":
    main()
