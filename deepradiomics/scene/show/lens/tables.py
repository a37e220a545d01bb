"""The lens's tables as table nodes: the shift of every feature, and what each family lost or gained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from deepradiomics.errors import InputError
from deepradiomics.files.results import Row, columns_of
from deepradiomics.lens.result import SHIFT_COLUMNS, TABLE1_COLUMNS
from deepradiomics.radiomics.catalogue.explain import Explained, explain
from deepradiomics.reports.column_titles import columns
from deepradiomics.scene.nodes.export import columns_of as columns_of_node
from deepradiomics.scene.nodes.tables import add_table, sort_rows


def shift_table(scene: Any, name: str, rows: Sequence[Row]) -> Any:
    """shift.csv as a table node, largest ΔE first, each feature with its unit and a sentence that explains it."""
    about = {feature: explained(feature) for feature in dict.fromkeys(row["feature"] for row in rows)}
    shown = {
        **columns_of(rows, SHIFT_COLUMNS),
        "unit": [about[row["feature"]].unit for row in rows],
        "description": [about[row["feature"]].text for row in rows],
    }
    node = add_table(
        scene, name, shown, {**SHIFT_COLUMNS, "unit": str, "description": str}, columns("lens shift", "help")
    )
    sort_rows(node, "rank_explained", descending=False)
    return _finished(node, "lens shift")


def family_table(scene: Any, name: str, rows: Sequence[Row]) -> Any:
    """table1.csv as a table node."""
    help_ = columns("lens families", "help")
    return _finished(add_table(scene, name, columns_of(rows, TABLE1_COLUMNS), TABLE1_COLUMNS, help_), "lens families")


def feature_at(shift: Any, row: int) -> tuple[str, str]:
    """Modality and feature of a row of a shift table, in the order in which it is sorted now."""
    table = shift.GetTable()
    if not 0 <= row < table.GetNumberOfRows():
        raise InputError(f"row {row}: the table '{shift.GetName()}' has rows 0 to {table.GetNumberOfRows() - 1}")
    return tuple(table.GetColumnByName(name).GetValue(row) for name in ("modality", "feature"))


def row_of(shift: Any, modality: str, feature: str) -> int | None:
    """The row of a shift table that holds a modality's feature, in the order in which it is sorted now; None if none.

    Rows are counted from 0.
    """
    shown = columns_of_node(shift)
    pairs = list(zip(shown["modality"], shown["feature"], strict=True))
    return pairs.index((modality, feature)) if (modality, feature) in pairs else None


def _finished(node: Any, table: str) -> Any:
    """Headers and units; locked, because results are read and not edited."""
    units = columns(table, "unit")
    for name, title in columns(table, "title").items():
        node.SetColumnTitle(name, f"{title}, {units[name]}" if name in units else title)
        if name in units:
            node.SetColumnUnitLabel(name, units[name])
    node.SetLocked(True)
    return node


def explained(feature: str) -> Explained:
    """A feature in words; one that this version does not know (a result of a later one) by its name alone."""
    try:
        return explain(feature)
    except InputError:
        return Explained(feature, "original", "", feature, "", label=feature)
