"""The Results section: features, maps or a batch with their rows; maps over their own volume, methods text, export.

Everything is read back from the result's table node and the nodes it refers to, so that a saved scene shows it again.
"""

import qt
import slicer
from slicer.i18n import tr as _

from deepradiomics.scene.panel.feature_names import LINE_PX, breakable, fit_rows
from deepradiomics.scene.panel.result_actions import copy_methods, export, fill_list

from .result_rows import kind_of, remark_rows, rows_of, summary

WIDEST_NAME = 120  # of a region or case, in pixels: longer names are cut, the tooltip has them


class ResultsSection:
    """Shows one result: that of the table node in the parameter `resultTable`."""

    def __init__(self, panel) -> None:
        self.panel, self.ui = panel, panel.ui
        self._shown = None  # ID of the table whose rows are in the list
        self._items: list = []  # of the lists: PythonQt lets go of an item that nobody else holds
        self._remarks: list = []
        self._rows: list[int] = []  # rows of the table node, in the order of the list
        self._following = False
        for table in (self.ui.resultTable, self.ui.remarksTable):
            table.verticalHeader().setVisible(False)
            table.verticalHeader().setDefaultSectionSize(LINE_PX)
        self.ui.resultTable.connect("itemSelectionChanged()", self.onRowChosen)
        self.ui.copyMethodsButton.connect("clicked(bool)", self.onCopyMethods)
        self.ui.exportButton.connect("clicked(bool)", self.onExport)

    # --- what to show ----------------------------------------------------------------------------------------------

    def show_features(self, nodes) -> None:
        """Show a new table of features (`deepradiomics.scene.features.FeatureNodes`)."""
        for warning in nodes.warnings:
            self.panel.log(warning)
        self._open(nodes.features)

    def show_maps(self, nodes) -> None:
        """Show new feature maps (`deepradiomics.scene.maps.MapNodes`): the first over its volume, at its middle."""
        from deepradiomics.scene.maps import jump_to

        self._open(nodes.table)
        jump_to(next(iter(nodes.maps.values())), slicer.util.getNodesByClass("vtkMRMLSliceNode"))

    def show_batch(self, nodes) -> None:
        """Show a batch (`deepradiomics.scene.feature_cohort.CohortNodes`)."""
        self._open(nodes.features)
        self.panel.log(
            _("Batch finished: {cases} cases, {computed} computed now, {failed} failed.").format(
                cases=nodes.cases, computed=nodes.computed, failed=len(nodes.failed)
            )
        )

    def _open(self, table) -> None:
        self.panel.parameters.resultTable = table
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
            now = table.GetID() if table is not None else ""
            if now != self._shown:
                self._shown = now
                self._fill(table)
        finally:
            self._following = False
        kind = kind_of(table)
        self.ui.opacityArea.visible = kind == "maps"
        self.ui.copyMethodsButton.enabled = table is not None and bool(table.GetAttribute("DeepRadiomics.methods_text"))
        self.ui.exportButton.enabled = table is not None
        if kind == "maps":
            self._fade(maps_of(table).values())

    # --- the lists -------------------------------------------------------------------------------------------------

    def _fill(self, table) -> None:
        self.ui.resultLabel.text = summary(table)
        headers, (self._rows, cells, tips) = rows_of(table) if table is not None else ([], ([], [], []))
        place = headers.index(_("Feature")) if headers else 0
        labels = [row[place] for row in cells]
        cells = [[*row[:place], breakable(row[place]), *row[place + 1 :]] for row in cells]
        self._items = fill_list(self.ui.resultTable, headers, cells, tips)
        fit(self.ui.resultTable, headers, place)
        fit_rows(self.ui.resultTable, labels)
        remarks = table.GetNodeReference(remarks_role()) if table is not None else None
        self.ui.remarksArea.visible = remarks is not None
        if remarks is not None:
            headers, cells, tips, text = remark_rows(remarks)
            self.ui.remarksLabel.text = text
            self._remarks = fill_list(self.ui.remarksTable, headers, cells, tips)
            self.ui.remarksTable.setWordWrap(False)
            fit(self.ui.remarksTable, headers, 2)

    def onRowChosen(self) -> None:
        """Show the map of the chosen row over the volume it was computed on."""
        row = self.ui.resultTable.currentRow()
        table = self.panel.parameters.resultTable
        if self._following or kind_of(table) != "maps" or not 0 <= row < len(self._rows):
            return
        from deepradiomics.scene.maps import show_map

        node = maps_of(table).get(table.GetTable().GetColumnByName("feature").GetValue(self._rows[row]))
        if node is None:
            self.ui.resultLabel.text = _("This map is no longer in the scene.")
        elif show_map(slicer.mrmlScene, node, self.panel.parameters.overlayOpacity) is None:
            self.ui.resultLabel.text = _("The volume of this map is not in the scene: the map is shown alone.")
        else:
            self.ui.resultLabel.text = summary(table)

    def _fade(self, nodes) -> None:
        """Draw these maps, where they lie over the anatomy, with the opacity of the slider."""
        map_ids = {node.GetID() for node in nodes}
        for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
            if composite.GetForegroundVolumeID() in map_ids:
                composite.SetForegroundOpacity(self.panel.parameters.overlayOpacity)

    # --- methods and export ----------------------------------------------------------------------------------------

    def onCopyMethods(self, checked: bool = False) -> None:
        """Copy the paragraph for a paper."""
        copy_methods(self.panel, self.panel.parameters.resultTable)

    def onExport(self, checked: bool = False) -> None:
        """Write the table on show to a CSV or Parquet file that the user chooses."""
        table = self.panel.parameters.resultTable
        export(self.panel, table, f"{table.GetName()}.csv")


def fit(widget, headers: list[str], stretched: int) -> None:
    """Columns as wide as their texts, names at most `WIDEST_NAME`, and one that takes the room that is left."""
    header = widget.horizontalHeader()
    header.setResizeContentsPrecision(-1)  # of all rows, not of the first thousand
    for column in range(len(headers)):
        if column == stretched:
            header.setSectionResizeMode(column, qt.QHeaderView.Stretch)
        elif column == 0 and widget.sizeHintForColumn(0) > WIDEST_NAME:
            header.setSectionResizeMode(0, qt.QHeaderView.Fixed)
            header.resizeSection(0, WIDEST_NAME)
        else:
            header.setSectionResizeMode(column, qt.QHeaderView.ResizeToContents)


def maps_of(table) -> dict:
    """Map nodes by feature."""
    from deepradiomics.scene.maps import maps_of as nodes_of

    return nodes_of(table)


def remarks_role() -> str:
    """The reference from a batch's table to its remarks."""
    from deepradiomics.scene.feature_cohort import REMARKS_ROLE

    return REMARKS_ROLE
