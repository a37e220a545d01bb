"""Table 1 and table A1 of the lens: in the paper's form over one or several tasks, and complete beside it.

paper's form   Feature × Stage | task: MSE↓ with stars, R²↑ | next task …      (paper 003, table 1)
complete       one row per task × group: both stages, pooled R², raw and Holm p, stars, number of patients
A1             frozen / fine-tuned | task and metric, with its better direction (paper 003, appendix)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isnan
from pathlib import Path
from typing import Any

from deepradiomics.files.atomic import write_text
from deepradiomics.files.tables import write_csv
from deepradiomics.lens.result import LensResult
from deepradiomics.reports.lens.words import STAGES, group_name
from deepradiomics.reports.page import Table
from deepradiomics.words import DASH, number, p_value

_KINDS = {"family": "Feature family", "image_type": "Image", "modality": "Modality", "all": "All"}
_IN_PAPER = ("family", "image_type")
_COMPLETE = ("n_features", "mse_pre", "mse_ft", "r2_pre", "r2_ft", "r2_pooled_pre", "r2_pooled_ft", "p", "p_holm",
             "stars", "n_patients")  # fmt: skip
_ARROWS = {"higher": "↑", "up": "↑", "lower": "↓", "down": "↓"}
_A1_STAGES = {"frozen": "Pre-trained (frozen)", "tuned": "Fine-tuned"}


def task_labels(results: Sequence[LensResult]) -> list[str]:
    """A name for each result; two of one task are told apart by their ROI, then by a number.

    >>> from types import SimpleNamespace as S
    >>> task_labels([S(task="SEG", about={"roi": "lesion"}), S(task="SEG", about={"roi": "gland"})])
    ['SEG (lesion)', 'SEG (gland)']
    """
    tasks = [result.task for result in results]
    named = [
        f"{task} ({result.about.get('roi')})" if tasks.count(task) > 1 else task
        for task, result in zip(tasks, results, strict=True)
    ]
    return [f"{name} {named[: i + 1].count(name)}" if named.count(name) > 1 else name for i, name in enumerate(named)]


def paper_table(results: Sequence[LensResult]) -> Table:
    """Table 1 as the paper prints it: group by stage, a pair of columns per task, stars on the fine-tuned MSE."""
    rows = []
    for kind, group in _groups(results, _IN_PAPER):
        for stage, name in STAGES.items():
            cells: list[str] = [group if stage == "pre" else "", name]
            for result in results:
                row = _row(result, kind, group)
                marks = f" {row['stars']}" if stage == "ft" and row.get("stars") else ""
                cells += [number(row.get(f"mse_{stage}")) + marks, number(row.get(f"r2_{stage}"))]
            rows.append(tuple(cells))
    over = (("", 2), *((label, 2) for label in task_labels(results)))
    notes = (
        "MSE: mean squared error of test patients' radiomic features, predicted from the encoder's embeddings; feature "
        "values in standard deviations. R²: share of a feature's variance that is predicted, mean over features.",
        "Stars: Wilcoxon signed-rank test of each test patient's mean squared error, before against after fine-tuning, "
        "adjusted by Holm within families and within images: * p < 0.05, ** p < 0.01, *** p < 0.001.",
        *filter(None, [tested_on(results).replace("panels", "tasks")]),
    )
    head = ("Feature", "Stage", *("MSE↓", "R²↑") * len(results))
    numbers = range(2, len(head))
    starred = range(2, len(head), 2) if any(row.get("stars") for result in results for row in result.table1) else ()
    return Table(head, rows, numbers, over, starred, "Table 1", notes)


def tested_on(results: Sequence[LensResult]) -> str:
    """A sentence when the tasks of a joint table were not tested on the same patients; empty otherwise."""
    sets = [frozenset(row["id"] for row in result.cases if row.get("split") == "test") for result in results]
    counts = [
        int((result.about.get("counts") or {}).get("test") or len(tested))
        for result, tested in zip(results, sets, strict=True)
    ]
    if len(set(counts)) < 2 and len(set(sets)) < 2:
        return ""
    listed = "; ".join(f"{label} {n}" for label, n in zip(task_labels(results), counts, strict=True))
    return f"The tasks were tested on different patients ({listed}): differences between panels may be theirs."


def complete_table(results: Sequence[LensResult]) -> Table:
    """Every group of every task with what the paper leaves out: pooled R², raw and adjusted p, numbers."""
    rows = []
    for result, label in zip(results, task_labels(results), strict=True):
        for row in result.table1:
            cells: list[str] = [label] if len(results) > 1 else []
            cells += [_KINDS.get(row["kind"], str(row["kind"])), group_name(row["kind"], row["group"])]
            cells += [_whole(row["n_features"])]
            cells += [number(row[name]) for name in _COMPLETE[1:7]]
            cells += [p_value(row["p"]), p_value(row["p_holm"]), str(row["stars"]) or DASH, _whole(row["n_patients"])]
            rows.append(tuple(cells))
    heads = ("Kind", "Group", "Features", "MSE pre", "MSE ft", "R² pre", "R² ft", "Pooled R² pre", "Pooled R² ft",
             "p", "p (Holm)", "Stars", "Patients")  # fmt: skip
    notes = ("Pooled R²: all features of the group together, so that features with much variance left weigh more.",)
    head = (*(("Task",) if len(results) > 1 else ()), *heads)
    return Table(head, rows, range(len(head) - len(_COMPLETE), len(head)), title="Table 1, complete", notes=notes)


def evaluation_table(results: Sequence[LensResult]) -> Table | None:
    """Table A1: each task's metric with the backbone frozen and fine-tuned; None when no evaluation was given."""
    pairs = [
        (label, row) for result, label in zip(results, task_labels(results), strict=True) for row in result.evaluations
    ]
    if not pairs:
        return None
    heads = []
    for label, row in pairs:
        unit = f", {row['unit']}" if row.get("unit") else ""
        heads.append(f"{label}: {row['metric']}{_ARROWS.get(str(row.get('better')), '')}{unit}")
    rows = [(name, *(_with_interval(row, stage) for _, row in pairs)) for stage, name in _A1_STAGES.items()]
    if any(row.get("n") for _, row in pairs):
        rows.append(("Test patients or scans", *(str(row.get("n") or DASH) for _, row in pairs)))
    notes = [
        "The head alone trained on the frozen pre-trained encoder, against encoder and head fine-tuned; same splits."
    ]
    if any(row.get("frozen_low") or row.get("tuned_low") for _, row in pairs):
        notes.append("In brackets: 95 % bootstrap interval over test patients.")
    tested = {label: str(row.get("n")) for label, row in pairs if row.get("n")}
    if len(set(tested.values())) > 1:
        notes.append(
            f"Tested on different patients: {'; '.join(f'{label} {n}' for label, n in tested.items())}. Tasks should "
            "not be compared by these numbers."
        )
    return Table(("", *heads), rows, range(1, len(heads) + 1), title="Table A1", notes=notes)


def _with_interval(row: Mapping[str, Any], stage: str) -> str:
    """A metric with its interval, where the table has one."""
    low, high = (row.get(f"{stage}_{end}") for end in ("low", "high"))
    if low in (None, "") or high in (None, "") or isnan(float(low)) or isnan(float(high)):
        return number(row[stage])
    return f"{number(row[stage])} [{number(float(low))}, {number(float(high))}]"


def write_tables(results: Sequence[LensResult], out: Path) -> list[Path]:
    """Write table 1 and A1 in the paper's form, and all their numbers in ``table1.csv`` and ``tableA1.csv``.

    In a result's own folder these two are what everything else is made of, and stay as they are.
    """
    done = [_write_paper_csv(results, out / "table1_paper.csv")]
    done.append(_write_markdown([paper_table(results), complete_table(results)], out / "table1.md"))
    elsewhere = all(result.folder.resolve() != out.resolve() for result in results)
    if elsewhere:
        done.append(_write_rows(out / "table1.csv", ("task", "kind", "group", *_COMPLETE), _long(results)))
    shown = evaluation_table(results)
    if shown is not None:
        done.append(_write_markdown([shown], out / "tableA1.md"))
        if elsewhere:
            known = {name for result in results for row in result.evaluations for name in row}
            more = [
                column for column in ("frozen_low", "frozen_high", "tuned_low", "tuned_high", "n") if column in known
            ]
            columns = ("task", "metric", "better", "frozen", "tuned", *more, "unit")
            rows = [
                {**row, "task": label}
                for result, label in zip(results, task_labels(results), strict=True)
                for row in result.evaluations
            ]
            done.append(_write_rows(out / "tableA1.csv", columns, rows))
    return done


def as_markdown(shown: Table) -> str:
    """The table as Markdown; names above the columns are put before each of them."""
    head = list(shown.head)
    if shown.over:
        names = [name for name, n in shown.over for _ in range(n)]
        head = [f"{name}: {column}" if name else column for name, column in zip(names, head, strict=True)]
    lines = [f"# {shown.title}", "", _line(head), _line(["---"] * len(head))]
    lines += [_line(map(str, row)) for row in shown.rows]
    return "\n".join([*lines, "", *(f"- {_plain(note)}" for note in shown.notes)]).rstrip() + "\n"


def _groups(results: Sequence[LensResult], kinds: Sequence[str]) -> list[tuple[str, str]]:
    """(kind, group) of all results, in the order of the kinds and of their first appearance."""
    groups = dict.fromkeys((row["kind"], row["group"]) for result in results for row in result.table1)
    return [group for kind in kinds for group in groups if group[0] == kind]


def _row(result: LensResult, kind: str, group: str) -> Mapping[str, Any]:
    return next((row for row in result.table1 if (row["kind"], row["group"]) == (kind, group)), {})


def _long(results: Sequence[LensResult]) -> Iterable[Mapping[str, Any]]:
    for result, label in zip(results, task_labels(results), strict=True):
        for row in result.table1:
            yield {**row, "task": label}


def _write_paper_csv(results: Sequence[LensResult], path: Path) -> Path:
    labels = task_labels(results)
    columns = ["feature", "stage", *(f"{label} {name}" for label in labels for name in ("mse", "r2", "stars"))]
    rows: list[dict[str, Any]] = []
    for kind, group in _groups(results, _IN_PAPER):
        for stage, name in STAGES.items():
            cells: dict[str, Any] = {"feature": group, "stage": name}
            for result, label in zip(results, labels, strict=True):
                row = _row(result, kind, group)
                cells |= {f"{label} {n}": row.get(f"{n}_{stage}", "") for n in ("mse", "r2")}
                cells[f"{label} stars"] = row.get("stars", "") if stage == "ft" else ""
            rows.append(cells)
    return _write_rows(path, columns, rows)


def _write_rows(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Path:
    return write_csv(path, columns, ({name: _cell(value) for name, value in row.items()} for row in rows))


def _write_markdown(tables: Sequence[Table], path: Path) -> Path:
    write_text(path, "\n".join(as_markdown(table) for table in tables))
    return path


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return "" if isnan(value) else int(value) if value.is_integer() and abs(value) < 1e9 else value
    return value


def _whole(value: float) -> str:
    return DASH if isnan(value) else str(int(value))


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(_plain(cell).replace("|", "/") for cell in cells) + " |"


def _plain(text: str) -> str:
    return text.replace("*", r"\*")  # stars are marks here, not emphasis
