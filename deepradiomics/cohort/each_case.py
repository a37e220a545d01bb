"""One loop over the cases of a cohort: what each gives, who cannot be used and why, and how far it is.

::

    work = each_case(manifest.rows, prepare, missing="drop", doing="stack of", progress=progress)
    work.results        what prepare gave, in the manifest's order
    work.unusable       (id, reason) of the cases that it raised InputError for

What is no fault of a case (a full disk, a damaged bundle, a slip of the program) is raised and ends the loop; what was
finished by then is in the caches.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Literal, TypeVar

from deepradiomics.cohort.workers import run_everywhere
from deepradiomics.errors import BundleError, DeepRadiomicsError, InputError
from deepradiomics.files.store import StoreError
from deepradiomics.progress import Progress, silent

Missing = Literal["refuse", "drop"]
Row = TypeVar("Row")
Result = TypeVar("Result")
Unusable = tuple[str, str]
"""A case that cannot be used, and why."""
Explain = Callable[[str, Exception], "str | None"]
_SHOWN = 5  # unusable cases of one message


@dataclass(frozen=True)
class Fault:
    """Why a case cannot be used."""

    reason: str


@dataclass(frozen=True, eq=False)
class CaseResults(Generic[Result]):
    """What became of the cases.

    Args:
        positions: of the cases that can be used, among all.
        ids: of these.
        results: of these.
        unusable: (id, reason) of the others, in their order.
    """

    positions: tuple[int, ...]
    ids: tuple[str, ...]
    results: tuple[Result, ...]
    unusable: tuple[Unusable, ...]


def id_of(row: Any) -> str:
    """The id of a manifest's row."""
    return str(row.id)


def fault_of(case: str, error: Exception) -> str | None:
    """The reason why a case cannot be used, which names it; None for an error that is no fault of the case."""
    return None if isinstance(error, BundleError) else fault_or_bundle_of(case, error)


def fault_or_bundle_of(case: str, error: Exception) -> str | None:
    """As :func:`fault_of`, where each case names a network of its own, which may be damaged."""
    if isinstance(error, StoreError) or not isinstance(error, InputError):
        return None
    text = str(error)
    is_named = re.search(rf"(?<!\w){re.escape(case)}(?!\w)", text)
    return text if is_named else f"Case {case}: {text}"


def each_case(
    rows: Sequence[Row],
    work: Callable[[Row], Result],
    *,
    missing: Missing | None = "refuse",
    doing: str | Callable[[Row, Result | Fault], str] = "",
    name: Callable[[Row], str] = id_of,
    explain: Explain = fault_of,
    workers: int = 1,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> CaseResults[Result]:
    """Do the work for every case.

    Args:
        rows: the cases.
        work: raises InputError for a case that cannot be used. With workers it is sent to other processes.
        missing: of cases that cannot be used: ``refuse`` the cohort, naming them, or ``drop`` them, as long as one is
            left; None leaves that to the caller.
        doing: what progress says before the case's name, or a function that gives its whole sentence.
        name: id of a case.
        explain: gives the reason of an error that is the case's fault, None for others.
        workers, cluster: see :func:`deepradiomics.cohort.workers.run_everywhere`.
        progress: called after every case; may raise Cancelled.

    Raises:
        InputError: cases cannot be used (``refuse``), or none can.
    """
    if missing not in ("refuse", "drop", None):
        raise InputError(f"missing: expected 'refuse' or 'drop', got {missing!r}.")
    report = progress or silent
    outcomes: dict[int, Result | Fault] = {}
    for number, outcome in case_outcomes(rows, work, name=name, explain=explain, workers=workers, cluster=cluster):
        outcomes[number] = outcome
        row, done = rows[number], len(outcomes)
        sentence = doing(row, outcome) if callable(doing) else f"{doing} {name(row)}"
        report(done / len(rows), f"{sentence} ({done} of {len(rows)})")
    unusable, positions, results = [], [], []
    for number in range(len(rows)):
        outcome = outcomes[number]
        if isinstance(outcome, Fault):
            unusable.append((name(rows[number]), outcome.reason))
        else:
            positions.append(number)
            results.append(outcome)
    if unusable and missing is not None and (missing == "refuse" or not results):
        raise InputError(refusal(unusable, len(rows)))
    ids = tuple(name(rows[number]) for number in positions)
    return CaseResults(tuple(positions), ids, tuple(results), tuple(unusable))


def case_outcomes(
    rows: Sequence[Row],
    work: Callable[[Row], Result],
    *,
    name: Callable[[Row], str] = id_of,
    explain: Explain = fault_of,
    workers: int = 1,
    cluster: str | None = None,
) -> Iterator[tuple[int, Result | Fault]]:
    """Yield (number of the case, what it gave or its fault) in the order in which cases finish."""
    yield from run_everywhere(partial(_explained, work, name, explain), rows, workers, cluster)


def refusal(
    unusable: Sequence[Unusable],
    total: int,
    cannot: str = "be used",
    advice: str = "\nFix the manifest, or leave such cases out with missing='drop' (--missing drop).",
) -> str:
    """Why a cohort is refused: what cannot be done with the first of its unusable cases and why, and what to do."""
    shown = "\n  ".join(reason for _, reason in unusable[:_SHOWN])
    more = f"\n  … and {len(unusable) - _SHOWN} more" if len(unusable) > _SHOWN else ""
    return f"{len(unusable)} of {total} cases cannot {cannot}:\n  {shown}{more}{advice}"


def _explained(work: Callable[[Row], Result], name: Callable[[Row], str], explain: Explain, row: Row) -> Result | Fault:
    try:
        return work(row)
    except Exception as error:
        reason = explain(name(row), error)
        if reason is None:
            if not isinstance(error, DeepRadiomicsError):
                error.add_note(f"This happened in case {name(row)}.")
            raise
        return Fault(reason)
