"""Freeze PyRadiomics' values of the parity cases, for machines on which it cannot be built.

    DEEPRADIOMICS_TEST_DATA=... python -m Testing.reference.parity.freeze_oracle

Writes numbers only; needs PyRadiomics 3.0.1 and the real images.
"""

import json
import math
import os
import sys
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from Testing.reference.parity.oracle import FROZEN, live_values
from Testing.reference.parity.parity_cases import all_cases
from Testing.reference.parity.parity_matrix import quick_cases


def main() -> None:
    """Run the oracle on every case and write the JSON file."""
    folder = Path(os.environ["DEEPRADIOMICS_TEST_DATA"])
    lists: list[list[str]] = []  # names without their prefix: many prefixes share one
    cases: dict[str, Any] = {}
    for case in [*all_cases(), *quick_cases()]:
        values = live_values(*case.load(folder), case.params)
        blocks = []
        for prefix, keys in groupby(values, lambda key: key.split("_")[0]):
            names = [key.removeprefix(prefix) for key in keys]
            if names not in lists:
                lists.append(names)
            blocks.append([prefix, lists.index(names)])
        numbers = [None if math.isnan(value) else float(f"{value:.12g}") for value in values.values()]
        cases[case.name] = blocks, numbers
        print(case.name)
    document = {
        "made by": "python -m Testing.reference.parity.freeze_oracle",
        "pyradiomics": version("pyradiomics"),
        "numpy": version("numpy"),
        "SimpleITK": version("SimpleITK"),
    }
    names_text = ",\n".join(f"  {json.dumps(one)}" for one in lists)
    rows = ",\n".join(f"  {json.dumps(case)}: {json.dumps(values)}" for case, values in cases.items())
    head = json.dumps(document, indent=1)[:-2]
    FROZEN.parent.mkdir(exist_ok=True)
    text = f'{head},\n "names": [\n{names_text}\n ],\n "cases": {{\n{rows}\n }}\n}}\n'
    FROZEN.write_text(text, encoding="utf-8", newline="\n")
    print(f"{FROZEN}: {len(cases)} cases, {FROZEN.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
