"""Hold random inputs against live PyRadiomics and record the worst difference by feature class.

    python -m Testing.reference.fuzz --count 2000 [--first 0] [--out docs/results/fuzz.csv]

A row per seed is appended as it is done, so an interrupted run resumes there. Beside the CSV a JSON file says
the worst difference by class, how many differences were excused and why, every true mismatch, command, machine, date.
"""

import argparse
import csv
import json
import os
import platform
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import SimpleITK as sitk

from Testing.reference.fuzz_inputs import FuzzCase, fuzz_case
from Testing.reference.parity.compare import FAMILIES, Comparison, compare
from Testing.reference.rows import append_row

COLUMNS = (
    "seed", "image", "mask", "dtype", "size", "types", "features", *FAMILIES, "excused", "edge_voxels",
    "known", "refused", "outcome", "detail",
)  # fmt: skip


def main() -> None:
    """Run the seeds that are not in the table yet and sum up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--out", type=Path, help="CSV file; a JSON summary is written beside it")
    parser.add_argument("--again", action="store_true", help="run the seeds again that mismatched in an earlier run")
    arguments = parser.parse_args()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    rows = read(arguments.out) if arguments.out else {}
    if arguments.again:
        rows = {seed: row for seed, row in rows.items() if row["outcome"] != "mismatch"}
        arguments.out.unlink(missing_ok=True)
        for row in rows.values():
            append_row(arguments.out, row, COLUMNS)
    start, done = time.perf_counter(), 0
    for seed in range(arguments.first, arguments.first + arguments.count):
        if seed in rows:
            continue
        case = fuzz_case(seed)
        rows[seed] = row_of(case, compare(case.image, case.mask, case.params))
        done += 1
        if arguments.out:
            append_row(arguments.out, rows[seed], COLUMNS)
        if rows[seed]["outcome"] == "mismatch":
            print(seed, rows[seed]["detail"], json.dumps(case.params), flush=True)
        if done % 100 == 0:
            print(f"{done} done, {(time.perf_counter() - start) / done:.2f} s each", flush=True)
    total = summary(list(rows.values()))
    print(json.dumps(total, indent=1))
    if arguments.out:
        document = {
            "command": f"python -m Testing.reference.fuzz --count {arguments.count} --first {arguments.first}",
            "date": datetime.now(UTC).date().isoformat(),
            "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
            "versions": {name: version(name) for name in ("pyradiomics", "numpy", "scipy", "SimpleITK", "PyWavelets")},
            "seeds": [min(rows), max(rows)],
            **total,
        }
        text = json.dumps(document, indent=1) + "\n"
        arguments.out.with_suffix(".json").write_text(text, encoding="utf-8", newline="\n")


def row_of(case: FuzzCase, found: Comparison) -> dict[str, Any]:
    """Return the table row of one case."""
    outcome = "mismatch" if not found.passed else "both refused" if found.refusal else "equal"
    detail = found.failed or "; ".join(f"{k}: {a!r} != {b!r}" for k, (a, b) in list(found.mismatches.items())[:3])
    return {
        "seed": case.seed,
        "image": case.image_kind,
        "mask": case.mask_kind,
        "dtype": case.dtype,
        "size": "x".join(map(str, case.image.GetSize())),
        "types": " ".join(case.params["imageType"]),
        "features": found.features,
        **{family: f"{found.worst[family]:.1e}" if family in found.worst else "" for family in FAMILIES},
        "excused": len(found.excused),
        "edge_voxels": max((why.voxels for why in found.excused.values()), default=0),
        "known": sum(found.known.values()),
        "refused": found.refusal[:120] if not found.failed else "",
        "outcome": outcome,
        "detail": detail[:300],
    }


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Sum a table up."""
    worst = {}
    for family in FAMILIES:
        values = [(float(row[family]), int(row["seed"])) for row in rows if row[family] != ""]
        if values:
            largest, seed = max(values)
            worst[family] = {"worst": largest, "seed": seed, "inputs": len(values)}
    return {
        "inputs": len(rows),
        "features_compared": sum(int(row["features"]) for row in rows),
        "outcomes": dict(Counter(row["outcome"] for row in rows)),
        "worst_by_class": worst,
        "features_excused_at_a_bin_edge": sum(int(row["excused"]) for row in rows),
        "inputs_with_an_excuse": sum(int(row["excused"]) > 0 for row in rows),
        "features_under_a_listed_exception": sum(int(row["known"]) for row in rows),
        "mismatches": {row["seed"]: row["detail"] for row in rows if row["outcome"] == "mismatch"},
    }


def read(path: Path) -> dict[int, dict[str, Any]]:
    """Read the rows of an earlier run."""
    if not path.is_file():
        return {}
    with open(path, encoding="utf-8", newline="") as stream:
        return {int(row["seed"]): row for row in csv.DictReader(stream)}


if __name__ == "__main__":
    main()
