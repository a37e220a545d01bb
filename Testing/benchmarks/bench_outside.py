"""How much of a case lies beyond 3 SD of its training cohort: held-out cases of its generator against foreign ones.

    python Testing/benchmarks/bench_outside.py --knee KNEE.nii.gz ... --head HEAD.nii.gz --out docs/results

The limit in ``deepradiomics/stats/outside.py`` rests on the table that this writes (outside_cohort.csv, .json). Groups:

- ``held out``: SYNTHETIC cases of the training cohort's generator, another seed. They must stay below the limit.
- ``other protocol``: the same phantom on another grid. A model may or may not do for them; they are shown, not judged.
- ``foreign``: real images, which no synthetic cohort looks like. They must lie above it.

Knees: features in use of the shipped sample model, with its own mean and SD, and with those of smaller cohorts. Heads:
the 1,688 radiomic features of haematomas, with the mean and SD of cohorts of three sizes.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from deepradiomics.files.atomic import write_json
from deepradiomics.stats.outside import FAR_SD, OUTSIDE_LIMIT, beyond_share

TRAINING_SEED, HELD_OUT_SEED = 501, 502
SIZES = (24, 48, 120)
HELD_OUT = 80
BUNDLE = Path(__file__).resolve().parents[2] / "RadiomicFingerprint/Resources/Bundles/knee-synthetic-tiny"


def main() -> None:
    """Measure, write and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--knee", type=Path, nargs="*", default=[], help="real knees: foreign to the synthetic model")
    parser.add_argument("--head", type=Path, help="a real head CT: foreign to the synthetic heads")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    rows = [*knees(arguments.knee), *heads(arguments.head)]
    write(rows, arguments.out, len(arguments.knee), arguments.head is not None)
    print(shown(rows))


def knees(real: Sequence[Path], sizes: Sequence[int] = SIZES, held_out: int = HELD_OUT) -> list[dict[str, Any]]:
    """Rows of the fingerprint: the sample model's own cohort, and cohorts of the sizes given."""
    from deepradiomics.fingerprint.model.bundle import load_fingerprint
    from deepradiomics.fingerprint.model.scaling import fit_scaling

    model = load_fingerprint(BUNDLE)
    training = np.stack([_knee_pool(case, model) for case in _knees(max(sizes), TRAINING_SEED)])
    cases = {
        "held out": [_knee_pool(case, model) for case in _knees(held_out, HELD_OUT_SEED)],
        "foreign": [_knee_pool(case, model) for case in _real_knees(real, model)],
    }
    scalings = {f"{n} synthetic knees": fit_scaling(training[:n]) for n in sizes}
    scalings["168 synthetic knees (sample model)"] = model.scaling
    return [
        row
        for cohort, scaling in scalings.items()
        for group, pools in cases.items()
        for row in summary(
            "fingerprint", cohort, group, "real knee MRI" if group == "foreign" else "synthetic knee",
            [beyond_share(pool[scaling.kept], scaling.mean, scaling.sd) for pool in pools],
        )
    ]  # fmt: skip


def heads(real: Path | None, sizes: Sequence[int] = SIZES, held_out: int = HELD_OUT) -> list[dict[str, Any]]:
    """Rows of the haematoma's radiomics: cohorts of the sizes given."""
    training = np.stack([_head_row(TRAINING_SEED, i) for i in range(max(sizes))])
    cases = {
        ("held out", "synthetic head"): [_head_row(HELD_OUT_SEED, i) for i in range(held_out)],
        ("other protocol", "synthetic head of 0.5 x 0.5 x 5 mm"): [
            _head_row(HELD_OUT_SEED, i, size="clinical") for i in range(held_out // 4)
        ],
        **_real_heads(real, held_out // 4),
    }
    rows = []
    for n in sizes:
        mean, sd = np.nanmean(training[:n], axis=0), np.nanstd(training[:n], axis=0)
        for (group, what), values in cases.items():
            rows += summary("ich", f"{n} synthetic heads", group, what, [beyond_share(row, mean, sd) for row in values])
    return rows


def summary(method: str, cohort: str, group: str, what: str, shares: Sequence[float | None]) -> list[dict[str, Any]]:
    """One row: the distribution of the share over the cases of a group; none without cases."""
    known = np.array([share for share in shares if share is not None])
    if not known.size:
        return []
    quantiles = {f"p{q:g}": round(float(np.percentile(known, q)), 4) for q in (5, 50, 95, 99)}
    return [
        {
            "method": method, "cohort": cohort, "group": group, "cases": len(known), "what": what,
            "min": round(float(known.min()), 4), **quantiles, "max": round(float(known.max()), 4),
            "above_limit": int((known > OUTSIDE_LIMIT).sum()),
        }
    ]  # fmt: skip


def write(rows: list[dict[str, Any]], folder: Path, knees: int, head: bool) -> None:
    """outside_cohort.csv, and the same with its provenance as JSON."""
    with (folder / "outside_cohort.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    given = f"{' --knee' + ' KNEE.nii.gz' * knees if knees else ''}{' --head HEAD.nii.gz' if head else ''}"
    write_json(
        folder / "outside_cohort.json",
        {
            "what": f"Share of a case's features beyond {FAR_SD:g} SD of its training cohort, over cases.",
            "command": f"python Testing/benchmarks/bench_outside.py{given} --out docs/results",
            "seeds": {"training": TRAINING_SEED, "held out": HELD_OUT_SEED},
            "limit": OUTSIDE_LIMIT,
            "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, CPU only",
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "rows": rows,
        },
    )


def shown(rows: list[dict[str, Any]]) -> str:
    """The rows as text."""
    return "\n".join(
        f"{row['method']:12} {row['cohort']:36} {row['group']:15} {row['what']:36} n {row['cases']:3}  median "
        f"{row['p50']:.3f}  95 % {row['p95']:.3f}  min {row['min']:.3f}  max {row['max']:.3f}  above "
        f"{row['above_limit']}"
        for row in rows
    )


def _knees(count: int, seed: int) -> list[Any]:
    from deepradiomics.phantoms.knee.cohort import _draw_lesions, knee_exam

    return [knee_exam((seed, i), lesions).case for i, lesions in enumerate(_draw_lesions(count, seed))]


def _real_knees(files: Sequence[Path], model: Any) -> list[Any]:
    from deepradiomics.fingerprint.apply.run import complete
    from deepradiomics.images import Case, read_volume

    return [
        complete(Case(str(i), {"sagittal": read_volume(file, plane="sagittal")}), model.config.recipe)[0]
        for i, file in enumerate(files)
    ]


def _knee_pool(case: Any, model: Any) -> np.ndarray:
    from deepradiomics.cohort.extraction import exam_features
    from deepradiomics.prepare import prepare_exam

    recipe = model.config.recipe
    exam = prepare_exam(case, recipe, templates=model.templates)
    return model.layout.flatten(exam_features(exam, recipe, device="cpu").values[None])[0]


def _head_row(seed: int, number: int, **how: Any) -> np.ndarray:
    from deepradiomics.phantoms.ich.cohort import ich_exam

    exam = ich_exam((seed, number), followup=False, **how)
    return _radiomics(exam.baseline, exam.mask)


def _real_heads(file: Path | None, count: int) -> dict[tuple[str, str], list[np.ndarray]]:
    """Synthetic haematomas in a real head, and balls of its healthy brain given as the haematoma."""
    if file is None:
        return {}
    from deepradiomics.images import Mask, read_volume
    from deepradiomics.phantoms.ich.real_head import RealHead

    ct = read_volume(file)
    stage = RealHead(ct)
    rng = np.random.default_rng(HELD_OUT_SEED)
    grid = ct.geometry
    brain = np.argwhere((ct.voxels > 15) & (ct.voxels < 45))
    balls = []
    z, y, x = np.indices(grid.shape)
    for _ in range(count):
        middle = brain[rng.integers(len(brain))]
        away = sum(((axis - m) * s) ** 2 for axis, m, s in zip((z, y, x), middle, grid.spacing_mm[::-1], strict=True))
        labels = ((away < rng.uniform(8, 18) ** 2) & (ct.voxels > 0) & (ct.voxels < 80)).astype(np.uint8)
        balls.append(_radiomics(ct, Mask(labels, grid, "ball")))
    return {
        ("other protocol", "synthetic haematoma in a real head"): [
            _head_row(HELD_OUT_SEED, i, head=stage) for i in range(count)
        ],
        ("foreign", "ball of brain in a real head"): balls,
    }


def _radiomics(ct: Any, mask: Any) -> np.ndarray:
    from deepradiomics.ich.features.case import FeatureSettings
    from deepradiomics.radiomics import extract

    return np.array(list(extract(ct, mask, FeatureSettings().engine()).values()), np.float64)


if __name__ == "__main__":
    main()
