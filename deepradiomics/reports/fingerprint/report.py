"""``report.html``: one self-contained page about one patient's fingerprint, to be read without any software of ours.

It holds pictures, charts and tables inside itself, loads nothing from elsewhere, runs no script, and holds
nothing from an image's header: the case's name is the user's, else the file's, file names are those in
``prediction.json``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepradiomics.files.atomic import write_text
from deepradiomics.prepare import Box, paint_patches
from deepradiomics.radiomics.catalogue.explain import describe, label_of
from deepradiomics.reports.charts import contributions_chart, largest, relevance_chart
from deepradiomics.reports.column_titles import FINGERPRINT, value_with_unit
from deepradiomics.reports.page import Cell, Cells, Table, render
from deepradiomics.reports.pictures import task_picture, views_picture
from deepradiomics.reports.slices import place_in_words
from deepradiomics.stats.outside import outside_reason
from deepradiomics.words import DASH, OUTSIDE, title_of

if TYPE_CHECKING:
    from deepradiomics.fingerprint.apply.result import FingerprintResult, FingerprintRow
    from deepradiomics.images import Volume

_MODES = ("paper", "masked", "soft")
_SHOWN, _EXPLAINED = 20, 10  # contributions in a chart, and in the table with sentences


def write_report(result: FingerprintResult, path: str | Path) -> None:
    """Write the report of one case as an HTML file, whole or not at all.

    Args:
        result: what :func:`deepradiomics.fingerprint.apply.run.apply_fingerprint` returned.
        path: the file to write.

    Raises:
        InputError: the file cannot be written.
    """
    write_text(path, render_report(result))


def render_report(result: FingerprintResult) -> str:
    """Return the report as HTML text."""
    prediction = result.prediction
    rows = {task: [row for row in result.rows if row.task == task] for task in prediction["tasks"]}
    views, patches, boxes = _regions(result)
    reformatted = {
        view: f"reformatted from {values['reformatted_from']}"
        for view, values in prediction["views"].items()
        if values.get("reformatted_from")
    }
    bundle = prediction["bundle"]
    model = f"{bundle.get('name', '')} {bundle.get('version', '')}"
    return render(
        "fingerprint/report.html",
        case_id=prediction["case_id"],
        created=prediction["created"],
        version=prediction["version"],
        bundle=model.strip(),
        synthetic=bool(prediction.get("synthetic_model")),
        disclaimer=str(prediction.get("disclaimer") or "").strip(),
        notes=prediction.get("notes") or (),
        outside=outside_reason(prediction),
        predictions=_prediction_table(prediction),
        mode=prediction["inference"],
        tasks=[_task(result, task, rows[task], patches, boxes) for task in prediction["tasks"]],
        views_png=views_picture(views, patches, boxes, reformatted),
        relevance_png=relevance_chart({_title(prediction, task): rows[task] for task in rows}),
        patches=_patch_table(prediction),
        methods=prediction.get("methods_text", ""),
        facts=[
            ("Model", model),
            ("Model SHA-256", bundle.get("sha256", "")),
            ("Device", prediction.get("device", "")),
            ("Time", f"{prediction.get('seconds', 0):.1f} s"),
            ("Created", prediction.get("created", "")),
            ("Versions", ", ".join(f"{name} {of}" for name, of in (prediction.get("versions") or {}).items())),
        ],
        views=_view_table(prediction, reformatted),
        settings=prediction.get("settings"),
    )


def _title(prediction: Mapping[str, Any], task: str) -> str:
    """What people read for a task of prediction.json; older files hold no title."""
    return title_of(task, str((prediction["tasks"].get(task) or {}).get("title") or ""))


def _regions(result: FingerprintResult) -> tuple[dict[str, Volume], dict[str, Volume], dict[str, list[Box]]]:
    """By view: its image, the patches' numbers painted on its grid, and the patches' boxes."""
    prediction = result.prediction
    boxes = {
        view: [Box.from_dict(patch["boxes"][view]) for patch in prediction["patches"]] for view in prediction["views"]
    }
    views = {view: result.case.views[view] for view in prediction["views"] if view in result.case.views}
    numbers = range(1, len(prediction["patches"]) + 1)
    patches = {view: paint_patches(numbers, result.exam, views[view].geometry, view) for view in views}
    return views, patches, boxes


def _task(
    result: FingerprintResult,
    task: str,
    rows: Sequence[FingerprintRow],
    patches: Mapping[str, Volume],
    boxes: Mapping[str, Sequence[Box]],
) -> dict[str, Any]:
    """A task's pictures, and how its contributions add up to the logit."""
    prediction = result.prediction
    reference, values, title = prediction["reference_view"], prediction["tasks"][task], _title(prediction, task)
    shown = largest(rows, _SHOWN)
    is_binary = isinstance(values["logit"], int | float)
    return {
        "title": title,
        "maps": task_picture(
            result.case.views[reference],
            result.relevance[task],
            result.gradcam.get(task),
            patches[reference],
            boxes[reference],
            [patch["relevance"][task] for patch in prediction["patches"]],
        ),
        "n_shown": len(shown),
        "contributions_png": contributions_chart(shown) if shown else "",
        "logit": values["logit"],
        "logit_text": _signed(values["logit"]) if is_binary else "",
        "intercept": _signed(values["intercept"]) if is_binary else "",
        "all_features": _signed(sum(row.contribution for row in rows)),
        "features_shown": _signed(sum(row.contribution for row in shown)),
        "features": _feature_table(rows),
    }


def _prediction_table(prediction: Mapping[str, Any]) -> Table:
    """Probability, threshold, class, size of the fingerprint and the other inference modes, one row per task.

    Outside the training cohort no class is shown, and nothing in red.
    """
    rows: list[Cells] = []
    for name, task in prediction["tasks"].items():
        classes = [str(label) for label in task["classes"]]
        predicted = classes[task["predicted"]] if task["predicted"] < len(classes) else str(task["predicted"])
        threshold, colour = DASH, ""
        if task["type"] == "binary":
            probability = f"{task['probability']:.3f}"
            colour = "positive" if task["predicted"] else "negative"
            predicted += f" ({colour})"
            threshold = DASH if task["decision_threshold"] is None else f"{task['decision_threshold']:.3f}"
        else:
            pairs = zip(classes, task["probabilities"], strict=True)
            probability = "\n".join(f"{label} {value:.3f}" for label, value in pairs)
        if prediction.get("outside_training_cohort"):
            predicted, colour = OUTSIDE, "outside"
        others = task.get("by_inference") or {}
        rows.append(
            [
                Cell(_title(prediction, name), "synthetic model" if prediction.get("synthetic_model") else ""),
                Cell(probability),
                threshold,
                Cell(predicted, css=colour),
                f"{task['selected']} of {task['pool']}",
                f"{task['relevance_threshold']:.3f}",
                *(Cell(_scores(others.get(mode))) for mode in _MODES),
            ]
        )
    head = ["Task", "Probability", "Decision threshold", "Predicted", "Fingerprint", "Threshold T of relevance"]
    return Table([*head, *(f"Probability, {mode}" for mode in _MODES)], rows, numbers=(1, 2, 4, 5, 6, 7, 8))


def _scores(value: Any) -> str:
    if value is None:
        return DASH
    values = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    return "\n".join(f"{score:.3f}" for score in values)


def _signed(value: float, digits: int = 3) -> str:
    return f"{value:+.{digits}f}".replace("-", "−")


def _patch_table(prediction: Mapping[str, Any]) -> Table:
    """Each patch's place, and its relevance and contribution for every task."""
    tasks = list(prediction["tasks"])
    boxes = [Box.from_dict(patch["boxes"][prediction["reference_view"]]) for patch in prediction["patches"]]
    rows = []
    for patch, box in zip(prediction["patches"], boxes, strict=True):
        cells = [str(patch["patch"]), place_in_words(box, boxes)]
        for task in tasks:
            cells += [f"{patch['relevance'][task]:.3f}", _signed(patch["contribution"][task])]
        rows.append(cells)
    head = ["Patch", "Place in the region"]
    for task in tasks:
        head += [f"{_title(prediction, task)}: relevance", "contribution"]
    return Table(head, rows, numbers=(0, *range(2, len(head))))


def _feature_table(rows: Sequence[FingerprintRow]) -> Table:
    """The features that contribute most, each with a plain sentence."""
    lines: list[Cells] = [
        [
            Cell(label_of(row.feature), describe(row.feature)),
            str(row.patch),
            row.view,
            DASH if isnan(row.value) else value_with_unit(row.feature, f"{row.value:.4g}"),
            _signed(row.z, 2),
            f"{row.relevance:.3f}",
            _signed(row.contribution, 4),
        ]
        for row in largest(rows, _EXPLAINED)
    ]
    columns = ("feature", "patch", "view", "value", "z", "relevance", "contribution")
    return Table([FINGERPRINT[name] for name in columns], lines, numbers=(1, 3, 4, 5, 6))


def _view_table(prediction: Mapping[str, Any], reformatted: Mapping[str, str]) -> Table:
    rows: list[Cells] = [
        [
            name,
            view["file"],
            " × ".join(map(str, view["size"])),
            " × ".join(f"{spacing:.3g}" for spacing in view["spacing_mm"]),
            reformatted.get(name, "as acquired"),
            Cell(f"{str(view.get('sha256') or '')[:16]}…", css="code"),
        ]
        for name, view in prediction["views"].items()
    ]
    return Table(["View", "File", "Size (x × y × z)", "Spacing, mm", "Origin", "SHA-256"], rows)
