"""Shares as bars in the rows of a panel's own table: each bar stands beside the name that it belongs to.

Slicer's plot view puts bars on a numeric axis and their meaning into a legend; so bars are drawn here, and plot views
are for curves.
"""

from collections.abc import Sequence
from typing import Any

import qt

FOR, AGAINST = (213, 94, 0), (0, 114, 178)  # vermilion and blue: apart also with colour-blindness (Okabe and Ito)
STRENGTH = 90  # of the bar's colour, of 255: the number on it stays legible
LEAST_WIDTH_PX = 86


def fill_bars(
    table: Any,
    column: int,
    values: Sequence[float | None],
    texts: Sequence[str],
    colours: Sequence[Any] | None = None,
    *,
    reach: float | None = None,
    signed: bool | None = None,
) -> list[Any]:
    """Put a bar into a column of a table, one row per value; returns the cells, which must be kept (PythonQt lets go).

    Parameters
    ----------
    values
        Numbers of one scale. Where some are negative the bars go left and right from the middle, in `AGAINST` and
        `FOR`; else from the left. None draws no bar.
    texts
        What stands on the bar.
    colours
        Red, green and blue (0 to 255) of each bar, in place of those by sign.
    reach
        The value of a bar that fills the cell (1 for probabilities); by default the greatest of these.
    signed
        Whether bars begin in the middle; by default where one of these is negative. Columns that are to be compared
        have one `reach` and one `signed`.
    """
    known = [value for value in values if value is not None and value == value]
    reach = reach or max((abs(value) for value in known), default=0.0) or 1.0
    signed = any(value < 0 for value in known) if signed is None else signed
    cells = []
    for row, (value, text) in enumerate(zip(values, texts, strict=True)):
        cell = qt.QLabel(text)
        cell.setAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
        cell.setContentsMargins(3, 0, 3, 0)
        cell.setMinimumWidth(LEAST_WIDTH_PX)
        if value is not None and value == value:
            sign = FOR if value >= 0 else AGAINST
            colour = tuple(colours[row]) if colours is not None else sign
            cell.setStyleSheet(f"QLabel {{ background: {gradient(value / reach, signed, colour)}; }}")
        item = table.item(row, column)
        if item is not None:
            cell.setToolTip(item.toolTip())
            item.setText("")
        table.setCellWidget(row, column, cell)
        cells.append(cell)
    return cells


def gradient(share: float, signed: bool, colour: Sequence[int]) -> str:
    """A bar as Qt's style sheets write it: colour from one place of the cell to another, nothing beside.

    `share` is the value's share of the greatest, from -1 to 1; `signed` bars begin in the middle.

    >>> gradient(0.5, True, (1, 2, 3))[:60]
    'qlineargradient(x1:0, y1:0, x2:1, y2:0, stop:0 transparent, '
    """
    ends = sorted((0.5, 0.5 + share / 2)) if signed else [0.0, min(max(share, 0.0), 1.0)]
    red, green, blue = colour
    filled = f"rgba({red}, {green}, {blue}, {STRENGTH})"
    edge = 1e-4  # two stops at one place would be one
    ends[1] = min(ends[1], 1.0 - 2 * edge)
    stops = [(0.0, "transparent"), (ends[0], "transparent"), (ends[0] + edge, filled), (ends[1], filled)]
    if ends[1] + edge < 1:  # a bar to the cell's end has nothing beside it
        stops += [(ends[1] + edge, "transparent"), (1.0, "transparent")]
    texts = ", ".join(f"stop:{min(max(at, 0.0), 1.0):.4f} {what}".replace("0.0000", "0") for at, what in stops)
    return f"qlineargradient(x1:0, y1:0, x2:1, y2:0, {texts})"
