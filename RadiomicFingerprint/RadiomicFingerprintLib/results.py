"""The Results section: prediction, heat map, the rows of the fingerprint, report and methods text.

Everything is read back from the result's table node and the nodes it refers to, so that a saved scene shows it again.
"""

from collections.abc import Mapping
from html import escape
from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from .choices import HeatMap
from .work import CHART_ROLE, FOLDER_ATTRIBUTE, GRADCAM_ROLE, PREDICTION_ROLE, RELEVANCE_ROLE

ROWS_SHOWN = 300
ROW_HEIGHT = 22


class ResultsSection:
    """Shows one result: that of the table node in the parameter `resultTable`."""

    def __init__(self, panel) -> None:
        self.panel, self.ui = panel, panel.ui
        self._shown = None  # (table's ID, task) whose rows are in the list
        self._overlay = None  # ID of the map that was last put over the anatomy
        self._items: list = []  # of the list: PythonQt lets go of an item that nobody else holds
        self._rows: list[int] = []  # rows of the table node, in the order of the list
        self._following = False
        self.ui.fingerprintTable.verticalHeader().setVisible(False)
        self.ui.fingerprintTable.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        self.ui.taskSelector.connect("currentTextChanged(QString)", self.onTaskChosen)
        self.ui.fingerprintTable.connect("itemSelectionChanged()", self.onRowChosen)
        self.ui.copyMethodsButton.connect("clicked(bool)", self.onCopyMethods)
        self.ui.openReportButton.connect("clicked(bool)", self.onOpenReport)

    # --- what to show ----------------------------------------------------------------------------------------------

    def show(self, nodes) -> None:
        """Show a new fingerprint (`deepradiomics.scene.fingerprint.FingerprintNodes`)."""
        for note in nodes.notes:
            self.panel.log(note)
        self.panel.parameters.resultTable = nodes.fingerprint
        self.ui.resultsSection.collapsed = False

    def show_features(self, nodes) -> None:
        """Show a new table of features (`deepradiomics.scene.features.FeatureNodes`)."""
        self.panel.parameters.resultTable = nodes.features
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
            self._follow(table)
        finally:
            self._following = False
        self.ui.copyMethodsButton.enabled = table is not None and bool(table.GetAttribute("DeepRadiomics.methods_text"))
        self.ui.openReportButton.enabled = self._report() is not None

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
            for name in (
                "taskLabel",
                "taskSelector",
                "opacityLabel",
                "opacitySlider",
                "thresholdLabel",
                "thresholdSlider",
            ):
                getattr(self.ui, name).visible = bool(tasks)
            self.ui.predictionLabel.text = verdict(table)
            self._fill_rows(table, task)
            if task and self.panel.parameters.task != task:
                self.panel.parameters.task = task
        self._show_overlay(table, task)

    # --- the list of rows ------------------------------------------------------------------------------------------

    def _fill_rows(self, table, task: str) -> None:
        widget = self.ui.fingerprintTable
        widget.clear()
        self._items = []
        if table is None:
            self._rows, headers, cells = [], [], []
        elif task:
            headers = [_("Feature"), _("Patch"), "z", _("Relev."), _("Contrib.")]
            self._rows, cells = fingerprint_rows(table, task)
        else:
            headers = [_("Region"), _("Feature"), _("Value")]
            self._rows, cells = feature_rows(table)
        widget.setColumnCount(len(headers))
        widget.setRowCount(len(cells))
        widget.setHorizontalHeaderLabels(headers)
        for row, texts in enumerate(cells):
            for column, text in enumerate(texts):
                item = qt.QTableWidgetItem(text)
                item.setToolTip(text)
                self._items.append(item)
                widget.setItem(row, column, item)
        header = widget.horizontalHeader()
        for column in range(len(headers)):
            long = headers[column] == _("Feature")
            header.setSectionResizeMode(column, qt.QHeaderView.Stretch if long else qt.QHeaderView.ResizeToContents)

    def onRowChosen(self) -> None:
        """Show the patch and the view of the chosen row: ROI box, volume, slices."""
        row = self.ui.fingerprintTable.currentRow()
        table = self.panel.parameters.resultTable
        if self._following or table is None or not self.panel.parameters.task or not 0 <= row < len(self._rows):
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
        node = table.GetNodeReference(role + task) if table is not None and task else None
        if node is None or node.GetDisplayNode() is None:
            return
        display = node.GetDisplayNode()
        low = max(p.overlayThreshold, 1e-6)  # zero is outside the region: never drawn
        if display.GetLowerThreshold() != low:
            display.SetThreshold(low, max(display.GetUpperThreshold(), 2.0))
        if self._overlay != node.GetID():
            self._overlay = node.GetID()
            from deepradiomics.scene.overlay import show_in_slices

            show_in_slices(slicer.mrmlScene, foreground=node, opacity=p.overlayOpacity)
            chart = table.GetNodeReference(CHART_ROLE + task)
            if chart is not None:
                slicer.app.applicationLogic().GetSelectionNode().SetReferenceActivePlotChartID(chart.GetID())
        for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
            if composite.GetForegroundVolumeID() == node.GetID():
                composite.SetForegroundOpacity(p.overlayOpacity)

    # --- report and methods ----------------------------------------------------------------------------------------

    def _report(self) -> Path | None:
        table = self.panel.parameters.resultTable
        folder = table.GetAttribute(FOLDER_ATTRIBUTE) if table is not None else None
        report = Path(folder) / "report.html" if folder else None
        return report if report is not None and report.is_file() else None

    def onOpenReport(self, checked: bool = False) -> None:
        """Open the report in the web browser."""
        report = self._report()
        if report is not None:
            qt.QDesktopServices.openUrl(qt.QUrl(report.resolve().as_uri()))

    def onCopyMethods(self, checked: bool = False) -> None:
        """Copy the paragraph for a paper."""
        from deepradiomics.scene.provenance import methods_text

        with self.panel.errors_shown():
            slicer.app.clipboard().setText(methods_text(self.panel.parameters.resultTable))
            self.panel.log(_("The methods text is on the clipboard."))


def tasks_of(table) -> list[str]:
    """The tasks of a fingerprint table, in its order; none for a table of features."""
    column = _column(table, "task")
    return list(dict.fromkeys(column)) if column is not None and _column(table, "contribution") is not None else []


def fingerprint_rows(table, task: str) -> tuple[list[int], list[list[str]]]:
    """The task's rows by size of contribution, selected ones first: row numbers of the table, and their texts."""
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
    return rows, texts


def feature_rows(table) -> tuple[list[int], list[list[str]]]:
    """The rows of a table of features and their texts."""
    regions, features, values = (_column(table, name) or [] for name in ("label", "feature", "value"))
    texts = [
        [str(region), name.removeprefix("original_"), f"{value:.6g}"]
        for region, name, value in zip(regions, features, values, strict=True)
    ]
    return list(range(len(texts))), texts


def verdict(table) -> str:
    """The prediction in a few lines of rich text."""
    if table is None:
        return escape(_("Nothing computed yet."))
    prediction = table.GetNodeReference(PREDICTION_ROLE)
    if prediction is None:
        return escape(_("{count} features").format(count=table.GetNumberOfRows()))
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


def _column(table, name: str) -> list | None:
    column = table.GetTable().GetColumnByName(name) if table is not None else None
    return [column.GetValue(row) for row in range(column.GetNumberOfValues())] if column is not None else None
