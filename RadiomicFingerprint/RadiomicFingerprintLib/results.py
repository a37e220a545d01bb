"""The Results section: prediction, the features behind it, heat map, chart, report, methods text, export.

Everything is read back from the result's table node and the nodes it refers to, so that a saved scene shows it again.
"""

from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from deepradiomics.scene.folder import result_folder_of
from deepradiomics.scene.panel.bars import fill_bars
from deepradiomics.scene.panel.feature_names import BESIDE_FOUR, LINE_PX, breakable, fit_rows
from deepradiomics.scene.panel.result_actions import (
    copy_methods,
    export,
    fill_list,
    fit_columns,
    open_report,
    report_of,
)
from deepradiomics.scene.roles import references

from .choices import HeatMap
from .result_rows import CONTRIBUTION, contributions, fingerprint_rows, tasks_of, verdict
from .work import CHART_ROLE, GRADCAM_ROLE, RELEVANCE_ROLE

BAR_PX = 62  # of a contribution: names need the room


class ResultsSection:
    """Shows one result: that of the table node in the parameter `resultTable`."""

    def __init__(self, panel) -> None:
        self.panel, self.ui = panel, panel.ui
        self._shown = None  # (table's ID, task) whose rows are in the list
        self._overlay = None  # ID of the map that was last put over the anatomy
        self._tables: list = []  # in the order of the selector
        self._bars: list = []  # in the cells of the list, held for the same reason as the items
        self._items: list = []  # of the list: PythonQt lets go of an item that nobody else holds
        self._rows: list[int] = []  # rows of the table node, in the order of the list
        self._following = False
        self.ui.fingerprintTable.verticalHeader().setVisible(False)
        self.ui.fingerprintTable.verticalHeader().setDefaultSectionSize(LINE_PX)
        self.ui.resultSelector.connect("currentIndexChanged(int)", self.onResultChosen)
        self.ui.openResultButton.connect("clicked(bool)", self.onOpenResult)
        self.ui.taskSelector.connect("currentTextChanged(QString)", self.onTaskChosen)
        self.ui.fingerprintTable.connect("itemSelectionChanged()", self.onRowChosen)
        self.ui.copyMethodsButton.connect("clicked(bool)", self.onCopyMethods)
        self.ui.openReportButton.connect("clicked(bool)", self.onOpenReport)
        self.ui.exportButton.connect("clicked(bool)", self.onExport)
        self.ui.chartButton.connect("clicked(bool)", self.onChart)

    # --- what to show ----------------------------------------------------------------------------------------------

    def show(self, nodes) -> None:
        """Show a new fingerprint (`deepradiomics.scene.fingerprint.FingerprintNodes`)."""
        for note in nodes.notes:
            self.panel.log(note)
        self.panel.parameters.resultTable = nodes.fingerprint
        self.ui.resultsSection.collapsed = False

    def restore(self) -> None:
        """Open the section when the scene holds a result."""
        self._shown = None
        self.ui.resultsSection.collapsed = self.panel.parameters.resultTable is None

    def refresh(self) -> None:
        """Bring the section up to date with the parameters."""
        table = self.panel.parameters.resultTable
        self._following = True
        try:
            self._follow_tables(table)
            self._follow(table)
        finally:
            self._following = False
        self.ui.copyMethodsButton.enabled = table is not None and bool(table.GetAttribute("DeepRadiomics.methods_text"))
        self.ui.openReportButton.enabled = report_of(table) is not None
        self.ui.exportButton.enabled = table is not None
        self.ui.chartButton.enabled = self._chart(table) is not None

    def _follow_tables(self, chosen) -> None:
        """The results in the scene, to choose from."""
        from deepradiomics.scene.fingerprint import fingerprint_tables

        tables = fingerprint_tables(slicer.mrmlScene)
        names, selector = [_name_of(table) for table in tables], self.ui.resultSelector
        self._tables = tables
        if [selector.itemText(index) for index in range(selector.count)] != names:
            selector.clear()
            for name in names:
                selector.addItem(name)
        ids = [table.GetID() for table in tables]
        selector.currentIndex = ids.index(chosen.GetID()) if chosen is not None and chosen.GetID() in ids else -1
        selector.enabled = bool(tables)

    def onResultChosen(self, index: int) -> None:
        """The user chose another result of the scene: its image, maps, tables and box, and no others."""
        if not self._following and 0 <= index < len(self._tables):
            self.panel.parameters.resultTable = self._tables[index]

    def onOpenResult(self, checked: bool = False) -> None:
        """Open the folder of a result that was computed before."""
        folder = qt.QFileDialog.getExistingDirectory(self.panel.parent, _("Result folder of 'fingerprint apply'"))
        if folder:
            with self.panel.errors_shown():
                self.show(self.panel.logic.open(Path(folder)))

    def _follow(self, table) -> None:
        tasks = tasks_of(table)
        task = self.panel.parameters.task if self.panel.parameters.task in tasks else (tasks[0] if tasks else "")
        now = (table.GetID() if table is not None else "", task)
        if now != self._shown:
            self._shown = now
            if [self.ui.taskSelector.itemText(index) for index in range(self.ui.taskSelector.count)] != tasks:
                self.ui.taskSelector.clear()
                for each in tasks:
                    self.ui.taskSelector.addItem(each)
            self.ui.taskSelector.currentText = task
            self.ui.resultsArea.visible = table is not None
            self.ui.predictionLabel.text = verdict(table)
            self._fill_rows(table, task)
            if task and self.panel.parameters.task != task:
                self.panel.parameters.task = task
        self._show_overlay(table, task)

    # --- the list of rows ------------------------------------------------------------------------------------------

    def _fill_rows(self, table, task: str) -> None:
        headers = [_("Feature"), _("Patch"), "z", _("Relev."), _("Contrib.")] if table is not None else []
        self._rows, cells, tips = fingerprint_rows(table, task) if table is not None else ([], [], [])
        labels = [row[0] for row in cells]
        cells = [[breakable(row[0]), *row[1:]] for row in cells]
        self._items = fill_list(self.ui.fingerprintTable, headers, cells, tips)
        shares = contributions(table, self._rows) if table is not None else []
        self._bars = fill_bars(self.ui.fingerprintTable, CONTRIBUTION, shares, [row[CONTRIBUTION] for row in cells])
        for bar in self._bars:
            bar.setMinimumWidth(BAR_PX)
        fit_columns(self.ui.fingerprintTable, len(headers), 0)
        fit_rows(self.ui.fingerprintTable, labels, BESIDE_FOUR)

    def onRowChosen(self) -> None:
        """Show the patch that the chosen row is of: ROI box, volume, slices."""
        row = self.ui.fingerprintTable.currentRow()
        table = self.panel.parameters.resultTable
        if self._following or table is None or not 0 <= row < len(self._rows):
            return
        if not self.panel.parameters.task:
            return
        from deepradiomics.scene.patch_boxes import show_patch

        with self.panel.errors_shown():
            show_patch(table, self._rows[row], slice_nodes=slicer.util.getNodesByClass("vtkMRMLSliceNode"))

    # --- the heat map ----------------------------------------------------------------------------------------------

    def onTaskChosen(self, task: str) -> None:
        """The user chose another task: its heat map and its rows."""
        if not self._following and task:
            self.panel.parameters.task = task

    def _show_overlay(self, table, task: str) -> None:
        """Put the chosen map over the anatomy when it has changed, and draw it as the sliders say."""
        p = self.panel.parameters
        role = GRADCAM_ROLE if p.heatMap is HeatMap.GRADCAM else RELEVANCE_ROLE
        node = references(table, role).get(task) if table is not None and task else None
        if node is None or node.GetDisplayNode() is None:
            return
        display = node.GetDisplayNode()
        low = max(p.overlayThreshold, 1e-6)  # zero is outside the region: never drawn
        if display.GetLowerThreshold() != low:
            display.SetThreshold(low, max(display.GetUpperThreshold(), 2.0))
        if self._overlay != node.GetID():
            self._overlay = node.GetID()
            from deepradiomics.scene.fingerprint import anatomy_of
            from deepradiomics.scene.shown import show_result

            show_result(slicer.mrmlScene, table, image=anatomy_of(table), drawn=node, opacity=p.overlayOpacity)
        self._fade([node])

    def _fade(self, nodes) -> None:
        """Draw these maps, where they lie over the anatomy, with the opacity of the slider."""
        shown = {node.GetID() for node in nodes}
        for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
            if composite.GetForegroundVolumeID() in shown:
                composite.SetForegroundOpacity(self.panel.parameters.overlayOpacity)

    def _chart(self, table):
        """The chart of the task on show; None where there is none."""
        task = self.panel.parameters.task
        return references(table, CHART_ROLE).get(task) if table is not None and task else None

    def onChart(self, checked: bool = False) -> None:
        """Show the chart of the task's contributions."""
        chart = self._chart(self.panel.parameters.resultTable)
        if chart is not None:
            from deepradiomics.scene.layouts import show_chart

            show_chart(slicer.mrmlScene, chart)

    # --- report and methods ----------------------------------------------------------------------------------------

    def onOpenReport(self, checked: bool = False) -> None:
        """Open the report in the web browser."""
        open_report(report_of(self.panel.parameters.resultTable))

    def onCopyMethods(self, checked: bool = False) -> None:
        """Copy the paragraph for a paper."""
        copy_methods(self.panel, self.panel.parameters.resultTable)

    def onExport(self, checked: bool = False) -> None:
        """Write the table on show to a CSV or Parquet file that the user chooses."""
        table = self.panel.parameters.resultTable
        export(self.panel, table, f"{table.GetName()}.csv")


def _name_of(table) -> str:
    """What a result is called in the list: as its folder in the scene, which has a name of its own.

    That the model is a demonstration stands below the list, in red.
    """
    item = result_folder_of(table)
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(table.GetScene())
    name = hierarchy.GetItemName(item) if item else table.GetName()
    return str(name).removeprefix("Fingerprint of ").replace(" (demonstration model)", "")
