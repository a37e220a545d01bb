"""Everything that is drawn and written of lens results: tables in the paper's form, figures 2 and 3, the report.

LensResult (one task, or several) ─► table1.md tableA1.md table1_paper.csv, elsewhere also table1.csv tableA1.csv
                                     figure2 figure3 figure3_explained overview (PNG and SVG)
                                     report.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from deepradiomics.errors import InputError
from deepradiomics.files.atomic import write_text
from deepradiomics.lens.readings import EXPLAINED
from deepradiomics.lens.result import LensResult
from deepradiomics.reports.canvas import save
from deepradiomics.reports.lens.case import LensCase, case_of, read_case
from deepradiomics.reports.lens.figures import figure2, figure3, overview_figure
from deepradiomics.reports.lens.report import render_report
from deepradiomics.reports.lens.tables import task_labels, write_tables

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def write_outputs(results: Sequence[LensResult], out: Path, *, cases: Sequence[Path | str] = ()) -> list[Path]:
    """Write the tables, figures and the report of one lens result, or of several tasks together.

    Args:
        results: one or more; their folders hold the tables that everything is drawn from.
        out: where to write; a single result's own folder may be given, that of one of several may not.
        cases: folders of ``lens case`` to be shown in figure 3 and the report, each with the result that it was made
            from; a result without any shows its first test case whose images are found, without a map.

    Returns:
        the paths written.

    Raises:
        InputError: no result, a folder that cannot be read, or a joint output into one of the results' own folders.
    """
    if not results:
        raise InputError("write_outputs: expected at least one lens result, got none.")
    out = Path(out)
    if len(results) > 1 and any(result.folder.resolve() == out.resolve() for result in results):
        raise InputError(
            f"{out}: is the folder of one of the results; joint tables would replace its own. Name another."
        )
    with_maps = [read_case(folder) for folder in cases]
    shown = [_cases_of(result, with_maps) for result in results]
    done = write_tables(results, out)
    done += _save(figure2(results), out / "figure2")
    for result, label, cases_of in zip(results, task_labels(results), shown, strict=True):
        end = f"_{slug(label)}" if len(results) > 1 else ""
        done += _save(figure3(result, cases_of), out / f"figure3{end}")
        done += _save(figure3(result, cases_of, EXPLAINED), out / f"figure3_explained{end}")
        done += _save(overview_figure(result), out / f"overview{end}")
    write_text(out / "report.html", render_report(results, shown))
    return [*done, out / "report.html"]


def slug(label: str) -> str:
    """A task's label as part of a file name: ``"Lesion SEG-L (gland)"`` → ``"lesion-seg-l-gland"``."""
    return re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-") or "task"


def _cases_of(result: LensResult, cases: Sequence[LensCase]) -> list[LensCase]:
    matching = [case for case in cases if _is_of(case, result)]
    example = None if matching else case_of(result)
    return matching if example is None else [example]


def _is_of(case: LensCase, result: LensResult) -> bool:
    """Whether a case shows this result's ΔI; one without any (made from plain files) goes with every result."""
    delta = case.shift.get("delta_i")
    key = (case.modality, case.feature, delta)
    return delta is None or any((row["modality"], row["feature"], row["delta_i"]) == key for row in result.shift)


def _save(figure: Figure, stem: Path) -> list[Path]:
    return [save(figure, stem.with_name(f"{stem.name}.{kind}")) for kind in ("png", "svg")]
