"""Print the parity table: for each case and feature class the worst relative difference from PyRadiomics 3.0.1.

    DEEPRADIOMICS_TEST_DATA=... python -m Testing.reference.parity.parity_table [--only TEXT] [--out docs/results]

Runs the quick cases of :mod:`parity_cases` and the large matrix of :mod:`parity_matrix`. With ``--out`` it writes
parity.csv row by row, going on where an earlier run stopped (delete the file to start anew), and parity.json with
command, machine, date, the excused differences and every true mismatch.
"""

import argparse
import csv
import json
import os
import platform
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import SimpleITK as sitk

from Testing.reference.parity import oracle
from Testing.reference.parity.compare import FAMILIES, Comparison, compare
from Testing.reference.parity.known_exceptions import LISTED
from Testing.reference.parity.parity_cases import ParityCase, all_cases
from Testing.reference.parity.parity_matrix import matrix_cases
from Testing.reference.rows import append_row

COLUMNS = ("case", "features", *FAMILIES, "excused", "edge_voxels", "known", "outcome", "detail")


def main() -> None:
    """Compare every case and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="folder for parity.csv and parity.json")
    parser.add_argument("--only", default="", help="only cases whose name contains this")
    parser.add_argument("--again", action="store_true", help="run the cases again that mismatched in an earlier run")
    arguments = parser.parse_args()
    if not oracle.is_live():
        sys.exit("PyRadiomics 3.0.1 is not installed here; the parity table compares with it live.")
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    folder = Path(os.environ["DEEPRADIOMICS_TEST_DATA"])
    path = arguments.out / "parity.csv" if arguments.out else None
    rows = _read(path) if path else {}
    if path and arguments.again:
        rows = {name: row for name, row in rows.items() if row["outcome"] != "mismatch"}
        path.unlink(missing_ok=True)
        for row in rows.values():
            append_row(path, row, COLUMNS)
    print(f"{'case':55s}" + "".join(f"{family:>11s}" for family in FAMILIES))
    for case in [*all_cases(), *matrix_cases()]:
        if arguments.only not in case.name or case.name in rows:
            continue
        start = time.perf_counter()
        row = _row(case, compare(*case.load(folder), case.params))
        rows[case.name] = row
        if path:
            append_row(path, row, COLUMNS)
        took = f"{time.perf_counter() - start:6.1f} s"
        print(f"{case.name:55s}" + "".join(f"{row[f]:>11s}" for f in FAMILIES), row["outcome"], took, flush=True)
        if row["detail"]:
            print("   ", row["detail"], flush=True)
    document = _document(list(rows.values()))
    print(json.dumps({key: document[key] for key in ("cases", "features_compared", "worst", "excused", "mismatches")},
                     indent=1))  # fmt: skip
    if arguments.out:
        text = json.dumps(document, indent=1) + "\n"
        (arguments.out / "parity.json").write_text(text, encoding="utf-8", newline="\n")


def _row(case: ParityCase, found: Comparison) -> dict[str, Any]:
    outcome = "mismatch" if not found.passed else "both refused" if found.refusal else "equal"
    few = "; ".join(f"{key}: {a:.9g} != {b:.9g}" for key, (a, b) in list(found.mismatches.items())[:4])
    detail = found.failed or (f"{len(found.mismatches)} differ: {few}" if few else found.refusal)
    return {
        "case": case.name,
        "features": found.features,
        **{family: f"{found.worst[family]:.1e}" if family in found.worst else "" for family in FAMILIES},
        "excused": len(found.excused),
        "edge_voxels": max((why.voxels for why in found.excused.values()), default=0),
        "known": sum(found.known.values()),
        "outcome": outcome,
        "detail": detail[:400],
    }


def _document(rows: list[dict[str, Any]]) -> dict[str, Any]:
    worst = {f: max((float(row[f]) for row in rows if row[f] != ""), default=None) for f in FAMILIES}
    return {
        "command": "python -m Testing.reference.parity.parity_table --out docs/results",
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("numpy", "scipy", "SimpleITK", "PyWavelets", "pyradiomics")},
        "measure": "worst |ours - theirs| / |theirs| of the features of a class that are neither excused nor listed",
        "noise": "values are taken as equal when both are rounding noise about zero: "
        + ", ".join(f"{family} up to {limit:g}" for family, limit in oracle.NOISE.items()),
        "excuse": "a voxel within 1e-9 bin of an edge, and PyRadiomics' own value changes when it is nudged one ulp",
        "exceptions": list(LISTED),
        "cases": len(rows),
        "features_compared": sum(int(row["features"]) for row in rows),
        "worst": worst,
        "excused": {
            "features": sum(int(row["excused"]) for row in rows),
            "cases": {row["case"]: int(row["excused"]) for row in rows if int(row["excused"])},
        },
        "under_a_listed_exception": sum(int(row["known"]) for row in rows),
        "both_refused": [row["case"] for row in rows if row["outcome"] == "both refused"],
        "mismatches": {row["case"]: row["detail"] for row in rows if row["outcome"] == "mismatch"},
    }


def _read(path: Path) -> dict[str, dict[str, Any]]:
    if not path.is_file():
        return {}
    with open(path, encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            sys.exit(f"{path}: a table of another layout; move it away to start anew.")
        return {row["case"]: row for row in reader}


if __name__ == "__main__":
    main()
