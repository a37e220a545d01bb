"""Take nodes out of the scene with all that belongs to them: display, legend, storage, subject-hierarchy item."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import slicer
import vtk


def remove_nodes(scene: Any, nodes: Iterable[Any], *, with_empty_folders: bool = False) -> None:
    """Remove nodes and what only they use; `with_empty_folders`: also the folders in which nothing is left."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    folders = set()
    for node in nodes:
        item = hierarchy.GetItemByDataNode(node)
        if item != hierarchy.GetInvalidItemID():
            folders.add(int(hierarchy.GetItemParent(item)))
            hierarchy.RemoveItem(item, False, False)
        for belonging in _belongings(node):
            scene.RemoveNode(belonging)
        scene.RemoveNode(node)
    for folder in folders if with_empty_folders else ():
        while folder != int(hierarchy.GetSceneItemID()):
            children = vtk.vtkIdList()
            hierarchy.GetItemChildren(folder, children, False)
            if children.GetNumberOfIds():
                break
            above = int(hierarchy.GetItemParent(folder))
            hierarchy.RemoveItem(folder, False, False)
            folder = above


def _belongings(node: Any) -> list[Any]:
    """Display nodes (legends are among them) and storage nodes; colour tables are shared and stay."""
    displays = [node.GetNthDisplayNode(index) for index in range(node.GetNumberOfDisplayNodes())]
    stores = [node.GetNthStorageNode(index) for index in range(node.GetNumberOfStorageNodes())]
    return [belonging for belonging in (*displays, *stores) if belonging is not None]
