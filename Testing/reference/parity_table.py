"""Print the parity table: for each case and feature class the worst relative difference from PyRadiomics 3.0.1.

    DEEPRADIOMICS_TEST_DATA=... python -m Testing.reference.parity_table [--out docs/results]

Writes parity.csv and parity.json (with command, machine and date) where ``--out`` names a folder.
"""

import argparse
import csv
import json
import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from deepradiomics.radiomics import extract, family_of
from deepradiomics.radiomics.catalogue import FAMILIES
from Testing.reference import oracle
from Testing.reference.parity_cases import all_cases

EXCEPTIONS = (
    "B-spline resampling of an image with fewer than four voxels along an axis: ITK's own result differs from run to "
    "run, so no two programs agree on it; it is refused.",
    "symmetricalGLCM false, Correlation: in a direction in which one side of all pairs has a single grey level, the "
    "standard deviation is zero and the correlation 1 by definition; PyRadiomics gives 1 or about 0 there, depending "
    "on how its sum rounds.",
    "MCC of a direction whose second eigenvalue is zero: PyRadiomics leaves the direction out when it rounds below "
    "zero; here it counts as zero.",
    "uint8 and int16 images whose maximum plus two bin widths exceeds the number type, under numpy 2: PyRadiomics' bin "
    "edges overflow there and its grey levels collapse; here they do not.",
    "An axis length of a straight or flat ROI is zero here; PyRadiomics' is rounding noise of about 1e-8 mm.",
)


def main() -> None:
    """Compare every case and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="folder for parity.csv and parity.json")
    arguments = parser.parse_args()
    folder = Path(os.environ["DEEPRADIOMICS_TEST_DATA"]) if "DEEPRADIOMICS_TEST_DATA" in os.environ else None
    rows = []
    print(f"{'case':45s}" + "".join(f"{family:>12s}" for family in FAMILIES))
    for case in all_cases():
        if case.kind != "random" and folder is None:
            continue
        pair = case.load(folder)
        ours = extract(*pair, case.params)
        theirs = oracle.live_values(*pair, case.params) if oracle.is_live() else oracle.frozen_values(case)
        worst = dict.fromkeys(FAMILIES, 0.0)
        for key, value in theirs.items():
            worst[family_of(key)] = max(worst[family_of(key)], oracle.relative_difference(key, ours[key], value))
        rows.append({"case": case.name, "features": len(theirs), **worst})
        print(f"{case.name:45s}" + "".join(f"{worst[family]:12.1e}" for family in FAMILIES))
    overall = {family: max(row[family] for row in rows) for family in FAMILIES}
    print(f"{'worst of all':45s}" + "".join(f"{overall[family]:12.1e}" for family in FAMILIES))
    if arguments.out:
        _write(arguments.out, rows, overall)


def _write(folder: Path, rows: list[dict[str, object]], overall: dict[str, float]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "parity.csv", "w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, ["case", "features", *FAMILIES])
        writer.writeheader()
        writer.writerows(
            {key: f"{value:.2e}" if isinstance(value, float) else value for key, value in row.items()} for row in rows
        )
    document = {
        "command": "python -m Testing.reference.parity_table --out docs/results",
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("numpy", "SimpleITK")},
        "oracle": "PyRadiomics 3.0.1, run live" if oracle.is_live() else "PyRadiomics 3.0.1, frozen values",
        "measure": "worst |ours - theirs| / |theirs| of the features of a class",
        "noise": "values are taken as equal when both are rounding noise about zero: "
        + ", ".join(f"{family} up to {limit:g}" for family, limit in oracle.NOISE.items()),
        "exceptions": list(EXCEPTIONS),
        "cases": len(rows),
        "worst": overall,
        "rows": rows,
    }
    (folder / "parity.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
