"""What a lens says of the radiomic attributes that were planted behind the labels of the synthetic prostates.

``python -m Testing.reference.lens.lens_drivers COHORT LENS OUT.csv``: the rows of LENS/shift.csv that are named in
COHORT/truth_drivers.csv, with their place by ΔE; a direction of 0 is nuisance.
"""

import csv
import sys
from pathlib import Path

COLUMNS = (
    "explained_pre", "explained_ft", "delta_explained", "delta_explained_low", "delta_explained_high", "q_explained",
    "rank_explained", "delta_i", "r2_pre", "r2_ft",
)  # fmt: skip


def driver_rows(cohort: Path, lens: Path) -> list[dict[str, str]]:
    """One row a planted attribute, best place by ΔE first; attributes that the lens did not measure are left out."""
    with (lens / "shift.csv").open(encoding="utf-8", newline="") as stream:
        shifts = {(row["modality"], row["feature"]): row for row in csv.DictReader(stream)}
    with (cohort / "truth_drivers.csv").open(encoding="utf-8", newline="") as stream:
        truth = list(csv.DictReader(stream))
    rows = []
    for driver in truth:
        shift = shifts.get((driver["modality"], driver["feature"]))
        if shift is not None:
            named = {name: driver[name] for name in ("label", "modality", "feature", "direction")}
            rows.append({**named, **{name: shift[name] for name in COLUMNS}, "of": str(len(shifts))})
    return sorted(rows, key=lambda row: float(row["rank_explained"]))


def main(cohort: str, lens: str, out: str) -> None:
    """Write the table and print it."""
    rows = driver_rows(Path(cohort), Path(lens))
    with Path(out).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    for row in rows:
        print(row["label"], row["modality"], row["feature"], row["explained_pre"], row["explained_ft"])


if __name__ == "__main__":
    main(*sys.argv[1:])
