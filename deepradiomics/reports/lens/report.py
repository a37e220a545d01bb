"""``report.html`` of the lens: one page about one or several tasks, to be read without any software of ours.

It holds its pictures and tables inside itself, loads nothing from elsewhere and runs no script.
"""

from __future__ import annotations

from collections.abc import Sequence

from deepradiomics.lens.result import LensResult
from deepradiomics.reports.lens.case import LensCase
from deepradiomics.reports.lens.figures import figure2
from deepradiomics.reports.lens.tables import complete_table, evaluation_table, paper_table, task_labels
from deepradiomics.reports.lens.task import LISTED, TaskShown, as_lines, compared_table
from deepradiomics.reports.lens.words import DIFFERS, NULL_LEVEL, modality_name
from deepradiomics.reports.page import render
from deepradiomics.reports.pictures import png_of

_SAME_ORDER = 0.5  # rank correlation above which the order of the features is said to hold


def render_report(results: Sequence[LensResult], cases: Sequence[Sequence[LensCase]] = ()) -> str:
    """Return the report as HTML.

    Args:
        results: the tasks, in the order to be shown.
        cases: for each task, cases to be shown with their images; empty for none.
    """
    labels = task_labels(results)
    versions = (str((result.about.get("software") or {}).get("deepradiomics", "")) for result in results)
    return render(
        "lens/report.html",
        DIFFERS=DIFFERS,
        LISTED=LISTED,
        as_lines=as_lines,
        NULL_LEVEL=NULL_LEVEL,
        SAME_ORDER=_SAME_ORDER,
        tasks=[TaskShown(*of) for of in zip(labels, results, cases or [()] * len(results), strict=True)],
        title=", ".join(labels),
        created=", ".join(dict.fromkeys(str(result.about.get("created", "")) for result in results)),
        version=", ".join(dict.fromkeys(filter(None, versions))),
        synthetic=[result.task for result in results if result.about.get("synthetic")],
        compared=compared_table(results, labels),
        table1=paper_table(results),
        every_group=complete_table(results),
        figure2=png_of(figure2(results)),
        modalities=list(dict.fromkeys(modality_name(name) for result in results for name in result.modalities)),
        evaluations=evaluation_table(results),
    )
