"""The Results section: volumes, risks, Grad-CAM, shares, features; charts, report, export.

Everything is read back from the table of risks and the nodes it refers to, so that a saved scene shows it again.
"""

import slicer
from slicer.i18n import tr as _

from deepradiomics.errors import InputError
from deepradiomics.scene.panel import results_section
from deepradiomics.scene.panel.bars import fill_bars
from deepradiomics.scene.panel.feature_names import breakable, fit_rows
from deepradiomics.scene.panel.lists import fit_columns
from deepradiomics.scene.panel.results_section import dicom_database, folder_of
from deepradiomics.scene.runs.dicom_export import why_not_volume
from deepradiomics.scene.show.ich.case import RING_NAME, ich_tables, jump_to_haematoma, nodes_of
from deepradiomics.scene.views.layouts import show_table_and_chart
from deepradiomics.scene.views.shown import show_result

from . import result_text as text

ONE_LINE = 34  # letters of a name beside one other column in a panel 440 pixels wide
OUTCOME_LETTERS = 14  # beside the three other columns of the risks


class ResultsSection(results_section.ResultsSection):
    """Shows one patient: that of the table of risks in the parameter `resultTable`."""

    lists = ("riskTable", "sharesTable", "featuresTable")
    dicom_feature = "ich"

    def __init__(self, panel) -> None:
        super().__init__(panel)
        self._outcomes: list[str] = []  # in the order of the list
        self._shown: tuple = ()  # what the lists were filled from
        self._on_views: tuple = ()  # table and map that were last put into the views
        self._bars: dict[str, list] = {}  # of the lists' cells, held for the same reason as their items
        self.ui.riskTable.connect("itemSelectionChanged()", self.onRiskChosen)
        for name in ("groups", "calibration"):
            button = getattr(self.ui, f"{name}ChartButton")
            button.connect("clicked(bool)", lambda checked=False, name=name: self.onChart(name))

    # --- what to show ----------------------------------------------------------------------------------------------

    def show(self, nodes) -> None:
        """Show a new patient (`scene.show.ich.case.IchNodes`): over the CT, in the middle of the haematoma."""
        p = self.panel.parameters
        if not hasattr(nodes, "risk"):
            return  # an expansion or an experiment, which has no section here
        p.outcome, p.showExpansion = "", False
        self.open(nodes.risk, nodes.notes)
        jump_to_haematoma(nodes, slicer.util.getNodesByClass("vtkMRMLSliceNode"))

    def forget(self) -> None:
        """The panel was bound to another scene, which has its views: entering the module does not change them."""
        self._shown = ()
        nodes = self.nodes()
        self._on_views = self._key(nodes)
        for note in nodes.notes if nodes is not None else ():
            self.panel.log(note)

    def nodes(self):
        """The nodes of the patient on show; None without one, or where the user removed some of them."""
        try:
            return nodes_of(self.table) if self.table is not None else None
        except InputError:
            return None

    def refresh(self) -> None:
        """Bring the section up to date with the parameters."""
        super().refresh()
        p, nodes = self.panel.parameters, self.nodes()
        if nodes is not None and p.outcome not in self._outcomes and self._outcomes:
            p.outcome = self._outcomes[0]  # comes back here through the parameter node
            return
        for name in ("groupsChartButton", "calibrationChartButton", "exportButton", "copyMethodsButton"):
            button = getattr(self.ui, name)
            button.enabled = nodes is not None and (button.enabled or "Chart" in name)
        self.ui.showExpansionCheck.enabled = nodes is not None and nodes.expansion is not None
        self.ui.gradcamArea.visible = nodes is None or bool(nodes.gradcam)
        if nodes is not None:
            self._show_over_ct(nodes)

    def results(self) -> list:
        """The patients in the scene, to choose from."""
        return [(table, table.GetName().removeprefix("Risk: ")) for table in ich_tables(slicer.mrmlScene)]

    def open_title(self) -> str:
        return _("Result folder of 'ich apply'")

    # --- the lists -------------------------------------------------------------------------------------------------

    def fill(self) -> None:
        """Fill the lists that have changed."""
        p, nodes = self.panel.parameters, self.nodes()
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
            rows, tips, count = text.feature_rows(nodes.features, p.featureFilter) if nodes is not None else ([], [], 0)
            self._list("featuresTable", text.feature_headers(), rows, tips)
            self.ui.featureCountLabel.text = text.count_text(len(rows), count) if nodes is not None else ""

    def _fill_risks(self, nodes) -> None:
        """One row per outcome, its risk as a bar that is full at 1."""
        self._outcomes, rows, risks = text.risk_rows(nodes.risk) if nodes is not None else ([], [], [])
        tips = text.risk_tips(nodes.risk) if nodes is not None else []
        colours = text.risk_colours(nodes.risk) if nodes is not None else []
        self._list("riskTable", text.risk_headers(), rows, tips, OUTCOME_LETTERS)
        labels = [row[1] for row in rows]
        self._bars["riskTable"] = fill_bars(self.ui.riskTable, 1, risks, labels, colours, reach=1.0)

    def _fill_shares(self, nodes) -> None:
        """Bars left and right from the middle, in the colour of the group; the groups' own rows first, bold."""
        if nodes is None:
            self._list("sharesTable", text.share_headers(), [], [])
            return
        shares = text.share_rows(nodes.shap, self.panel.parameters.outcome)
        values = [f"{share:+.3f}" for share in shares.shares]
        rows = [[label, value] for label, value in zip(shares.labels, values, strict=True)]
        self._list("sharesTable", text.share_headers(), rows, shares.labels)
        table = self.ui.sharesTable
        for row in range(shares.groups):
            font = table.item(row, 0).font()
            font.setBold(True)
            table.item(row, 0).setFont(font)
        self._bars["sharesTable"] = fill_bars(table, 1, shares.shares, values, shares.colours)

    def _list(self, name: str, headers, rows, tips, one_line: int = ONE_LINE) -> None:
        labels = [row[0] for row in rows]
        if name != "riskTable":  # names of features are long words, those of outcomes are not
            rows = [[breakable(row[0]), *row[1:]] for row in rows]
        widget = self.fill_rows(name, headers, rows, tips)
        fit_columns(widget, len(headers), 0)
        fit_rows(widget, labels, one_line)

    def onRiskChosen(self) -> None:
        """The user chose a risk: its Grad-CAM, its shares, its charts."""
        row = self.ui.riskTable.currentRow()
        if not self.following and 0 <= row < len(self._outcomes):
            self.panel.parameters.outcome = self._outcomes[row]

    # --- over the CT -----------------------------------------------------------------------------------------------

    def _key(self, nodes) -> tuple:
        """What is put into the views for the chosen patient and risk."""
        if nodes is None:
            return ()
        drawn = nodes.gradcam.get(self.panel.parameters.outcome)
        return nodes.risk.GetID(), drawn.GetID() if drawn is not None else ""

    def _show_over_ct(self, nodes) -> None:
        """The patient's own CT with the chosen Grad-CAM as the sliders say; haematoma and ring, or the expansion."""
        p = self.panel.parameters
        if self._on_views != self._key(nodes):
            other_patient = self._on_views[:1] != (nodes.risk.GetID(),)
            self._on_views = self._key(nodes)
            drawn = nodes.gradcam.get(p.outcome)
            show_result(slicer.mrmlScene, nodes.risk, image=nodes.ct, drawn=drawn, opacity=p.overlayOpacity)
            if other_patient:
                jump_to_haematoma(nodes, slicer.util.getNodesByClass("vtkMRMLSliceNode"))
        expanded = p.showExpansion and nodes.expansion is not None
        display = nodes.segmentation.GetDisplayNode()
        ring = nodes.segmentation.GetSegmentation().GetSegmentIdBySegmentName(RING_NAME)
        if display is not None:
            display.SetVisibility(not expanded)
            if ring:
                display.SetSegmentVisibility(ring, p.showRing)
        if nodes.expansion is not None and nodes.expansion.change.GetDisplayNode() is not None:
            nodes.expansion.change.GetDisplayNode().SetVisibility(expanded)
        drawn = nodes.gradcam.get(p.outcome)
        if drawn is None or drawn.GetDisplayNode() is None:
            return
        greatest = drawn.GetDisplayNode().GetWindowLevelMax()
        low = max(p.overlayThreshold, 1e-3) * greatest  # zero is outside haematoma and ring: never drawn
        if drawn.GetDisplayNode().GetLowerThreshold() != low:
            drawn.GetDisplayNode().SetThreshold(low, max(drawn.GetDisplayNode().GetUpperThreshold(), 2 * greatest))
        self.fade(nodes.gradcam.values(), 0.0 if expanded else p.overlayOpacity)

    # --- charts, export --------------------------------------------------------------------------------------------

    def onChart(self, name: str) -> None:
        """Show a chart of the chosen risk beside the table of risks."""
        nodes = self.nodes()
        chart = nodes.charts.get(self.panel.parameters.outcome, {}).get(name) if nodes is not None else None
        if chart is not None:
            show_table_and_chart(slicer.mrmlScene, nodes.risk, chart)

    def exported(self) -> tuple:
        """The table on show: shares or features."""
        nodes = nodes_of(self.table)
        shares = self.ui.resultTabs.currentIndex == 0
        return (nodes.shap, "shares.csv") if shares else (nodes.features, "features.csv")

    def why_not_dicom(self) -> str:
        """Why the haematoma and its features cannot be written as DICOM; empty where they can."""
        nodes = self.nodes()
        if nodes is None:
            return _("There is no result yet.")
        if reason := why_not_volume(nodes.ct, dicom_database()):
            return reason
        if folder_of(self.table) is None:
            return _("The files of this result are gone. Apply again; an output folder keeps them beyond this session.")
        return ""

    def start_dicom(self, folder: str, callbacks: dict):
        """Start the run that writes the haematoma and its features."""
        nodes = self.nodes()
        return self.panel.logic.start_dicom(nodes.risk, nodes.ct, folder, **callbacks)
