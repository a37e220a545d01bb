"""A combo box of a segmentation's segments, and news of segments that come and go."""

from collections.abc import Callable
from typing import Any

import slicer
from slicer.i18n import tr as _


class SegmentChoice:
    """A combo box of a segmentation's segments; the first entry may stand for all of them (empty ID)."""

    def __init__(self, combo: Any) -> None:
        self._combo = combo
        self._ids: list[str] = []
        self._shown: list[tuple[str, str]] = []
        self.following = False

    def follow(self, segmentation: Any, segment_id: str, *, allow_all: bool) -> None:
        """Show the segments there are, with this one chosen where it is among them."""
        entries = [("", _("All segments"))] if allow_all else []
        if segmentation is not None:
            segments = segmentation.GetSegmentation()
            ids = [segments.GetNthSegmentID(index) for index in range(segments.GetNumberOfSegments())]
            entries += [(each, segments.GetSegment(each).GetName()) for each in ids]
        self.following = True
        try:
            if entries != self._shown:
                self._shown, self._ids = entries, [each for each, _name in entries]
                self._combo.clear()
                for _id, name in entries:
                    self._combo.addItem(name)
            if self._ids:
                self._combo.currentIndex = self._ids.index(segment_id) if segment_id in self._ids else 0
        finally:
            self.following = False

    def current(self) -> str:
        """The chosen segment's ID; empty for all of them, or when there is none."""
        index = self._combo.currentIndex
        return self._ids[index] if 0 <= index < len(self._ids) else ""


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
