"""A region as an outline: a segmentation node of one segment, drawn as a line in slices and not at all in 3D."""

from __future__ import annotations

from typing import Any

from deepradiomics.images import Mask
from deepradiomics.scene.nodes.map_place import ReferencePlace
from deepradiomics.scene.nodes.segments import labelmap_at
from deepradiomics.scene.tree.names import node_name

OUTLINE_COLOUR = (0.15, 1.0, 0.55)  # a green that is neither grey nor in the colour table of the maps
OUTLINE_PIXELS = 2


def add_outline(scene: Any, name: str, mask: Mask, volume: Any | None, place: ReferencePlace | None) -> Any:
    """Add a region (all labels but 0) at its place: below the transform of `volume`, else in the world.

    `place` is that volume's. The region lies exactly where a map of the same grid lies (`map_place.put_in_place`). The
    mask must not be empty.
    """
    follows = place if volume is not None else None
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", node_name(name))
    node.AddSegmentFromBinaryLabelmapRepresentation(
        labelmap_at(mask.union(), mask.geometry, follows), name, OUTLINE_COLOUR
    )
    if volume is not None and follows is not None:
        node.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
    if volume is not None:
        node.SetReferenceImageGeometryParameterFromVolumeNode(volume)  # Segment Editor begins with it
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetVisibility2DFill(False)
    display.SetVisibility2DOutline(True)
    display.SetOpacity2DOutline(1.0)
    display.SetSliceIntersectionThickness(OUTLINE_PIXELS)
    display.SetVisibility3D(False)
    return node


def show_only_in(node: Any, views: list[Any]) -> None:
    """Draw an outline in these view nodes alone; an empty list draws it everywhere."""
    display = node.GetDisplayNode()
    modifying = display.StartModify()
    display.RemoveAllViewNodeIDs()
    for view in views:
        display.AddViewNodeID(view.GetID())
    display.EndModify(modifying)
