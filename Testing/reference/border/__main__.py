"""Judge mutants by their seeds.

    python -m Testing.reference.border --count 3000 [--first 0] [--kind image] [--out docs/results/border_fuzz.csv]

Each mutant is judged in a child process, so that a crash or a hang is an outcome like any other.
"""

from __future__ import annotations

import argparse
import csv
import json
import platform
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from Testing.reference.border.run import KINDS, kind_of, verdict_of

COLUMNS = ("seed", "kind", "field", "outcome", "message", "seconds")
HANG_S = 60.0


def main() -> int:
    """Judge, write the table and a summary; 1 where a mutant was wrong, raw, crashed or hung."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--kind", choices=sorted(KINDS), help="only these")
    parser.add_argument("--out", type=Path, help="CSV file; a JSON summary lies beside it")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    seeds = [
        seed for seed in range(arguments.first, arguments.first + arguments.count)
        if arguments.kind is None or kind_of(seed) == arguments.kind
    ]  # fmt: skip
    if arguments.child:
        for line in sys.stdin:
            print(json.dumps(verdict_of(int(line))), flush=True)
        return 0
    begun, rows = time.perf_counter(), judged(seeds)
    outcomes = Counter(row["outcome"] for row in rows)
    bad = [row for row in rows if row["outcome"] not in ("refused", "intact", "right", "noted")]
    by_kind = {
        kind: dict(Counter(r["outcome"] for r in rows if r["kind"] == kind))
        for kind in sorted({r["kind"] for r in rows})
    }
    for row in bad:
        print(row)
    print(dict(outcomes), f"{time.perf_counter() - begun:.0f} s")
    if arguments.out:
        with open(arguments.out, "w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        summary = {
            "command": f"python -m Testing.reference.border --count {arguments.count} --first {arguments.first}",
            "date": datetime.now(UTC).date().isoformat(), "machine": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version(), "mutants": len(rows), "outcomes": dict(outcomes), "by_kind": by_kind,
        }  # fmt: skip
        arguments.out.with_suffix(".json").write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    return 1 if bad else 0


def judged(seeds: list[int]) -> list[dict[str, object]]:
    """The verdicts, each from a child that is started again when it has crashed or hangs."""
    import queue
    import threading

    rows: list[dict[str, object]] = []
    child: subprocess.Popen[str] | None = None
    lines: queue.Queue[str] = queue.Queue()

    def started() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "Testing.reference.border", "--child"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        threading.Thread(target=lambda: [lines.put(line) for line in process.stdout or ()], daemon=True).start()
        return process

    for number, seed in enumerate(seeds):
        if child is None or child.poll() is not None:
            child = started()
        assert child.stdin is not None
        child.stdin.write(f"{seed}\n")
        child.stdin.flush()
        begun, answer = time.perf_counter(), ""
        while not answer:
            try:
                answer = lines.get(timeout=1)
            except queue.Empty:
                if child.poll() is not None or time.perf_counter() - begun > HANG_S:
                    break
        if answer:
            rows.append(json.loads(answer))
        else:
            code = child.poll()
            outcome = "hang" if code is None else "crash"
            rows.append(
                {
                    "seed": seed,
                    "kind": kind_of(seed),
                    "field": "",
                    "outcome": outcome,
                    "message": str(code),
                    "seconds": HANG_S,
                }
            )
            child.kill()
            child = None
        if number % 200 == 199:
            print(f"{number + 1} of {len(seeds)}", file=sys.stderr, flush=True)
    if child is not None:
        child.kill()
    return rows


if __name__ == "__main__":
    raise SystemExit(main())
