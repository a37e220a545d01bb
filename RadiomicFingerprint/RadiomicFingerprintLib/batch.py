"""The Batch section: many cases through one model, from a folder or from volumes of the scene."""

from pathlib import Path

import slicer
from slicer.i18n import tr as _

from deepradiomics.scene.nodes.volumes import volumes_of_scene
from deepradiomics.scene.panel.lists import TickList
from deepradiomics.scene.panel.parameter_node import options_of

from .bundles import BundleSummary
from .choices import BatchSource
from .work import APPLY


class BatchSection:
    """Shows the volumes to choose from, starts the batch, shows its table."""

    def __init__(self, panel) -> None:
        self.panel, self.ui = panel, panel.ui
        self.list = TickList(self.ui.batchVolumesList, self.onTicked)
        self.ui.batchButton.connect("clicked(bool)", self.onRun)

    def refresh(self) -> None:
        """Show the scene's volumes, ticked where the parameters name them."""
        p = self.panel.parameters
        if p.batchSource is BatchSource.SCENE:
            chosen = {node.GetID() for node in p.batchVolumes if node is not None}
            volumes = volumes_of_scene(slicer.mrmlScene)
            self.list.show([(node.GetID(), node.GetName(), "") for node in volumes], chosen)

    def onTicked(self, ticked: list[str]) -> None:
        """The user ticked or unticked a volume."""
        self.panel.parameters.batchVolumes = [slicer.mrmlScene.GetNodeByID(node_id) for node_id in ticked]

    def onRun(self, checked: bool = False) -> None:
        """Run the batch, or cancel it."""
        self.panel.run(self.ui.batchButton, "apply", self._start, self._show)

    def _start(self, callbacks: dict):
        p, options = self.panel.parameters, (*APPLY, "registration")
        return self.panel.logic.start_batch(
            self._cases(), p.batchOutput, self.panel.bundle_folder(), **options_of(p, options), **callbacks
        )

    def _cases(self):
        p = self.panel.parameters
        if p.batchSource is BatchSource.FOLDER:
            return Path(p.batchFolder)
        summary = self.panel.bundle_summary()
        view = summary.reference_view if isinstance(summary, BundleSummary) else "sagittal"
        return cases_of_nodes([node for node in p.batchVolumes if node is not None], view)

    def _show(self, table) -> None:
        self.panel.log(
            _("Batch finished: {count} cases, see the table '{name}'.").format(
                count=table.GetNumberOfRows(), name=table.GetName()
            )
        )


def cases_of_nodes(nodes, view: str) -> dict[str, dict[str, object]]:
    """Each volume as one case named by its node; equal names are numbered, since names become folders."""
    cases: dict[str, dict[str, object]] = {}
    for node in nodes:
        name, count = node.GetName(), 2
        while name in cases:
            name, count = f"{node.GetName()}_{count}", count + 1
        cases[name] = {view: node}
    return cases
