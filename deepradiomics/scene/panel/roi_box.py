"""The ROI box of a panel's parameter `roiNode`: its first place, and news of its moves."""

from typing import Any

from deepradiomics.scene.nodes.regions import is_placed, place_in_middle


class RoiBox:
    """Lays a box that was just created into the middle of the image, and refreshes the panel when a box was moved.

    The parameter node does not notice that a box was moved, resized or drawn; here the panel hears of it when the
    interaction has ended, not at every step of the mouse. The panel (`slicer.util.VTKObservationMixin`) takes its
    observations back when it goes.
    """

    def __init__(self, panel: Any) -> None:
        self._panel = panel
        self._unplaced = ""  # ID of a box that has no place yet
        self._node: Any = None
        self._moved = lambda caller, event: panel.refresh()  # a function of this box alone: observations have its name
        panel.ui.roiNodeSelector.connect("currentNodeChanged(vtkMRMLNode*)", self.onChosen)

    def onChosen(self, node: Any) -> None:
        """The user chose or created a box."""
        if node is not None and self._panel.parameters is not None and not is_placed(node):
            self._unplaced = node.GetID()
            self._panel.refresh()

    def refresh(self, volume: Any) -> None:
        """Watch the box that the parameters name; give a new one its place, as soon as there is a volume."""
        node = self._panel.parameters.roiNode
        if node is not None and node.GetID() == self._unplaced and place_in_middle(node, volume):
            self._unplaced = ""
        if node is self._node:
            return
        for watched, change in ((self._node, self._panel.removeObserver), (node, self._panel.addObserver)):
            if watched is not None:
                for event in (watched.PointEndInteractionEvent, watched.PointPositionDefinedEvent):
                    change(watched, event, self._moved)
        self._node = node
