"""The Results section: which lens, what it found, its features (sorted, searched) and families; charts, report, export.

Everything is read back from the lens's table node and the nodes it refers to, so that a saved scene shows it again.
"""

import contextlib
from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from deepradiomics.scene.panel.bars import AGAINST, fill_bars
from deepradiomics.scene.panel.feature_names import BESIDE_FOUR, breakable, fit_rows
from deepradiomics.scene.panel.result_actions import (
    copy_methods,
    export,
    fill_list,
    fit_columns,
    open_report,
    report_of,
)

from . import result_text as text

ROW_HEIGHT = 22
FAMILY_BAR = 58  # pixels: two columns of bars beside the groups' names
WIDTHS = (130, 46, 86, 56, 54, 54)  # of the main columns: all are seen in a panel 520 pixels wide


class ResultsSection:
    """Shows one lens: that of the shift table in the parameter `resultTable`."""

    def __init__(self, panel) -> None:
        self.panel, self.ui = panel, panel.ui
        self._shown: tuple = ()  # what the list of features was filled from
        self._tables: list = []  # in the order of the selector
        self._rows = text.ShiftRows()
        self._items: list = []  # of the lists: PythonQt lets go of an item that nobody else holds
        self._bars: list = []
        self._family_items: list = []
        self._following = False
        for widget in (self.ui.shiftTable, self.ui.familyTable):
            widget.verticalHeader().setVisible(False)
            widget.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        header = self.ui.shiftTable.horizontalHeader()
        header.setSectionsClickable(True)
        header.setSortIndicatorShown(True)
        header.sectionClicked.connect(self.onHeader)
        self.ui.resultSelector.connect("currentIndexChanged(int)", self.onResultChosen)
        self.ui.openResultButton.connect("clicked(bool)", self.onOpenResult)
        self.ui.shiftTable.connect("itemSelectionChanged()", self.onRowChosen)
        self.ui.r2ChartButton.connect("clicked(bool)", lambda checked=False: self.onChart("r2"))
        self.ui.shiftChartButton.connect("clicked(bool)", lambda checked=False: self.onChart("shift"))
        self.ui.explainedChartButton.connect("clicked(bool)", lambda checked=False: self.onChart("explained"))
        self.ui.copyMethodsButton.connect("clicked(bool)", self.onCopyMethods)
        self.ui.openReportButton.connect("clicked(bool)", self.onOpenReport)
        self.ui.exportButton.connect("clicked(bool)", self.onExport)

    def lists(self, modality: str, feature: str) -> bool:
        """Whether the lens on show has this feature."""
        return (modality, feature) in self._rows.every

    # --- what to show ----------------------------------------------------------------------------------------------

    def show(self, nodes) -> None:
        """Show a new lens (`deepradiomics.scene.lens.LensNodes`)."""
        for warning in nodes.warnings:
            self.panel.log(warning)
        p = self.panel.parameters
        p.sortColumn, p.sortDescending = "delta_explained", True  # as the table comes
        p.chosenModality = p.chosenFeature = ""
        p.resultTable = nodes.shift
        self.ui.resultsSection.collapsed = False

    def restore(self) -> None:
        """Open the section when the scene holds a lens."""
        self._shown = ()
        self.ui.resultsSection.collapsed = self.panel.parameters.resultTable is None

    def refresh(self) -> None:
        """Bring the section up to date with the parameters."""
        p = self.panel.parameters
        table = p.resultTable
        self._following = True
        try:
            self._follow_tables(table)
            now = (table.GetID(), table.GetTable().GetMTime(), p.shiftFilter) if table is not None else ("",)
            if now != self._shown:
                if table is None or now[0] != (self._shown or ("",))[0]:
                    self._fill_families(table)
                self._shown = now
                self.ui.summaryLabel.text = text.summary_words(table)
                self._fill_features(table)
            self._show_order()
            self._show_chosen()
        finally:
            self._following = False
        for name in ("r2Chart", "shiftChart", "explainedChart", "export"):
            getattr(self.ui, f"{name}Button").enabled = table is not None
        self.ui.copyMethodsButton.enabled = table is not None and bool(table.GetAttribute("DeepRadiomics.methods_text"))
        self.ui.openReportButton.enabled = report_of(table) is not None

    def _follow_tables(self, chosen) -> None:
        """The lenses in the scene, to choose from."""
        from deepradiomics.scene.lens import lens_tables

        tables = lens_tables(slicer.mrmlScene)
        if [each.GetID() for each in tables] != [each.GetID() for each in self._tables]:
            self._tables = tables
            self.ui.resultSelector.clear()
            for each in tables:
                self.ui.resultSelector.addItem(each.GetName().partition(": ")[2] or each.GetName())
        ids = [each.GetID() for each in tables]
        self.ui.resultSelector.currentIndex = ids.index(chosen.GetID()) if chosen and chosen.GetID() in ids else -1
        self.ui.resultSelector.enabled = bool(tables)

    def onResultChosen(self, index: int) -> None:
        """The user chose another lens of the scene."""
        if not self._following and 0 <= index < len(self._tables):
            self.panel.parameters.resultTable = self._tables[index]

    def onOpenResult(self, checked: bool = False) -> None:
        """Open the result folder of a lens that was fitted before."""
        folder = qt.QFileDialog.getExistingDirectory(self.panel.parent, _("Result folder of a lens"))
        if folder:
            with self.panel.errors_shown():
                self.show(self.panel.logic.open(Path(folder)))

    # --- the lists -------------------------------------------------------------------------------------------------

    def _fill_features(self, table) -> None:
        words = self.panel.parameters.shiftFilter
        self._rows = text.shift_rows(table, words) if table is not None else text.ShiftRows()
        headers = text.shift_headers()
        tips = dict(zip(headers, text.SHIFT_COLUMNS, strict=True))
        listed, labels = self.ui.shiftTable, [texts[0] for texts in self._rows.texts]
        cells = [(breakable(texts[0]), *texts[1:]) for texts in self._rows.texts]
        first = listed.columnCount == 0
        self._items = fill_list(listed, headers, cells, self._rows.tips)
        shifts = [texts[text.BAR_COLUMN] for texts in self._rows.texts]
        self._bars = fill_bars(listed, text.BAR_COLUMN, self._rows.shifts, shifts)
        for column, width in enumerate(WIDTHS if first else ()):  # later they keep the widths that the user gave them
            listed.setColumnWidth(column, width)
        for column in range(len(WIDTHS), len(headers)):
            listed.horizontalHeader().setSectionResizeMode(column, qt.QHeaderView.ResizeToContents)
        fit_rows(listed, labels, BESIDE_FOUR)
        for column, name in enumerate(tips.values()):
            item = listed.horizontalHeaderItem(column)
            if item is not None and table is not None:
                item.setToolTip(table.GetColumnDescription(name))
        self.ui.shiftCountLabel.text = text.count_words(self._rows) if table is not None else ""

    def _fill_families(self, table) -> None:
        from deepradiomics.errors import InputError
        from deepradiomics.scene.lens import nodes_of

        rows, r2 = [], ([], [])
        if table is not None:
            with contextlib.suppress(InputError):  # the user removed that node; the features can still be looked at
                family = nodes_of(table).family
                rows, r2 = text.family_rows(family), text.family_r2(family)
        listed, headers = self.ui.familyTable, text.family_headers()
        self._family_items = fill_list(listed, headers, rows, ["" for _row in rows])
        known = [value for values in r2 for value in values if value is not None and value == value]
        reach, signed = max(map(abs, known), default=None), any(value < 0 for value in known)
        for column, values in zip(text.FAMILY_BARS, r2, strict=True):
            shown, colours = [cells[column] for cells in rows], len(rows) * [AGAINST]
            bars = fill_bars(listed, column, values, shown, colours, reach=reach, signed=signed)
            for bar in bars:
                bar.setMinimumWidth(FAMILY_BAR)
            self._family_items += bars
        fit_columns(listed, len(headers), 0)

    def onHeader(self, column: int) -> None:
        """Sort by the column whose header was clicked; once more, the other way round. The table node follows."""
        p = self.panel.parameters
        if p.resultTable is None:
            return
        from deepradiomics.scene.tables import sort_rows

        name = text.SHIFT_COLUMNS[column]
        descending = not p.sortDescending if name == p.sortColumn else name not in text.ASCENDING
        sort_rows(p.resultTable, name, descending=descending)
        p.sortColumn, p.sortDescending = name, descending
        self.panel.refresh()

    def _show_order(self) -> None:
        p = self.panel.parameters
        if p.sortColumn in text.SHIFT_COLUMNS:
            order = qt.Qt.DescendingOrder if p.sortDescending else qt.Qt.AscendingOrder
            header = self.ui.shiftTable.horizontalHeader()
            header.setSortIndicator(text.SHIFT_COLUMNS.index(p.sortColumn), order)

    def onRowChosen(self) -> None:
        """The user chose a feature."""
        row = self.ui.shiftTable.currentRow()
        if self._following or not 0 <= row < len(self._rows.keys):
            return
        p = self.panel.parameters
        if self._rows.keys[row] != (p.chosenModality, p.chosenFeature):
            p.chosenModality, p.chosenFeature = self._rows.keys[row]

    def _show_chosen(self) -> None:
        """Select the chosen feature's row where it is listed."""
        p = self.panel.parameters
        key = (p.chosenModality, p.chosenFeature)
        row = self._rows.keys.index(key) if key in self._rows.keys else -1
        if row < 0:
            self.ui.shiftTable.clearSelection()
        elif self.ui.shiftTable.currentRow() != row or not self.ui.shiftTable.selectedItems():
            self.ui.shiftTable.selectRow(row)

    # --- charts, report, methods, export ---------------------------------------------------------------------------

    def onChart(self, name: str) -> None:
        """Show a chart beside the table of features."""
        with self.panel.errors_shown():
            from deepradiomics.scene.layouts import show_table_and_chart
            from deepradiomics.scene.lens import nodes_of

            nodes = nodes_of(self.panel.parameters.resultTable)
            show_table_and_chart(slicer.mrmlScene, nodes.shift, nodes.charts[name])

    def onOpenReport(self, checked: bool = False) -> None:
        """Open the report in the web browser."""
        open_report(report_of(self.panel.parameters.resultTable))

    def onCopyMethods(self, checked: bool = False) -> None:
        """Copy the paragraph for a paper."""
        copy_methods(self.panel, self.panel.parameters.resultTable)

    def onExport(self, checked: bool = False) -> None:
        """Write the table on show (features or families, all rows) to a CSV or Parquet file that the user chooses."""
        from deepradiomics.scene.lens import nodes_of

        with self.panel.errors_shown():
            table = self.panel.parameters.resultTable
            if self.ui.resultTabs.currentIndex == 1:
                table = nodes_of(table).family
            export(self.panel, table, "lens.csv")
