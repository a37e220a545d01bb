"""One subject-hierarchy folder per result, with subfolders; the input volumes stay where they are and are referenced.

Every node of a result carries the same `RESULT` attribute, by which the result is shown and hidden as one. What only
serves other nodes (plot series, the tables behind charts) lies in the folder unseen, so that it goes with the folder.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

import slicer

from deepradiomics.scene.tree.orphans import watch_scene
from deepradiomics.scene.tree.roles import references, role

REFERENCE_ROLE = "DeepRadiomics.view."
RESULT = "DeepRadiomics.result"  # attribute: which result a node belongs to


def result_folder_item(
    scene: Any, name: str, nodes: Iterable[Any], subfolders: Mapping[str, Iterable[Any]] | None = None
) -> int:
    """Make a folder called `name` (made unique) at the top and put a result's nodes into it; returns its item ID.

    Parameters
    ----------
    nodes
        Those that lie in the folder itself.
    subfolders
        Those that lie in a folder inside it, by that folder's name; an empty one is not made.
    """
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    item = hierarchy.CreateFolderItem(hierarchy.GetSceneItemID(), hierarchy.GenerateUniqueItemName(name))
    hierarchy.SetItemExpanded(item, True)
    result = uuid.uuid4().hex
    _put(hierarchy, item, nodes, result)
    for title, inside in (subfolders or {}).items():
        inside = list(inside)
        if inside:
            folder = hierarchy.CreateFolderItem(item, title)
            hierarchy.SetItemExpanded(folder, False)
            _put(hierarchy, folder, inside, result)
    watch_scene(scene)
    return int(item)


def _put(hierarchy: Any, item: int, nodes: Iterable[Any], result: str) -> None:
    for node in nodes:
        node.SetAttribute(RESULT, result)
        # In the application every node has an item already; elsewhere it is made here.
        child = hierarchy.GetItemByDataNode(node)
        if child == hierarchy.GetInvalidItemID():
            hierarchy.CreateItem(item, node)
        else:
            hierarchy.SetItemParent(child, item)
        for helper in _helpers(node):
            hide_helper(helper)
            helper.SetAttribute(RESULT, result)
            child = hierarchy.GetItemByDataNode(helper)
            if child == hierarchy.GetInvalidItemID():
                hierarchy.CreateItem(item, helper)
            else:
                hierarchy.SetItemParent(child, item)


def _helpers(node: Any) -> list[Any]:
    """A chart's series, and the tables that hold their numbers."""
    if not node.IsA("vtkMRMLPlotChartNode"):
        return []
    series = [node.GetNthPlotSeriesNode(index) for index in range(node.GetNumberOfPlotSeriesNodes())]
    tables = [plot.GetTableNode() for plot in series if plot is not None]
    unique = {helper.GetID(): helper for helper in (*series, *tables) if helper is not None}
    return list(unique.values())


def hide_helper(node: Any) -> None:
    """Leave a node out of the Data tree and of selectors; its item in the tree stays, and goes with its folder."""
    node.SetAttribute(slicer.vtkMRMLSubjectHierarchyConstants.GetSubjectHierarchyExcludeFromTreeAttributeName(), "1")
    node.SetHideFromEditors(True)


def reference_inputs(node: Any, views: Mapping[str, Any]) -> None:
    """Let a result node refer to the nodes it came from; such references survive saving and renaming.

    A node that was deleted while the result was computed is left out.
    """
    scene = node.GetScene()
    for view, volume in views.items():
        if not scene.IsNodePresent(volume):
            continue
        node.SetNodeReferenceID(role(REFERENCE_ROLE, view), volume.GetID())


def referenced_inputs(node: Any) -> dict[str, Any]:
    """The volumes that a result node refers to, by view; a deleted volume is left out."""
    return references(node, REFERENCE_ROLE)


def result_folder_of(node: Any, *, adopt: Any | None = None) -> int | None:
    """The item ID of the folder of a result that a node lies in, or under (None if in none).

    `adopt` is put beside the node, and belongs to its result from now on.
    """
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(node.GetScene())
    item = hierarchy.GetItemByDataNode(node)
    if item == hierarchy.GetInvalidItemID():
        return None
    parent = int(hierarchy.GetItemParent(item))
    if adopt is not None:
        _put(hierarchy, parent, [adopt], node.GetAttribute(RESULT) or uuid.uuid4().hex)
    top = parent
    while hierarchy.GetItemParent(top) not in (hierarchy.GetSceneItemID(), hierarchy.GetInvalidItemID()):
        top = int(hierarchy.GetItemParent(top))
    return top
