"""The Batch section: many cases through one model, from a folder or from volumes of the scene."""

from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from deepradiomics.scene.volumes import volumes_of_scene

from . import readiness
from .bundles import BundleSummary
from .choices import BatchSource


class BatchSection:
    """Shows the volumes to choose from, starts the batch, shows its table."""

    def __init__(self, panel) -> None:
        self.panel, self.ui = panel, panel.ui
        self._shown: list[str] = []
        self._following = False
        self.ui.batchButton.connect("clicked(bool)", self.onRun)
        self.ui.batchVolumesList.connect("itemChanged(QListWidgetItem*)", self.onTicked)

    def refresh(self) -> None:
        """Show the scene's volumes, ticked where the parameters name them."""
        p = self.panel.parameters
        if p.batchSource is not BatchSource.SCENE:
            return
        chosen = {node.GetID() for node in p.batchVolumes if node is not None}
        volumes = volumes_of_scene(slicer.mrmlScene)
        self._following = True
        try:
            if [node.GetID() for node in volumes] != self._shown:
                self._shown = [node.GetID() for node in volumes]
                self.ui.batchVolumesList.clear()
                for node in volumes:
                    self.ui.batchVolumesList.addItem(node.GetName())
            for row, node in enumerate(volumes):
                item = self.ui.batchVolumesList.item(row)
                item.setCheckState(qt.Qt.Checked if node.GetID() in chosen else qt.Qt.Unchecked)
        finally:
            self._following = False

    def onTicked(self, item) -> None:
        """The user ticked or unticked a volume."""
        if self._following:
            return
        rows = range(len(self._shown))
        ticked = [self._shown[row] for row in rows if self.ui.batchVolumesList.item(row).checkState() == qt.Qt.Checked]
        self.panel.parameters.batchVolumes = [slicer.mrmlScene.GetNodeByID(each) for each in ticked]

    def onRun(self, checked: bool = False) -> None:
        """Run the batch, or cancel it."""
        self.panel.run(self.ui.batchButton, "apply", self._start, self._show)

    def _start(self, callbacks: dict):
        p = self.panel.parameters
        return self.panel.logic.start_batch(
            self._cases(), p.batchOutput, readiness.bundle_folder(p), registration=p.registration.value,
            inference=p.inference.value, device=p.device.value, **callbacks,
        )  # fmt: skip

    def _cases(self):
        p = self.panel.parameters
        if p.batchSource is BatchSource.FOLDER:
            return Path(p.batchFolder)
        summary = self.panel.bundle_summary
        view = summary.reference_view if isinstance(summary, BundleSummary) else "sagittal"
        return cases_of_nodes([node for node in p.batchVolumes if node is not None], view)

    def _show(self, table) -> None:
        self.panel.log(_("Batch finished: {count} cases, see the table '{name}'.").format(
            count=table.GetNumberOfRows(), name=table.GetName()))  # fmt: skip


def cases_of_nodes(nodes, view: str) -> dict[str, dict[str, object]]:
    """Each volume as one case named by its node; equal names are numbered, since names become folders."""
    cases: dict[str, dict[str, object]] = {}
    for node in nodes:
        name, count = node.GetName(), 2
        while name in cases:
            name, count = f"{node.GetName()}_{count}", count + 1
        cases[name] = {view: node}
    return cases
