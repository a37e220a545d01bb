"""The report's words and tables, as HTML; every text that comes from outside is escaped here."""

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from math import isnan
from typing import TYPE_CHECKING, Any

from deepradiomics.prepare import Box
from deepradiomics.radiomics.catalogue import describe, label_of
from deepradiomics.results.column_titles import FINGERPRINT, value_with_unit
from deepradiomics.results.report_charts import largest
from deepradiomics.results.report_pictures import Picture
from deepradiomics.results.report_slices import place_in_words
from deepradiomics.stats.outside import OUTSIDE_LIMIT, outside_sentence
from deepradiomics.words import OUTSIDE, title_of

if TYPE_CHECKING:
    from deepradiomics.fingerprint.result import FingerprintRow

_INFERENCE = {
    "paper": "Features whose relevance reaches the threshold enter with full weight (f ⊙ 1[q ≥ T], the paper's rule)",
    "masked": "Features whose relevance reaches the threshold enter weighted by their relevance (f ⊙ q ⊙ 1[q ≥ T])",
    "soft": "All features enter weighted by their relevance (f ⊙ q), as in training",
}
_ORDER = ("paper", "masked", "soft")


def table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    """Return an HTML table of cells that are HTML already; columns in ``numbers`` are aligned to the right."""
    kinds = [' class="number"' if column in numbers else "" for column in range(len(head))]
    lines = ["<tr>" + "".join(f"<th{kind}>{cell}</th>" for kind, cell in zip(kinds, head, strict=True)) + "</tr>"]
    for row in rows:
        lines.append(
            "<tr>" + "".join(f"<td{kind}>{cell}</td>" for kind, cell in zip(kinds, row, strict=True)) + "</tr>"
        )
    return f'<div class="scroll"><table>{"".join(lines)}</table></div>'


def figure(picture: Picture) -> str:
    """Return a figure with its caption, the image inside the text."""
    image = f'<img src="data:image/png;base64,{picture.png}" alt="{escape(picture.alternative)}">'
    return f"<figure>{image}<figcaption>{escape(picture.caption)}</figcaption></figure>"


def warning(prediction: Mapping[str, Any]) -> str:
    """Return the red box: what a synthetic model means, that this is no medical device, and the result's own words."""
    own = str(prediction.get("disclaimer") or "").strip()
    lines = [own] if own else []
    if "medical device" not in own:
        lines.insert(0, "Research use only; not a medical device. Not for diagnosis or treatment.")
    if prediction.get("synthetic_model"):
        said = "nothing clinically" in own
        meaning = "" if said else ": this prediction demonstrates the software and means nothing clinically"
        lines.insert(0, f"SYNTHETIC MODEL{meaning}.")
    return "\n".join(f"<p>{escape(line)}</p>" for line in lines)


def notes(prediction: Mapping[str, Any]) -> str:
    """Return what was assumed on the way, and whether the case is unlike the training cohort; or nothing."""
    found = [str(note) for note in prediction.get("notes") or ()]
    if not found:
        return ""
    items = "".join(f"<li>{escape(note)}</li>" for note in found)
    return f'<div class="notes"><strong>Notes</strong><ul>{items}</ul></div>'


def outside_banner(record: Mapping[str, Any]) -> str:
    """Return the box that says that the case lies outside the training cohort, or nothing."""
    if not record.get("outside_training_cohort"):
        return ""
    limit = float(record.get("outside_limit") or OUTSIDE_LIMIT)
    sentence = outside_sentence(float(record["outside_share"]), limit)
    return f'<div class="outside-box"><strong>{OUTSIDE.capitalize()}</strong><br>{escape(sentence)}</div>'


def task_title(prediction: Mapping[str, Any], task: str) -> str:
    """Return what people read for a task of prediction.json; older files hold no title."""
    return title_of(task, str((prediction["tasks"].get(task) or {}).get("title") or ""))


def prediction_table(prediction: Mapping[str, Any]) -> str:
    """Return the table of tasks: probability, threshold, class, size of the fingerprint, and other inference modes.

    Outside the training cohort no class is shown, and nothing in red.
    """
    outside = bool(prediction.get("outside_training_cohort"))
    synthetic = '<br><span class="small">synthetic model</span>' if prediction.get("synthetic_model") else ""
    rows = []
    for name, task in prediction["tasks"].items():
        classes = [str(one) for one in task["classes"]]
        chosen = classes[task["predicted"]] if task["predicted"] < len(classes) else str(task["predicted"])
        if task["type"] == "binary":
            probability = f"{task['probability']:.3f}"
            chosen += " (positive)" if task["predicted"] else " (negative)"
            threshold = "–" if task["decision_threshold"] is None else f"{task['decision_threshold']:.3f}"
            colour = "positive" if task["predicted"] else "negative"
        else:
            pairs = zip(classes, task["probabilities"], strict=True)
            probability = "<br>".join(f"{escape(one)} {value:.3f}" for one, value in pairs)
            threshold, colour = "–", ""
        if outside:
            chosen, colour = OUTSIDE, "outside"
        others = task.get("by_inference") or {}
        rows.append(
            [
                escape(task_title(prediction, name)) + synthetic,
                probability,
                threshold,
                f'<span class="{colour}">{escape(chosen)}</span>',
                f"{task['selected']} of {task['pool']}",
                f"{task['relevance_threshold']:.3f}",
                *(_score(others.get(mode)) for mode in _ORDER),
            ]
        )
    head = ["Task", "Probability", "Decision threshold", "Predicted", "Fingerprint", "Threshold T of relevance"]
    columns = [*head, *(f"Probability, {mode}" for mode in _ORDER)]
    return outside_banner(prediction) + table(columns, rows, numbers=(1, 2, 4, 5, 6, 7, 8))


def _score(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "<br>".join(f"{one:.3f}" for one in value)
    return f"{value:.3f}"


def inference_text(prediction: Mapping[str, Any]) -> str:
    """Say how the prediction was made."""
    mode = prediction["inference"]
    rule = _INFERENCE.get(mode, mode)
    return escape(
        f"Inference “{mode}”: {rule}. The last three columns give the probability under each rule. The fingerprint is "
        "the set of features selected for this patient out of the pool of all patches, views and features."
    )


def sum_text(title: str, values: Mapping[str, Any], rows: Sequence["FingerprintRow"], count: int = 20) -> str:
    """Say how the contributions add up to a task's logit."""
    total, shown = (sum(row.contribution for row in ones) for ones in (rows, largest(rows, count)))
    if not isinstance(values["logit"], int | float):
        return escape(f"{title}: the contributions to the predicted class sum to {_signed(total)}.")
    return escape(
        f"{title}: intercept {_signed(values['intercept'])}, all features {_signed(total)} (those shown "
        f"{_signed(shown)}), logit {_signed(values['logit'])}."
    )


def _signed(value: float, digits: int = 3) -> str:
    return f"{value:+.{digits}f}".replace("-", "−")


def patch_table(prediction: Mapping[str, Any]) -> str:
    """Return each patch's place, and its relevance and contribution for every task."""
    tasks = list(prediction["tasks"])
    reference = prediction["reference_view"]
    boxes = [Box.from_dict(patch["boxes"][reference]) for patch in prediction["patches"]]
    rows = []
    for patch, box in zip(prediction["patches"], boxes, strict=True):
        cells = [str(patch["patch"]), place_in_words(box, boxes)]
        for task in tasks:
            cells.append(f"{patch['relevance'][task]:.3f}")
            cells.append(_signed(patch["contribution"][task]))
        rows.append(cells)
    head = ["Patch", "Place in the region"]
    for task in tasks:
        head += [f"{escape(task_title(prediction, task))}: relevance", "contribution"]
    return table(head, rows, numbers=(0, *range(2, len(head))))


def feature_table(rows: Sequence["FingerprintRow"], count: int = 10) -> str:
    """Return the features that contribute most, each with a plain sentence."""
    top = largest(rows, count)
    if not top:
        return "<p>No feature was selected.</p>"
    lines = [
        [
            f'{escape(label_of(row.feature))}<br><span class="small">{escape(describe(row.feature))}</span>',
            str(row.patch),
            escape(row.view),
            "–" if isnan(row.value) else escape(value_with_unit(row.feature, f"{row.value:.4g}")),
            _signed(row.z, 2),
            f"{row.relevance:.3f}",
            _signed(row.contribution, 4),
        ]
        for row in top
    ]
    columns = ("feature", "patch", "view", "value", "z", "relevance", "contribution")
    return table([FINGERPRINT[name] for name in columns], lines, numbers=(1, 3, 4, 5, 6))


def provenance(prediction: Mapping[str, Any]) -> str:
    """Return inputs, model, versions and settings."""
    bundle = prediction["bundle"]
    items = [
        ("Model", f"{bundle.get('name', '')} {bundle.get('version', '')}"),
        ("Model SHA-256", bundle.get("sha256", "")),
        ("Device", prediction.get("device", "")),
        ("Time", f"{prediction.get('seconds', 0):.1f} s"),
        ("Created", prediction.get("created", "")),
        ("Versions", ", ".join(f"{name} {version}" for name, version in (prediction.get("versions") or {}).items())),
    ]
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in items if value)
    rows = [
        [
            escape(name),
            escape(view["file"]),
            " × ".join(map(str, view["size"])),
            " × ".join(f"{spacing:.3g}" for spacing in view["spacing_mm"]),
            escape(f"reformatted from {view['reformatted_from']}" if view.get("reformatted_from") else "as acquired"),
            f"<code>{escape(str(view.get('sha256') or ''))[:16]}…</code>",
        ]
        for name, view in prediction["views"].items()
    ]
    views = table(["View", "File", "Size (x × y × z)", "Spacing, mm", "Origin", "SHA-256"], rows)
    settings = escape(json.dumps(prediction.get("settings") or {}, indent=1, ensure_ascii=False))
    return f"<dl>{listed}</dl>{views}<details><summary>Settings</summary><pre>{settings}</pre></details>"
