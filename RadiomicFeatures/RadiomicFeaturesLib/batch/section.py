"""The Batch section: the features of many cases: a folder, segmentations of the scene, series of the DICOM database."""

from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from deepradiomics.errors import InputError
from deepradiomics.scene.nodes.volumes import volumes_of_scene
from deepradiomics.scene.panel.lists import TickList, show_rows

from ..choices import BatchSource
from ..readiness import batch_pairs
from ..settings.feature_sets import params_of
from .dicom_series import SeriesPair, open_database, series_pairs


class BatchSection:
    """Shows the pairs to choose from, starts the batch."""

    def __init__(self, panel) -> None:
        self.panel, self.ui = panel, panel.ui
        self._pairs: dict[str, tuple[Any, Any]] = {}
        self._series: dict[str, SeriesPair] | None = None  # of the DICOM database; None: not asked yet
        self.list = TickList(self.ui.batchPairsList, self.onTicked)
        self.ui.batchButton.connect("clicked(bool)", self.onRun)

    def refresh(self) -> None:
        """Show the rows that matter, and the scene's pairs, ticked where the parameters name them."""
        p = self.panel.parameters
        show_rows(
            self.ui,
            batchFolderArea=p.batchSource is BatchSource.FOLDER,
            batchPairsArea=p.batchSource is not BatchSource.FOLDER,
            batchScannerArea=p.batchSource is not BatchSource.SCENE,
        )
        if p.batchSource is BatchSource.SCENE:
            self._show_scene(p)
        elif p.batchSource is BatchSource.DICOM:
            self._show_series(p)

    def look_again(self) -> None:
        """The DICOM database may have changed: it is asked again when its series are next shown."""
        self._series = None

    def _show_series(self, p) -> None:
        if self._series is None:
            database = open_database(slicer)
            self._series = {pair.key: pair for pair in series_pairs(database)} if database is not None else {}
        self.list.show([(key, pair.title, "") for key, pair in self._series.items()], set(p.batchSeries))

    def _show_scene(self, p) -> None:
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
        if self.panel.parameters.batchSource is BatchSource.DICOM:
            self.panel.parameters.batchSeries = ticked
            return
        pairs = [self._pairs[key] for key in ticked]
        self.panel.parameters.batchVolumes = [volume for volume, _segmentation in pairs]
        self.panel.parameters.batchSegmentations = [segmentation for _volume, segmentation in pairs]

    def onRun(self, checked: bool = False) -> None:
        """Run the batch, or cancel it; finished cases are kept for the next run."""
        self.panel.run(self.ui.batchButton, "extract", self._start, self.panel.results.show_batch)

    def _start(self, callbacks: dict):
        p = self.panel.parameters
        scanner = p.batchScanner and p.batchSource is not BatchSource.SCENE
        return self.panel.logic.start_batch(
            self._cases(p),
            p.batchOutput,
            params=params_of(p),
            mask_grid=p.batchMaskGrid,
            scanner=scanner,
            device=p.device.value,
            **callbacks,
        )

    def _cases(self, p) -> Any:
        if p.batchSource is BatchSource.FOLDER:
            return Path(p.batchFolder)
        if p.batchSource is BatchSource.SCENE:
            return batch_pairs(p)
        self.look_again()
        self._show_series(p)
        assert self._series is not None
        missing = [key for key in p.batchSeries if key not in self._series]
        if missing:
            raise InputError(
                f"{len(missing)} of the ticked series are no longer in the DICOM database. Import them again, or tick "
                "others."
            )
        return [self._series[key] for key in p.batchSeries]


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
