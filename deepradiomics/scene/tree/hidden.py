"""Hidden for a reason, and shown again when the reason goes; what the user hides stays hidden.

Two reasons: another result is on show (`scene.views.shown`), or a result draws the outline of a segmentation
itself, so that the segmentation would be a second line beside it.
"""

from __future__ import annotations

from typing import Any

HIDDEN = "DeepRadiomics.hidden"  # attribute of a display node: hidden here, and not by the user
REDRAWN = "DeepRadiomics.redrawn"  # role: from a result's map to the segmentation whose outline the result draws


def hide(node: Any) -> None:
    """Hide a node, and mark what was visible of it."""
    for index in range(node.GetNumberOfDisplayNodes()):
        display = node.GetNthDisplayNode(index)
        if display is not None and display.GetVisibility():
            display.SetAttribute(HIDDEN, "1")
            display.SetVisibility(False)


def show_again(node: Any) -> None:
    """Show what `hide` has hidden of a node."""
    for index in range(node.GetNumberOfDisplayNodes()):
        display = node.GetNthDisplayNode(index)
        if display is not None and display.GetAttribute(HIDDEN):
            display.RemoveAttribute(HIDDEN)
            display.SetVisibility(True)


def redrawn_by(node: Any) -> Any | None:
    """The segmentation whose outline a result's map stands beside; None where there is none (any more)."""
    return node.GetNodeReference(REDRAWN)
