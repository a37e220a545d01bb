"""What the list of results shows: rows of features, of maps or of a batch, in words; and the sentence above."""

from collections.abc import Sequence
from typing import Any

from slicer.i18n import tr as _

from deepradiomics.scene.nodes.tables import column_of
from deepradiomics.scene.panel.feature_names import label_and_tip
from deepradiomics.scene.show.feature_cohort import KIND, feature_columns, region_title

ROWS_SHOWN = 5000
Rows = tuple[list[int], list[list[str]], list[str]]  # rows of the table node, their texts, their tooltips


def kind_of(table) -> str:
    """ "features", "maps" or "batch"; empty without a table."""
    if table is None:
        return ""
    if table.GetAttribute("DeepRadiomics.kind") == KIND:
        return "batch"
    return "maps" if column_of(table, "maximum") is not None else "features"


def rows_of(table) -> tuple[list[str], Rows]:
    """Headers, and the rows below them; the feature's column is called "Feature"."""
    kind = kind_of(table)
    if kind == "maps":
        return [_("Feature"), _("Min."), _("Mean"), _("Max.")], map_rows(table)
    if kind == "batch":
        return [_("Case"), _("Feature"), _("Value")], batch_rows(table)
    return [_("Region"), _("Feature"), _("Value")], feature_rows(table)


def feature_rows(table) -> Rows:
    """The first rows of a table of features, by region's name where it has one."""
    features = column_of(table, "feature") or []
    count = len(features)
    names = ("label", "region", "terminology", "value", "unit")
    columns = {name: column_of(table, name) or [""] * count for name in names}
    rows = list(range(min(count, ROWS_SHOWN)))
    texts, tips = [], []
    for row in rows:
        label, tip = label_and_tip(features[row])
        region = columns["region"][row] or str(columns["label"][row])
        texts.append([region, label, value_text(columns["value"][row], columns["unit"][row])])
        terminology = columns["terminology"][row]
        tips.append(f"{tip}\n{region}: {terminology}" if terminology else tip)
    return rows, texts, tips


def map_rows(table) -> Rows:
    """One row per map."""
    columns = {name: column_of(table, name) or [] for name in ("feature", "minimum", "mean", "maximum")}
    rows = list(range(len(columns["feature"])))
    texts = [
        [
            label_and_tip(columns["feature"][row])[0],
            *(f"{columns[name][row]:.4g}" for name in ("minimum", "mean", "maximum")),
        ]
        for row in rows
    ]
    return rows, texts, [label_and_tip(columns["feature"][row])[1] for row in rows]


def batch_rows(table) -> Rows:
    """The first cells of a batch's table, one row per case and feature; the row of the table node for each."""
    names = column_of(table, "id") or []
    about = [column_of(table, name) or [""] * len(names) for name in ("view", "region", "name")]
    titles = [region_title(*texts) for texts in zip(names, *about, strict=True)]
    features = feature_columns(table)
    values = {feature: column_of(table, feature) or [] for feature in features}
    units = {feature: table.GetColumnUnitLabel(feature) for feature in features}
    rows, texts, tips = [], [], []
    for row, title in enumerate(titles):
        for feature in features:
            if len(rows) == ROWS_SHOWN:
                return rows, texts, tips
            label, tip = label_and_tip(feature)
            rows.append(row)
            texts.append([title, label, value_text(values[feature][row], units[feature])])
            tips.append(f"{title}\n{tip}")
    return rows, texts, tips


def value_text(value: Any, unit: str) -> str:
    """A value with its unit; a dash where it is not defined."""
    if isinstance(value, str) or value != value:
        return "–" if not isinstance(value, str) or not value else value
    return f"{value:.6g} {unit}".rstrip()


def summary(table) -> str:
    """What there is, in a sentence."""
    if table is None:
        return _("Nothing computed yet.")
    kind = kind_of(table)
    if kind == "maps":
        if table.GetNumberOfRows() == 1:
            return _("One map, drawn over its volume.")
        return _("{count} maps; choose a row to see it over its volume.").format(count=table.GetNumberOfRows())
    if kind == "batch":
        return _batch_summary(table)
    count = table.GetNumberOfRows()
    regions = len(set(column_of(table, "label") or []))
    if regions > 1:
        text = _("{count} features of each of {regions} regions").format(count=count // regions, regions=regions)
    else:
        text = _("{count} features").format(count=count)
    return text + _more(count)


def _batch_summary(table) -> str:
    rows, features = table.GetNumberOfRows(), len(feature_columns(table))
    text = _("{rows} rows with {features} features in the table '{name}'").format(
        rows=rows, features=features, name=table.GetName()
    )
    return text + _more(rows * features)


def _more(count: int) -> str:
    return _("; the first {shown} values are listed here").format(shown=ROWS_SHOWN) if count > ROWS_SHOWN else ""


def remark_rows(table) -> tuple[list[str], Sequence[Sequence[str]], list[str], str]:
    """Headers, rows and tooltips of a batch's remarks, and the sentence above them."""
    columns = {name: column_of(table, name) or [] for name in ("case", "image", "status", "remark")}
    regions = column_of(table, "region") or [""] * len(columns["case"])
    titles = [region_title(*texts) for texts in zip(columns["case"], columns["image"], regions, strict=True)]
    rows = list(zip(titles, columns["status"], columns["remark"], strict=True))
    tips = [f"{case}: {remark}" if remark else case for case, _status, remark in rows]
    failed = columns["status"].count("failed")
    earlier = columns["status"].count("kept")
    text = _("{count} cases").format(count=len(rows))
    text += _(", {earlier} of them from an earlier run").format(earlier=earlier) if earlier else ""
    text += _("; {failed} failed (not in the table)").format(failed=failed) if failed else _("; none failed")
    return [_("Case"), _("Status"), _("Remark")], rows, tips, text + "."
