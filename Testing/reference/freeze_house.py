"""Freeze the numbers of the code as it was before the house was rebuilt, by hash: made once, at commit 719adca.

    python -m Testing.reference.freeze_house               refuses where frozen/house.json exists
    python -m Testing.reference.freeze_house --check       computes everything with today's code and lists what changed

Each entry of :mod:`Testing.reference.house_numbers` stands as the SHA-256 of its names and exact values (float64 bytes,
sorted by name), beside how many values it holds, the sum of the numbers and the first three, which serve the eye only.
Hashes are compared where libraries and processor are those recorded: the last digits of sums depend on both.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from Testing.reference.house_numbers import GROUPS
from Testing.reference.house_rows import Entry

FROZEN = Path(__file__).with_name("frozen") / "house.json"
FIRST_COMMIT = "719adca"
LIBRARIES = (
    "numpy", "scipy", "SimpleITK", "PyWavelets", "numba", "torch", "monai", "lightning", "scikit-learn", "xgboost"
)  # fmt: skip


def environment() -> dict[str, str]:
    """What the last digits depend on: library versions, processor and the kernels chosen for it."""
    import torch
    from threadpoolctl import threadpool_info

    kernels = sorted({str(pool["architecture"]) for pool in threadpool_info() if "architecture" in pool})
    return {
        "Python": ".".join(platform.python_version_tuple()[:2]),
        **{name: version(name) for name in LIBRARIES},
        "system": f"{platform.system()} {platform.machine()}",
        "torch kernels": torch.backends.cpu.get_cpu_capability(),
        "BLAS kernels": ", ".join(kernels),
    }


def differences(recorded: Mapping[str, str]) -> list[str]:
    """``numpy 2.5.0 (recorded: 2.4.6)`` for everything in the environment that is not as recorded."""
    current = environment()
    return [
        f"{name} {current.get(name)} (recorded: {old})" for name, old in recorded.items() if current.get(name) != old
    ]


def computed(group: str, folder: Path) -> dict[str, dict[str, Any]]:
    """The frozen form of each entry of a group, with one thread."""
    with _one_thread():
        return {name: frozen_form(entry) for name, entry in GROUPS[group](folder).items()}


def frozen_form(entry: Entry) -> dict[str, Any]:
    """SHA-256 of names and exact values, and a few digits for the eye."""
    digest = hashlib.sha256()
    numbers: list[float] = []
    values = 0
    for name, value in sorted(entry.items()):
        cells = np.asarray(value, dtype=object).ravel().tolist()
        digest.update(f"{name}\0{np.shape(value)}\0".encode())
        digest.update(b"".join(_exact(cell) for cell in cells))
        numbers += [float(cell) for cell in cells if cell is not None and not isinstance(cell, str)]
        values += sum(cell not in (None, "") for cell in cells)
    finite = [number for number in numbers if math.isfinite(number)]
    return {
        "sha256": digest.hexdigest(), "values": values, "sum": f"{math.fsum(finite):.9g}",
        "first": [f"{number:.6g}" for number in finite[:3]],
    }  # fmt: skip


def changed(frozen: Mapping[str, Any], current: Mapping[str, Any]) -> list[str]:
    """A sentence for each entry that is not what it was."""
    lines = []
    for name in dict.fromkeys([*frozen, *current]):
        before, now = frozen.get(name), current.get(name)
        if before != now:
            digits = [f"{x['values']} values, sum {x['sum']}" if x else "nothing" for x in (before, now)]
            lines.append(f"{name}: {digits[0]} before, {digits[1]} now")
    return lines


def main() -> int:
    """Make the file, or check today's code against it; 1 where something changed or nothing may be written."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare; write nothing")
    parser.add_argument("--remake", action="store_true", help="replace the file, and with it the proof")
    options = parser.parse_args()
    if options.check:
        frozen = json.loads(FROZEN.read_text(encoding="utf-8"))
        if others := differences(frozen["environment"]):
            print(*others, sep="\n")
        lines = [f"{group}: {line}" for group, entries in _all().items() for line in changed(frozen[group], entries)]
        print(*(lines or ["Every number is the one it was."]), sep="\n")
        return int(bool(lines))
    if FROZEN.exists() and not options.remake:
        print(f"{FROZEN.name} holds the numbers of {FIRST_COMMIT} and is not remade (--remake replaces it).")
        return 1
    if subprocess.run(["git", "diff", "--quiet", FIRST_COMMIT, "--", "deepradiomics"], check=False).returncode:
        print(f"deepradiomics/ is not that of {FIRST_COMMIT}: check that commit out and run this there.")
        return 1
    first, second = _all(), _all()
    unstable = [f"{group}: {line}" for group in first for line in changed(first[group], second[group])]
    if unstable:
        print("Not the same twice:", *unstable, sep="\n")
        return 1
    about = {
        "made by": "python -m Testing.reference.freeze_house", "commit": FIRST_COMMIT,
        "date": datetime.now(UTC).date().isoformat(), "environment": environment(),
    }  # fmt: skip
    FROZEN.write_text(json.dumps({**about, **first}, indent=1) + "\n", encoding="utf-8")
    print(f"{FROZEN.name}: {sum(map(len, first.values()))} entries")
    return 0


def _all() -> dict[str, dict[str, dict[str, Any]]]:
    entries = {}
    for group in GROUPS:
        start = time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            entries[group] = computed(group, Path(folder))
        print(f"{group}: {len(entries[group])} entries, {time.process_time() - start:.1f} s CPU", flush=True)
    return entries


def _exact(cell: Any) -> bytes:
    """The bytes of one value: a number as float64 (all NaN alike), a text as UTF-8."""
    if cell is None:
        return b"none;"
    if isinstance(cell, str):
        return f"{cell};".encode()
    number = float(cell)
    return b"nan;" if math.isnan(number) else np.float64(number).tobytes()


@contextmanager
def _one_thread() -> Iterator[None]:
    import torch
    from threadpoolctl import threadpool_limits

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(threads)


if __name__ == "__main__":
    sys.exit(main())
