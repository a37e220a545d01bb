"""The Batch section: the features of many cases, from a folder or from segmentations of the scene."""

from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from deepradiomics.scene.volumes import volumes_of_scene

from .choices import BatchSource
from .feature_sets import params_of
from .lists import TickList
from .readiness import batch_pairs


class BatchSection:
    """Shows the pairs to choose from, starts the batch."""

    def __init__(self, panel) -> None:
        self.panel, self.ui = panel, panel.ui
        self._pairs: dict[str, tuple[Any, Any]] = {}
        self.list = TickList(self.ui.batchPairsList, self.onTicked)
        self.ui.batchButton.connect("clicked(bool)", self.onRun)

    def refresh(self) -> None:
        """Show the rows that matter, and the scene's pairs, ticked where the parameters name them."""
        p = self.panel.parameters
        scene = p.batchSource is BatchSource.SCENE
        self.ui.batchFolderArea.visible = not scene
        self.ui.batchPairsArea.visible = scene
        if not scene:
            return
        self._pairs = {_key(*pair): pair for pair in pairs_of_scene(slicer.mrmlScene)}
        entries = [
            (
                key,
                _("{volume}  ({segmentation})").format(volume=volume.GetName(), segmentation=segmentation.GetName()),
                "",
            )
            for key, (volume, segmentation) in self._pairs.items()
        ]
        self.list.show(entries, {_key(*pair) for pair in batch_pairs(p)})

    def onTicked(self, ticked: list[str]) -> None:
        """The user ticked or unticked a pair."""
        pairs = [self._pairs[key] for key in ticked]
        self.panel.parameters.batchVolumes = [volume for volume, _segmentation in pairs]
        self.panel.parameters.batchSegmentations = [segmentation for _volume, segmentation in pairs]

    def onRun(self, checked: bool = False) -> None:
        """Run the batch, or cancel it; what is done is kept for the next run."""
        self.panel.run(self.ui.batchButton, "extract", self._start, self.panel.results.show_batch)

    def _start(self, callbacks: dict):
        p = self.panel.parameters
        cases = Path(p.batchFolder) if p.batchSource is BatchSource.FOLDER else batch_pairs(p)
        return self.panel.logic.start_batch(
            cases, p.batchOutput, params=params_of(p), mask_grid=p.batchMaskGrid, device=p.device.value, **callbacks
        )


def pairs_of_scene(scene: Any) -> list[tuple[Any, Any]]:
    """Each segmentation with the volume it was drawn on; else with the volumes of its folder, or the only volume."""
    volumes = volumes_of_scene(scene)
    pairs = []
    for segmentation in slicer.util.getNodesByClass("vtkMRMLSegmentationNode"):
        if segmentation.GetHideFromEditors():
            continue
        drawn_on = segmentation.GetNodeReference(segmentation.GetReferenceImageGeometryReferenceRole())
        partners = [volume for volume in volumes if drawn_on is not None and volume.GetID() == drawn_on.GetID()]
        partners = partners or _siblings(scene, segmentation, volumes) or (volumes if len(volumes) == 1 else [])
        pairs += [(volume, segmentation) for volume in partners]
    return pairs


def _siblings(scene: Any, segmentation: Any, volumes: list[Any]) -> list[Any]:
    """Volumes in the same folder of the subject hierarchy; none at its top."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    item = hierarchy.GetItemByDataNode(segmentation)
    parent = hierarchy.GetItemParent(item) if item != hierarchy.GetInvalidItemID() else hierarchy.GetSceneItemID()
    if parent == hierarchy.GetSceneItemID():
        return []
    return [volume for volume in volumes if hierarchy.GetItemParent(hierarchy.GetItemByDataNode(volume)) == parent]


def _key(volume: Any, segmentation: Any) -> str:
    return f"{volume.GetID()} {segmentation.GetID()}"
