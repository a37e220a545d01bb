"""Nothing of a result stays in the scene when the user deletes its folder.

The subject hierarchy removes the nodes that have items in it, and with them neither their display nodes nor legends.
A segmentation that was hidden because a result drew its outline is shown again when that result goes.
"""

from __future__ import annotations

from typing import Any

import vtk

from deepradiomics.scene.tree.hidden import redrawn_by, show_again

_OBSERVED = "_deepradiomics_observers"  # attribute of the scene's Python object, which VTK keeps with the scene
_KIND = "DeepRadiomics.kind"


def watch_scene(scene: Any) -> None:
    """From now on remove what is left of a result's node when the node is removed. Watching twice is harmless."""
    if getattr(scene, _OBSERVED, None) is not None:
        return

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def about_to_go(caller: Any, event: str, node: Any) -> None:
        if (
            node is None
            or caller.IsClosing()
            or node.GetAttribute(_KIND) is None
            or not hasattr(node, "GetNthDisplayNode")
        ):
            return
        displays = [node.GetNthDisplayNode(index) for index in range(node.GetNumberOfDisplayNodes())]
        caller.__dict__.setdefault("_deepradiomics_orphans", []).extend(
            display for display in displays if display is not None
        )
        if redrawn_by(node) is not None:
            show_again(redrawn_by(node))

    def gone(caller: Any, event: str) -> None:
        orphans = caller.__dict__.pop("_deepradiomics_orphans", [])
        if caller.IsClosing():
            return
        for display in orphans:
            if caller.IsNodePresent(display) and display.GetDisplayableNode() is None:
                caller.RemoveNode(display)

    tags = [
        scene.AddObserver(scene.NodeAboutToBeRemovedEvent, about_to_go),
        scene.AddObserver(scene.NodeRemovedEvent, gone),
    ]
    setattr(scene, _OBSERVED, tags)
