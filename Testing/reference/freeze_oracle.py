"""Freeze PyRadiomics' values of the parity cases, for machines on which it cannot be built.

    DEEPRADIOMICS_TEST_DATA=... python -m Testing.reference.freeze_oracle

Writes numbers only; needs PyRadiomics 3.0.1 and the real images.
"""

import json
import math
import os
import sys
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from Testing.reference.oracle import FROZEN, live_values
from Testing.reference.parity_cases import all_cases


def main() -> None:
    """Run the oracle on every case and write the JSON file."""
    folder = Path(os.environ["DEEPRADIOMICS_TEST_DATA"])
    names: list[list[str]] = []
    cases: dict[str, tuple[int, list[float | None]]] = {}
    for case in all_cases():
        values = live_values(*case.load(folder), case.params)
        if list(values) not in names:
            names.append(list(values))
        numbers = [None if math.isnan(value) else float(f"{value:.12g}") for value in values.values()]
        cases[case.name] = names.index(list(values)), numbers
        print(case.name)
    document = {
        "made by": "python -m Testing.reference.freeze_oracle",
        "pyradiomics": version("pyradiomics"),
        "numpy": version("numpy"),
        "SimpleITK": version("SimpleITK"),
    }
    lists = ",\n".join(f"  {json.dumps(one)}" for one in names)
    rows = ",\n".join(f"  {json.dumps(case)}: {json.dumps(values)}" for case, values in cases.items())
    head = json.dumps(document, indent=1)[:-2]
    FROZEN.parent.mkdir(exist_ok=True)
    FROZEN.write_text(
        f'{head},\n "names": [\n{lists}\n ],\n "cases": {{\n{rows}\n }}\n}}\n', encoding="utf-8", newline="\n"
    )
    print(f"{FROZEN}: {len(cases)} cases, {FROZEN.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
