"""One subject-hierarchy folder per result; the input volumes stay where they are and are referenced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import slicer

REFERENCE_ROLE = "DeepRadiomics.view."


def result_folder_item(scene: Any, name: str, nodes: Iterable[Any]) -> int:
    """Make a folder called `name` (made unique) at the top, put the items of `nodes` into it and return its item ID."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    item = hierarchy.CreateFolderItem(hierarchy.GetSceneItemID(), hierarchy.GenerateUniqueItemName(name))
    hierarchy.SetItemExpanded(item, True)
    for node in nodes:
        # In the application every node has an item already; elsewhere it is made here.
        child = hierarchy.GetItemByDataNode(node)
        if child == hierarchy.GetInvalidItemID():
            hierarchy.CreateItem(item, node)
        else:
            hierarchy.SetItemParent(child, item)
    return int(item)


def reference_inputs(node: Any, views: Mapping[str, Any]) -> None:
    """Let a result node refer to the volumes it came from; such references survive saving and renaming."""
    for view, volume in views.items():
        node.SetNodeReferenceID(REFERENCE_ROLE + view, volume.GetID())


def referenced_inputs(node: Any) -> dict[str, Any]:
    """The volumes that a result node refers to, by view; a deleted volume is left out."""
    roles: list[str] = []
    node.GetNodeReferenceRoles(roles)
    return {
        role[len(REFERENCE_ROLE) :]: node.GetNodeReference(role)
        for role in roles
        if role.startswith(REFERENCE_ROLE) and node.GetNodeReference(role) is not None
    }


def result_folder_of(node: Any, *, adopt: Any | None = None) -> int | None:
    """The item ID of the folder a result node lies in (None if in none); `adopt` is put into it as well."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(node.GetScene())
    item = hierarchy.GetItemByDataNode(node)
    if item == hierarchy.GetInvalidItemID():
        return None
    parent = int(hierarchy.GetItemParent(item))
    if adopt is not None:
        child = hierarchy.GetItemByDataNode(adopt)
        if child == hierarchy.GetInvalidItemID():
            hierarchy.CreateItem(parent, adopt)
        else:
            hierarchy.SetItemParent(child, parent)
    return parent
