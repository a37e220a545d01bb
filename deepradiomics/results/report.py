"""``report.html``: one self-contained page about one patient's fingerprint, to be read without any software of ours.

It holds pictures, charts and tables inside itself, loads nothing from elsewhere, runs no script, and holds
nothing from an image's header: the case's name is the user's, else the file's, file names are those in
``prediction.json``.
"""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from deepradiomics.files import write_text
from deepradiomics.prepare import Box, paint_patches
from deepradiomics.results import report_text as text
from deepradiomics.results.report_charts import contributions_chart, relevance_chart
from deepradiomics.results.report_pictures import task_picture, views_picture

if TYPE_CHECKING:
    from deepradiomics.fingerprint.result import FingerprintResult, FingerprintRow

_TEMPLATES = Path(__file__).parent / "templates"


def write_report(result: "FingerprintResult", path: str | Path) -> None:
    """Write the report of one case as an HTML file, whole or not at all.

    Args:
        result: what :func:`deepradiomics.fingerprint.apply.apply` returned.
        path: the file to write.

    Raises:
        InputError: the file cannot be written.
    """
    write_text(path, render_report(result))


def render_report(result: "FingerprintResult") -> str:
    """Return the report as HTML text."""
    prediction = result.prediction
    rows = {task: [row for row in result.rows if row.task == task] for task in prediction["tasks"]}
    titled = {text.task_title(prediction, task): ones for task, ones in rows.items()}
    template = Template((_TEMPLATES / "report.html").read_text(encoding="utf-8"))
    return template.substitute(
        css=(_TEMPLATES / "report.css").read_text(encoding="utf-8"),
        case_id=escape(str(prediction["case_id"])),
        created=escape(str(prediction["created"])),
        version=escape(str(prediction["version"])),
        bundle=escape(f"{prediction['bundle'].get('name', '')} {prediction['bundle'].get('version', '')}".strip()),
        warning=text.warning(prediction),
        notes=text.notes(prediction),
        prediction=text.prediction_table(prediction),
        inference_text=text.inference_text(prediction),
        pictures=_pictures(result),
        charts=_charts(result, rows),
        relevance=text.figure(relevance_chart(titled)) + text.patch_table(prediction),
        features=_features(titled),
        methods=escape(str(prediction.get("methods_text", ""))),
        provenance=text.provenance(prediction),
    )


def _pictures(result: "FingerprintResult") -> str:
    prediction = result.prediction
    reference = prediction["reference_view"]
    boxes = {
        view: [Box.from_dict(patch["boxes"][view]) for patch in prediction["patches"]] for view in prediction["views"]
    }
    views = {view: result.case.views[view] for view in prediction["views"] if view in result.case.views}
    numbers = range(1, len(prediction["patches"]) + 1)
    patches = {view: paint_patches(numbers, result.exam, views[view].geometry, view) for view in views}
    parts = []
    for task in prediction["tasks"]:
        picture = task_picture(
            text.task_title(prediction, task),
            result.case.views[reference],
            result.relevance[task],
            result.gradcam.get(task),
            patches[reference],
            boxes[reference],
            [patch["relevance"][task] for patch in prediction["patches"]],
        )
        parts.append(f"<h3>{escape(text.task_title(prediction, task))}</h3>{text.figure(picture)}")
    remarks = {
        view: f"reformatted from {values['reformatted_from']}"
        for view, values in prediction["views"].items()
        if values.get("reformatted_from")
    }
    parts.append(f"<h3>Views and region of interest</h3>{text.figure(views_picture(views, patches, boxes, remarks))}")
    return "\n".join(parts)


def _charts(result: "FingerprintResult", rows: Mapping[str, list["FingerprintRow"]]) -> str:
    parts = []
    for task, ones in rows.items():
        title = text.task_title(result.prediction, task)
        picture = contributions_chart(title, ones)
        parts.append(text.figure(picture) if picture else f"<p>{escape(title)}: no feature was selected.</p>")
        parts.append(f"<p>{text.sum_text(title, result.prediction['tasks'][task], ones)}</p>")
    return "\n".join(parts)


def _features(rows: Mapping[str, list["FingerprintRow"]]) -> str:
    return "\n".join(f"<h3>{escape(task)}</h3>{text.feature_table(ones)}" for task, ones in rows.items())
