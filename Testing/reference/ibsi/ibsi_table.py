"""Print how many of IBSI's reference values are met: per configuration, family and aggregation.

    DEEPRADIOMICS_TEST_DATA=... python -m Testing.reference.ibsi.ibsi_table [--out docs/results]

Configurations B, D and E are added where DEEPRADIOMICS_IBSI_MANUAL names the manual (see ibsi_manual.py).
Writes ibsi.csv (the table) and ibsi.json (every value beside its reference) where ``--out`` names a folder.
"""

import argparse
import csv
import json
import os
import platform
import sys
from collections import Counter
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from Testing.reference.ibsi.ibsi_cases import CONFIGURATIONS, Reference, computed, references
from Testing.reference.ibsi.ibsi_manual import manual_references

MET, MISSED, LATER, NO_VALUE = "met", "not met", "not computed (later)", "no reference value"
STATES = (MET, MISSED, LATER, NO_VALUE)
COLUMNS = ("configuration", "family", "aggregation", "values", *STATES)
PEAKS = ("morph_volume", "morph_area_mesh", "morph_diam", "stat_mean", "cm_joint_entr_3D_comb", "szm_glnu_3D")
SOURCES = (
    "IBSI-1: Zwanenburg et al., Radiology 295 (2020) 328, and the reference manual, arXiv 1612.07003 (CC BY 4.0)",
    "IBSI-2, phase 2: Whybra et al., Radiology 310 (2024) e231319 (reference data CC0)",
)


def judge(reference: Reference, ours: dict[str, float]) -> str:
    """Say what became of a reference value."""
    if reference.tag not in ours:
        return LATER if reference.is_later else MISSED
    if reference.value is None:
        return NO_VALUE
    return MET if reference.is_met(ours[reference.tag]) else MISSED


def compare(data_dir: Path) -> list[tuple[Reference, float | None, str]]:
    """Return every reference value with ours and what became of it."""
    rows = []
    for reference in (*references(data_dir), *manual_references()):
        ours = computed(reference.configuration, data_dir)
        rows.append((reference, ours.get(reference.tag), judge(reference, ours)))
    order = list(CONFIGURATIONS)
    return sorted(rows, key=lambda row: order.index(row[0].configuration))


def main() -> None:
    """Compare all configurations and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="folder for ibsi.csv and ibsi.json")
    arguments = parser.parse_args()
    if not os.environ.get("DEEPRADIOMICS_TEST_DATA"):
        parser.error("DEEPRADIOMICS_TEST_DATA is not set: it names the folder of test data; see docs/methods/ibsi.md")
    rows = compare(Path(os.environ["DEEPRADIOMICS_TEST_DATA"]))
    table = _table(rows)
    print(f"{'configuration':16s} {'family':42s} {'aggregation':24s} {'met':>5s} {'of':>5s}  left")
    for row in table:
        left = ", ".join(f"{row[state]} {state}" for state in STATES[1:] if row[state])
        compared = row[MET] + row[MISSED]  # type: ignore[operator]
        where = f"{row['configuration']:16s} {row['family']:42s} {row['aggregation']:24s}"
        print(f"{where} {row[MET]:5d} {compared:5d}  {left}")
    for reference, value, state in rows:
        if state == MISSED:
            print(f"NOT MET {reference.configuration} {reference.tag}: {value} for {reference.value} "
                  f"± {reference.tolerance} ({reference.consensus or 'no'} consensus told)")  # fmt: skip
    print("\nSome values to look at (ours / reference ± tolerance):")
    for reference, value, _ in rows:
        if reference.tag in PEAKS and value is not None:
            print(f"{reference.configuration:16s} {reference.name:42s} {value:14.6g} / {reference.value:g} "
                  f"± {reference.tolerance:g}")  # fmt: skip
    weak = [r for r, value, _ in rows if value is not None and r.consensus not in ("", "strong", "very strong")]
    print(
        "\nCompared, though teams agreed less: " + "; ".join(f"{r.configuration} {r.tag} ({r.consensus})" for r in weak)
    )
    for configuration, met, compared in _totals(rows):
        print(f"{configuration:16s} {met} of {compared} met")
    if arguments.out:
        _write(arguments.out, rows, table)


def _table(rows: list[tuple[Reference, float | None, str]]) -> list[dict[str, object]]:
    found: dict[tuple[str, str, str], Counter[str]] = {}
    for reference, _, state in rows:
        key = (reference.configuration, reference.family, reference.aggregation.replace("not_applicable", "-"))
        found.setdefault(key, Counter())[state] += 1
    return [
        dict(zip(COLUMNS, (*key, sum(counts.values()), *(counts[state] for state in STATES)), strict=True))
        for key, counts in found.items()
    ]


def _totals(rows: list[tuple[Reference, float | None, str]]) -> list[tuple[str, int, int]]:
    """Return (configuration, met, compared) for each configuration, and for all."""
    totals = []
    for name in (*CONFIGURATIONS, "all"):
        counts = Counter(state for reference, _, state in rows if name in (reference.configuration, "all"))
        if counts:
            totals.append((name, counts[MET], counts[MET] + counts[MISSED]))
    return totals


def _write(folder: Path, rows: list[tuple[Reference, float | None, str]], table: list[dict[str, object]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "ibsi.csv", "w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
    document = {
        "command": "python -m Testing.reference.ibsi.ibsi_table --out docs/results",
        "date": datetime.now(UTC).date().isoformat(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("numpy", "scipy", "SimpleITK")},
        "reference": list(SOURCES),
        "rule": "met: rounded to 3 significant digits, the value lies within the tolerance of the reference value",
        "met": {name: f"{met} of {compared}" for name, met, compared in _totals(rows)},
        "settings": {name: configuration.params for name, configuration in CONFIGURATIONS.items()},
        "columns": ["configuration", "tag", "code", "reference", "tolerance", "consensus", "ours", "state"],
        "values": [
            [r.configuration, r.tag, r.code, r.value, r.tolerance, r.consensus,
             None if ours is None else float(f"{ours:.8g}"), state]
            for r, ours, state in rows
        ],
    }  # fmt: skip
    text = json.dumps(document, indent=1)
    # one line a value: the file is read by people too
    head, _, _ = text.partition('"values": [')
    lines = ",\n".join("  " + json.dumps(row) for row in document["values"])  # type: ignore[attr-defined]
    (folder / "ibsi.json").write_text(f'{head}"values": [\n{lines}\n ]\n}}\n', encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
