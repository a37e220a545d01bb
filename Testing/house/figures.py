"""All figures of one state of the code."""

from __future__ import annotations

import io
import statistics
import tokenize
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from Testing.house.functions import MANY, functions, parameters
from Testing.house.imports import cycles, inner_imports
from Testing.house.names import pronouns
from Testing.house.sources import PACKAGE, Source, read_sources, slicer_modules

GOALS = {
    "largest folder": 18, "largest function": 80, f"functions of {MANY} or more parameters": 50,
    "imports inside functions": 220, "import cycles": 0, "fmt: skip": 80, "pronoun names per 1,000": 15,
}  # fmt: skip
LISTS = ("folders", "functions", "parameters", "imports", "cycles", "pronouns")


@dataclass(frozen=True)
class Figure:
    """A number and where it comes from, where one place can be named."""

    value: float
    detail: str = ""


def measure(root: Path) -> dict[str, dict[str, Figure]]:
    """For ``package`` and ``tests``: each figure by name. Imports and cycles are counted in the package only."""
    groups, packages = read_sources(root), _packages(root)
    measured = {group: _sizes(sources) for group, sources in groups.items()}
    knots = cycles(groups["package"])
    measured["package"] |= {
        "imports inside functions": Figure(len(inner_imports(groups["package"], packages))),
        "import cycles": Figure(len(knots), " + ".join(f"{len(knot)}" for knot in knots) + " files" if knots else ""),
    }
    return measured


def offenders(root: Path, which: str) -> list[str]:
    """A line for each offender behind a figure of package and modules, worst first (see ``LISTS``)."""
    sources = read_sources(root)["package"]
    if which == "folders":
        return [f"{count:5d}  {folder}" for folder, count in _folders(sources).most_common()]
    if which in ("functions", "parameters"):
        rows = functions(sources)[:100] if which == "functions" else parameters(sources)
        return [f"{count:5d}  {place}" for count, place in rows]
    if which == "imports":
        return inner_imports(sources, _packages(root))
    if which == "cycles":
        return [f"{len(knot):5d}  {', '.join(knot)}" for knot in cycles(sources)]
    return pronouns(sources)[0]


def _sizes(sources: Sequence[Source]) -> dict[str, Figure]:
    folder, files = _folders(sources).most_common(1)[0]
    longest, place = functions(sources)[0]
    named, bound = pronouns(sources)
    words = Counter(line.rpartition(" ")[2] for line in named)
    return {
        "files": Figure(len(sources)),
        "lines": Figure(sum(source.lines for source in sources)),
        "largest folder": Figure(files, folder),
        "median file": Figure(statistics.median(source.lines for source in sources)),
        "largest function": Figure(longest, place.rpartition(" ")[2]),
        f"functions of {MANY} or more parameters": Figure(len(parameters(sources))),
        "fmt: skip": Figure(sum(_skipped(source.text) for source in sources)),
        "pronoun names per 1,000": Figure(
            round(1000 * len(named) / max(bound, 1), 1), ", ".join(f"{w} {n}" for w, n in words.most_common(5))
        ),
    }


def _folders(sources: Sequence[Source]) -> Counter[str]:
    """Files directly in each folder; the first of equals in the alphabet comes first."""
    return Counter(source.folder for source in sorted(sources, key=lambda source: source.path))


def _skipped(text: str) -> int:
    """Comments that keep the formatter off; the same letters in a string are none."""
    if "fmt: skip" not in text:
        return 0
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return sum(token.type == tokenize.COMMENT and "fmt: skip" in token.string for token in tokens)


def _packages(root: Path) -> list[str]:
    return [PACKAGE, *(f"{name}Lib" for name in slicer_modules(root))]
