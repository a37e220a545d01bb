"""The Results section: volumes, risks, Grad-CAM, shares, features; charts, report, export.

Everything is read back from the table of risks and the nodes it refers to, so that a saved scene shows it again.
"""

from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from deepradiomics.errors import InputError
from deepradiomics.scene.panel.bars import fill_bars
from deepradiomics.scene.panel.feature_names import LINE_PX, breakable, fit_rows
from deepradiomics.scene.panel.result_actions import (
    copy_methods,
    export,
    fill_list,
    fit_columns,
    open_report,
    report_of,
)

from . import result_text as text

ONE_LINE = 34  # letters of a name beside one other column in a panel 440 pixels wide
OUTCOME_LETTERS = 14  # beside the three other columns of the risks


class ResultsSection:
    """Shows one patient: that of the table of risks in the parameter `resultTable`."""

    def __init__(self, panel) -> None:
        self.panel, self.ui = panel, panel.ui
        self._tables: list = []  # in the order of the selector
        self._outcomes: list[str] = []  # in the order of the list
        self._shown: tuple = ()  # what the lists were filled from
        self._on_views: tuple = ()  # table and map that were last put into the views
        self._items: dict[str, list] = {}  # of the lists: PythonQt lets go of an item that nobody else holds
        self._bars: dict[str, list] = {}  # the same of the bars in their cells
        self._following = False
        for widget in (self.ui.riskTable, self.ui.sharesTable, self.ui.featuresTable):
            widget.verticalHeader().setVisible(False)
            widget.verticalHeader().setDefaultSectionSize(LINE_PX)
        self.ui.resultSelector.connect("currentIndexChanged(int)", self.onResultChosen)
        self.ui.openResultButton.connect("clicked(bool)", self.onOpenResult)
        self.ui.riskTable.connect("itemSelectionChanged()", self.onRiskChosen)
        self.ui.groupsChartButton.connect("clicked(bool)", lambda checked=False: self.onChart("groups"))
        self.ui.calibrationChartButton.connect("clicked(bool)", lambda checked=False: self.onChart("calibration"))
        self.ui.openReportButton.connect("clicked(bool)", self.onOpenReport)
        self.ui.copyMethodsButton.connect("clicked(bool)", self.onCopyMethods)
        self.ui.exportButton.connect("clicked(bool)", self.onExport)

    # --- what to show ----------------------------------------------------------------------------------------------

    def show(self, nodes) -> None:
        """Show a new patient (`deepradiomics.scene.ich_case.IchNodes`): over the CT, in the middle of the haematoma."""
        from deepradiomics.scene.ich_case import jump_to_haematoma

        for note in nodes.notes:
            self.panel.log(note)
        p = self.panel.parameters
        p.outcome, p.showExpansion = "", False
        p.resultTable = nodes.risk
        self.ui.resultsSection.collapsed = False
        jump_to_haematoma(nodes, slicer.util.getNodesByClass("vtkMRMLSliceNode"))

    def restore(self) -> None:
        """Open the section when the scene holds a patient."""
        self._shown = ()
        self.ui.resultsSection.collapsed = self.panel.parameters.resultTable is None
        nodes = self.nodes()
        self._on_views = self._key(nodes)  # a saved scene has its views; entering the module does not change them
        for note in nodes.notes if nodes is not None else ():
            self.panel.log(note)

    def nodes(self):
        """The nodes of the patient on show; None without one, or where the user removed some of them."""
        from deepradiomics.scene.ich_case import nodes_of

        table = self.panel.parameters.resultTable
        try:
            return nodes_of(table) if table is not None else None
        except InputError:
            return None

    def refresh(self) -> None:
        """Bring the section up to date with the parameters."""
        p = self.panel.parameters
        nodes = self.nodes()
        self._following = True
        try:
            self._follow_tables(p.resultTable)
            self._fill(nodes)
        finally:
            self._following = False
        if nodes is not None and p.outcome not in self._outcomes and self._outcomes:
            p.outcome = self._outcomes[0]  # comes back here through the parameter node
            return
        for name in ("groupsChart", "calibrationChart", "export"):
            getattr(self.ui, f"{name}Button").enabled = nodes is not None
        self.ui.copyMethodsButton.enabled = nodes is not None and bool(
            nodes.risk.GetAttribute("DeepRadiomics.methods_text")
        )
        self.ui.openReportButton.enabled = report_of(p.resultTable) is not None
        self.ui.showExpansionCheck.enabled = nodes is not None and nodes.expansion is not None
        self.ui.gradcamArea.visible = nodes is None or bool(nodes.gradcam)
        if nodes is not None:
            self._show_over_ct(nodes)

    def _follow_tables(self, chosen) -> None:
        """The patients in the scene, to choose from."""
        from deepradiomics.scene.ich_case import ich_tables

        tables = ich_tables(slicer.mrmlScene)
        if [each.GetID() for each in tables] != [each.GetID() for each in self._tables]:
            self._tables = tables
            self.ui.resultSelector.clear()
            for each in tables:
                self.ui.resultSelector.addItem(each.GetName().removeprefix("Risk: "))
        ids = [each.GetID() for each in tables]
        self.ui.resultSelector.currentIndex = ids.index(chosen.GetID()) if chosen and chosen.GetID() in ids else -1
        self.ui.resultSelector.enabled = bool(tables)

    def onResultChosen(self, index: int) -> None:
        """The user chose another patient of the scene."""
        if not self._following and 0 <= index < len(self._tables):
            self.panel.parameters.resultTable = self._tables[index]

    def onOpenResult(self, checked: bool = False) -> None:
        """Open the result folder of a patient that was computed before."""
        folder = qt.QFileDialog.getExistingDirectory(self.panel.parent, _("Result folder of 'ich apply'"))
        if folder:
            with self.panel.errors_shown():
                nodes = self.panel.logic.open(Path(folder))  # over its own CT, whatever CT is chosen
                if hasattr(nodes, "risk"):
                    self.show(nodes)

    # --- the lists -------------------------------------------------------------------------------------------------

    def _fill(self, nodes) -> None:
        p = self.panel.parameters
        now = (nodes.risk.GetID(), p.outcome, p.featureFilter) if nodes is not None else ("",)
        if now == self._shown:
            return
        before, self._shown = self._shown, now
        if nodes is None or before[:1] != now[:1]:
            self.ui.summaryLabel.text = text.summary(p.resultTable if nodes is not None else None)
            self._fill_risks(nodes)
        if p.outcome in self._outcomes and self.ui.riskTable.currentRow() != self._outcomes.index(p.outcome):
            self.ui.riskTable.selectRow(self._outcomes.index(p.outcome))
        if nodes is None or before[:2] != now[:2]:
            self._fill_shares(nodes)
        if nodes is None or (before[:1], before[2:]) != (now[:1], now[2:]):
            rows, tips, found = text.feature_rows(nodes.features, p.featureFilter) if nodes is not None else ([], [], 0)
            self._list("featuresTable", text.feature_headers(), rows, tips)
            self.ui.featureCountLabel.text = text.count_words(len(rows), found) if nodes is not None else ""

    def _fill_risks(self, nodes) -> None:
        """A row an outcome, its risk as a bar of a whole that is 1."""
        self._outcomes, rows, risks = text.risk_rows(nodes.risk) if nodes is not None else ([], [], [])
        tips = text.risk_tips(nodes.risk) if nodes is not None else []
        colours = text.risk_colours(nodes.risk) if nodes is not None else []
        self._list("riskTable", text.risk_headers(), rows, tips, OUTCOME_LETTERS)
        words = [row[1] for row in rows]
        self._bars["riskTable"] = fill_bars(self.ui.riskTable, 1, risks, words, colours, reach=1.0)

    def _fill_shares(self, nodes) -> None:
        """Bars left and right from the middle, in the colour of the group; the groups' own rows first, bold."""
        if nodes is None:
            self._list("sharesTable", text.share_headers(), [], [])
            return
        shares = text.share_rows(nodes.shap, self.panel.parameters.outcome)
        words = [f"{share:+.3f}" for share in shares.shares]
        rows = [[label, word] for label, word in zip(shares.labels, words, strict=True)]
        self._list("sharesTable", text.share_headers(), rows, shares.labels)
        table = self.ui.sharesTable
        for row in range(shares.groups):
            font = table.item(row, 0).font()
            font.setBold(True)
            table.item(row, 0).setFont(font)
        self._bars["sharesTable"] = fill_bars(table, 1, shares.shares, words, shares.colours)

    def _list(self, name: str, headers, rows, tips, one_line: int = ONE_LINE) -> None:
        widget = getattr(self.ui, name)
        labels = [row[0] for row in rows]
        if name != "riskTable":  # names of features are long words, those of outcomes are not
            rows = [[breakable(row[0]), *row[1:]] for row in rows]
        self._items[name] = fill_list(widget, headers, rows, tips)
        fit_columns(widget, len(headers), 0)
        fit_rows(widget, labels, one_line)

    def onRiskChosen(self) -> None:
        """The user chose a risk: its Grad-CAM, its shares, its charts."""
        row = self.ui.riskTable.currentRow()
        if not self._following and 0 <= row < len(self._outcomes):
            self.panel.parameters.outcome = self._outcomes[row]

    # --- over the CT -----------------------------------------------------------------------------------------------

    def _key(self, nodes) -> tuple:
        """What is put into the views for the chosen patient and risk."""
        if nodes is None:
            return ()
        drawn = nodes.gradcam.get(self.panel.parameters.outcome)
        return nodes.risk.GetID(), drawn.GetID() if drawn is not None else ""

    def _show_over_ct(self, nodes) -> None:
        """The patient's own CT with the chosen Grad-CAM as the sliders say; haematoma and ring, or the growth."""
        from deepradiomics.scene.ich_case import RING_NAME, jump_to_haematoma
        from deepradiomics.scene.shown import show_result

        p = self.panel.parameters
        if self._on_views != self._key(nodes):
            other_patient = self._on_views[:1] != (nodes.risk.GetID(),)
            self._on_views = self._key(nodes)
            drawn = nodes.gradcam.get(p.outcome)
            show_result(slicer.mrmlScene, nodes.risk, image=nodes.ct, drawn=drawn, opacity=p.overlayOpacity)
            if other_patient:
                jump_to_haematoma(nodes, slicer.util.getNodesByClass("vtkMRMLSliceNode"))
        grown = p.showExpansion and nodes.expansion is not None
        display = nodes.segmentation.GetDisplayNode()
        ring = nodes.segmentation.GetSegmentation().GetSegmentIdBySegmentName(RING_NAME)
        if display is not None:
            display.SetVisibility(not grown)
            if ring:
                display.SetSegmentVisibility(ring, p.showRing)
        if nodes.expansion is not None and nodes.expansion.change.GetDisplayNode() is not None:
            nodes.expansion.change.GetDisplayNode().SetVisibility(grown)
        drawn = nodes.gradcam.get(p.outcome)
        if drawn is None or drawn.GetDisplayNode() is None:
            return
        greatest = drawn.GetDisplayNode().GetWindowLevelMax()
        low = max(p.overlayThreshold, 1e-3) * greatest  # zero is outside haematoma and ring: never drawn
        if drawn.GetDisplayNode().GetLowerThreshold() != low:
            drawn.GetDisplayNode().SetThreshold(low, max(drawn.GetDisplayNode().GetUpperThreshold(), 2 * greatest))
        shown = {each.GetID() for each in nodes.gradcam.values()}
        for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
            if composite.GetForegroundVolumeID() in shown:
                composite.SetForegroundOpacity(0.0 if grown else p.overlayOpacity)

    # --- charts, report, methods, export ---------------------------------------------------------------------------

    def onChart(self, name: str) -> None:
        """Show a chart of the chosen risk beside the table of risks."""
        from deepradiomics.scene.layouts import show_table_and_chart

        nodes = self.nodes()
        chart = nodes.charts.get(self.panel.parameters.outcome, {}).get(name) if nodes is not None else None
        if chart is not None:
            show_table_and_chart(slicer.mrmlScene, nodes.risk, chart)

    def onOpenReport(self, checked: bool = False) -> None:
        """Open the report in the web browser."""
        open_report(report_of(self.panel.parameters.resultTable))

    def onCopyMethods(self, checked: bool = False) -> None:
        """Copy the paragraph for a paper."""
        copy_methods(self.panel, self.panel.parameters.resultTable)

    def onExport(self, checked: bool = False) -> None:
        """Write the table on show (shares or features, all rows) to a CSV or Parquet file that the user chooses."""
        nodes = self.nodes()
        if nodes is not None:
            shares = self.ui.resultTabs.currentIndex == 0
            export(self.panel, nodes.shap if shares else nodes.features, "shares.csv" if shares else "features.csv")
