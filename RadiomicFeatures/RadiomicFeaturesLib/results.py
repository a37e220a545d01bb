"""The Results section: features, maps or a batch with their rows; maps over their own volume, methods text, export.

Everything is read back from the result's table node and the nodes it refers to, so that a saved scene shows it again.
"""

import qt
import slicer
from slicer.i18n import tr as _

from deepradiomics.scene.panel import results_section
from deepradiomics.scene.panel.feature_names import breakable, fit_rows
from deepradiomics.scene.panel.results_section import dicom_database
from deepradiomics.scene.runs.dicom_export import why_not_dicom
from deepradiomics.scene.show.feature_cohort import REMARKS_ROLE
from deepradiomics.scene.show.maps import jump_to, maps_of, show_map

from .result_rows import kind_of, remark_rows, rows_of, summary

WIDEST_NAME = 120  # of a region or case, in pixels: longer names are cut, the tooltip has them


class ResultsSection(results_section.ResultsSection):
    """Shows features, maps or a batch: those of the table node in the parameter `resultTable`."""

    lists = ("resultTable", "remarksTable")

    def __init__(self, panel) -> None:
        super().__init__(panel)
        self._shown = None  # ID of the table whose rows are in the list
        self._rows: list[int] = []  # rows of the table node, in the order of the list
        self.ui.resultTable.connect("itemSelectionChanged()", self.onRowChosen)

    # --- what to show ----------------------------------------------------------------------------------------------

    def show_features(self, nodes) -> None:
        """Show a new table of features (`deepradiomics.scene.show.features.FeatureNodes`)."""
        self.open(nodes.features, (*nodes.warnings, *nodes.notes))

    def show_maps(self, nodes) -> None:
        """Show new feature maps (`scene.show.maps.MapNodes`): the first over its volume, at its middle."""
        self.open(nodes.table, nodes.notes)
        jump_to(next(iter(nodes.maps.values())), slicer.util.getNodesByClass("vtkMRMLSliceNode"))

    def show_batch(self, nodes) -> None:
        """Show a batch (`deepradiomics.scene.show.feature_cohort.CohortNodes`)."""
        self.open(nodes.features)
        self.panel.log(
            _("Batch finished: {cases} cases, {computed} computed now, {failed} failed.").format(
                cases=nodes.cases, computed=nodes.computed, failed=len(nodes.failed)
            )
        )

    def forget(self) -> None:
        """The panel was bound to another scene: fill the lists anew."""
        self._shown = None

    def fill(self) -> None:
        """Bring lists and maps up to date with the parameters."""
        table = self.table
        now = table.GetID() if table is not None else ""
        if now != self._shown:
            self._shown = now
            self._fill(table)
        kind = kind_of(table)
        self.ui.opacityArea.visible = kind == "maps"
        if kind == "maps":
            self.fade(maps_of(table).values(), self.panel.parameters.overlayOpacity)

    # --- the lists -------------------------------------------------------------------------------------------------

    def _fill(self, table) -> None:
        self.ui.resultLabel.text = summary(table)
        headers, (self._rows, cells, tips) = rows_of(table) if table is not None else ([], ([], [], []))
        place = headers.index(_("Feature")) if headers else 0
        labels = [row[place] for row in cells]
        cells = [[*row[:place], breakable(row[place]), *row[place + 1 :]] for row in cells]
        fit(self.fill_rows("resultTable", headers, cells, tips), headers, place)
        fit_rows(self.ui.resultTable, labels)
        remarks = table.GetNodeReference(REMARKS_ROLE) if table is not None else None
        self.ui.remarksArea.visible = remarks is not None
        if remarks is not None:
            headers, cells, tips, text = remark_rows(remarks)
            self.ui.remarksLabel.text = text
            listed = self.fill_rows("remarksTable", headers, cells, tips)
            listed.setWordWrap(False)
            fit(listed, headers, 2)

    def onRowChosen(self) -> None:
        """Show the map of the chosen row over the volume it was computed on."""
        row = self.ui.resultTable.currentRow()
        table = self.table
        if self.following or kind_of(table) != "maps" or not 0 <= row < len(self._rows):
            return
        node = maps_of(table).get(table.GetTable().GetColumnByName("feature").GetValue(self._rows[row]))
        if node is None:
            self.ui.resultLabel.text = _("This map is no longer in the scene.")
        elif show_map(slicer.mrmlScene, node, self.panel.parameters.overlayOpacity) is None:
            self.ui.resultLabel.text = _("The volume of this map is not in the scene: the map is shown alone.")
        else:
            self.ui.resultLabel.text = summary(table)

    # --- export ----------------------------------------------------------------------------------------------------

    def why_not_dicom(self) -> str:
        """Why regions and features cannot be written as DICOM; empty where they can."""
        if kind_of(self.table) not in ("", "features"):
            return _("Features of regions go out as DICOM; this result is of another kind.")
        return why_not_dicom(self.table, dicom_database())

    def start_dicom(self, folder: str, callbacks: dict):
        """Start the run that writes regions and features."""
        return self.panel.logic.start_dicom(self.table, folder, **callbacks)


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
