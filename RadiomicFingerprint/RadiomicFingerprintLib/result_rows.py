"""What the list of results shows: rows of a fingerprint in words, and the verdict above."""

from collections.abc import Mapping
from html import escape

from slicer.i18n import tr as _

from deepradiomics.scene.nodes.tables import column_of
from deepradiomics.scene.panel.feature_names import label_and_tip
from deepradiomics.scene.tree.outside import outside_words
from deepradiomics.scene.tree.provenance import read_stamp
from deepradiomics.words import title_of

from .work import PREDICTION_ROLE

ROWS_SHOWN = 300
Rows = tuple[list[int], list[list[str]], list[str]]  # rows of the table node, their texts, their tooltips
CONTRIBUTION = 4  # place of the contribution in the texts of a row


def tasks_of(table) -> list[str]:
    """The tasks of a fingerprint table, in its order."""
    column = column_of(table, "task")
    return list(dict.fromkeys(column)) if column is not None and column_of(table, "contribution") is not None else []


def fingerprint_rows(table, task: str) -> Rows:
    """The task's rows by size of contribution, selected ones first."""
    names = ("task", "feature", "view", "patch", "z", "relevance", "selected", "contribution")
    columns: Mapping[str, list] = {name: column_of(table, name) or [] for name in names}
    rows = [row for row, name in enumerate(columns["task"]) if name == task]
    rows.sort(key=lambda row: (-columns["selected"][row], -abs(columns["contribution"][row])))
    rows = rows[:ROWS_SHOWN]
    texts = [
        [
            label_and_tip(columns["feature"][row])[0],
            f"{columns['view'][row]} {columns['patch'][row]}",
            f"{columns['z'][row]:+.2f}",
            f"{columns['relevance'][row]:.2f}",
            f"{columns['contribution'][row]:+.3g}",
        ]
        for row in rows
    ]
    return rows, texts, [label_and_tip(columns["feature"][row])[1] for row in rows]


def contributions(table, rows: list[int]) -> list[float]:
    """The contributions to the logit in rows of the table node."""
    column = column_of(table, "contribution") or []
    return [column[row] for row in rows]


def verdict(table) -> str:
    """The prediction in a few lines of rich text."""
    if table is None:
        return escape(_("Nothing computed yet."))
    prediction = table.GetNodeReference(PREDICTION_ROLE)
    if prediction is None:
        return escape(_("The prediction of this fingerprint is no longer in the scene."))
    names = ("task", "class", "probability", "decision_threshold", "selected", "pool")
    outside = outside_words(read_stamp(table))
    lines = [f"<b>{escape(outside[:1].upper() + outside[1:])}</b>: {escape(_('no class is given'))}"] if outside else []
    for task, label, probability, threshold, selected, pool in zip(
        *(column_of(prediction, n) or [] for n in names), strict=True
    ):
        chance = _("probability of {label} {probability:.2f}").format(label=label, probability=probability)
        if threshold == threshold and not outside:  # a number: the task is binary
            below = probability < threshold
            text = _("{chance}, below {threshold:.2f}") if below else _("{chance}, over {threshold:.2f}")
            chance = text.format(chance=chance, threshold=threshold)
        size = _("{selected} of {pool} features").format(selected=selected, pool=pool)
        lines.append(f"<b>{escape(title_of(task))}</b>: {escape(chance)}; {escape(size)}")
    if table.GetAttribute("DeepRadiomics.synthetic_model") == "true":
        warning = _("Demonstration model, trained on synthetic images: this prediction means nothing clinically.")
        lines.append(f'<span style="color:#c0392b">{escape(warning)}</span>')
    return "<br>".join(lines)
