"""Print or write the figures of the house; see ``Testing/house/__init__.py`` for what is counted."""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

from Testing.house.figures import GOALS, LISTS, Figure, measure, offenders
from Testing.house.sources import UnknownCommitError, checkout

ROOT = Path(__file__).resolve().parents[2]
STORED = ROOT / "docs" / "results" / "house.csv"
FIRST_COMMIT = "719adca"  # of the issue that rebuilt the house; where a history lacks it, its figures come from STORED
Figures = Mapping[str, Mapping[str, Figure]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what was asked for; 1 where a commit is not in the history."""
    parser = argparse.ArgumentParser(description="The house in figures, before and after it was rebuilt.")
    parser.add_argument("--at", metavar="COMMIT", help="measure a commit instead of both states")
    parser.add_argument("--list", choices=LISTS, help="list the places behind a figure (package and modules)")
    parser.add_argument("--csv", type=Path, help="write the table here, and command and commits into a .json beside it")
    options = parser.parse_args(arguments)
    try:
        if options.list:
            with checkout(ROOT, options.at) if options.at else nullcontext(ROOT) as root:
                _print(offenders(root, options.list))
        elif options.at:
            _print(_table({options.at: _at(options.at)}))
        else:
            _both(options.csv)
    except UnknownCommitError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


def _both(path: Path | None) -> None:
    """The first commit beside the working tree."""
    try:
        before = _at(FIRST_COMMIT)
    except UnknownCommitError:
        before = _stored()
        sys.stderr.write(f"Commit {FIRST_COMMIT} is not in this history: its figures are those in {STORED.name}.\n")
    columns = {FIRST_COMMIT: before, "working tree": measure(ROOT)}
    _print(_table(columns))
    if path is not None:
        _write(path, columns)


def _stored() -> Figures:
    """The first commit's figures as they were measured when it was in the history."""
    figures: dict[str, dict[str, Figure]] = {"package": {}, "tests": {}}
    with open(STORED, encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            figures[row["group"]][row["figure"]] = Figure(float(row["before"]), row["before_detail"])
    return figures


def _at(commit: str) -> Figures:
    with checkout(ROOT, commit) as root:
        return measure(root)


def _table(columns: Mapping[str, Figures]) -> list[str]:
    """Lines of a table for each group: a row for each figure, a column for each state, and the goals."""
    rows = []
    for group, title in (("package", "package and modules"), ("tests", "tests")):
        rows.append([title, *columns, "goal" if group == "package" else ""])
        for name in _names(columns, group):
            cells = [_cell(figures[group].get(name)) for figures in columns.values()]
            rows.append([f"  {name}", *cells, _goal(name, group)])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _write(path: Path, columns: Mapping[str, Figures]) -> None:
    """The table as CSV, a row for each figure and group, and what made it as JSON."""
    with open(path, "w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(["figure", "group", "before", "before_detail", "after", "after_detail", "goal"])
        for group in ("package", "tests"):
            for name in _names(columns, group):
                figures = [state[group][name] for state in columns.values()]
                cells = [text for figure in figures for text in (f"{figure.value:.10g}", figure.detail)]
                table.writerow([name, group, *cells, _goal(name, group)])
    record = {
        "command": f"python -m Testing.house --csv {path.as_posix()}", "date": datetime.now(UTC).date().isoformat(),
        "before": FIRST_COMMIT, "after": _state(),
    }  # fmt: skip
    path.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _state() -> str:
    """The commit of the working tree, with a note where files differ from it."""
    answer = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return answer.stdout.strip()


def _names(columns: Mapping[str, Figures], group: str) -> list[str]:
    return list(dict.fromkeys(name for figures in columns.values() for name in figures[group]))


def _goal(name: str, group: str) -> str:
    return f"at most {GOALS[name]}" if group == "package" and name in GOALS else ""


def _cell(figure: Figure | None) -> str:
    if figure is None:
        return ""
    value = f"{figure.value:,.1f}" if figure.value % 1 else f"{figure.value:,.0f}"
    return f"{value} ({figure.detail})" if figure.detail else value


def _print(lines: Sequence[str]) -> None:
    sys.stdout.write("\n".join([*lines, ""]))


if __name__ == "__main__":
    sys.exit(main())
