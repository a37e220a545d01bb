"""The Results section: prediction, the features behind it, heat map, chart, report, methods text, export.

Everything is read back from the result's table node and the nodes it refers to, so that a saved scene shows it again.
"""

import slicer
from slicer.i18n import tr as _

from deepradiomics.scene.panel import results_section
from deepradiomics.scene.panel.bars import fill_bars
from deepradiomics.scene.panel.feature_names import BESIDE_FOUR, breakable, fit_rows
from deepradiomics.scene.panel.lists import ComboList, fit_columns
from deepradiomics.scene.show.fingerprint import anatomy_of, fingerprint_tables
from deepradiomics.scene.show.patch_boxes import show_patch
from deepradiomics.scene.tree.folder import result_folder_of
from deepradiomics.scene.tree.roles import references
from deepradiomics.scene.views import layouts
from deepradiomics.scene.views.shown import show_result

from .choices import HeatMap
from .result_rows import CONTRIBUTION, contributions, fingerprint_rows, tasks_of, verdict
from .work import CHART_ROLE, GRADCAM_ROLE, RELEVANCE_ROLE

BAR_PX = 62  # of a contribution: names need the room


class ResultsSection(results_section.ResultsSection):
    """Shows one fingerprint: that of the table node in the parameter `resultTable`."""

    lists = ("fingerprintTable",)

    def __init__(self, panel) -> None:
        super().__init__(panel)
        self._shown = None  # (table's ID, task) whose rows are in the list
        self._overlay = None  # ID of the map that was last put over the anatomy
        self._bars: list = []  # in the cells of the list, held for the same reason as the items
        self._rows: list[int] = []  # rows of the table node, in the order of the list
        self._tasks = ComboList(self.ui.taskSelector, self.onTaskChosen)
        self.ui.fingerprintTable.connect("itemSelectionChanged()", self.onRowChosen)
        self.ui.chartButton.connect("clicked(bool)", self.onChart)

    # --- what to show ----------------------------------------------------------------------------------------------

    def show(self, nodes) -> None:
        """Show a new fingerprint (`deepradiomics.scene.show.fingerprint.FingerprintNodes`)."""
        self.open(nodes.fingerprint, nodes.notes)

    def forget(self) -> None:
        """The panel was bound to another scene: fill the list anew."""
        self._shown = None

    def results(self) -> list:
        """The fingerprints in the scene, to choose from."""
        return [(table, _name_of(table)) for table in fingerprint_tables(slicer.mrmlScene)]

    def open_title(self) -> str:
        return _("Result folder of 'fingerprint apply'")

    def fill(self) -> None:
        """Bring task, rows and heat map up to date with the parameters."""
        p, table = self.panel.parameters, self.table
        tasks = tasks_of(table)
        task = p.task if p.task in tasks else (tasks[0] if tasks else "")
        now = (table.GetID() if table is not None else "", task)
        if now != self._shown:
            self._shown = now
            self._tasks.show([(name, name) for name in tasks], task)
            self.ui.resultsArea.visible = table is not None
            self.ui.predictionLabel.text = verdict(table)
            self._fill_rows(table, task)
            if task and p.task != task:
                p.task = task
        self._show_overlay(table, task)
        self.ui.chartButton.enabled = self._chart() is not None

    # --- the list of rows ------------------------------------------------------------------------------------------

    def _fill_rows(self, table, task: str) -> None:
        headers = [_("Feature"), _("Patch"), "z", _("Relev."), _("Contrib.")] if table is not None else []
        self._rows, cells, tips = fingerprint_rows(table, task) if table is not None else ([], [], [])
        labels = [row[0] for row in cells]
        cells = [[breakable(row[0]), *row[1:]] for row in cells]
        self.fill_rows("fingerprintTable", headers, cells, tips)
        shares = contributions(table, self._rows) if table is not None else []
        self._bars = fill_bars(self.ui.fingerprintTable, CONTRIBUTION, shares, [row[CONTRIBUTION] for row in cells])
        for bar in self._bars:
            bar.setMinimumWidth(BAR_PX)
        fit_columns(self.ui.fingerprintTable, len(headers), 0)
        fit_rows(self.ui.fingerprintTable, labels, BESIDE_FOUR)

    def onRowChosen(self) -> None:
        """Show the patch that the chosen row is of: ROI box, volume, slices."""
        row = self.ui.fingerprintTable.currentRow()
        table = self.table
        if self.following or table is None or not self.panel.parameters.task or not 0 <= row < len(self._rows):
            return
        with self.panel.errors_shown():
            show_patch(table, self._rows[row], slice_nodes=slicer.util.getNodesByClass("vtkMRMLSliceNode"))

    # --- the heat map ----------------------------------------------------------------------------------------------

    def onTaskChosen(self, task: str) -> None:
        """The user chose another task: its heat map and its rows."""
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
            show_result(slicer.mrmlScene, table, image=anatomy_of(table), drawn=node, opacity=p.overlayOpacity)
        self.fade([node], p.overlayOpacity)

    def _chart(self):
        """The chart of the task on show; None where there is none."""
        task = self.panel.parameters.task
        return references(self.table, CHART_ROLE).get(task) if self.table is not None and task else None

    def onChart(self, checked: bool = False) -> None:
        """Show the chart of the task's contributions."""
        chart = self._chart()
        if chart is not None:
            layouts.show_chart(slicer.mrmlScene, chart)


def _name_of(table) -> str:
    """What a result is called in the list: as its folder in the scene, which has a name of its own.

    That the model is a demonstration stands below the list, in red.
    """
    item = result_folder_of(table)
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(table.GetScene())
    name = hierarchy.GetItemName(item) if item else table.GetName()
    return str(name).removeprefix("Fingerprint of ").replace(" (demonstration model)", "")
