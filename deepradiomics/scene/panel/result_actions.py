"""What every Results section does: fill its lists, open the report, copy the methods text, export the table on show."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from deepradiomics.scene.runner import FOLDER_ATTRIBUTE


def report_of(table: Any) -> Path | None:
    """The report in the folder that a result's table node remembers; None where it is not there (any more)."""
    folder = table.GetAttribute(FOLDER_ATTRIBUTE) if table is not None else None
    report = Path(folder) / "report.html" if folder else None
    return report if report is not None and report.is_file() else None


def open_report(report: Path | None) -> None:
    """Open a report in the web browser."""
    if report is not None:
        qt.QDesktopServices.openUrl(qt.QUrl(report.resolve().as_uri()))


def copy_methods(panel: Any, table: Any) -> None:
    """Copy the paragraph for a paper."""
    from deepradiomics.scene.provenance import methods_text

    with panel.errors_shown():
        slicer.app.clipboard().setText(methods_text(table))
        panel.log(_("The methods text is on the clipboard."))


def export(panel: Any, table: Any, suggestion: str) -> None:
    """Write a table node to a CSV or Parquet file that the user chooses."""
    path = qt.QFileDialog.getSaveFileName(
        panel.parent, _("Export the table"), suggestion, "CSV (*.csv);;Parquet (*.parquet)"
    )
    if not path:
        return
    from deepradiomics.scene import dependencies
    from deepradiomics.scene.export import export_table

    with panel.errors_shown():
        if Path(path).suffix.lower() == ".parquet":
            dependencies.ensure("parquet")
        panel.log(_("The table is in {path}.").format(path=export_table(table, Path(path))))


def fill_list(widget: Any, headers: Sequence[str], rows: Sequence[Sequence[str]], tips: Sequence[str]) -> list[Any]:
    """Replace the content of a list; returns its items, which must be kept (PythonQt lets go of them otherwise)."""
    items = []
    widget.clear()
    widget.setColumnCount(len(headers))
    widget.setRowCount(len(rows))
    widget.setHorizontalHeaderLabels(list(headers))
    for row, (texts, tip) in enumerate(zip(rows, tips, strict=True)):
        for column, text in enumerate(texts):
            item = qt.QTableWidgetItem(text)
            item.setToolTip(tip or text)
            items.append(item)
            widget.setItem(row, column, item)
    return items


def fit_columns(widget: Any, count: int, stretched: int) -> None:
    """Make all columns as wide as their texts, and one take the room that is left."""
    header = widget.horizontalHeader()
    for column in range(count):
        stretch = column == stretched
        header.setSectionResizeMode(column, qt.QHeaderView.Stretch if stretch else qt.QHeaderView.ResizeToContents)
