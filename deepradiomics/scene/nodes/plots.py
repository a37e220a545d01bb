"""Charts of a result as plot nodes: the top contributions as bars, and a loss curve that follows a training run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import slicer

from deepradiomics.errors import InputError
from deepradiomics.files.csv_text import rows_of_text
from deepradiomics.scene.nodes.tables import add_table, fill_table
from deepradiomics.scene.tree.folder import hide_helper

TOP = 10  # bars that a chart shows; the panel's table has them all
# Distinguishable also with colour-blindness (Okabe and Ito): blue, vermilion, green, orange, purple, light blue.
COLOURS = ((0.0, 0.447, 0.698), (0.835, 0.369, 0.0), (0.0, 0.620, 0.451), (0.902, 0.624, 0.0), (0.8, 0.475, 0.655))
LEGEND_LETTERS = 11
CONTRIBUTION_LEGEND = 0.35  # the same for the chart of contributions, whose two series have short names
LEGEND_SHARE = 1.6  # of the bars' own width, kept free on the right: the legend lies there
_FOR, _AGAINST = COLOURS[1], COLOURS[0]


@dataclass(frozen=True, eq=False)
class Series:
    """What a series of a chart shows.

    Args:
        table: the table node with its numbers.
        label: its name in the legend.
        y: column of its values.
        colour: red, green and blue, 0 to 1.
        x: column of their places.
    """

    table: Any
    label: str
    y: str
    colour: tuple[float, float, float]
    x: str | None = None


def top_rows(columns: Mapping[str, Sequence[Any]], task: str, count: int = TOP) -> list[int]:
    """Indices of the task's rows of greatest |contribution|, greatest first; ties keep the table's order."""
    rows = [index for index, name in enumerate(columns["task"]) if name == task]
    sizes = np.nan_to_num(np.abs([columns["contribution"][index] for index in rows]))
    return [rows[index] for index in np.argsort(-sizes, kind="stable")[:count]]


def contribution_chart(scene: Any, name: str, columns: Mapping[str, Sequence[Any]], task: str) -> tuple[Any, Any]:
    """A bar chart of the task's ten greatest contributions to the logit; returns the chart node and its table node.

    Bars for the finding and against it are two series, so that each has its colour. The legend lies right of the bars.
    """
    rows = top_rows(columns, task)
    values = [columns["contribution"][row] for row in rows]
    shown: dict[str, Sequence[Any]] = {
        "rank": list(range(1, len(rows) + 1)),
        "feature": [_label(columns, row) for row in rows],
        "for": [max(value, 0.0) for value in values],
        "against": [min(value, 0.0) for value in values],
        "family": [columns["family"][row] for row in rows],
        "relevance": [columns["relevance"][row] for row in rows],
    }
    types = {"rank": int, "feature": str, "for": float, "against": float, "family": str, "relevance": float}
    help_ = {
        "rank": "Place by the size of the contribution",
        "feature": "Feature, view and patch",
        "for": "Contribution to the logit, where it speaks for the finding",
        "against": "Contribution to the logit, where it speaks against the finding",
    }
    table = add_table(scene, f"{name} data", shown, types, help_)
    chart = new_chart(scene, name, x="Rank", y="Contribution to the logit")
    for column, colour in (("for", _FOR), ("against", _AGAINST)):
        series = _series(scene, chart, Series(table, column, column, colour, x="rank"))
        series.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatterBar)  # plain bars begin at 0, not at rank 1
        series.SetLabelColumnName("feature")
    chart.SetXAxisRangeAuto(False)
    chart.SetXAxisRange(0.4, len(rows) + 0.6 + CONTRIBUTION_LEGEND * max(len(rows), 1))
    chart.SetLegendFontSize(LEGEND_LETTERS)
    return chart, table


def _label(columns: Mapping[str, Sequence[Any]], row: int) -> str:
    feature = columns["feature"][row].removeprefix("original_")
    return f"{feature} · {columns['view'][row]} · patch {columns['patch'][row]}"


class LossCurve:
    """The losses in a training run's history.csv as a line chart; `update` reads what the run has added meanwhile."""

    def __init__(self, scene: Any, history: Path, name: str = "Training loss") -> None:
        self._scene, self._history, self._name = scene, Path(history), name
        self.table = scene.AddNewNodeByClass("vtkMRMLTableNode", f"{name} data")
        self.chart = new_chart(scene, name, x="Epoch", y="Loss")
        self._series: list[str] = []

    def update(self) -> int:
        """Read the file again; return the number of epochs that are shown (0 while there is no file)."""
        columns = read_history(self._history)
        losses = [name for name in columns if "loss" in name.lower()]
        if not losses or not columns["epoch"]:
            return 0
        fill_table(self.table, {name: columns[name] for name in ("epoch", *losses)}, dict.fromkeys(columns, float))
        for index, name in enumerate(losses):
            if name not in self._series:
                self._add(name, COLOURS[index % len(COLOURS)])
        return len(columns["epoch"])

    def _add(self, column: str, colour: tuple[float, float, float]) -> None:
        series = add_line(self._scene, self.chart, Series(self.table, column, column, colour, x="epoch"))
        hide_helper(series)
        hide_helper(self.table)
        self._series.append(column)


def read_history(path: Path) -> dict[str, list[float]]:
    """The numbers of history.csv by column, with "epoch" always there (counted if the file lacks it).

    A last line that is still being written is left out; an empty cell is NaN. Empty if there is no file yet.
    """
    try:
        with open(path, encoding="utf-8", newline="") as file:
            text = file.read()
    except FileNotFoundError:
        return {"epoch": []}
    complete = text[: text.rfind("\n") + 1]
    header, *rows = [cells for _, cells in rows_of_text(complete, path, InputError)] or [[]]
    rows = [row for row in rows if len(row) == len(header)]
    columns = {}
    for index, name in enumerate(header):
        numbers = [_number(row[index]) for row in rows]
        if all(number is not None for number in numbers):
            columns[name] = [float("nan") if number is None else number for number in numbers]
    return {"epoch": [float(index + 1) for index in range(len(rows))]} | columns


def _number(text: str) -> float | None:
    try:
        return float(text) if text.strip() else float("nan")
    except ValueError:
        return None


def new_chart(scene: Any, name: str, *, x: str, y: str) -> Any:
    """An empty chart node with its titles."""
    chart = scene.AddNewNodeByClass("vtkMRMLPlotChartNode", name)
    chart.SetTitle(name)
    chart.SetXAxisTitle(x)
    chart.SetYAxisTitle(y)
    return chart


def named_bars(
    scene: Any, name: str, bars: Sequence[tuple[str, float, tuple[float, float, float]]], *, x: str, y: str
) -> tuple[Any, Any]:
    """Bars of a label, a value and a colour each, side by side; returns the chart node and its table node.

    Slicer writes no names below bars, only numbers: every bar is a series of its own, whose name stands in the legend.
    The table has one row and a column per bar.
    """
    labels = {f"bar {number}": label for number, (label, _, _) in enumerate(bars, start=1)}
    columns = {column: [value] for column, (_, value, _) in zip(labels, bars, strict=True)}
    table = add_table(scene, f"{name} data", columns, dict.fromkeys(labels, float), labels)
    chart = new_chart(scene, name, x=x, y=y)
    chart.SetXAxisRangeAuto(False)
    chart.SetXAxisRange(-0.5, 0.5 + LEGEND_SHARE)
    chart.SetLegendFontSize(LEGEND_LETTERS)
    for column, (label, _, colour) in zip(labels, bars, strict=True):
        add_bars(scene, chart, Series(table, label, column, colour))
    return chart, table


def add_bars(scene: Any, chart: Any, shown: Series, *, names: str | None = None) -> None:
    """Add a series of bars, at 0, 1, … where it has no places; `names`: column shown in their tooltips."""
    kinds = slicer.vtkMRMLPlotSeriesNode
    series = _series(scene, chart, shown)
    series.SetPlotType(kinds.PlotTypeScatterBar if shown.x else kinds.PlotTypeBar)
    if names:
        series.SetLabelColumnName(names)


def add_line(
    scene: Any,
    chart: Any,
    shown: Series,
    *,
    dashed: bool = False,
    marker: bool = False,
    line: bool = True,
    size: float = 9.0,
) -> Any:
    """Add a series of points by two columns, joined by a `line`, or with a `marker` each; NaN breaks the line.

    Returns the series' node.
    """
    kinds = slicer.vtkMRMLPlotSeriesNode
    series = _series(scene, chart, shown)
    series.SetPlotType(kinds.PlotTypeScatter)
    series.SetMarkerStyle(kinds.MarkerStyleCircle if marker else kinds.MarkerStyleNone)
    series.SetMarkerSize(size)
    series.SetLineStyle(kinds.LineStyleNone if not line else kinds.LineStyleDash if dashed else kinds.LineStyleSolid)
    series.SetLineWidth(2)
    return series


def _series(scene: Any, chart: Any, shown: Series) -> Any:
    series = scene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", shown.label)
    series.SetAndObserveTableNodeID(shown.table.GetID())
    series.SetYColumnName(shown.y)
    series.SetColor(*shown.colour)
    if shown.x:
        series.SetXColumnName(shown.x)
    chart.AddAndObservePlotSeriesNodeID(series.GetID())
    return series
