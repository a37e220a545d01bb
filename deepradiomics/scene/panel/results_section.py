"""The Results section of every panel: which result, its lists, its report, methods text, tables and DICOM files.

Everything is read back from the result's table node and the nodes it refers to, so that a saved scene shows it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from deepradiomics.scene.job import dependencies
from deepradiomics.scene.job.runner import FOLDER_ATTRIBUTE
from deepradiomics.scene.nodes.export import export_table
from deepradiomics.scene.tree.provenance import methods_text

from .feature_names import LINE_PX
from .lists import ComboList, Following, fill_list


class ResultsSection:
    """Shows one result: that of the table node in the parameter `resultTable`.

    A module's section derives from it and fills the lists. The panel's .ui file has `resultsSection`,
    `copyMethodsButton` and `exportButton`; `resultSelector` with `openResultButton`, `openReportButton` and
    `exportDicomButton` are served where it has them.
    """

    lists: tuple[str, ...] = ()
    """Names of the lists of rows."""
    dicom_feature = "extract"
    """What must be installed to write the result as DICOM (`scene.job.dependencies`)."""

    def __init__(self, panel: Any) -> None:
        self.panel, self.ui = panel, panel.ui
        self.following = Following()
        self._items: dict[str, list[Any]] = {}  # of the lists: PythonQt lets go of an item that nobody else holds
        for name in self.lists:
            rows = getattr(self.ui, name).verticalHeader()
            rows.setVisible(False)
            rows.setDefaultSectionSize(LINE_PX)
        self._selector = ComboList(self.ui.resultSelector, self.choose) if self._has("resultSelector") else None
        for button, slot in {
            "openResultButton": self.onOpenResult,
            "openReportButton": self.onOpenReport,
            "copyMethodsButton": self.onCopyMethods,
            "exportButton": self.onExport,
            "exportDicomButton": self.onExportDicom,
        }.items():
            if self._has(button):
                getattr(self.ui, button).connect("clicked(bool)", slot)

    def _has(self, name: str) -> bool:
        return hasattr(self.ui, name)

    @property
    def table(self) -> Any:
        """The table node of the result on show; None without one."""
        return self.panel.parameters.resultTable

    # --- what a module's section says of itself --------------------------------------------------------------------

    def results(self) -> Sequence[tuple[Any, str]]:
        """The results in the scene to choose from: their table nodes, and what the list calls them."""
        return ()

    def open_title(self) -> str:
        """Title of the dialog in which the user opens a result's folder."""
        raise NotImplementedError

    def show(self, nodes: Any) -> None:
        """Show a new result: the nodes that the logic returned."""
        raise NotImplementedError

    def fill(self) -> None:
        """Bring the lists up to date with the parameters."""
        raise NotImplementedError

    def forget(self) -> None:
        """The panel was bound to another scene: fill all lists anew."""
        raise NotImplementedError

    def exported(self) -> tuple[Any, str]:
        """The table node that *Export* writes, and the file's name."""
        return self.table, f"{self.table.GetName()}.csv"

    def why_not_dicom(self) -> str:
        """Why the result cannot be written as DICOM; empty where it can."""
        return ""

    def start_dicom(self, folder: str, callbacks: dict[str, Any]) -> object:
        """Start the run that writes the result as DICOM into a folder."""
        raise NotImplementedError

    # --- which result ----------------------------------------------------------------------------------------------

    def open(self, table: Any, notes: Iterable[str] = ()) -> None:
        """Show the result of a table node; its notes go into the log."""
        for note in notes:
            self.panel.log(note)
        self.panel.parameters.resultTable = table
        self.ui.resultsSection.collapsed = False

    def restore(self) -> None:
        """Open the section when the scene holds a result."""
        self.forget()
        self.ui.resultsSection.collapsed = self.table is None

    def refresh(self) -> None:
        """Bring the section up to date with the parameters."""
        table = self.table
        with self.following:
            if self._selector is not None:
                entries = [(node.GetID(), name) for node, name in self.results()]
                self._selector.show(entries, table.GetID() if table is not None else "")
                self.ui.resultSelector.enabled = bool(entries)
            self.fill()
        self.ui.copyMethodsButton.enabled = table is not None and bool(table.GetAttribute("DeepRadiomics.methods_text"))
        self.ui.exportButton.enabled = table is not None
        if self._has("openReportButton"):
            self.ui.openReportButton.enabled = self._report() is not None
        if self._has("exportDicomButton") and self.panel.idle:
            reason = self.why_not_dicom()
            self.ui.exportDicomButton.enabled = not reason
            self.ui.exportDicomButton.toolTip = reason or _(
                "Write the regions (DICOM SEG) and their features (structured report with IBSI codes) for an archive. "
                "These files hold the patient's name."
            )

    def choose(self, table_id: str) -> None:
        """The user chose another result of the scene: its image, maps, tables and box, and no others."""
        self.panel.parameters.resultTable = slicer.mrmlScene.GetNodeByID(table_id)

    def onOpenResult(self, checked: bool = False) -> None:
        """Open the folder of a result that was computed before."""
        folder = qt.QFileDialog.getExistingDirectory(self.panel.parent, self.open_title())
        if folder:
            with self.panel.errors_shown():
                self.show(self.panel.logic.open(Path(folder)))

    # --- the lists and the map -------------------------------------------------------------------------------------

    def fill_rows(self, name: str, headers: Sequence[str], rows: Sequence[Sequence[str]], tips: Sequence[str]) -> Any:
        """Replace the content of a list, by its name; returns its widget."""
        widget = getattr(self.ui, name)
        self._items[name] = fill_list(widget, headers, rows, tips)
        return widget

    def fade(self, maps: Iterable[Any], opacity: float) -> None:
        """Draw these maps, where they lie over the anatomy, with this opacity."""
        map_ids = {node.GetID() for node in maps}
        for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
            if composite.GetForegroundVolumeID() in map_ids:
                composite.SetForegroundOpacity(opacity)

    # --- report, methods, export -----------------------------------------------------------------------------------

    def _report(self) -> Path | None:
        folder = folder_of(self.table)
        report = folder / "report.html" if folder is not None else None
        return report if report is not None and report.is_file() else None

    def onOpenReport(self, checked: bool = False) -> None:
        """Open the report in the web browser."""
        open_report(self._report())

    def onCopyMethods(self, checked: bool = False) -> None:
        """Copy the paragraph for a paper."""
        with self.panel.errors_shown():
            slicer.app.clipboard().setText(methods_text(self.table))
            self.panel.log(_("The methods text is on the clipboard."))

    def onExport(self, checked: bool = False) -> None:
        """Write a table with all its rows to a CSV or Parquet file that the user chooses."""
        with self.panel.errors_shown():
            table, name = self.exported()
            path = qt.QFileDialog.getSaveFileName(
                self.panel.parent, _("Export the table"), name, "CSV (*.csv);;Parquet (*.parquet)"
            )
            if not path:
                return
            if Path(path).suffix.lower() == ".parquet":
                dependencies.ensure("parquet")
            self.panel.log(_("The table is in {path}.").format(path=export_table(table, Path(path))))

    def onExportDicom(self, checked: bool = False) -> None:
        """Write the result as DICOM into a folder that the user chooses; or cancel that, while it runs."""
        folder = ""
        if self.panel.idle:
            folder = qt.QFileDialog.getExistingDirectory(self.panel.parent, _("Folder for the DICOM files"))
            if not folder:
                return

        def report(result: tuple[Path, Sequence[str]]) -> None:
            for note in result[1]:
                self.panel.log(note)
            self.panel.log(_("The DICOM files are in {path}.").format(path=result[0]))

        def start(callbacks: dict[str, Any]) -> object:
            return self.start_dicom(folder, callbacks)

        self.panel.run(self.ui.exportDicomButton, self.dicom_feature, start, report)


def folder_of(table: Any) -> Path | None:
    """The folder that a result's table node remembers; None where it is not there (any more)."""
    name = table.GetAttribute(FOLDER_ATTRIBUTE) if table is not None else None
    return Path(name) if name and Path(name).is_dir() else None


def open_report(report: Path | None) -> None:
    """Open a report in the web browser."""
    if report is not None:
        qt.QDesktopServices.openUrl(qt.QUrl(report.resolve().as_uri()))


def dicom_database() -> Any:
    """Slicer's DICOM database; None where Slicer has none."""
    return getattr(slicer, "dicomDatabase", None)
