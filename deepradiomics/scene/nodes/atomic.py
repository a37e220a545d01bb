"""All or nothing: a block that adds nodes to the scene and, if it fails, leaves the scene as it was."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import slicer
import vtk


def nodes_of_class(scene: Any, class_name: str) -> list[Any]:
    """The nodes of a class in the scene, in order."""
    return [scene.GetNthNodeByClass(index, class_name) for index in range(scene.GetNumberOfNodesByClass(class_name))]


@contextlib.contextmanager
def all_or_nothing(scene: Any) -> Iterator[None]:
    """Remove every node and subject-hierarchy item added in the block, and restore the slice views, if it raises.

    The block is one step for whoever watches the scene: panels and views follow once, at its end.
    """
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)  # made if there is none
    nodes_before = {node.GetID() for node in nodes_of_class(scene, "vtkMRMLNode")}
    items_before = set(_items(hierarchy))
    layers_before = {
        node.GetID(): (node.GetBackgroundVolumeID(), node.GetForegroundVolumeID(), node.GetForegroundOpacity())
        for node in nodes_of_class(scene, "vtkMRMLSliceCompositeNode")
    }
    scene.StartState(scene.BatchProcessState)
    try:
        yield
    except BaseException:
        for node_id, (background, foreground, opacity) in layers_before.items():
            composite = scene.GetNodeByID(node_id)
            composite.SetBackgroundVolumeID(background)
            composite.SetForegroundVolumeID(foreground)
            composite.SetForegroundOpacity(opacity)
        for item in _items(hierarchy):
            if item not in items_before:
                hierarchy.RemoveItem(item, False, False)
        for node in reversed(nodes_of_class(scene, "vtkMRMLNode")):
            if node.GetID() not in nodes_before and scene.IsNodePresent(node):
                scene.RemoveNode(node)
        raise
    finally:
        scene.EndState(scene.BatchProcessState)
        redraw_legends(scene)


def redraw_legends(scene: Any) -> None:
    """Let the views draw the legends of the maps that they show: a map that comes into a view does not do it."""
    for legend in nodes_of_class(scene, "vtkMRMLColorLegendDisplayNode"):
        legend.Modified()


def _items(hierarchy: Any) -> list[int]:
    ids = vtk.vtkIdList()
    hierarchy.GetItemChildren(hierarchy.GetSceneItemID(), ids, True)
    return [ids.GetId(index) for index in range(ids.GetNumberOfIds())]
