"""The Results section: which lens, what it found, its features (sorted, searched) and families; charts, report, export.

Everything is read back from the lens's table node and the nodes it refers to, so that a saved scene shows it again.
"""

import contextlib

import qt
import slicer
from slicer.i18n import tr as _

from deepradiomics.errors import InputError
from deepradiomics.scene.nodes.tables import sort_rows
from deepradiomics.scene.panel import results_section
from deepradiomics.scene.panel.bars import AGAINST, fill_bars
from deepradiomics.scene.panel.feature_names import BESIDE_FOUR, breakable, fit_rows
from deepradiomics.scene.panel.lists import fit_columns
from deepradiomics.scene.show.lens.result import lens_tables, nodes_of
from deepradiomics.scene.views.layouts import show_table_and_chart

from . import result_text as text

FAMILY_BAR = 58  # pixels: two columns of bars beside the groups' names
WIDTHS = (130, 46, 86, 56, 54, 54)  # of the main columns: all are seen in a panel 520 pixels wide


class ResultsSection(results_section.ResultsSection):
    """Shows one lens: that of the shift table in the parameter `resultTable`."""

    lists = ("shiftTable", "familyTable")

    def __init__(self, panel) -> None:
        super().__init__(panel)
        self._shown: tuple = ()  # what the list of features was filled from
        self._rows = text.ShiftRows()
        self._bars: dict[str, list] = {}  # of the lists' cells, held for the same reason as their items
        header = self.ui.shiftTable.horizontalHeader()
        header.setSectionsClickable(True)
        header.setSortIndicatorShown(True)
        header.sectionClicked.connect(self.onHeader)
        self.ui.shiftTable.connect("itemSelectionChanged()", self.onRowChosen)
        for name in ("r2", "shift", "explained"):
            button = getattr(self.ui, f"{name}ChartButton")
            button.connect("clicked(bool)", lambda checked=False, name=name: self.onChart(name))

    def has(self, modality: str, feature: str) -> bool:
        """Whether the lens on show has this feature."""
        return (modality, feature) in self._rows.every

    # --- what to show ----------------------------------------------------------------------------------------------

    def show(self, nodes) -> None:
        """Show a new lens (`deepradiomics.scene.show.lens.result.LensNodes`)."""
        p = self.panel.parameters
        p.sortColumn, p.sortDescending = "delta_explained", True  # as the table comes
        p.chosenModality = p.chosenFeature = ""
        self.open(nodes.shift, nodes.warnings)

    def forget(self) -> None:
        """The panel was bound to another scene: fill the lists anew."""
        self._shown = ()

    def results(self) -> list:
        """The lenses in the scene, to choose from."""
        tables = lens_tables(slicer.mrmlScene)
        return [(table, table.GetName().partition(": ")[2] or table.GetName()) for table in tables]

    def open_title(self) -> str:
        return _("Result folder of a lens")

    def fill(self) -> None:
        """Bring the lists up to date with the parameters."""
        p, table = self.panel.parameters, self.table
        now = (table.GetID(), table.GetTable().GetMTime(), p.shiftFilter) if table is not None else ("",)
        if now != self._shown:
            if table is None or now[0] != (self._shown or ("",))[0]:
                self._fill_families(table)
            self._shown = now
            self.ui.summaryLabel.text = text.summary_text(table)
            self._fill_features(table)
        self._show_order()
        self._show_chosen()
        for name in ("r2", "shift", "explained"):
            getattr(self.ui, f"{name}ChartButton").enabled = table is not None

    # --- the lists -------------------------------------------------------------------------------------------------

    def _fill_features(self, table) -> None:
        search = self.panel.parameters.shiftFilter
        self._rows = text.shift_rows(table, search) if table is not None else text.ShiftRows()
        headers = text.shift_headers()
        tips = dict(zip(headers, text.SHIFT_COLUMNS, strict=True))
        listed, labels = self.ui.shiftTable, [texts[0] for texts in self._rows.texts]
        cells = [(breakable(texts[0]), *texts[1:]) for texts in self._rows.texts]
        first = listed.columnCount == 0
        self.fill_rows("shiftTable", headers, cells, self._rows.tips)
        shifts = [texts[text.BAR_COLUMN] for texts in self._rows.texts]
        self._bars["shiftTable"] = fill_bars(listed, text.BAR_COLUMN, self._rows.shifts, shifts)
        for column, width in enumerate(WIDTHS if first else ()):  # later they keep the widths that the user gave them
            listed.setColumnWidth(column, width)
        for column in range(len(WIDTHS), len(headers)):
            listed.horizontalHeader().setSectionResizeMode(column, qt.QHeaderView.ResizeToContents)
        fit_rows(listed, labels, BESIDE_FOUR)
        for column, name in enumerate(tips.values()):
            item = listed.horizontalHeaderItem(column)
            if item is not None and table is not None:
                item.setToolTip(table.GetColumnDescription(name))
        self.ui.shiftCountLabel.text = text.count_text(self._rows) if table is not None else ""

    def _fill_families(self, table) -> None:
        rows, r2 = [], ([], [])
        if table is not None:
            with contextlib.suppress(InputError):  # the user removed that node; the features can still be looked at
                family = nodes_of(table).family
                rows, r2 = text.family_rows(family), text.family_r2(family)
        headers = text.family_headers()
        listed = self.fill_rows("familyTable", headers, rows, [""] * len(rows))
        self._bars["familyTable"] = []
        known = [value for values in r2 for value in values if value is not None and value == value]
        reach, signed = max(map(abs, known), default=None), any(value < 0 for value in known)
        for column, values in zip(text.FAMILY_BARS, r2, strict=True):
            shown, colours = [cells[column] for cells in rows], len(rows) * [AGAINST]
            bars = fill_bars(listed, column, values, shown, colours, reach=reach, signed=signed)
            for bar in bars:
                bar.setMinimumWidth(FAMILY_BAR)
            self._bars["familyTable"] += bars
        fit_columns(listed, len(headers), 0)

    def onHeader(self, column: int) -> None:
        """Sort by the column whose header was clicked; once more, the other way round. The table node follows."""
        p = self.panel.parameters
        if p.resultTable is None:
            return
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
        if self.following or not 0 <= row < len(self._rows.keys):
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

    # --- charts, export --------------------------------------------------------------------------------------------

    def onChart(self, name: str) -> None:
        """Show a chart beside the table of features."""
        with self.panel.errors_shown():
            nodes = nodes_of(self.table)
            show_table_and_chart(slicer.mrmlScene, nodes.shift, nodes.charts[name])

    def exported(self) -> tuple:
        """The table on show: features or families."""
        families = self.ui.resultTabs.currentIndex == 1
        return nodes_of(self.table).family if families else self.table, "lens.csv"
