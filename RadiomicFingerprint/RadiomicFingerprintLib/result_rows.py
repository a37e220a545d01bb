"""What the list of results shows: rows of a fingerprint, of features or of maps, in words; and the verdict above."""

from collections.abc import Mapping
from html import escape

from slicer.i18n import tr as _

from .work import PREDICTION_ROLE

ROWS_SHOWN = 300
FEATURE_ROWS_SHOWN = 5000
Rows = tuple[list[int], list[list[str]], list[str]]  # rows of the table node, their texts, their tooltips


def kind_of(table) -> str:
    """ "fingerprint", "features" or "maps"; empty without a table."""
    if table is None:
        return ""
    if _column(table, "contribution") is not None:
        return "fingerprint"
    return "maps" if _column(table, "maximum") is not None else "features"


def tasks_of(table) -> list[str]:
    """The tasks of a fingerprint table, in its order; none for a table of features."""
    column = _column(table, "task")
    return list(dict.fromkeys(column)) if column is not None and _column(table, "contribution") is not None else []


def fingerprint_rows(table, task: str) -> Rows:
    """The task's rows by size of contribution, selected ones first."""
    names = ("task", "feature", "view", "patch", "z", "relevance", "selected", "contribution")
    columns: Mapping[str, list] = {name: _column(table, name) or [] for name in names}
    rows = [row for row, each in enumerate(columns["task"]) if each == task]
    rows.sort(key=lambda row: (-columns["selected"][row], -abs(columns["contribution"][row])))
    rows = rows[:ROWS_SHOWN]
    texts = [
        [
            columns["feature"][row].removeprefix("original_"), f"{columns['view'][row]} {columns['patch'][row]}",
            f"{columns['z'][row]:+.2f}", f"{columns['relevance'][row]:.2f}", f"{columns['contribution'][row]:+.3g}",
        ]
        for row in rows
    ]  # fmt: skip
    return rows, texts, [_sentence(columns["feature"][row]) for row in rows]


def feature_rows(table) -> Rows:
    """The first rows of a table of features, by region's name where it has one."""
    names = ("label", "region", "feature", "value", "unit", "description")
    columns: Mapping[str, list] = {name: _column(table, name) or [] for name in names}
    rows = list(range(min(len(columns["feature"]), FEATURE_ROWS_SHOWN)))
    regions = columns["region"] or [""] * len(columns["feature"])
    units = columns["unit"] or [""] * len(columns["feature"])
    texts = [
        [
            regions[row] or str(columns["label"][row]),
            columns["feature"][row].removeprefix("original_"),
            f"{columns['value'][row]:.6g} {units[row]}".rstrip(),
        ]
        for row in rows
    ]
    return rows, texts, [columns["description"][row] if columns["description"] else "" for row in rows]


def map_rows(table) -> Rows:
    """A row a map."""
    names = ("feature", "minimum", "mean", "maximum", "description")
    columns: Mapping[str, list] = {name: _column(table, name) or [] for name in names}
    rows = list(range(len(columns["feature"])))
    texts = [
        [
            columns["feature"][row].removeprefix("original_"),
            *(f"{columns[name][row]:.4g}" for name in ("minimum", "mean", "maximum")),
        ]
        for row in rows
    ]
    return rows, texts, columns["description"]


def verdict(table) -> str:
    """The prediction in a few lines of rich text."""
    if table is None:
        return escape(_("Nothing computed yet."))
    prediction = table.GetNodeReference(PREDICTION_ROLE)
    if prediction is None:
        return escape(_summary(table))
    names = ("task", "class", "probability", "decision_threshold", "selected", "pool")
    lines = []
    for task, label, probability, threshold, selected, pool in zip(
        *(_column(prediction, n) or [] for n in names), strict=True
    ):
        chance = _("probability of {label} {probability:.2f}").format(label=label, probability=probability)
        if threshold == threshold:  # a number: the task is binary
            below = probability < threshold
            text = _("{chance}, below {threshold:.2f}") if below else _("{chance}, over {threshold:.2f}")
            chance = text.format(chance=chance, threshold=threshold)
        size = _("{selected} of {pool} features").format(selected=selected, pool=pool)
        lines.append(f"<b>{escape(task)}</b>: {escape(chance)}; {escape(size)}")
    if table.GetAttribute("DeepRadiomics.synthetic_model") == "true":
        warning = _("Demonstration model, trained on synthetic images: this prediction means nothing clinically.")
        lines.append(f'<span style="color:#c0392b">{escape(warning)}</span>')
    return "<br>".join(lines)


def _summary(table) -> str:
    count = table.GetNumberOfRows()
    if kind_of(table) == "maps":
        if count == 1:
            return _("One map, drawn over the volume.")
        return _("{count} maps; choose a row to see it over the volume.").format(count=count)
    regions = len(set(_column(table, "label") or []))
    if regions > 1:
        text = _("{count} features of each of {regions} regions").format(count=count // regions, regions=regions)
    else:
        text = _("{count} features").format(count=count)
    if count > FEATURE_ROWS_SHOWN:
        text += _("; the first {shown} rows are listed here").format(shown=FEATURE_ROWS_SHOWN)
    return text


def _sentence(feature: str) -> str:
    """What a feature measures; empty for one that the catalogue does not know."""
    from deepradiomics.errors import InputError
    from deepradiomics.radiomics.explain import explain

    try:
        return explain(feature).text
    except InputError:
        return ""


def _column(table, name: str) -> list | None:
    column = table.GetTable().GetColumnByName(name) if table is not None else None
    return [column.GetValue(row) for row in range(column.GetNumberOfValues())] if column is not None else None
