"""Tables T1 and T2 in the paper's form, as CSV, JSON and Markdown, each with its command, seeds, machine and date.

A :class:`Table` is plain text and numbers: rows of equal columns, notes, provenance. ``t1`` and ``t2`` make one from an
:class:`~deepradiomics.fingerprint.evaluate.result.Evaluation`; ``write_table`` puts it on disk three times.

Numbers quoted from the paper were measured on other data (MRNet). They stand in rows of their own, ``source = quoted``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from deepradiomics.files.atomic import write_json, write_text
from deepradiomics.files.tables import parse_csv, write_csv
from deepradiomics.fingerprint.evaluate.result import Evaluation, nan_to_none
from deepradiomics.fingerprint.evaluate.scores import METRICS, Comparison, Score, ScoreRow, compare, score_rows
from deepradiomics.progress import Progress, silent

QUOTED_FROM = "Chen et al., Radiomic fingerprints for knee MR images assessment (MRNet data)"
_DESCRIPTION = ("label", "patches", "features", "selection", "views", "registration")


@dataclass(frozen=True)
class Table:
    """A title, rows with the same columns, and what a reader must know to judge them."""

    name: str
    title: str
    rows: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for row in self.rows for name in row))


def t1(evaluation: Evaluation, *, n_bootstrap: int = 2000, progress: Progress | None = None) -> Table:
    """Methods × tasks: scores with SD and interval, and the fingerprint's paired tests against each baseline.

    The tests of a method without inference modes are those against the fingerprint in the paper's mode; against its
    other mode they stand in ``t1_comparisons``.
    """
    report = progress or silent
    report(0.0, "scores and bootstrap intervals")
    rows = score_rows(evaluation.predictions, n_bootstrap=n_bootstrap)
    report(0.8, "paired tests")
    tests = {(c.baseline, c.baseline_inference, c.task): c for c in reversed(compare(evaluation.predictions))}
    body = [_score_cells(evaluation, row, tests.get((row.method, row.inference, row.task))) for row in rows]
    notes = (
        "Mean ± SD over units (seed, or seed × fold); the SD is empty for one unit.",
        f"Intervals: 95 % percentile bootstrap over patients, {n_bootstrap} resamples, for the mean over units.",
        "Decision thresholds: Youden's index on validation. Scores: test cases only.",
        "DeLong and McNemar (exact): the fingerprint against the row's method on each case's mean over units; "
        "Holm over all baselines × tasks of an inference mode. Differences are fingerprint minus the row's method.",
        *evaluation.notes,
    )
    table = Table("t1", "T1: methods × tasks", (*body, *quoted("T1")), notes, evaluation.provenance)
    report(1.0, "table T1")
    return table


def t2(ablation: Evaluation, *, n_bootstrap: int = 2000) -> Table:
    """Variants × tasks: grid, feature families, selection, registration, in the form of the paper's table 2."""
    body = [_score_cells(ablation, row, None) for row in score_rows(ablation.predictions, n_bootstrap=n_bootstrap)]
    notes = (
        "Mean ± SD over units (seed, or seed × fold); the SD is empty for one unit.",
        f"Intervals: 95 % percentile bootstrap over patients, {n_bootstrap} resamples, for the mean over units.",
        *ablation.notes,
    )
    return Table("t2", "T2: ablations", (*body, *quoted("T2")), notes, ablation.provenance)


def t1_comparisons(evaluation: Evaluation) -> Table:
    """All paired tests, both inference modes."""
    rows = tuple({"source": "measured", **nan_to_none(asdict(c))} for c in compare(evaluation.predictions))
    return Table("t1_comparisons", "T1: paired tests of the fingerprint", rows, (), evaluation.provenance)


def selection_table(evaluation: Evaluation) -> Table:
    """Size of the fingerprint, variance of relevance between patients, overlap between patients and seeds."""
    rows = tuple(nan_to_none(asdict(row)) for row in evaluation.selections)
    return Table("selection", "Is the fingerprint per patient?", rows, (), evaluation.provenance)


def top_table(evaluation: Evaluation) -> Table:
    """The first features of each task by patch, view and family."""
    rows = tuple(asdict(row) for row in evaluation.top)
    return Table("top_features", "First features by patch, view and family", rows, (), evaluation.provenance)


@cache
def _quoted_rows() -> tuple[Mapping[str, str], ...]:
    text = (files("deepradiomics.reports.fingerprint") / "quoted.csv").read_text(encoding="utf-8")
    return tuple(parse_csv(text, Path("quoted.csv")).rows)


def quoted(table: str) -> tuple[Mapping[str, Any], ...]:
    """The paper's own rows of ``"T1"`` or ``"T2"``, SKID among them, marked as quoted."""
    rows = []
    for row in _quoted_rows():
        if row["table"] != table:
            continue
        numbers = {name: _number(row[name]) for metric in METRICS for name in (metric, f"{metric}_sd")}
        rows.append(
            {
                "source": "quoted",
                "method": row["method"],
                "inference": "",
                "label": f"{row['method']} (quoted)",
                **{name: row[name] for name in _DESCRIPTION if name not in ("label", "views")},
                "views": int(row["views"]),
                "task": row["task"],
                **numbers,
                "note": f"quoted from {QUOTED_FROM}",
            }
        )
    return tuple(rows)


def write_table(table: Table, folder: Path | str) -> tuple[Path, Path, Path]:
    """Write ``<name>.csv``, ``<name>.json`` and ``<name>.md`` into ``folder``; returns the three paths."""
    folder = Path(folder)
    paths = tuple(folder / f"{table.name}.{kind}" for kind in ("csv", "json", "md"))
    stamp = {name: _cell(table.provenance.get(name, "")) for name in _CSV_PROVENANCE}
    write_csv(paths[0], [*table.columns, *_CSV_PROVENANCE], ({**row, **stamp} for row in table.rows))
    described = {
        "title": table.title,
        "rows": [nan_to_none(row) for row in table.rows],
        "notes": list(table.notes),
        "provenance": dict(table.provenance),
    }
    write_json(paths[1], described)
    write_text(paths[2], markdown(table))
    return paths[0], paths[1], paths[2]


_CSV_PROVENANCE = ("command", "seeds", "machine", "date")  # repeated in each row: a CSV has no other place for them


def markdown(table: Table) -> str:
    """The table for reading: ``mean ± SD [low, high]`` in one cell for scores, every column otherwise."""
    scored = any("accuracy" in row for row in table.rows)
    columns: dict[str, Callable[[Mapping[str, Any]], str]]
    if scored:
        columns = {
            "Method": lambda row: str(row["label"]),
            "N": lambda row: str(row["patches"]),
            "RF": lambda row: str(row["features"]),
            "FS": lambda row: str(row["selection"]),
            "View": lambda row: str(row["views"]),
            "Reg": lambda row: str(row["registration"]),
            "Type": lambda row: str(row["task"]),
            **{title: _score_reader(name) for title, name in zip(("Acc", "Sen", "Spe", "AUC"), METRICS, strict=True)},
        }
        if any(row.get("delong_p_holm") is not None for row in table.rows):
            columns["DeLong p (Holm)"] = lambda row: _p(row.get("delong_p_holm"))
        if any(row.get("mcnemar_p_holm") is not None for row in table.rows):
            columns["McNemar p (Holm)"] = lambda row: _p(row.get("mcnemar_p_holm"))
    else:
        columns = {name: _plain_reader(name) for name in table.columns}
    lines = [f"# {table.title}", "", _line(list(columns)), _line(["---"] * len(columns))]
    lines += [_line([read(row) for read in columns.values()]) for row in table.rows]
    lines += ["", *(f"- {note}" for note in table.notes), ""]
    # Versions and configuration stand in the JSON file.
    lines += [f"- {name}: {_cell(value)}" for name, value in table.provenance.items() if not isinstance(value, dict)]
    return "\n".join(lines).rstrip() + "\n"


def _score_cells(evaluation: Evaluation, row: ScoreRow, test: Comparison | None) -> dict[str, Any]:
    info = evaluation.info(row.method, row.inference)
    cells: dict[str, Any] = {"source": "measured", "method": row.method, "inference": row.inference}
    cells |= {name: getattr(info, name) for name in _DESCRIPTION}
    cells |= {"task": row.task, "units": row.units, "cases": row.cases}
    for name in METRICS:
        score: Score = getattr(row, name)
        cells |= {name: score.mean, f"{name}_sd": score.sd, f"{name}_low": score.low, f"{name}_high": score.high}
    if test is not None:
        names = ("auc_difference", "auc_difference_low", "auc_difference_high", "delong_p", "delong_p_holm",
                 "only_fingerprint_right", "only_baseline_right", "mcnemar_p", "mcnemar_p_holm")  # fmt: skip
        cells |= {name: getattr(test, name) for name in names}
    return nan_to_none({**cells, "note": info.note})


def _score_reader(name: str) -> Callable[[Mapping[str, Any]], str]:
    def read(row: Mapping[str, Any]) -> str:
        text = f"{row[name]:.2f}"
        if row.get(f"{name}_sd") is not None:
            text += f" ± {row[f'{name}_sd']:.2f}"
        if row.get(f"{name}_low") is not None:
            text += f" [{row[f'{name}_low']:.2f}, {row[f'{name}_high']:.2f}]"
        return text

    return read


def _plain_reader(name: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda row: f"{row[name]:.4g}" if isinstance(row.get(name), float) else _cell(row.get(name))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return " ".join(str(item) for item in value)
    return str(value)


def _p(value: float | None) -> str:
    if value is None or math.isnan(value):
        return ""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _number(text: str) -> float | None:
    return float(text) if text else None


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"
