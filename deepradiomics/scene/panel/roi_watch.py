"""News of an ROI box that was moved, resized or drawn: the parameter node that names it does not notice."""

from collections.abc import Callable
from typing import Any


class RoiWatch:
    """Calls back when an interaction with one ROI node has ended, not at every step of the mouse.

    `observer` is a panel (`slicer.util.VTKObservationMixin`), which takes its observations back when it goes.
    """

    def __init__(self, observer: Any, call: Callable[[], None]) -> None:
        self._observer = observer
        self._tell = lambda caller, event: call()  # one for each watch: observers are told apart by it
        self._node: Any = None

    def follow(self, node: Any) -> None:
        """Watch this ROI node from now on, or none."""
        if node is self._node:
            return
        for watched, change in ((self._node, self._observer.removeObserver), (node, self._observer.addObserver)):
            if watched is not None:
                for event in (watched.PointEndInteractionEvent, watched.PointPositionDefinedEvent):
                    change(watched, event, self._tell)
        self._node = node
