"""A combo box of a segmentation's segments, and news of segments that come and go."""

from collections.abc import Callable
from typing import Any

import slicer

from deepradiomics.scene.panel.lists import ComboList


class SegmentChoice:
    """A combo box of the segments of one parameter's segmentation, bound to another parameter with the segment's ID."""

    def __init__(self, panel: Any, combo: Any, segmentation: str, segment_id: str) -> None:
        self._panel, self._names = panel, (segmentation, segment_id)
        self._list = ComboList(combo, self._choose)
        self._watch = SegmentsWatch(panel, panel.refresh)

    def refresh(self) -> bool:
        """Show the segments there are; False where the choice had to change, which refreshes the panel once more."""
        node, segment_id = (getattr(self._panel.parameters, name) for name in self._names)
        self._watch.follow(node)
        entries = segments_of(node)
        known = [key for key, _name in entries]
        chosen = segment_id if segment_id in known or not known else known[0]
        self._list.show(entries, chosen)
        if node is None or chosen == segment_id:
            return True
        self._choose(chosen)
        return False

    def _choose(self, segment_id: str) -> None:
        if self._panel.parameters is not None:
            setattr(self._panel.parameters, self._names[1], segment_id)


class SegmentsWatch:
    """Calls back when segments of one segmentation node come, go or change; parameters do not notice.

    `observer` is a panel (`slicer.util.VTKObservationMixin`), which takes its observations back when it goes.
    """

    def __init__(self, observer: Any, call: Callable[..., None]) -> None:
        self._observer = observer
        # A function of this watch alone: the mixin tells observations apart by it, and two watches of one segmentation
        # with the same method would take each other's away.
        self._call = lambda caller=None, event=None: call()
        self._watched: Any = None

    def follow(self, node: Any) -> None:
        """Watch this segmentation node from now on, or none."""
        segmentation = node.GetSegmentation() if node is not None else None
        if segmentation is self._watched:
            return
        kinds = slicer.vtkSegmentation
        for event in (kinds.SegmentAdded, kinds.SegmentRemoved, kinds.SegmentModified):
            if self._watched is not None:
                self._observer.removeObserver(self._watched, event, self._call)
            if segmentation is not None:
                self._observer.addObserver(segmentation, event, self._call)
        self._watched = segmentation


def segments_of(node: Any) -> list[tuple[str, str]]:
    """(ID, name) of each segment of a segmentation node; none without a node."""
    if node is None:
        return []
    segments = node.GetSegmentation()
    ids = [segments.GetNthSegmentID(index) for index in range(segments.GetNumberOfSegments())]
    return [(segment_id, segments.GetSegment(segment_id).GetName()) for segment_id in ids]
